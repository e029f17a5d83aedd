"""p-values by hand, by simulation and after the correction for their number."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eval.compare import compare
from eval.intervals import RESAMPLES
from eval.significance import LEAST, error_p_value, holm, mean_p_values
from tests.eval.test_compare import row_of, scores_of


def p_of(*values: float) -> float:
    return float(mean_p_values(np.array(values, float)[:, None])[0])


def test_symmetric_differences_have_students_p():
    """±1 around 0.2, 50 of each: no skewness, so the paired t-test's own p, mean 0.2, s = 1.005."""
    values = np.concatenate([np.full(50, 1.2), np.full(50, -0.8)])
    t = 0.2 / (values.std(ddof=1) / 10)
    assert t == pytest.approx(1.98997, abs=1e-5)
    assert p_of(*values) == pytest.approx(2 * stats.t.sf(t, 99), rel=1e-9)
    assert p_of(*values) == pytest.approx(0.0494, abs=1e-4)


def test_skewed_differences_get_the_larger_of_two_p_values():
    """Nine 1 and one 11, by hand: mean 2, s² = 9, third moment 72, so skewness 8/3 and mean/s = 2/3."""
    values = np.array([1.0] * 9 + [11.0])
    even = 2 / 3 + (8 / 3) * (4 / 9) / 3 + (8 / 3) ** 2 * (8 / 27) / 27 + (8 / 3) / 60
    plain, without_skew = 3 * 2 / 3, 3 * even
    assert without_skew > plain
    assert p_of(*values) == pytest.approx(2 * stats.t.sf(plain, 9), rel=1e-9)
    # On the other side the skewness makes t look surer than it is.
    other = -2 / 3 + (8 / 3) * (4 / 9) / 3 - (8 / 3) ** 2 * (8 / 27) / 27 + (8 / 3) / 60
    assert p_of(*(values - 4)) == pytest.approx(2 * stats.t.sf(3 * abs(other), 9), rel=1e-9)
    assert p_of(*(values - 4)) > 2 * stats.t.sf(plain, 9)


def test_no_p_is_below_that_of_flipped_signs_and_none_is_0():
    assert p_of(0, 0, 0) == 1
    assert p_of(2, 2, 2, 2) == 2**-3
    # Three of a thousand differ: signs flip in 8 ways.
    assert p_of(*[0] * 997, 5.0, 5.0, 5.0) == 0.25
    assert p_of(*[1.0] * 3000) == LEAST > 0
    assert np.isnan(p_of(1.0))
    assert np.isnan(p_of(np.nan, 1.0))


def test_what_is_missing_counts_for_nothing():
    values = np.random.default_rng(2).normal(0.5, 1, 30)
    assert p_of(*values, np.nan, np.nan) == pytest.approx(p_of(*values))


def test_a_p_value_from_a_standard_error():
    assert error_p_value(2.0, 1.0, 100, 100) == pytest.approx(2 * stats.t.sf(2.0, 99))
    assert error_p_value(0.0, 0.0, 100, 0) == 1
    assert error_p_value(-3.0, 0.0, 5, 5) == 2**-4


def null_differences(n: int, sets: int) -> list[tuple[str, np.ndarray]]:
    """Return (name, (n, sets)) paired differences whose true mean is 0."""
    random = np.random.default_rng(11)
    pairs = np.exp(random.normal(0, 0.5, (2, n, sets)))
    ours, theirs = (random.random((n, sets)) < 0.5 for _ in range(2))
    return [
        ("normal", random.normal(0, 1, (n, sets))),
        ("heavy tails", random.standard_t(5, (n, sets))),
        ("two skewed scores", pairs[0] - pairs[1]),
        ("yes or no", ours.astype(float) - theirs),
        ("skewed", random.exponential(1, (n, sets)) - 1),
    ]


@pytest.mark.parametrize("n", [20, 50, pytest.param(1000, marks=pytest.mark.slow)])
def test_false_positives_are_as_rare_as_the_level_says(n):
    """20,000 data sets without a difference (4,000 at n = 1,000): the shares' own errors are 0.15 % and 0.02 %."""
    sets = 20_000 if n < 1000 else 4_000
    for name, values in null_differences(n, sets):
        p = mean_p_values(values)
        assert 0.025 < (p <= 0.05).mean() < 0.056, name
        # Far out, where the correction looks: skewed differences of a few questions are the worst of all.
        assert (p <= 0.001).mean() < (0.004 if name == "skewed" and n < 1000 else 0.0025), name


def test_false_positives_of_a_whole_table_are_rare_after_the_correction():
    """500 tables of 200 true nulls at n = 40: at most 5 % of tables may have any (own error 1 %)."""
    random = np.random.default_rng(4)
    p = mean_p_values(random.normal(size=(40, 500 * 200)) ** 3).reshape(500, 200)
    found = [min(holm(row)) <= 0.05 for row in p.tolist()]
    assert np.mean(found) < 0.07


def test_a_plain_difference_in_a_slice_is_told_after_the_correction():
    """By resamples no p was below 2/10,001, which times some three hundred tests is 0.06 for whatever difference."""
    random = np.random.default_rng(0)
    models = tuple(f"m{i}" for i in range(25))
    grade = np.column_stack([random.normal(12, 2, 60)] * 25) + random.normal(0, 0.5, (60, 25))
    grade[:, 1] -= 3
    values = dict.fromkeys(
        ("flesch_kincaid_grade", "flesch_reading_ease", "words", "key_term_recall", "closeness", "rouge_l", "chrf"),
        grade,
    )
    pairs = [(model, "m0") for model in models[1:]]
    rows = compare(scores_of(values, 60, models), pairs, 2000)["slices"]
    tests = sum(row["dimension"] == "source" for row in rows)
    assert tests * 2 / (RESAMPLES + 1) > 0.05
    row = row_of(rows, model="m1", metric="flesch_kincaid_grade", slice="A")
    assert row["n"] == 25
    assert 0 < row["p_value"] < row["p_holm"] < 1e-4
    others = [row["p_holm"] for row in rows if row["model"] == "m2"]
    assert min(others) > 0.05


def test_holm_by_hand():
    # 0.01 · 4, then 0.02 · 3, then 0.03 · 2 (not below the one before), then 0.5.
    assert holm([0.5, 0.01, None, 0.03, 0.02]) == pytest.approx([0.5, 0.04, None, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
