"""Counts, who beat whom, votes over time, agreement: worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medilite.arena.bank import Bank
from medilite.arena.fit import LEFT, RIGHT, TIE
from medilite.arena.ratings import rate
from medilite.arena.vote_statistics import (
    DAY_S,
    HOUR_S,
    MOST_PERIODS,
    count,
    easier_wins,
    orders_agree,
    over_time,
    same_in_bank,
    win_matrix,
)
from medilite.records import Decoding
from tests.arena.made import candidate, contestant
from tests.arena.simulate import CONTESTANTS, table

BASE, M1, M2 = CONTESTANTS[:3]


def votes(*cells, **fields):
    """Return (left, right, outcome) as votes, each of a voter and on a question of its own."""
    rows = np.array(cells, dtype=np.int64).reshape(-1, 3)
    own = np.arange(len(rows))
    return table(rows[:, 0], rows[:, 1], rows[:, 2], own, own, **fields)


def test_counts_by_reason_and_a_vote_with_two_marks_under_both():
    made = votes(
        *[(0, 1, LEFT)] * 6,
        left_out=[0, 0, 1, 2, 3, 0],
        reasons=("", "taken back", "hasty", "hasty,pattern"),
        live=[True, *[False] * 5],
    )
    found = count(made)
    assert (found.given, found.counted, found.left_out, found.undone, found.live) == (6, 3, 3, 1, 1)
    assert found.marked == {"hasty": 2, "pattern": 1}
    empty = count(votes())
    assert (empty.given, empty.counted, empty.left_out, empty.marked) == (0, 0, 0, {})


def test_who_beat_whom_from_either_side():
    made = votes(
        (0, 1, LEFT), (1, 0, RIGHT), (1, 0, LEFT), (0, 1, TIE), (2, 0, TIE), (0, 1, LEFT),
        left_out=[0, 0, 0, 0, 0, 1], reasons=("", "hasty"),
    )  # fmt: skip
    found = win_matrix(made)
    assert (found.wins[0, 1], found.wins[1, 0], found.ties[0, 1], found.ties[1, 0]) == (2, 1, 1, 1)
    assert found.votes(0, 1) == found.votes(1, 0) == 4
    # Two wins and half of a tie, of four.
    assert found.score(0, 1) == 2.5 / 4
    assert found.score(0, 1) + found.score(1, 0) == 1
    assert found.score(0, 2) == 0.5
    assert found.score(1, 2) is None


def test_periods_are_as_short_as_they_can_be_and_none_is_left_out():
    day = 19_700 * DAY_S
    found = over_time(votes(*[(0, 1, LEFT)] * 3, voted_at=[day, day + 2.5 * HOUR_S, day + 2.6 * HOUR_S],
                            left_out=[0, 0, 1], reasons=("", "hasty")))  # fmt: skip
    assert [(p.start - day, p.length_s, p.counted, p.left_out) for p in found] == [
        (0, HOUR_S, 1, 0), (HOUR_S, HOUR_S, 0, 0), (2 * HOUR_S, HOUR_S, 1, 1),
    ]  # fmt: skip
    long = over_time(votes(*[(0, 1, LEFT)] * 2, voted_at=[day, day + 50 * DAY_S]))
    assert (len(long), long[0].length_s) == (51, DAY_S)
    assert over_time(votes()) == ()


def test_a_clock_that_ran_away_makes_no_endless_axis():
    found = over_time(votes(*[(0, 1, LEFT)] * 3, voted_at=[0.0, 1e11, 1e11 + 5]))
    assert len(found) == MOST_PERIODS
    assert sum(p.counted for p in found) == 3


def test_the_easier_answer_wins_so_often():
    # Of ten decided votes on unlike grades seven go to the easier one; a tie and equal grades say nothing.
    easier = [(0, 1, LEFT)] * 4 + [(0, 1, RIGHT)] * 3
    other = [(0, 1, RIGHT)] * 3
    grades = [-1.0] * 4 + [2.0] * 3 + [-1.0] * 3
    made = votes(*easier, *other, (0, 1, TIE), (0, 1, LEFT), (0, 1, LEFT), grade_difference=[*grades, 3.0, 0.0, np.nan])
    found = easier_wins(made)
    assert found.n == 10
    assert found.value == pytest.approx(0.7, abs=0.01)
    assert found.low < 0.5 < found.high
    assert found.high - found.low == pytest.approx(1, abs=0.1), "ten votes say nothing that holds at any look"
    assert easier_wins(votes((0, 1, TIE), grade_difference=[1.0])).reason.startswith("no decided vote")


def test_votes_of_one_voter_tell_less_than_votes_of_many():
    cells = [(0, 1, LEFT), (0, 1, RIGHT)] * 40
    yes = [-1.0, 1.0] * 20 + [1.0, -1.0] * 20
    many = easier_wins(votes(*cells, grade_difference=yes))
    few = np.repeat([0, 1, 2, 3], 20)
    rows = np.array(cells)
    one = easier_wins(table(rows[:, 0], rows[:, 1], rows[:, 2], few, np.arange(80), grade_difference=np.array(yes)))
    assert one.value == pytest.approx(many.value)
    assert one.high - one.low > 2 * (many.high - many.low)


def test_orders_by_hand():
    cells = [(1, 0, LEFT)] * 30 + [(1, 0, RIGHT)] * 10 + [(2, 1, LEFT)] * 30 + [(2, 1, RIGHT)] * 10
    found = rate(votes(*cells), BASE)
    same = orders_agree(found, {BASE: 12.0, M1: 9.0, M2: 6.0}, lower_is_better=True)
    # Three of three in one order: one of 3! = 6 orders, or its reverse.
    assert (same.value, same.n) == (pytest.approx(1), 3)
    assert same.p == pytest.approx(2 / 6)
    assert orders_agree(found, {BASE: 12.0, M1: 9.0, M2: 6.0}, lower_is_better=False).value == pytest.approx(-1)
    assert orders_agree(found, {BASE: 1.0, M1: 2.0, M2: None}, lower_is_better=True).reason.startswith("only 2")
    assert orders_agree(found, {}, lower_is_better=True).reason.startswith("no model has")
    assert orders_agree(found, dict.fromkeys((BASE, M1, M2), 1.0), lower_is_better=True).value is None


def test_ready_made_answers_that_are_the_same():
    base, one, two = contestant("base"), contestant("one"), contestant("two")
    answers = {
        ("q", 0): {base: candidate("base", "A."), one: candidate("one", "A."), two: candidate("two", "B.")},
        ("q", 1): {base: candidate("base", "A."), one: candidate("one", "C."), two: candidate("two", "", words=0)},
    }
    found = same_in_bank(Bank({"q": "Q?"}, answers, Decoding()))
    assert found == {frozenset((base, one)): (1, 2), frozenset((base, two)): (0, 1), frozenset((one, two)): (0, 1)}
