"""A judge's results: how many of how many were judged, mean scores, its own consistency, and pairs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from eval.intervals import mean_intervals
from eval.judging.asks import Ask, Subject
from eval.judging.prompt import CRITERIA, HIGHEST, LOWEST
from eval.judging.store import Judgment

RESAMPLES = 2_000
"""For the intervals that the command prints; the leaderboard has its own."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with the ends of its 95 % interval, None below two values."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ModelScores:
    """One model: of its `answered` answers `judged` have scores; a criterion's mean is None if there are none."""

    model: str
    answered: int
    judged: int
    means: Mapping[str, Mean | None]


@dataclass(frozen=True, slots=True)
class Consistency:
    """How far a judge agrees with itself when the criteria come in the other order, over `n` answers.

    `same` and `within_one` are shares of the answers, `shift` the mean of
    reversed minus forward, `kappa` Cohen's with quadratic weights (1968); None
    where it isn't defined (one of the passes gave the same score throughout).
    """

    criterion: str
    n: int
    same: float
    within_one: float
    shift: float
    kappa: float | None


@dataclass(frozen=True, slots=True)
class PairResult:
    """Two models over `asked` questions, of which `judged` have a verdict in both orders.

    A question is won by the model that is better in both orders; everything else is a tie,
    `flipped` of them because the judge preferred another answer in the other order. `first_share`
    is how often the answer shown first was preferred, of the verdicts that preferred any: 0.5 for
    a judge without a preference for order.
    """

    model: str
    versus: str
    asked: int
    judged: int
    won: int
    lost: int
    tied: int
    flipped: int
    first_share: float | None


def verdicts(asks: Iterable[Ask], judgments: Iterable[Judgment]) -> dict[Subject, Judgment | None]:
    """Return each ask's judgment, None where there is none or the judge's reply could not be read."""
    known = {(one.subject, one.key): one for one in judgments if one.readable}
    return {ask.subject: known.get((ask.subject, ask.key)) for ask in asks}


def by_model(found: Mapping[Subject, Judgment | None], models: Iterable[str]) -> list[ModelScores]:
    """Return every model's mean scores with the criteria in their own order; a model without answers is there too."""
    scores: dict[str, list[Mapping[str, int] | None]] = {model: [] for model in models}
    for subject, one in found.items():
        if subject.kind == "scores" and subject.order == "forward":
            scores.setdefault(subject.model, []).append(one.scores if one else None)
    return [_of_model(model, given) for model, given in scores.items()]


def _of_model(model: str, given: Sequence[Mapping[str, int] | None]) -> ModelScores:
    there = [[one[name] for name in CRITERIA] for one in given if one is not None]
    means: dict[str, Mean | None] = dict.fromkeys(CRITERIA)
    if there:
        found = mean_intervals(there, RESAMPLES)
        for index, name in enumerate(CRITERIA):
            mean, low, high = (float(column[index]) for column in (found.mean, found.low, found.high))
            means[name] = Mean(mean, None if math.isnan(low) else low, None if math.isnan(high) else high)
    return ModelScores(model, len(given), len(there), means)


def consistency(found: Mapping[Subject, Judgment | None]) -> list[Consistency]:
    """Return the judge's agreement with itself for every criterion; [] if nothing was judged in both orders."""
    passes: dict[tuple[str, str, str], dict[str, Mapping[str, int]]] = {}
    for subject, one in found.items():
        if one is not None and one.scores is not None:
            passes.setdefault((subject.split, subject.qid, subject.model), {})[subject.order] = one.scores
    both = [(scores["forward"], scores["reversed"]) for scores in passes.values() if len(scores) == 2]
    return [_agreement(name, [(one[name], other[name]) for one, other in both]) for name in CRITERIA] if both else []


def _agreement(criterion: str, pairs: Sequence[tuple[int, int]]) -> Consistency:
    shifts = [other - one for one, other in pairs]
    return Consistency(
        criterion=criterion,
        n=len(pairs),
        same=fmean(shift == 0 for shift in shifts),
        within_one=fmean(abs(shift) <= 1 for shift in shifts),
        shift=fmean(shifts),
        kappa=weighted_kappa(pairs),
    )


def weighted_kappa(pairs: Sequence[tuple[int, int]]) -> float | None:
    """Return Cohen's kappa with quadratic weights (1968): 1 for perfect agreement, 0 for chance.

    None where either side gave the same score throughout: it isn't defined then.
    """
    from sklearn.metrics import cohen_kappa_score

    first, second = zip(*pairs, strict=True)
    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return float(cohen_kappa_score(first, second, weights="quadratic", labels=range(LOWEST, HIGHEST + 1)))


def pairs(found: Mapping[Subject, Judgment | None]) -> list[PairResult]:
    """Return the result of every pair of models that was judged pairwise."""
    verdicts_of: dict[tuple[str, str], dict[tuple[str, str], dict[str, str | None]]] = {}
    for subject, one in found.items():
        if subject.kind == "pair" and subject.versus is not None:
            questions = verdicts_of.setdefault((subject.model, subject.versus), {})
            questions.setdefault((subject.split, subject.qid), {})[subject.order] = one.better if one else None
    return [_pair(*names, list(questions.values())) for names, questions in verdicts_of.items()]


def _pair(model: str, versus: str, questions: Sequence[Mapping[str, str | None]]) -> PairResult:
    both = [(q.get("forward"), q.get("reversed")) for q in questions]
    whole = [one for one in both if None not in one]
    won, lost = whole.count(("model", "model")), whole.count(("versus", "versus"))
    flipped = whole.count(("model", "versus")) + whole.count(("versus", "model"))
    # Forward shows `model` first.
    first = sum((forward == "model") + (backward == "versus") for forward, backward in both)
    second = sum((forward == "versus") + (backward == "model") for forward, backward in both)
    return PairResult(
        model=model,
        versus=versus,
        asked=len(questions),
        judged=len(whole),
        won=won,
        lost=lost,
        tied=len(whole) - won - lost,
        flipped=flipped,
        first_share=first / (first + second) if first + second else None,
    )
