"""Strengths: five points between two models, and what is no point."""

from __future__ import annotations

import pytest

from medilite.errors import DecodingError, UnknownModelError
from medilite.lab.strengths import FIXED, Line, points, strength
from medilite.records import Decoding, Message


@pytest.mark.parametrize("own", [0.0, 0.05, 0.5, 0.75, 1.0, 1.25, 1.3])
def test_there_are_always_five_points_the_own_one_among_them(own):
    five = points(strength(own))
    assert len(five) == 5
    assert five == tuple(sorted(five))
    assert {own, *FIXED} <= set(five)


@pytest.mark.parametrize("value", [5, -0.1, 1.31, float("nan"), float("inf"), "1", None, True])
def test_a_strength_that_cannot_be_is_refused_by_its_value(value):
    with pytest.raises(DecodingError, match="can't be used"):
        strength(value)


def test_a_line_asks_for_each_strength_with_one_seed(lite):
    line = Line.between(lite, "sft-r16-high", "grpo")
    asked = line.requests((0.0, 1.0, 1.3), (Message("user", "?"),), Decoding(8), 3, "v")
    assert [(r.model, r.other, r.strength, r.seed) for r in asked] == [
        ("grpo", "sft-r16-high", value, 3) for value in (0.0, 1.0, 1.3)
    ]


def test_a_line_has_two_ends_that_are_models_of_the_profile(lite):
    with pytest.raises(DecodingError, match="two different models"):
        Line.between(lite, "grpo", "grpo")
    for start, end in (("grpo", "gpt-5"), (None, "grpo")):
        with pytest.raises(UnknownModelError):
            Line.between(lite, start, end)
