"""Slices of a board that a visitor chooses: what a pattern may do, and differences that are the board's own."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from eval.intervals import clusters_of, mean_intervals, middle_intervals
from medilite.errors import QuestionError
from medilite.slices import FEWEST, WIDTHS, difference, matches
from tests.support.growth import is_linear

TEXTS = [("What is gout?",), ("Which GENE?", "A mutation."), ()]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("gene", [False, True, False]), ("gout|mutat", [True, True, False]), (r"^what\b", [True, False, False]),
        (r"\.$", [False, True, False]), ("nothing", [False] * 3), ("", [True, True, False]),
    ],
)  # fmt: skip
def test_a_pattern_is_found_in_any_text_of_a_group_whatever_the_case(pattern, found):
    assert matches(pattern, TEXTS) == found


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "unclosed"), ("[a", "unclosed"), ("*", "missing"), ("a{99999999999}", "invalid"),
        (r"(a)\1", "backreferences"), ("(?=a)b", "look-around"), ("x" * 201, "201 characters"),
        ("((a{1,1000}){1,1000}){1,1000}", "size limit"), ("(?:a{9999}){9999}", "size limit"),
        (r"\p{Nothing}", "nicode"),
    ],
)  # fmt: skip
def test_a_pattern_that_cannot_be_used_is_a_short_sentence(pattern, why):
    with pytest.raises(QuestionError, match=why) as caught:
        matches(pattern, [("a" * 600,)] * 100)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*)*x", "(x+x+)+y", "(?R)", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_no_pattern_explodes(pattern):
    assert is_linear(lambda text: matches(pattern, [(f"{text}!",)]), "a")


def test_a_pattern_that_takes_long_is_stopped_between_two_texts(monkeypatch):
    monkeypatch.setattr("medilite.slices.PATTERN_S", 0.0)
    with pytest.raises(QuestionError, match="takes longer than 0 s"):
        matches("(?:[a-z ]{0,99}){0,9}Q", [("the patient has symptoms of " * 5,)] * 3)


@pytest.mark.parametrize("middle", [True, False])
@pytest.mark.parametrize("kinds", [3, 20])
def test_differences_are_those_of_the_evaluation(middle, kinds):
    random = np.random.default_rng(0)
    names = [(f"source {n % kinds}", "kind") for n in range(240)]
    values = [float(v) + (n % kinds) / kinds for n, v in enumerate(random.normal(-1, 3, 240))]
    values[5] = values[77] = np.nan
    own = difference([None if np.isnan(v) else v for v in values], names, middle)
    clusters = clusters_of(names)
    if middle:
        found = middle_intervals(np.array(values)[:, None], 2000, clusters=clusters)
        value, low, high = found.median[0], found.median_low[0], found.median_high[0]
    else:
        means = mean_intervals(np.array(values)[:, None], 2000, clusters=clusters)
        value, low, high = means.mean[0], means.low[0], means.high[0]
    assert (own.n, own.of) == (238, 240)
    assert own.value == pytest.approx(value)
    # Other draws of the same distribution.
    assert own.low == pytest.approx(low, abs=0.12 * (high - low))
    assert own.high == pytest.approx(high, abs=0.12 * (high - low))


def test_what_could_have_been_found_is_found_nine_times_in_ten():
    random = np.random.default_rng(1)
    names = [(str(n),) for n in range(120)]
    noise = [random.normal(0, 2, 120) for _ in range(50)]
    least = statistics.fmean(difference(list(one), names, False).found for one in noise)
    assert least == pytest.approx(3.24 * 2 / 120**0.5, rel=0.1)
    clear = sum(difference(list(one + least), names, False).clear for one in noise)
    assert 39 <= clear <= 50


def test_too_few_questions_have_no_difference():
    one = difference([1.0] * (FEWEST - 1) + [None] * 9, [("a",)] * (FEWEST + 8), True)
    assert (one.value, one.low, one.found, one.clear) == (None, None, None, False)
    same = difference([0.0] * 9, [("a",)] * 9, True)
    assert (same.value, same.low, same.high, same.clear) == (0, 0, 0, False)
    assert pytest.approx(0.827, abs=1e-3) == WIDTHS
