"""2,000 votes by 50 at once over HTTP while kill -9 ends the server: every acknowledged vote is there, once."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest

from medilite.arena.store import Store
from scripts.postgres import new_database
from tests.arena.replica import Replica, cast, draw

VOTES = int(os.environ.get("DURABILITY_VOTES", "2000"))
KILLS = int(os.environ.get("DURABILITY_KILLS", "20"))
CLIENTS = 50
REPLAYED = 0.05
"""Share of the votes that are sent once more, with another choice, after they were acknowledged."""

PATIENCE_S = 1500.0


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


class Crowd:
    """Visitors who vote until all votes are cast, and do again what nobody answered."""

    def __init__(self, replicas: list[Replica], votes: int) -> None:
        self.replicas = replicas
        self.left = votes
        self.acknowledged: dict[str, str] = {}
        self.lost = Counter[str]()

    async def vote(self, client: httpx.AsyncClient, number: int) -> None:
        """Cast one vote after another, each of a pair of its own, at whichever server answers."""
        dice = random.Random(number)
        voter = f"voter {number}"
        while self.left > 0:
            self.left -= 1
            token = await self._until_answered(dice, draw, client, voter)
            choice = dice.choice(["left", "right", "equal", "both_bad"])
            vote, kept, _ = await self._until_answered(dice, cast, client, voter, token, choice)
            assert kept == choice
            assert vote not in self.acknowledged, "two pairs, one vote"
            self.acknowledged[vote] = choice
            if dice.random() < REPLAYED:
                other = "left" if choice == "right" else "right"
                again = await self._until_answered(dice, cast, client, voter, token, other)
                assert again == (vote, choice, False)

    async def _until_answered(self, dice: random.Random, call: Callable, client: httpx.AsyncClient, *given: str):
        while True:
            try:
                return await call(client, dice.choice(self.replicas).url, *given)
            except httpx.HTTPError as error:
                reply = getattr(error, "response", None)
                if reply is not None and reply.status_code != 503:
                    raise AssertionError(reply.text) from error
                self.lost[type(error).__name__] += 1
            await asyncio.sleep(0.05 * dice.random())

    async def kill(self, kills: int, votes: int) -> None:
        """Kill the servers in turn, evenly over the votes, and start each again at once."""
        for number in range(kills):
            while len(self.acknowledged) < votes * (number + 0.5) / kills:
                await asyncio.sleep(0.005)
            replica = self.replicas[number % len(self.replicas)]
            await asyncio.to_thread(replica.kill)
            replica.start()

    async def run(self, votes: int, kills: int) -> None:
        limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
        async with (
            httpx.AsyncClient(timeout=20, limits=limits, trust_env=False) as client,
            asyncio.timeout(PATIENCE_S),
            asyncio.TaskGroup() as together,
        ):
            together.create_task(self.kill(kills, votes))
            for number in range(CLIENTS):
                together.create_task(self.vote(client, number))


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
