"""The draw: what tells most comes first, everything has a chance, questions and sides stay balanced."""

from __future__ import annotations

import math
import random
from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest

from medilite.arena.drawing import EXPLORE, Knowledge, Place, draw_place, draw_sides, draw_two, expected_gains
from tests.arena.draws import MANY_TIES, Case, optimum, spread, votes_needed
from tests.arena.simulate import CONTESTANTS, World

A, B, C, D = CONTESTANTS[:4]
PAIRS = [frozenset(two) for two in combinations((A, B, C, D), 2)]


def places(similarity: float = 0.3, questions: int = 6) -> dict:
    return {two: [Place(f"q{q}", seed, similarity) for q in range(questions) for seed in (0, 1)] for two in PAIRS}


def drawn(listed: dict, knowledge: Knowledge, count: int = 600, seed: int = 1) -> Counter:
    rng = random.Random(seed)
    return Counter(draw_place(listed, knowledge, rng).two for _ in range(count))


def test_information_by_hand():
    two = frozenset((A, B))
    usual = np.array([0.5])
    # Even odds without ties: p (1 - p) = 1/4; odds of 3 to 1: 3/16.
    assert Knowledge().information(two, usual)[0] == pytest.approx(0.25)
    assert Knowledge({A: math.log(3)}).information(two, usual)[0] == pytest.approx(3 / 16)
    # As many ties as wins and losses each: two thirds of the votes are decided.
    assert Knowledge(tie=(0.0, 0.0)).information(two, usual)[0] == pytest.approx(1 / 6)
    like, unlike = Knowledge(tie=(0.0, 3.0)).information(two, np.array([1.0, 0.0]))
    assert like < 0.03 < 0.2 < unlike


def test_gains_are_alike_where_nothing_is_known_and_fall_with_votes():
    even = expected_gains(dict.fromkeys(PAIRS, 0.25), Knowledge())
    assert len({round(gain, 9) for gain in even.values()}) == 1
    voted = expected_gains(dict.fromkeys(PAIRS, 0.25), Knowledge(votes={PAIRS[0]: 100}))
    assert min(voted, key=voted.get) == PAIRS[0]


def test_a_contestant_without_votes_comes_next():
    votes = {two: 200 for two in PAIRS if D not in two}
    counts = drawn(places(), Knowledge(votes=votes))
    assert sum(n for two, n in counts.items() if D in two) > 0.85 * 600


def test_a_settled_pair_is_rare_but_has_a_chance():
    far = Knowledge({A: 4.0, B: 0.5, C: 0.0, D: -4.0}, votes=dict.fromkeys(PAIRS, 50))
    counts = drawn(places(), far, 800)
    assert counts[frozenset((A, D))] < 800 * (EXPLORE / 6 + 0.03)
    assert set(counts) == set(PAIRS)


def test_answers_that_are_much_alike_are_passed_over():
    listed = {two: [Place(f"q{q}", 0, q / 10) for q in range(10)] for two in PAIRS}
    rng, knowledge = random.Random(2), Knowledge(tie=(0.0, 3.0))
    alike = Counter(draw_place(listed, knowledge, rng).place.similarity >= 0.5 for _ in range(500))
    assert not alike[True], "not by the draws that explore either: they choose contestants by chance, not answers"


def test_questions_go_round():
    rng, knowledge, listed = random.Random(3), Knowledge(), places()
    for _ in range(180):
        drawn = draw_place(listed, knowledge, rng)
        knowledge.note(*draw_sides(drawn.two, knowledge, rng)[:2], drawn.place.question)
    for two in PAIRS:
        shown = [knowledge.shown.get((two, f"q{q}"), 0) for q in range(6)]
        assert max(shown) - min(shown) <= 1


def test_sides_stay_balanced_and_random():
    rng, knowledge, tossed = random.Random(4), Knowledge(), []
    two = frozenset((A, B))
    for _ in range(400):
        left, right, _ = draw_sides(two, knowledge, rng)
        knowledge.note(left, right, "q")
        tossed.append(left == A)
    assert abs(sum(tossed) - 200) <= 6
    # Nobody can tell the next side from the last.
    same = sum(a == b for a, b in pairwise(tossed))
    assert 100 < same < 250


def test_nothing_to_draw():
    assert draw_place({}, Knowledge(), random.Random(0)) is None
    assert draw_place({PAIRS[0]: []}, Knowledge(), random.Random(0)) is None
    assert draw_two([A, B], Knowledge(), random.Random(0)) == (frozenset((A, B)), 1.0)


def test_answers_that_tell_come_first_and_the_others_have_their_turn():
    """Unlike answers first; but a question that was voted on tells less the next time, so all questions come round."""
    listed = {two: [Place(f"q{q}", 0, q / 10) for q in range(10)] for two in PAIRS[:1]}
    rng, knowledge = random.Random(5), Knowledge(tie=(-0.6, 1.2))
    order = []
    for _ in range(200):
        place = draw_place(listed, knowledge, rng).place
        knowledge.note(A, B, place.question)
        order.append(place.similarity)
    shown = Counter(order)
    assert sum(order[:5]) < sum(order[5:10])
    assert len(shown) == 10
    assert 1 < shown[0.0] / shown[0.9] < 3


def test_what_is_told_of_a_draw_is_how_often_it_comes():
    knowledge = Knowledge({A: 1.5, B: 0.0}, votes={frozenset((A, B)): 300})
    listed = {two: [Place(f"q{q}", 0, 0.3) for q in range(3)] for two in PAIRS}
    rng, told, count = random.Random(6), {}, 4000
    found: Counter = Counter()
    for _ in range(count):
        drawn = draw_place(listed, knowledge, rng)
        found[drawn.two] += 1
        told[drawn.two] = drawn.two_probability
        assert drawn.place_probability == pytest.approx(1 / 3)
    assert sum(told.values()) == pytest.approx(1)
    for two, probability in told.items():
        assert found[two] / count == pytest.approx(probability, abs=4 * math.sqrt(probability / count))
    ahead = Knowledge(on_left={(A, B): 1})
    sides = Counter(draw_sides(frozenset((A, B)), ahead, rng) for _ in range(2000))
    for (*_, probability), times in sides.items():
        assert times / 2000 == pytest.approx(probability, abs=0.05)


# -- how much it saves -----------------------------------------------------------------


def test_what_no_draw_can_beat():
    # Equal strengths: no choice of pairs helps, and the least alike answers by their share of decided votes.
    pairs_alone, answers_too = optimum(spread(0))
    assert pairs_alone == pytest.approx(1, abs=1e-3)
    decided = [1 - math.exp(e) / (2 + math.exp(e)) for e in np.linspace(-0.6 - 1.2 * 0.8, -0.6 + 1.2 * 0.8, 401)]
    assert answers_too == pytest.approx(np.mean(decided) / decided[0], abs=1e-3)
    assert optimum(spread(800))[0] < 0.92, "pairs whose odds are long tell little"


def needed(world: World, votes: int, runs: int, before: int = 0) -> float:
    """Return which share of the blind draw's votes is needed, by what they tell."""
    return votes_needed(Case("", world, before), votes, runs)[1][0]


def test_a_new_model_is_rated_with_half_the_votes():
    assert needed(spread(200, questions=30), 100, 1, before=200) < 0.6


def test_unlike_answers_save_votes_where_ties_are_many():
    assert needed(spread(200, tie=MANY_TIES, questions=30), 200, 1) < 0.85


@pytest.mark.slow
def test_drawing_by_what_is_known_needs_fewer_votes_than_drawing_blindly():
    """The full measurement is `python -m tests.arena.draws`; docs/ARCHITECTURE.md says what came out."""
    assert needed(spread(800), 300, 2) < 0.97
    (shown, error), _ = votes_needed(Case("", spread(200, tie=MANY_TIES, questions=60)), 300, 3)
    assert shown < 0.9 + 2 * error
