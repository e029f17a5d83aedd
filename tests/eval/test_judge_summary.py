"""The judge's own consistency and the rule for pairs, by hand."""

from __future__ import annotations

import pytest

from eval.judging.asks import Subject
from eval.judging.keys import in_words
from eval.judging.store import Judgment
from eval.judging.summary import consistency, pairs, weighted_kappa


def judgment(subject: Subject, **given) -> Judgment:
    fields = {"scores": None, "better": None, "problem": None, "raw": "", "key": "k", "copied": False, "attempt": 1}
    fields |= {"prompt": "p", "judge": "j", "server": "s", "data": "d", "asked_at": "t", "duration_s": 0.1}
    fields |= {"prompt_tokens": None, "completion_tokens": None, "answers": ("a",)}
    named = {name: getattr(subject, name) for name in subject.__slots__}
    return Judgment(**named, **fields | given)


def test_weighted_kappa_by_hand():
    # Differences 0, 0, 2, 0: mean square 1. By chance: firsts 1, 1, 3, 3 with seconds 1, 1, 1, 3; 8 of the 16
    # combinations differ by 2, so the mean square is 2, and kappa is 1 - 1/2.
    assert weighted_kappa([(1, 1), (1, 1), (3, 1), (3, 3)]) == pytest.approx(0.5)
    assert weighted_kappa([(1, 1), (5, 5)]) == 1
    assert weighted_kappa([(1, 5), (5, 1)]) == -1
    assert weighted_kappa([(4, 4), (4, 4)]) is None


def test_consistency_by_hand():
    found = {}
    for number, (one, other) in enumerate([(5, 5), (5, 6), (8, 4), (2, None)]):
        for order, score in (("forward", one), ("reversed", other)):
            subject = Subject("scores", "study/test", f"q{number}", "base", None, order)
            scores = score and dict.fromkeys(("correctness", "helpfulness", "harmfulness", "efficiency"), score)
            found[subject] = judgment(subject, scores=scores)
    first = consistency(found)[0]
    assert (first.criterion, first.n) == ("correctness", 3)
    assert (first.same, first.within_one, first.shift) == pytest.approx((1 / 3, 2 / 3, -1.0))


# (forward, reversed): what the judge said of a question in each order; better is the model's name, not its place.
RULE = {
    ("model", "model"): "won",
    ("versus", "versus"): "lost",
    ("tie", "tie"): "tied",
    ("model", "tie"): "tied",
    ("model", "versus"): "flipped",
    ("versus", "model"): "flipped",
    ("model", None): "not judged",
}


@pytest.mark.parametrize(("said", "came_to"), RULE.items())
def test_a_pair_is_won_in_both_orders_or_not_at_all(said, came_to):
    found = {}
    for order, better in zip(("forward", "reversed"), said, strict=True):
        subject = Subject("pair", "study/test", "q", "grpo", "base", order)
        found[subject] = judgment(subject, better=better) if better else None
    (result,) = pairs(found)
    counts = (result.won, result.lost, result.tied, result.flipped, result.judged)
    assert (
        counts
        == {
            "won": (1, 0, 0, 0, 1),
            "lost": (0, 1, 0, 0, 1),
            "tied": (0, 0, 1, 0, 1),
            "flipped": (0, 0, 1, 1, 1),
            "not judged": (0, 0, 0, 0, 0),
        }[came_to]
    )
    # Forward shows model first, so (model, versus) is a judge that always takes the first.
    expected = {("model", "versus"): 1.0, ("versus", "model"): 0.0, ("tie", "tie"): None, ("model", "tie"): 1.0}
    if said in expected:
        assert result.first_share == expected[said]


def test_times_in_words():
    assert [in_words(s) for s in (0.4, 59, 578, 3599, 3700, 90_000)] == [
        "0 s", "59 s", "10 min", "1 h 0 min", "1 h 2 min", "more than a day"
    ]  # fmt: skip
