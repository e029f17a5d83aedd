"""Marks: each rule by hand, and honest voters left alone."""

from __future__ import annotations

import random

import pytest

from medilite.arena.marks import HASTY, LONGEST_RUN, ONE_SIDED, PATTERN, PATTERN_VOTES, REPEATED, least_time_s, mark
from tests.arena.made import NOW, candidate, vote


def given(choices: list[str], decide_s: float | None = 60.0) -> list:
    return [vote(choice, NOW + i, decide_s, question_key=f"q{i}") for i, choice in enumerate(choices)]


def marked(votes: list, name: str) -> list[int]:
    return [i for i, marks in enumerate(mark(votes)) if name in marks]


def test_no_votes_no_marks():
    assert mark([]) == []


def test_the_least_time_by_hand():
    # 100 and 140 words: half of 240 at a thousand words a minute.
    assert least_time_s(vote(left=candidate(words=100), right=candidate("grpo", words=140))) == pytest.approx(7.2)
    assert least_time_s(vote(left=candidate(words=3), right=candidate("grpo", words=4))) == 1.0


@pytest.mark.parametrize(("decide_s", "hasty"), [(7.1, True), (7.3, False), (0.0, True), (None, False)])
def test_faster_than_reading(decide_s, hasty):
    one = vote("left", decide_s=decide_s, left=candidate(words=100), right=candidate("grpo", words=140))
    assert mark([one]) == [(HASTY,) if hasty else ()]


def test_a_long_run_of_one_side():
    run = ["left"] * LONGEST_RUN
    assert marked(given(["right", *run, "equal", "left"]), ONE_SIDED) == list(range(1, LONGEST_RUN + 1))
    assert marked(given(run[1:]), ONE_SIDED) == []
    assert marked(given([*run[:6], "equal", *run[:6]]), ONE_SIDED) == []
    assert marked(given(["both_bad"] * 40), ONE_SIDED) == [], "bad answers may all be bad"


@pytest.mark.parametrize(
    "period", [["left", "right"], ["left", "right", "equal"], ["left", "right", "equal", "both_bad"]]
)
def test_a_pattern_that_repeats(period):
    long = (period * PATTERN_VOTES)[:PATTERN_VOTES]
    found = marked(given(["right", "right", *long]), PATTERN)
    assert found[-PATTERN_VOTES:] == list(range(2, PATTERN_VOTES + 2))
    assert 0 not in found
    assert marked(given(long[:-1]), PATTERN) == []


def test_the_same_answers_again_in_either_order():
    first = vote(question_key="q", left=candidate("base", "A."), right=candidate("grpo", "B."))
    again = vote("right", question_key="q", left=candidate("grpo", "B."), right=candidate("base", "A."))
    other = vote(question_key="q2", left=candidate("base", "A."), right=candidate("grpo", "B."))
    assert mark([first, again, other]) == [(), (REPEATED,), ()]


def test_people_who_choose_freely_are_left_alone():
    rng = random.Random(1)
    marks = 0
    for _ in range(200):
        choices = rng.choices(["left", "right", "equal", "both_bad"], [35, 35, 15, 15], k=100)
        marks += sum(bool(found) for found in mark(given(choices)))
    assert marks == 0
