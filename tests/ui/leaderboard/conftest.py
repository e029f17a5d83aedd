"""Votes that were given, and what they say."""

from __future__ import annotations

import dataclasses

import pytest

from medilite.arena.contestants import contestants
from medilite.arena.records import Contestant
from medilite.arena.results import LiveResults, Results
from medilite.arena.store import Store
from medilite.arena.votes import Votes
from medilite.settings import load_settings
from medilite.ui.leaderboard.votes.names import Names
from tests.arena.filled import keep, made_votes

EARLIER = Contestant("grpo", "e" * 64)


@pytest.fixture(scope="module")
def data(lite, tmp_path_factory):
    """Settings whose store has 600 votes, some of them for what GRPO was before it was trained anew."""
    folder = tmp_path_factory.mktemp("votes")
    settings = load_settings(data_dir=folder)
    votes = made_votes(contestants(lite), 600)
    for number in range(100, 140):
        shown = votes[number].pair
        if shown.left.contestant.model == "grpo":
            left = dataclasses.replace(shown.left, contestant=EARLIER)
            votes[number] = dataclasses.replace(votes[number], pair=dataclasses.replace(shown, left=left))
    store = Store(settings.votes_database)
    keep(store, votes)
    store.database.close()
    return settings


@pytest.fixture(scope="module")
def results(lite, data) -> Results:
    return LiveResults(lite, data, Votes(data.votes_database)).get()


@pytest.fixture(scope="module")
def names(lite, results) -> Names:
    return Names(lite, results)
