"""Voters who come back until they are answered, while whoever serves them is killed and started again."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import httpx

from tests.arena.replica import cast, draw
from tests.support.thorough import usually

VOTES = usually(240, 2000)
KILLS = usually(4, 20)
CLIENTS = 50
REPLAYED = 0.05
"""Share of the votes that are sent once more, with another choice, after they were acknowledged."""

PATIENCE_S = 1500.0


class Killable(Protocol):
    """A server as a process."""

    url: str

    def start(self) -> None: ...

    def kill(self) -> None: ...


class Crowd:
    """Visitors who vote until all votes are cast, and do again what nobody answered."""

    pause_s = 0.05
    """The longest that a visitor waits before doing so."""

    def __init__(self, replicas: Sequence[Killable], votes: int) -> None:
        self.replicas = replicas
        self.left = votes
        self.acknowledged: dict[str, Any] = {}
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
            await asyncio.sleep(self.pause_s * dice.random())

    async def kill(self, kills: int, votes: int) -> None:
        """Kill the servers in turn, evenly over the votes, and start each again at once."""
        for number in range(kills):
            while len(self.acknowledged) < votes * (number + 0.5) / kills:
                await asyncio.sleep(0.005)
            replica = self.replicas[number % len(self.replicas)]
            await asyncio.to_thread(replica.kill)
            replica.start()

    async def run(self, votes: int, kills: int, clients: int = CLIENTS) -> None:
        limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
        async with (
            httpx.AsyncClient(timeout=20, limits=limits, trust_env=False) as client,
            asyncio.timeout(PATIENCE_S),
            asyncio.TaskGroup() as together,
        ):
            together.create_task(self.kill(kills, votes))
            for number in range(clients):
                together.create_task(self.vote(client, number))
