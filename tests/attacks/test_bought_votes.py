"""500 votes of one address with fresh ids move no rating by more than ten points, whichever way they are given."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from medilite.arena.marks import CROWDED, FAVOURS, REPEATED
from medilite.arena.networks import DAY_S, Networks, network_of_votes
from medilite.arena.trust import LEAST_OF_A_NETWORK, judge, sensitivity
from tests.arena.simulate import CONTESTANTS, table
from tests.attacks.bought import CASES, HONEST, attack, honest, moved, school, together

CHEATS = [name for name, options in CASES.items() if options.get("random_share", 0) < 0.7 and "count" not in options]


@pytest.mark.parametrize("name", CHEATS)
def test_five_hundred_votes_of_one_address(name):
    for seed in range(3):
        mine, theirs = honest(seed), attack(seed, **CASES[name])
        both = together(mine, theirs)
        before, after = judge(mine), judge(both)
        assert moved(before, after) <= 10
        unjudged = [dataclasses.replace(before, table=votes) for votes in (mine, both)]
        assert moved(*unjudged) > 30, "without trust they did"


def test_who_takes_care_gets_no_more_than_the_cap():
    for name in CASES.keys() - set(CHEATS):
        mine = honest(1)
        gained = len(judge(together(mine, attack(1, **CASES[name]))).table.counted) - len(judge(mine).table.counted)
        assert gained <= LEAST_OF_A_NETWORK


def test_what_it_costs_a_school():
    mine = honest(0)
    after = judge(together(mine, school(0)))
    assert after.cap == LEAST_OF_A_NETWORK
    from_school = len(after.table.counted) - len(judge(mine).table.counted)
    assert from_school == after.cap, "of thirty pupils' three hundred votes so many count"
    counted = after.table.counted
    inside = counted.network == after.table.network.max()
    assert len(np.unique(counted.voter[inside])) == from_school, "each pupil's first, before the second of any"


def test_honest_voters_are_not_taken_for_cheats():
    left_out = 0
    for seed in range(5):
        made = judge(honest(seed)).table
        left_out += sum(int((made.left_out == i).sum()) for i, r in enumerate(made.reasons) if r and r != CROWDED)
    assert left_out <= 5 * HONEST / 1000


def test_who_is_signed_in_or_has_come_for_a_week_is_not_capped():
    count = 60
    many = {"network": np.zeros(count, np.int64), "questions": ("q",)}
    left, right = np.arange(count) % 6, (np.arange(count) + 1) % 6
    outcome = np.where(np.arange(count) % 4 < 2, 0, 2)
    for fields, counts in (
        ({}, LEAST_OF_A_NETWORK),
        ({"account": np.ones(count, bool)}, count),
        ({"voted_at": 1.7e9 + np.repeat([0, 3, 8], 20) * DAY_S}, count),
        ({"voted_at": 1.7e9 + np.repeat([0, 1, 2], 20) * DAY_S}, LEAST_OF_A_NETWORK),
        ({"voted_at": 1.7e9 + np.repeat([0, 8], 30) * DAY_S}, LEAST_OF_A_NETWORK),
    ):
        made = table(left, right, outcome, np.zeros(count, np.int64), np.zeros(count, np.int64), **{**many, **fields})
        assert len(judge(made).table.counted) == counts, fields.keys()


def test_who_contradicts_themselves_on_pairs_shown_twice_is_not_trusted():
    days = np.array([0, 0, 3, 3, 8, 8, 8, 8]) * DAY_S
    pairs = np.zeros(8, np.int64), np.ones(8, np.int64)
    for flips, trusted in ((True, False), (False, True)):
        outcome = np.array([0, 0, 0, 0, *([2] * 4 if flips else [0] * 4)])
        question = np.array([0, 1, 2, 3, 0, 1, 2, 3])
        made = table(
            *pairs, outcome, np.zeros(8, np.int64), question, voted_at=1.7e9 + days + np.arange(8),
            left_out=np.array([0] * 4 + [1] * 4), reasons=("", REPEATED),
        )  # fmt: skip
        assert judge(made).trusted.all() == trusted


def test_the_most_suspicious_tenth_is_found():
    both = together(honest(0), attack(0, beside=True))
    trust = judge(both)
    assert FAVOURS in trust.table.reasons
    told = sensitivity(trust, CONTESTANTS[0])
    assert told.everything[CONTESTANTS[2]] - told.counted[CONTESTANTS[2]] > 30, "with them it would stand higher"
    assert told.tenth == len(trust.table.counted) // 10
    assert told.most_moved is not None


def test_a_network_is_named_anew_each_day_and_by_no_address(store):
    networks, now = Networks(), 1.7e9
    here = networks.of(store, "203.0.113.7", now)
    assert networks.of(store, "203.0.113.7", now + 60) == here
    assert Networks().of(store, "203.0.113.7", now) == here, "replicas agree"
    assert networks.of(store, "203.0.113.8", now) != here
    assert networks.of(store, "203.0.113.7", now + DAY_S) != here
    assert "203.0.113.7" not in here
    with store.database.read() as connection:
        kept = str(connection.exec_driver_sql("SELECT * FROM meta").all())
    assert "203.0.113" not in kept
    assert kept.count("network key") == 1, "yesterday's key is gone"
    assert network_of_votes("2001:db8:1:2::3") == network_of_votes("2001:db8:1:ffff::9") == "2001:db8:1::/48"
    assert network_of_votes("::ffff:203.0.113.7") == "203.0.113.7"
