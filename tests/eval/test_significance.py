"""p-values by hand, by simulation and after the correction for their number."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from eval.intervals import mean_intervals
from eval.significance import FLIPS, flipped_p_values, holm
from medilite.leaderboard import FOLDER, boards, current_board


def test_a_p_value_by_hand():
    """Of 2^10 flips of 1 … 10, as many sums lie at or beyond 35 as can be counted out."""
    values = np.arange(1.0, 11)
    values[[0, 3, 4]] *= -1
    exact = np.mean(
        [abs(np.dot(signs, values)) >= abs(values.sum()) for signs in itertools.product((-1, 1), repeat=10)]
    )
    (found,) = flipped_p_values(values[:, None], 40_000)
    assert found == pytest.approx(exact, abs=0.01)


def test_no_p_is_0_and_no_difference_has_1():
    p = flipped_p_values(np.column_stack([np.full(200, 1.0), np.zeros(200)]))
    assert p.tolist() == [1 / (FLIPS + 1), 1.0]
    # Three clusters alone: signs flip in eight ways, two of which are as far.
    assert flipped_p_values(np.ones((3, 1)))[0] == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("clusters", [20, 70])
def test_false_positives_are_as_rare_as_the_level_says(clusters):
    """2,000 data sets without a difference: the share's own error is 0.5 %."""
    random = np.random.default_rng(11)
    ours, theirs = (random.random((clusters, 2000)) < 0.5 for _ in range(2))
    for name, values in (
        ("normal", random.normal(0, 1, (clusters, 2000))),
        ("heavy tails", random.standard_t(5, (clusters, 2000))),
        (
            "clusters of very unlike size",
            random.normal(0, 1, (clusters, 2000)) * np.geomspace(1, 60, clusters)[:, None],
        ),
        ("yes or no", ours.astype(float) - theirs),
    ):
        p = flipped_p_values(values, 2000)
        assert 0.02 < (p <= 0.05).mean() < 0.065, name


def test_a_difference_can_be_clear_in_every_family_of_the_published_boards():
    """The least p, corrected for all comparisons of the family, stays below 0.05."""
    for name in boards():
        tables = current_board(FOLDER / name).tables
        families = Counter(("all", row["split"]) for row in tables.get("comparisons", []))
        families += Counter((row["dimension"], row["split"]) for row in tables.get("slices", []))
        assert [family for family, size in families.items() if size / (FLIPS + 1) >= 0.025] == []
    # However often intervals are drawn.
    assert mean_intervals(np.ones((200, 1)), 2000).p_value.tolist() == [1 / (FLIPS + 1)]


def test_holm_by_hand():
    # 0.01 · 4, then 0.02 · 3, then 0.03 · 2 (not below the one before), then 0.5.
    assert holm([0.5, 0.01, None, 0.03, 0.02]) == pytest.approx([0.5, 0.04, None, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
