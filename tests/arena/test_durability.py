"""Votes by 50 at once over HTTP while kill -9 ends the server: every acknowledged vote is there, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from bench.postgres import new_database
from medilite.arena.store import Store
from tests.arena.crowd import KILLS, VOTES, Crowd
from tests.arena.replica import Replica


@pytest.fixture
def start() -> Iterator[Callable[..., list[Replica]]]:
    """Return a function that starts so many servers on one database; whatever serves pairs and votes can stand in."""
    started: list[Replica] = []

    def on(database: str, replicas: int) -> list[Replica]:
        started.extend(Replica(database) for _ in range(replicas))
        for replica in started:
            replica.start()
        return started

    yield on
    for replica in started:
        replica.kill()


def check(address: str, replicas: list[Replica]) -> None:
    crowd = Crowd(replicas, VOTES)
    asyncio.run(crowd.run(VOTES, KILLS))
    store = Store(address)
    try:
        kept = [(vote.pair.id, vote.ballot.choice) for vote in store.votes()]
    finally:
        store.database.close()
    print(f"{len(kept):,} votes, {KILLS} kills; calls without an answer: {dict(crowd.lost)}")
    assert len(crowd.acknowledged) == VOTES
    assert len(kept) == len(set(kept)) == VOTES
    assert dict(kept) == crowd.acknowledged
    if KILLS:
        assert crowd.lost, "the kills met nobody"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_acknowledged_vote_is_lost_or_counted_twice_on_sqlite(start, tmp_path):
    address = str(tmp_path / "votes.db")
    check(address, start(address, 1))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_acknowledged_vote_is_lost_or_counted_twice_on_postgresql_by_two_replicas(start, postgres):
    address = new_database(postgres)
    check(address, start(address, 2))
