"""Ratings: hand-worked cases, known strengths found again, intervals that cover, and LMArena's own ratings."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from pathlib import Path

import numpy as np
import pytest

from medilite.arena.fit import LEFT, PRIOR_SD, RIGHT, TIE, Design, compact, covariance, fit, probabilities
from medilite.arena.ratings import POINTS, anytime_z, rate, tie_columns, wilson
from medilite.arena.trust import judge
from tests.arena.simulate import CONTESTANTS, MODELS, World, table, votes
from tests.support.thorough import thorough

BASE = CONTESTANTS[0]


def repeated(cells: list[tuple[int, int, int, int]], **fields) -> object:
    """Return (left, right, outcome, how often) as votes, each of a voter and on a question of its own."""
    rows = np.repeat([cell[:3] for cell in cells], [cell[3] for cell in cells], axis=0)
    own = np.arange(len(rows))
    return table(rows[:, 0], rows[:, 1], rows[:, 2], own, own, **fields)


def by_model(ratings) -> dict:
    return {row.contestant.model: row for row in ratings.rows}


# -- the model -------------------------------------------------------------------


def test_probabilities_by_hand():
    # d = ln 4, e = 0: odds 2 : 1 : 1/2.
    assert probabilities(math.log(4), 0.0) == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    assert probabilities(math.log(3)) == pytest.approx([0.75, 0, 0.25])
    assert probabilities(np.array([0.0, 900.0]), np.array([0.0, 0.0]))[1] == pytest.approx([1, 0, 0])


def test_two_models_by_hand():
    # 300 wins, 100 losses, sides balanced: the odds are 3 to 1, and 400 log10(3) = 190.8 points.
    wins = [(1, 0, LEFT, 150), (0, 1, RIGHT, 150), (1, 0, RIGHT, 50), (0, 1, LEFT, 50)]
    found = by_model(rate(repeated(wins), BASE))
    assert found["base"].rating.value == 1000
    assert found["m1"].rating.value == pytest.approx(1000 + 400 * math.log10(3), abs=1)
    assert (found["m1"].votes, found["m1"].wins, found["m1"].ties, found["m1"].losses) == (400, 300, 0, 100)
    assert found["m1"].score == 0.75
    # The standard error of a log-odds is sqrt(1/300 + 1/100); that of half of it, the strength against the average.
    assert found["m1"].rating.half_width == pytest.approx(
        anytime_z(400) * math.sqrt(1 / 300 + 1 / 100) / 2 * POINTS, rel=0.02
    )
    # Ties are half a win each: adding as many to both changes the odds among the decided by nothing.
    tied = by_model(rate(repeated([*wins, (1, 0, TIE, 200), (0, 1, TIE, 200)]), BASE))
    assert tied["m1"].rating.value == pytest.approx(found["m1"].rating.value, abs=1)
    assert tied["m1"].score == 0.625


def test_the_left_s_advantage_by_hand():
    # Equal models; of 100 decided votes 60 go to the left.
    cells = [(1, 0, LEFT, 300), (0, 1, LEFT, 300), (1, 0, RIGHT, 200), (0, 1, RIGHT, 200)]
    found = rate(repeated(cells), BASE)
    assert found.left_share.value == pytest.approx(0.6, abs=0.001)
    assert found.left_share.half_width == pytest.approx(anytime_z(1000) * math.sqrt(0.6 * 0.4 / 1000), rel=0.03)
    assert by_model(found)["m1"].rating.value == pytest.approx(1000, abs=0.5)


def test_the_score_is_zero_at_the_maximum_and_the_hessian_its_slope():
    rng = np.random.default_rng(3)
    design = Design(rng.normal(size=(40, 3)), tie_columns(rng.random(40)), rng.integers(0, 3, 40), np.ones(40) * 2)
    found = fit(design)
    assert design.weight @ found.scores == pytest.approx(found.parameters / PRIOR_SD**2, abs=1e-5)

    def loss(b):
        p = design.probabilities(b)[np.arange(40), design.outcome]
        return -(2 * np.log(p)).sum() + b @ b / PRIOR_SD**2 / 2

    step, e = 1e-4, np.eye(5)
    for i in range(5):
        for j in range(5):
            numeric = sum(
                s * t * loss(found.parameters + step * (s * e[i] + t * e[j])) for s in (1, -1) for t in (1, -1)
            ) / (4 * step**2)
            assert numeric == pytest.approx(found.hessian[i, j], abs=1e-4)


def test_clusters_of_one_are_no_clusters_and_copies_tell_nothing_new():
    rng = np.random.default_rng(4)
    count = 400
    x, outcome = rng.normal(size=(count, 2)), rng.integers(0, 3, count)
    single = Design(x, np.ones((count, 1)), outcome, np.ones(count))
    own = np.arange(count)
    plain, groups = covariance(single, fit(single), own, (own,))
    both, _ = covariance(single, fit(single), own, (own, own))
    assert groups == count
    assert both == pytest.approx(plain, rel=1e-6)
    # Every vote twice by the same voter: as sure as once, where twice as many voters would be surer.
    double = Design(x, np.ones((count, 1)), outcome, np.full(count, 2.0))
    copied, _ = covariance(double, fit(double), np.repeat(own, 2), (np.repeat(own, 2),))
    assert np.sqrt(np.diag(copied)) == pytest.approx(np.sqrt(np.diag(plain)), rel=0.02)


def test_compact():
    assert compact(np.array([7, 2, 7, 9])).tolist() == [1, 0, 1, 2]


# -- what is told ----------------------------------------------------------------


def test_nothing_is_told_without_votes():
    found = rate(repeated([(1, 0, LEFT, 0)]), BASE)
    assert found.votes == 0
    assert found.left_share is None
    assert {row.reason for row in found.rows} == {"no votes yet"}
    assert all(row.rating is row.rank is row.score is row.unsafe is None for row in found.rows)


def test_an_undefeated_model_stays_finite():
    found = by_model(rate(repeated([(1, 0, LEFT, 3), (0, 1, RIGHT, 3)]), BASE))
    assert 1100 < found["m1"].rating.value < 2500
    assert found["m1"].preliminary
    assert found["m1"].rank == 1


def test_islands_are_not_compared():
    cells = [(1, 0, LEFT, 30), (0, 1, LEFT, 30), (3, 2, LEFT, 50), (2, 3, LEFT, 10)]
    found = by_model(rate(repeated(cells), BASE))
    assert found["m1"].rating is not None
    for model in ("m2", "m3"):
        assert found[model].rating is None
        assert found[model].reason == "no chain of votes connects it with the base"
    assert found["m4"].reason == "no votes yet"
    assert all(
        row.reason == "there is no base to compare with" for row in rate(repeated(cells), None).rows[:4] if row.votes
    )


def test_ranks_are_shared_where_intervals_overlap():
    clear = [(1, 0, LEFT, 400), (0, 1, RIGHT, 400), (1, 0, RIGHT, 40), (0, 1, LEFT, 40)]
    found = rate(repeated(clear), BASE)
    assert {m: row.rank for m, row in by_model(found).items() if row.rank} == {"m1": 1, "base": 2}
    assert found.more_votes[CONTESTANTS[1], BASE] == 0
    close = [(1, 0, LEFT, 26), (0, 1, RIGHT, 26), (1, 0, RIGHT, 24), (0, 1, LEFT, 24)]
    found = rate(repeated(close), BASE)
    assert {row.rank for row in found.rows if row.rank} == {1}
    # The gap is 0.4 standard errors of 100 votes, and 3.67 are needed: about 84 times as many votes would do.
    z = math.log(52 / 48) / math.sqrt(1 / 52 + 1 / 48)
    assert found.more_votes[CONTESTANTS[1], BASE] == pytest.approx(100 * ((anytime_z(100) / z) ** 2 - 1), rel=0.1)
    even = [(1, 0, LEFT, 50), (0, 1, LEFT, 50), (1, 0, RIGHT, 50), (0, 1, RIGHT, 50)]
    assert set(rate(repeated(even), BASE).more_votes.values()) == {None}


def test_a_difference_that_is_clear_of_one_pair_is_not_clear_of_three():
    """Base and m1 differ with a p between 0.05 / 3 and 0.05; m2 is between them."""
    close = [(1, 0, LEFT, 34), (0, 1, RIGHT, 34), (1, 0, RIGHT, 12), (0, 1, LEFT, 12)]
    even = [(a, b, LEFT, 10) for a, b in ((0, 2), (2, 0), (1, 2), (2, 1))]
    alone, among = rate(repeated(close), BASE), rate(repeated(close + even), BASE)
    assert {m: row.rank for m, row in by_model(alone).items() if row.rank} == {"m1": 1, "base": 2}
    assert {m: row.rank for m, row in by_model(among).items() if row.rank} == {"m1": 1, "m2": 1, "base": 1}


def test_left_out_votes_count_nowhere():
    good = [(1, 0, LEFT, 30), (0, 1, RIGHT, 20), (1, 0, RIGHT, 10)]
    whole = repeated([*good, (0, 1, LEFT, 500)], left_out=np.repeat([0, 1], [60, 500]), reasons=("", "hasty"))
    assert by_model(rate(whole, BASE))["m1"].rating == by_model(rate(repeated(good), BASE))["m1"].rating
    assert rate(whole, BASE).votes == 60


def test_wilson_by_hand():
    # 2 of 10: Wilson's interval is (0.0567, 0.5098), as in Newcombe (1998, Stat Med 17:857) for like cases.
    found = wilson(2, 10)
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.2, 0.0567, 0.5098)
    assert wilson(0, 20).low == 0.0
    assert wilson(0, 20).high == pytest.approx(0.1611, abs=1e-4)
    assert wilson(0, 0) is None


def test_flags_are_a_rate_of_the_votes():
    flags = np.zeros(50, bool)
    flags[:5] = True
    found = by_model(rate(repeated([(1, 0, LEFT, 50)], left_unsafe=flags), BASE))
    assert (found["m1"].unsafe.value, found["m1"].unsafe_votes) == (0.1, 5)
    assert found["base"].unsafe.value == 0


def test_flags_of_one_voter_say_less_than_those_of_many():
    flags = np.arange(200) < 20
    for field, name in (("left_unsafe", "unsafe"), ("both_bad", "bad")):
        made = repeated([(1, 0, LEFT, 200)], **{field: flags})
        many = getattr(by_model(rate(made, BASE))["m1"], name)
        of_one = dataclasses.replace(made, voter=np.where(flags, 0, made.voter))
        one = getattr(by_model(rate(of_one, BASE))["m1"], name)
        assert one.value == pytest.approx(many.value) == pytest.approx(0.1)
        assert one.half_width > 2 * many.half_width, name


def test_copies_of_votes_on_one_question_are_worth_one_of_them():
    cells = [(1, 0, LEFT, 70), (0, 1, RIGHT, 70), (1, 0, RIGHT, 30), (0, 1, LEFT, 30)]
    apart = repeated(cells)
    copies = dataclasses.replace(apart, question=np.arange(200) // 10)
    found, same = (by_model(rate(made, BASE))["m1"].rating for made in (apart, copies))
    assert same.value == found.value
    # Ten copies of each vote: the root of ten. 20 questions are few: t of 19 degrees of freedom, by its table, and
    # scores enlarged by their leverage, which is 2 parameters in 20 where it was 2 in 200.
    wider = math.sqrt(10) * 2.093 / 1.96 * (1 - 2 / 200) / (1 - 2 / 20)
    assert same.half_width / found.half_width == pytest.approx(wider, rel=0.03)


def test_what_is_easier_and_longer_is_taken_out():
    """m1 wins by its plainness alone: at equal grade it is no better."""
    rng = np.random.default_rng(5)
    count = 6000
    left = rng.integers(0, 2, count)
    # m1 is 4 grades easier on average.
    easier = np.where(left == 1, 4.0, -4.0) + rng.normal(0, 3, count)
    longer = rng.normal(0, 0.5, count)
    p = probabilities(0.2 * easier, -0.5)
    outcome = (rng.random(count)[:, None] > p.cumsum(axis=1)[:, :2]).sum(axis=1)
    own = np.arange(count)
    made = table(left, 1 - left, outcome, own, own, grade_difference=-easier, log_length_ratio=longer)
    found = rate(made, BASE)
    m1 = by_model(found)["m1"]
    assert m1.rating.low > 1080
    assert m1.equal.low < 1000 < m1.equal.high
    effects = {effect.name: effect.points for effect in found.effects}
    assert effects["one grade easier"].low < 0.2 * POINTS < effects["one grade easier"].high
    assert effects["twice as long"].low < 0 < effects["twice as long"].high
    assert found.equal_votes == count


# -- against others and against the truth ---------------------------------------------


def test_ratings_agree_with_lmarena_s():
    """arena-rank's own ratings of the same votes (see the file): within a tenth of an interval's width."""
    theirs = json.loads((Path(__file__).parent / "arena_rank.json").read_text(encoding="utf-8"))
    cells = []
    for left, right, for_left, for_right in theirs["cells"]:
        pair = MODELS.index(left), MODELS.index(right)
        cells += [(*pair, LEFT, for_left), (*pair, RIGHT, for_right)]
    ours = by_model(rate(repeated(cells), BASE))
    zero = theirs["ratings"]["base"][0]
    for model, (value, low, high) in theirs["ratings"].items():
        assert abs((ours[model].rating.value - 1000) - (value - zero)) < (high - low) / 10, model
        # Theirs are of one look; ours hold at every one.
        usual = 1.96 / anytime_z(sum(cell[3] for cell in cells))
        assert (ours[model].rating.high - ours[model].rating.low) * usual == pytest.approx(high - low, rel=0.05)


def coverage(count: int, runs: int, seed: int = 0) -> tuple[np.ndarray, float, float]:
    """Return the share of runs in which each strength is covered, that of the side, and the mean left share.

    By the usual intervals of one look, from the same standard errors.
    """
    world, rng = World(), np.random.default_rng(seed)
    truth = (world.strengths - world.strengths.mean()) * POINTS
    share = 1 / (1 + math.exp(-world.side))
    covered, side, shares = np.zeros(len(MODELS)), 0, []
    for _ in range(runs):
        found = rate(votes(world, rng, count), BASE)
        ratings = [by_model(found)[model].rating for model in MODELS]
        values = np.array([rating.value for rating in ratings])
        usual = 1.96 / anytime_z(count)
        covered += np.abs(values - values.mean() - truth) <= [usual * rating.half_width for rating in ratings]
        side += abs(found.left_share.value - share) <= usual * found.left_share.half_width
        shares.append(found.left_share.value)
    return covered / runs, side / runs, float(np.mean(shares)) - share


def test_intervals_cover_about_as_often_as_they_say():
    covered, side, bias = coverage(200, 40)
    assert 0.9 <= covered.mean() <= 0.99
    assert side >= 0.85
    assert abs(bias) < 0.02


def wrong_at_any_look(looks: range, runs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the share of runs in which an interval misses a strength at any look: ours, and the usual one.

    And the share in which two are told apart the wrong way round at any look.
    """
    world, rng = World(), np.random.default_rng(seed)
    truth = (world.strengths - world.strengths.mean()) * POINTS
    ours, usual, ranks = np.zeros(len(MODELS)), np.zeros(len(MODELS)), 0
    for _ in range(runs):
        made = votes(world, rng, looks[-1])
        missed, missed_usual, wrong = np.zeros(len(MODELS), bool), np.zeros(len(MODELS), bool), False
        for count in looks:
            found = rate(made.where(np.arange(len(made)) < count), BASE)
            rows = by_model(found)
            values = np.array([rows[model].rating.value for model in MODELS])
            half = np.array([rows[model].rating.half_width for model in MODELS])
            off = np.abs(values - values.mean() - truth)
            missed |= off > half
            missed_usual |= off > half * 1.96 / anytime_z(count)
            at = {contestant: truth[MODELS.index(contestant.model)] for contestant in CONTESTANTS}
            wrong |= any(more == 0 and at[a] < at[b] for (a, b), more in found.more_votes.items())
        ours, usual, ranks = ours + missed, usual + missed_usual, ranks + wrong
    return ours / runs, usual / runs, ranks / runs


def test_intervals_hold_at_any_time_one_looks():
    ours, usual, ranks = wrong_at_any_look(range(150, 1050, 100), 12)
    assert ours.mean() <= 0.05 < usual.mean(), "who looks nine times is wrong far more often by the usual ones"
    assert ranks <= 1 / 12


@pytest.mark.slow
@thorough
def test_intervals_hold_at_any_of_twenty_looks_in_200_runs():
    ours, usual, ranks = wrong_at_any_look(range(100, 2100, 100), 200, seed=2)
    print(ours, usual, ranks)
    assert (ours <= 0.05).all()
    assert usual.mean() > 0.1
    assert ranks <= 0.05


def test_both_bad_is_a_result_of_its_own():
    """It says nothing of which is better, so it moves no rating; "equally good" does."""
    wins = [(1, 0, LEFT, 60), (0, 1, RIGHT, 60), (1, 0, RIGHT, 20), (0, 1, LEFT, 20)]
    without = by_model(rate(repeated(wins), BASE))
    ties = repeated([*wins, (1, 0, TIE, 40), (0, 1, TIE, 40)])
    bad = by_model(rate(dataclasses.replace(ties, both_bad=ties.outcome == TIE), BASE))
    assert bad["m1"].rating.value == pytest.approx(without["m1"].rating.value, abs=0.01)
    assert (bad["m1"].votes, bad["m1"].ties, bad["m1"].bad_votes) == (240, 0, 80)
    assert bad["m1"].score == without["m1"].score == 0.75
    assert bad["m1"].bad.value == pytest.approx(1 / 3)
    assert bad["m1"].bad.low < 1 / 3 < bad["m1"].bad.high
    tied = by_model(rate(ties, BASE))
    assert (tied["m1"].ties, tied["m1"].bad_votes) == (80, 0)


@pytest.mark.slow
@thorough
@pytest.mark.parametrize("count", [200, 2000])
def test_95_percent_intervals_cover_in_93_to_97_percent_of_500_runs(count):
    covered, side, bias = coverage(count, 500, seed=1)
    print(count, covered, covered.mean(), side, bias)
    assert 0.93 <= covered.mean() <= 0.97
    assert (covered >= 0.91).all()
    assert 0.93 <= side <= 0.975
    assert abs(bias) < 0.005, "the left's advantage is found again"


@pytest.mark.slow
def test_the_time_that_votes_take_grows_with_their_number_alone():
    """200,000 against 10,000, by processor time: 20 times as long, where a quadratic way would take 400 times."""

    def took(count: int) -> tuple[float, float]:
        made = votes(World(), np.random.default_rng(0), count)
        rng = np.random.default_rng(1)
        fields = vars(made) | {
            "grade_difference": rng.normal(0, 3, len(made)),
            "log_length_ratio": rng.normal(0, 0.4, len(made)),
        }
        made = type(made)(**fields)
        networks = tuple(map(str, range(int(made.voter.max()) + 1)))
        started = time.process_time()
        found = rate(made, BASE)
        rated = time.process_time()
        judged = judge(dataclasses.replace(made, network=made.voter, networks=networks))
        ended = time.process_time()
        assert found.equal_votes == count
        assert found.rows[0].contestant.model == "m5"
        assert judged.table.counted.size > 0.99 * len(made)
        return rated - started, ended - rated

    rate(votes(World(), np.random.default_rng(1), 100), BASE)  # scipy is imported
    few = [took(10_000) for _ in range(3)]
    rated, judged = took(200_000)
    assert rated < 80 * min(one for one, _ in few)
    assert judged < 80 * min(other for _, other in few), "twenty thousand places"
