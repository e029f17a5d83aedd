"""Counts for the one who votes."""

from __future__ import annotations

import dataclasses

from medilite.arena.records import Ballot, Vote
from medilite.arena.voter_counts import orient, own_table
from tests.arena.made import NOW, contestant, pair, vote


def test_others_choices_are_told_as_the_pair_stands():
    shown = pair("base", "grpo")
    left, right = shown.left.key, shown.right.key
    choices = [(left, "left"), (right, "left"), (right, "right"), (right, "equal"), (left, "both_bad")]
    assert orient(shown, choices) == {"left": 2, "right": 1, "equal": 1, "both_bad": 1}


def test_one_s_own_table_counts_every_vote_from_both_sides():
    here = {model: contestant(model) for model in ("base", "grpo", "sft-r8-low")}
    earlier = dataclasses.replace(pair().left, contestant=contestant("base", 2))
    votes = [
        vote("left", left="base", right="grpo"),
        vote("right", left="base", right="grpo"),
        vote("equal", left="grpo", right="base"),
        Vote(pair("grpo", "base"), Ballot("both_bad", left_unsafe=True), NOW, 5.0, marks=("hasty",)),
        dataclasses.replace(vote("left"), undone_at=NOW + 70),
        vote("left", left=earlier, right="grpo"),
    ]
    table = own_table(votes, here)
    assert (table.votes, table.earlier) == (5, 1)
    base, grpo, unseen = table.rows
    assert (base.model, base.wins, base.ties, base.bad, base.losses, base.unsafe) == ("base", 1, 1, 1, 1, 0)
    assert (grpo.wins, grpo.ties, grpo.bad, grpo.losses, grpo.unsafe) == (1, 1, 1, 1, 1)
    assert (base.votes, base.score) == (4, 0.5)
    assert (unseen.votes, unseen.score) == (0, None), "no vote is no share, not 0"
