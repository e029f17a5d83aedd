"""Intervals that cover what they should, and the ranks made from them."""

from __future__ import annotations

import numpy as np
import pytest

from eval.intervals import _drawn, function_interval, mean_intervals, shared_ranks


def draws(n: int, sets: int) -> list[tuple[str, np.ndarray, float]]:
    """Return (name, values (n, sets), true mean): paired differences as they come in practice."""
    random = np.random.default_rng(20)
    ours, theirs = random.random((n, sets)) < 0.60, random.random((n, sets)) < 0.45
    return [
        ("normal", random.normal(0.3, 2.0, (n, sets)), 0.3),
        ("skewed", random.exponential(1.0, (n, sets)) - 0.7, 0.3),
        ("yes or no", ours.astype(float) - theirs, 0.15),
    ]


@pytest.mark.parametrize("n", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_95_percent_intervals_cover_95_percent(n):
    """2,000 simulated data sets each: the share's own standard error is 0.5 %."""
    for name, values, true in draws(n, 2000):
        found = mean_intervals(values, resamples=4000)
        covered = ((found.low <= true) & (true <= found.high)).mean()
        assert covered == pytest.approx(0.95, abs=0.015), name


def test_intervals_of_a_ratio_cover_too():
    """A function of sums, as BLEU is one: total matches by total words, 95 % by BCa."""
    random = np.random.default_rng(5)
    sets, covered = 300, 0
    for seed in range(sets):
        lengths = random.integers(20, 80, 200)
        matched = random.binomial(lengths, random.beta(4, 6, 200))
        counts = np.column_stack([matched, lengths]).astype(float)
        _, low, high, *_ = function_interval(counts, lambda sums: sums[:, :1] / sums[:, 1:], 2000, seed)
        covered += low[0] <= 0.4 <= high[0]
    # The share's own standard error is 1.3 %.
    assert covered / sets == pytest.approx(0.95, abs=0.03)


def test_an_interval_by_hand():
    """For symmetric data the interval is the mean ± about t · s/√n, and the plain p-value agrees."""
    values = np.concatenate([np.arange(-50, 51)] * 4) / 10.0 + 0.5
    found = mean_intervals(values[:, None])
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert found.mean[0] == pytest.approx(0.5)
    assert found.low[0] == pytest.approx(0.5 - 1.966 * error, abs=0.1 * error)
    assert found.high[0] == pytest.approx(0.5 + 1.966 * error, abs=0.1 * error)
    # z = 3.44 standard errors.
    assert 0.5 / error == pytest.approx(3.44, abs=0.01)
    assert found.p_value[0] < 0.003
    assert found.above[0] > 0.998


def test_interval_and_p_value_agree():
    """They are two methods, so not at the edge: skewed differences, 60 questions."""
    values = np.random.default_rng(3).exponential(1.0, (60, 200)) - 0.75
    found = mean_intervals(values)
    outside = (found.low > 0) | (found.high < 0)
    assert 20 < outside.sum() < 180
    # The p-value is the more careful of the two.
    assert (found.p_value[~outside] > 0.04).all()
    assert (found.p_value[outside] < 0.15).all()
    assert (outside == (found.p_value < 0.05)).mean() > 0.85


def test_a_resample_is_questions_drawn_with_replacement():
    drawn = _drawn(1386, 2000, 42)
    assert (drawn.sum(1) == 1386).all()
    assert drawn.mean(0) == pytest.approx(1, abs=0.12)
    assert drawn.var() == pytest.approx(1 - 1 / 1386, abs=0.01)


def test_the_same_seed_gives_the_same_numbers_and_another_others():
    values = np.random.default_rng(1).normal(size=(40, 2))
    again = [mean_intervals(values, 2000, seed).low.tolist() for seed in (1, 1, 2)]
    assert again[0] == again[1] != again[2]


def test_what_is_missing_is_left_out():
    random = np.random.default_rng(1)
    values = random.normal(size=(200, 3))
    values[50:, 1] = np.nan
    values[:, 2] = np.nan
    found = mean_intervals(values)
    assert found.n.tolist() == [200, 50, 0]
    assert found.mean[1] == pytest.approx(values[:50, 1].mean())
    assert found.high[1] - found.low[1] == pytest.approx(4 * values[:50, 1].std() / np.sqrt(50), rel=0.15)
    assert np.isnan([found.mean[2], found.low[2], found.above[2], found.p_value[2]]).all()


def test_one_value_has_no_interval():
    found = mean_intervals([[3.0, np.nan]] + [[np.nan, np.nan]] * 4)
    assert found.mean[0] == 3
    assert np.isnan([found.low[0], found.high[0], found.p_value[0]]).all()


def test_no_spread_is_no_width():
    found = mean_intervals(np.tile([0.0, 0.1], (30, 1)))
    assert [*found.low, *found.high] == pytest.approx([0.0, 0.1, 0.0, 0.1])
    assert found.above.tolist() == [0.5, 1.0]
    assert found.p_value.tolist() == [1, 2**-29]


def test_nearly_no_spread_is_a_finite_interval():
    """One 1 among 29 zeros: a third of the resamples are all zeros and have no t."""
    found = mean_intervals(np.eye(30)[:, :1])
    assert (found.low[0], found.mean[0]) == pytest.approx((0, 1 / 30))
    assert 2 / 30 <= found.high[0] <= 4 / 30
    assert found.p_value[0] > 0.5


def test_overlapping_intervals_share_a_rank():
    lows, highs = [1.0, 1.5, 3.0, None], [2.0, 2.5, 4.0, None]
    assert shared_ranks(lows, highs, "higher") == [2, 2, 1, None]
    assert shared_ranks(lows, highs, "lower") == [1, 1, 3, None]
