"""The app itself under kill -9 while visitors vote on its page: every acknowledged vote is there, once.

As `test_durability`, but with the real page, booth and guards, and visitors who
speak as browsers do. `THOROUGH=1` makes it 2,000 votes, 50 visitors and 20
kills, on SQLite and on PostgreSQL with two replicas; else it is a small one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from bench.crowd.browser import Browser
from bench.crowd.crowd import address
from bench.crowd.page import Page
from bench.crowd.page_files import Files
from bench.crowd.tally import Tally, WentWrongError
from bench.crowd.visitor import Thinking, Visitor
from bench.crowd.votes import kept_votes
from bench.postgres import new_database
from medilite.ui.vote.cards import CHOICE_WORDS
from tests.arena.app_replica import AppReplica
from tests.arena.crowd import CLIENTS, KILLS, REPLAYED, VOTES, Crowd
from tests.support.banks import write_bank
from tests.support.thorough import thorough, usually

VOTES_OF_ONE = 15
"""After so many somebody else comes: nobody may vote more than twenty times a minute."""


@pytest.fixture
def start(lite, tmp_path) -> Iterator[Callable[..., list[AppReplica]]]:
    """Return a function that starts so many apps on one database."""
    started: list[AppReplica] = []
    bank = write_bank(tmp_path / "bank", lite)

    def on(database: str, replicas: int) -> list[AppReplica]:
        started.extend(AppReplica(database, bank) for _ in range(replicas))
        for replica in started:
            replica.start()
        return started

    yield on
    for replica in started:
        replica.kill()


class AppCrowd(Crowd):
    """Visitors who vote on the page; whatever nobody answered they do again, at whichever replica answers."""

    pause_s = 1.0
    """An app that starts has better to do than to refuse connections."""

    def __init__(self, replicas: list[AppReplica], votes: int) -> None:
        super().__init__(replicas, votes)
        self.files, self.opening = Files(), asyncio.Lock()
        self.page: Page | None = None

    async def vote(self, client: httpx.AsyncClient, number: int) -> None:
        dice, tally = random.Random(number), Tally()
        browser = Browser(self.replicas[0].url, address(number), tally, self.files)
        visitor = Visitor(browser, tally, dice, Thinking(0.0), ())
        try:
            given = 0
            while self.left > 0:
                self.left -= 1
                if given % VOTES_OF_ONE == 0:
                    await self._arrive(visitor, dice)
                given += 1
                await self._vote_once(visitor, dice)
        finally:
            await browser.close()

    async def _arrive(self, visitor: Visitor, dice: random.Random) -> None:
        """Begin as somebody new, on the page that the first of all has opened."""
        async with self.opening:
            if self.page is None:
                await self._until_answered(dice, _open, visitor)
                await visitor.browser.leave()
                self.page = visitor.browser.page
        visitor.browser.voter = None
        visitor.browser.show(self.page)
        visitor.begin()

    async def _vote_once(self, visitor: Visitor, dice: random.Random) -> None:
        token = await self._until_answered(dice, _draw, visitor)
        assert token, f"no pair to vote on: {visitor.tally.nothing}"
        assert token not in self.acknowledged, "two pairs, one token"
        choice = dice.choice(list(CHOICE_WORDS))
        shown = await self._until_answered(dice, _cast, visitor, token, choice)
        assert CHOICE_WORDS[choice][1] in shown
        self.acknowledged[token] = visitor.tally.votes[-1]
        if dice.random() < REPLAYED:
            other = "left" if choice == "right" else "right"
            shown = await self._until_answered(dice, _cast, visitor, token, other)
            # Before its names it says so, with them it shows the vote that counts.
            assert "You have already voted on this pair" in shown or 'data-state="voted"' in shown
            assert CHOICE_WORDS[choice][1] in shown


class ToldToTryAgain(httpx.HTTPError):
    """The page said that the database had no room for this now: nothing is acknowledged."""


@contextmanager
def _at(visitor: Visitor, url: str) -> Iterator[None]:
    """Turn to a replica; a message that asks to try again is no answer yet."""
    visitor.browser.turn_to(url)
    try:
        yield
    except WentWrongError as error:
        if "Try again; nothing is counted twice." not in str(error):
            raise
        raise ToldToTryAgain(str(error)) from error


async def _open(visitor: Visitor, url: str) -> None:
    with _at(visitor, url):
        await visitor.browser.open()


async def _draw(visitor: Visitor, url: str) -> str | None:
    with _at(visitor, url):
        return await visitor.draw()


async def _cast(visitor: Visitor, url: str, token: str, choice: str) -> str:
    """Vote, and return what the page shows then."""
    with _at(visitor, url):
        await visitor.cast(token, choice, "vote-pair")
    return visitor.browser.html("vote-pair")


def check(database: str, replicas: list[AppReplica], votes: int, kills: int, clients: int) -> None:
    crowd = AppCrowd(replicas, votes)
    asyncio.run(crowd.run(votes, kills, clients))
    kept = kept_votes(database, list(crowd.acknowledged.values()))
    print(f"{kept}, {kills} kills; calls without an answer: {dict(crowd.lost)}")
    assert kept.none_lost
    assert (kept.acknowledged, kept.once, kept.more_than_once, kept.strangers) == (votes, votes, 0, 0)
    assert crowd.lost, "the kills met nobody"


@pytest.mark.slow
@pytest.mark.timeout(usually(600, 3600))
def test_no_vote_on_the_page_is_lost_or_counted_twice_on_sqlite(start, tmp_path):
    database = str(tmp_path / "votes.db")
    size = usually((24, 1, 6), (VOTES, KILLS, CLIENTS))
    check(database, start(database, 1), *size)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@thorough
def test_no_vote_on_the_page_is_lost_or_counted_twice_on_postgresql_by_two_replicas(start, postgres):
    database = new_database(postgres)
    check(database, start(database, 2), VOTES, KILLS, CLIENTS)
