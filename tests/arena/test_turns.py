"""Writers of one process take turns in the order in which they came, so nobody waits for ever beside a busy crowd."""

from __future__ import annotations

import threading
import time

import pytest
import sqlalchemy as sa

from medilite.arena.database import Database
from medilite.arena.turns import Turns
from medilite.errors import StoreError


def arrivals(turns, enter):
    """Return the order in which eight threads got in that came one after another while somebody was in."""
    came, queued = [], []

    def take(number: int) -> None:
        with enter():
            came.append(number)

    with enter():
        for number in range(8):
            thread = threading.Thread(target=take, args=(number,))
            thread.start()
            while turns.waiting <= number:
                assert thread.is_alive(), "it didn't wait for a turn"
                time.sleep(0.001)
            queued.append(thread)
    for thread in queued:
        thread.join()
    return came


def test_threads_come_in_the_order_in_which_they_came():
    turns = Turns()
    assert arrivals(turns, lambda: turns.turn(60)) == list(range(8))
    assert turns.waiting == 0


def test_writers_of_a_file_come_in_the_order_in_which_they_came(tmp_path):
    """SQLite's own waiting lets the luckiest in: some wait until all others have done."""
    database = Database(tmp_path / "votes.db", timeout_s=60.0)
    with database.write():
        pass
    assert arrivals(database._turns, database.write) == list(range(8))
    database.close()


def test_who_gives_up_holds_nobody_up():
    turns = Turns()
    with turns.turn(1):
        with pytest.raises(TimeoutError, match=r"within 0\.01 s"), turns.turn(0.01):
            pass
        assert turns.waiting == 0
    with turns.turn(0.01):
        pass


def test_an_error_gives_the_turn_on():
    turns = Turns()
    with pytest.raises(ValueError, match="no"), turns.turn(1):
        raise ValueError("no")
    with turns.turn(0.01):
        pass


def test_many_writers_of_a_file_all_get_their_turn(tmp_path):
    database = Database(tmp_path / "votes.db", timeout_s=60.0)
    failed: list[str] = []

    def write() -> None:
        for _ in range(12):
            try:
                with database.write() as connection:
                    connection.execute(sa.text("UPDATE meta SET value = value"))
                    time.sleep(0.004)
            except StoreError as error:
                failed.append(str(error))

    with database.write():
        pass
    threads = [threading.Thread(target=write) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert failed == []
