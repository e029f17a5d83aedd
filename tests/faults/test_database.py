"""The votes' database vanishes under visitors: a PostgreSQL server stops or hangs, a file is locked or moved away."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from bench.postgres import REMEDY, Postgres, find_postgres, new_database, running_postgres
from tests.conftest import do_without
from tests.faults.conftest import OUTAGE_S, check_votes
from tests.faults.forks import Running
from tests.faults.people import Asking, Crowd, Voter, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SOON_S = 60.0
"""How long a busy machine may take for what takes no time."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server that nobody else uses."""
    programs = find_postgres() or do_without(REMEDY)
    with running_postgres(programs) as made:
        yield made


@pytest.fixture(scope="module")
def database(server: Postgres) -> str:
    return new_database(server.url)


@pytest.fixture(scope="module")
def on_server(start, database: str) -> Running:
    return start(MEDILITE_VOTES_URL=database)


@pytest.fixture(scope="module")
def on_file(start) -> Running:
    return start()


def freeze(server: Postgres) -> Callable[[], None]:
    """Stop every process of a server where it stands; return what lets them go on."""
    main = psutil.Process(server.pid)
    processes = [main, *main.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)

    def go_on() -> None:
        for process in processes:
            process.send_signal(signal.SIGCONT)

    return go_on


def stop(server: Postgres) -> Callable[[], None]:
    server.stop()
    return server.start


def get(app: Running, path: str) -> httpx.Response:
    return httpx.get(app.url + path, trust_env=False, timeout=SOON_S)


def outage(app: Running, crowd: Crowd, begin: Callable[[], Callable[[], None]], said: str, reason: str) -> None:
    """Take the database away for OUTAGE_S seconds while everybody goes on, and have it come back."""
    errors, voter = len(crowd.errors), Voter(app.url)
    until(lambda: not voter.draw())
    end = begin()
    began = time.monotonic()
    try:
        asking = [Asking(app.url, "compare"), Asking(app.url, "chat")]
        refused = voter.cast()
        assert "Your vote is not confirmed yet" in refused
        assert said in refused
        until(lambda: len(crowd.errors) > errors + 2)
        # What needs no database works.
        assert get(app, "/healthz").status_code == 200
        assert get(app, "/").status_code == 200
        until(lambda: get(app, "/readyz").status_code == 503)  # what it found is kept for a moment
        ready = get(app, "/readyz")
        assert ready.status_code == 503
        assert reason in ready.json()["reasons"][0]
        assert "All answers are here." in asking[0].over().text
        assert "The answer is here." in asking[1].over().text
        # A live pair needs a voter, and says so.
        assert said in Asking(app.url, "vote").over().text
        time.sleep(max(0.0, OUTAGE_S - (time.monotonic() - began)))
    finally:
        end()
    until(lambda: not voter.cast(), lambda: "pressing again does not work")
    assert voter.token
    crowd.acknowledged[voter.token] = voter.choice
    crowd.more(3)
    until(lambda: get(app, "/readyz").status_code == 200)
    assert "Both answers are here. Choose." in Asking(app.url, "vote").over().text


@pytest.mark.parametrize("kind", ["stopped", "frozen"])
def test_a_server_that_vanishes_for_a_while(kind: str, server: Postgres, database: str, on_server: Running) -> None:
    crowd = Crowd(on_server.url).start()
    crowd.more(3)
    way = {"stopped": stop, "frozen": freeze}[kind]
    outage(on_server, crowd, lambda: way(server), "can't be used at the moment", "can't be used at the moment")
    crowd.leave()
    check_votes(database, crowd)


def test_a_file_that_another_program_holds(on_file: Running) -> None:
    path = Path(on_file.log).parent / "data" / "votes.db"
    crowd = Crowd(on_file.url).start()
    crowd.more(3)
    holder = sqlite3.connect(path, isolation_level=None, timeout=SOON_S)
    errors = len(crowd.errors)
    holder.execute("BEGIN IMMEDIATE")
    until(lambda: len(crowd.errors) > errors + 2)
    assert "is held by another program" in crowd.errors[-1]
    assert "All answers are here." in Asking(on_file.url).over().text
    holder.execute("ROLLBACK")
    holder.close()
    crowd.more(3)
    crowd.leave()
    check_votes(path, crowd)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_file_that_is_moved_away_is_not_made_anew(what: str, on_file: Running) -> None:
    path = Path(on_file.log).parent / "data" / "votes.db"
    moved = path if what == "file" else path.parent
    aside = moved.with_name("aside")

    def begin() -> Callable[[], None]:
        moved.rename(aside)
        return lambda: _put_back()

    def _put_back() -> None:
        assert not path.exists(), "an empty database in its place would hide the loss"
        aside.rename(moved)

    crowd = Crowd(on_file.url).start()
    crowd.more(3)
    outage(on_file, crowd, begin, "The votes' database", "The votes' database")
    crowd.leave()
    check_votes(path, crowd)
