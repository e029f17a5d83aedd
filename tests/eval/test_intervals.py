"""Intervals beside a second implementation, by simulation, and the ranks made from them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import trim_mean

from eval.intervals import (
    FEWEST_CLUSTERS,
    LEVEL,
    _drawn,
    clusters_of,
    function_interval,
    mean_intervals,
    middle_intervals,
    over_runs,
    shared_ranks,
)

DIGITS = 6
"""As tables have them."""


def clustered(questions: int, clusters: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Return values with gaps (questions × 3: skewed, rounded with ties, a share) and their clusters."""
    random = np.random.default_rng(seed)
    of = random.integers(0, clusters, questions)
    of[:clusters] = np.arange(clusters)
    shift = random.normal(0, 1, clusters)[of]
    values = np.column_stack(
        [
            random.exponential(3, questions) + shift,
            np.round(random.normal(9, 2, questions)),
            random.random(questions) < 0.3,
        ]
    )
    values[random.random(questions) < 0.1, 0] = np.nan
    return values, of


def written_out(values: np.ndarray, of: np.ndarray, resamples: int, seed: int) -> dict[str, list[float]]:
    """Return statistic → (value, low, high) of one column: every resample written out, question by question."""
    size = int(of.max()) + 1
    members = [np.flatnonzero(of == cluster) for cluster in range(size)]
    statistics = {
        "mean": lambda one: float(sum(one) / len(one)),
        "median": lambda one: float((one[(len(one) - 1) // 2] + one[len(one) // 2]) / 2),
        "trimmed": lambda one: float(trim_mean(one, 0.1)),
    }
    drawn: dict[str, list[float]] = {name: [] for name in statistics}
    for counts in _drawn(size, resamples, seed):
        picked = np.concatenate([np.tile(members[cluster], counts[cluster]) for cluster in range(size)])
        sample = np.sort(values[picked][~np.isnan(values[picked])])
        for name, statistic in statistics.items():
            drawn[name].append(statistic(sample))
    own = np.sort(values[~np.isnan(values)])
    tail = (1 - LEVEL) / 2

    def end(name: str, share: float) -> float:
        # The smallest resample that at least this share of them does not exceed.
        return sorted(drawn[name])[int(np.ceil(share * resamples - 1e-9)) - 1]

    return {name: [statistic(own), end(name, tail), end(name, 1 - tail)] for name, statistic in statistics.items()}


@pytest.mark.parametrize(("questions", "clusters"), [(61, 12), (200, 40)])
def test_a_second_implementation_agrees_to_the_last_digit_shown(questions, clusters):
    values, of = clustered(questions, clusters)
    means, middles = mean_intervals(values, 2000, clusters=of), middle_intervals(values, 2000, clusters=of)
    for column in range(values.shape[1]):
        second = written_out(values[:, column], of, 2000, 42)
        first = {
            "mean": (means.mean, means.low, means.high),
            "median": (middles.median, middles.median_low, middles.median_high),
            "trimmed": (middles.trimmed, middles.trimmed_low, middles.trimmed_high),
        }
        for name, found in first.items():
            assert [round(float(one[column]), DIGITS) for one in found] == pytest.approx(
                [round(value, DIGITS) for value in second[name]], abs=1.1e-6
            ), name


def test_clusters_are_questions_of_one_source_and_kind():
    names = [("GHR", "causes"), ("GHR", "treatment"), ("GHR", "causes")] * 10
    # Too few clusters: each question by itself.
    assert clusters_of(names).tolist() == list(range(30))
    many = [(f"S{i % FEWEST_CLUSTERS}", "causes") for i in range(3 * FEWEST_CLUSTERS)]
    assert clusters_of(many).tolist() == [i % FEWEST_CLUSTERS for i in range(3 * FEWEST_CLUSTERS)]


def test_intervals_hold_what_clusters_share():
    """60 clusters whose questions go together: an interval over questions would be far too short."""
    random = np.random.default_rng(1)
    of = np.repeat(np.arange(60), 20)
    values = random.normal(0, 1, (60, 300))[of] + random.normal(0, 0.1, (1200, 300))
    covered = {}
    for name, clusters in (("clusters", of), ("questions", None)):
        found = mean_intervals(values, 2000, clusters=clusters)
        covered[name] = ((found.low <= 0) & (found.high >= 0)).mean()
    # The share's own standard error is 1.3 %; 60 clusters leave the percentile interval a little short.
    assert covered["clusters"] == pytest.approx(0.94, abs=0.04)
    assert covered["questions"] < 0.5


def test_95_percent_intervals_of_means_and_medians_cover_95_percent():
    """1,000 and 300 simulated data sets of 300 questions; the shares' own standard errors are 0.7 % and 1.3 %."""
    random = np.random.default_rng(20)
    values = random.exponential(1.0, (300, 1000))
    found = mean_intervals(values, 2000)
    assert ((found.low <= 1) & (found.high >= 1)).mean() == pytest.approx(0.945, abs=0.02)
    middle = middle_intervals(values[:, :300], 2000)
    true = np.log(2)
    assert ((middle.median_low <= true) & (middle.median_high >= true)).mean() == pytest.approx(0.95, abs=0.035)


def test_intervals_of_a_ratio_cover_too():
    """A function of sums, as BLEU is one: total matches by total words."""
    random = np.random.default_rng(5)
    sets, covered = 300, 0
    for seed in range(sets):
        lengths = random.integers(20, 80, 200)
        matched = random.binomial(lengths, random.beta(4, 6, 200))
        counts = np.column_stack([matched, lengths]).astype(float)
        _, low, high, _ = function_interval(counts, lambda sums: sums[:, :1] / sums[:, 1:], 2000, seed)
        covered += low[0] <= 0.4 <= high[0]
    # The share's own standard error is 1.3 %.
    assert covered / sets == pytest.approx(0.95, abs=0.03)


def test_one_value_of_a_thousand_moves_a_mean_and_no_median():
    values = np.tile(np.arange(20.0), 50)[:, None]
    odd = values.copy()
    odd[19] = 1100.0
    assert mean_intervals(odd).mean[0] - mean_intervals(values).mean[0] > 1.0
    plain, moved = middle_intervals(values), middle_intervals(odd)
    assert moved.median[0] == plain.median[0]
    assert moved.trimmed[0] == pytest.approx(plain.trimmed[0], abs=0.02)


def test_a_resample_is_clusters_drawn_with_replacement():
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
    found, middle = mean_intervals(values), middle_intervals(values)
    assert found.n.tolist() == [200, 50, 0]
    assert found.mean[1] == pytest.approx(values[:50, 1].mean())
    assert middle.median[1] == pytest.approx(np.median(values[:50, 1]))
    assert found.high[1] - found.low[1] == pytest.approx(4 * values[:50, 1].std() / np.sqrt(50), rel=0.15)
    assert np.isnan([found.mean[2], found.low[2], found.above[2], found.p_value[2], middle.median[2]]).all()


def test_one_value_has_no_interval():
    columns = [[3.0, np.nan]] + [[np.nan, np.nan]] * 4
    found = mean_intervals(columns)
    assert found.mean[0] == 3
    assert np.isnan([found.low[0], found.high[0], found.p_value[0], middle_intervals(columns).median[0]]).all()


def test_no_spread_is_no_width():
    found = mean_intervals(np.tile([0.0, 0.1], (30, 1)))
    assert [*found.low, *found.high] == pytest.approx([0.0, 0.1, 0.0, 0.1])
    assert found.above.tolist() == [0.5, 1.0]


def test_overlapping_intervals_share_a_rank():
    lows, highs = [1.0, 1.5, 3.0, None], [2.0, 2.5, 4.0, None]
    assert shared_ranks(lows, highs, "higher") == [2, 2, 1, None]
    assert shared_ranks(lows, highs, "lower") == [1, 1, 3, None]


@pytest.mark.parametrize("middle", [True, False])
def test_over_runs_questions_and_runs_are_drawn(middle: bool) -> None:
    """40 runs that land apart: an interval over questions alone would miss where the next ones land."""
    random = np.random.default_rng(3)
    values, of = clustered(300, 30)
    same = np.repeat(values[:, :1], 4, axis=1)
    each, value, low, high = over_runs(same, middle, 2000, clusters=of)
    alone = (
        middle_intervals(values[:, :1], 2000, clusters=of)
        if middle
        else mean_intervals(values[:, :1], 2000, clusters=of)
    )
    names = ("median", "median_low", "median_high") if middle else ("mean", "low", "high")
    assert (value, low, high) == pytest.approx([getattr(alone, name)[0] for name in names], abs=1e-9)
    assert each == pytest.approx([value] * 4)

    missed = {"runs": 0, "questions": 0}
    for _ in range(60):
        # What a configuration comes to is 0; a run lands 1 from it, a question 1 from the run.
        columns = random.normal(0, 1, 40) + random.normal(0, 1, (200, 40))
        _, _, low, high = over_runs(columns, middle, 2000)
        missed["runs"] += not low <= 0 <= high
        one = over_runs(columns.mean(1, keepdims=True), middle, 2000)
        missed["questions"] += not one[2] <= 0 <= one[3]
    assert missed["runs"] <= 9
    assert missed["questions"] > 20


def test_a_run_without_values_has_no_interval() -> None:
    columns = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, 1.0]])
    each, value, low, high = over_runs(columns, True, 2000)
    assert np.isnan([*each, value, low, high]).all()
