"""How far two readers agree, what they say of each model, and how far each metric agrees with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.intervals import RESAMPLES, SEED, clusters_of
from eval.questions import Question
from eval.reading.labels import LABELS, READERS, Read

Array = npt.NDArray[np.float64]
Clusters = Mapping[str, int]
"""The cluster of each question: those of one source and kind go together, as in every interval of the board."""

DIFFER = {"right_or_partly": ("right", "partly"), "right": ("right",), "wrong_or_harmful": ("wrong", "harmful")}
"""The shares of labels in which two models are compared."""

LEAST_AUC = 0.65
"""A metric whose AUC against the reading is below this is not shown as a measure of truth."""


def kappa(one: Sequence[Any], other: Sequence[Any]) -> float:
    """Return Cohen's kappa (1960) of two readers: agreement beyond what their own label counts give by chance."""
    labels = sorted(set(one) | set(other))
    a = np.array([labels.index(label) for label in one])
    b = np.array([labels.index(label) for label in other])
    shares = np.zeros((len(labels), len(labels)))
    np.add.at(shares, (a, b), 1 / len(a))
    chance = float(shares.sum(0) @ shares.sum(1))
    # Both readers used one label, and the same: nothing beyond chance can be told.
    return float("nan") if len(labels) == 1 else (float(np.trace(shares)) - chance) / (1 - chance)


def auc(scores: Array, good: npt.NDArray[np.bool_]) -> float:
    """Return the probability that a good answer scores above a bad one, ties counting half; NaN without both kinds."""
    from scipy.stats import rankdata

    n, m = int(good.sum()), int((~good).sum())
    if not n or not m:
        return float("nan")
    return float((rankdata(scores)[good].sum() - n * (n + 1) / 2) / (n * m))


def clusters(questions: Sequence[Question]) -> Clusters:
    """Return the cluster of each question that was read, by qid; each its own where there are too few."""
    numbers = clusters_of([(question.source, question.qtype) for question in questions])
    return {question.qid: int(number) for question, number in zip(questions, numbers, strict=True)}


def interval(value: Callable[[npt.NDArray[np.intp]], float], groups: Sequence[int]) -> dict[str, Any]:
    """Return a statistic of answers and its 95 % percentile interval; whole groups are resampled.

    `value` takes the places of the answers that count, one as often as it was drawn. The ends are None where no
    resample has a value.
    """
    names = sorted(set(groups))
    members = [np.flatnonzero(np.array(groups) == name) for name in names]
    rng = np.random.default_rng(SEED)
    drawn = np.array(
        [
            value(np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))]))
            for _ in range(RESAMPLES)
        ]
    )
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.quantile(drawn, [0.025, 0.975], method="inverted_cdf") if len(drawn) else (np.nan, np.nan)
    return {"value": _round(value(np.arange(len(groups)))), "low": _round(low), "high": _round(high)}


def agreement(read: Sequence[Read], of: Clusters) -> dict[str, Any]:
    """Return kappa over the five labels and over right-or-partly, and the table of both readers' labels."""
    groups = [of[one.qid] for one in read]
    first, second = ([one.readers[reader].label for one in read] for reader in READERS)
    good = [[one.readers[reader].good for one in read] for reader in READERS]
    return {
        "answers": len(read),
        "questions": len({one.qid for one in read}),
        "clusters": len(set(groups)),
        "same_label": _round(sum(map(str.__eq__, first, second)) / len(read)),
        "kappa": interval(lambda at: kappa([first[i] for i in at], [second[i] for i in at]), groups),
        "kappa_right_or_partly": interval(lambda at: kappa([good[0][i] for i in at], [good[1][i] for i in at]), groups),
        "labels": {
            one: {other: sum(a == one and b == other for a, b in zip(first, second, strict=True)) for other in LABELS}
            for one in LABELS
        },
    }


def by_model(read: Sequence[Read], of: Clusters) -> dict[str, dict[str, Any]]:
    """Return, by model, the share of each label (mean of the readers) and of right or partly right, with interval."""
    result = {}
    for model in dict.fromkeys(sorted(one.model for one in read)):
        own = [one for one in read if one.model == model]
        good = np.array([np.mean([one.readers[reader].good for reader in READERS]) for one in own])
        result[model] = {
            "n": len(own),
            "right_or_partly": interval(_mean_of(good), [of[one.qid] for one in own]),
            **{
                label: _round(np.mean([one.readers[reader].label == label for one in own for reader in READERS]))
                for label in LABELS
            },
            "false_sentences": _round(np.mean([len(one.readers[reader].false) for one in own for reader in READERS])),
        }
    return result


def differences(read: Sequence[Read], pairs: Sequence[tuple[str, str]], of: Clusters) -> list[dict[str, Any]]:
    """Return, for pairs of models, how their shares of what DIFFER names differ, question by question."""
    qids = sorted({one.qid for one in read})
    rows = []
    for model, against in pairs:
        for name, labels in DIFFER.items():
            values = {
                (one.qid, one.model): float(np.mean([one.readers[reader].label in labels for reader in READERS]))
                for one in read
            }
            change = np.array([values[qid, model] - values[qid, against] for qid in qids])
            found = interval(_mean_of(change), [of[qid] for qid in qids])
            rows.append({"model": model, "against": against, "share": name, "n": len(qids), **found})
    return rows


def auc_rows(
    read: Sequence[Read],
    scores: Mapping[str, Sequence[float | None]],
    better: Mapping[str, str | None],
    of: Clusters,
) -> list[dict[str, Any]]:
    """Return, for each metric, its AUC against right-or-partly (mean of the readers' two), larger being better.

    A metric without a better way is taken as it is. Answers without a value are left out and counted.
    """
    rows = []
    for metric, values in scores.items():
        there = [i for i, value in enumerate(values) if value is not None]
        if len(there) < 2:
            continue
        sign = -1.0 if better.get(metric) == "lower" else 1.0
        column = np.array([sign * values[i] for i in there])  # type: ignore[operator]
        good = [np.array([read[i].readers[reader].good for i in there]) for reader in READERS]

        def value(at: npt.NDArray[np.intp], column: Array = column, good: Any = good) -> float:
            return float(np.mean([auc(column[at], one[at]) for one in good]))

        found = interval(value, [of[read[i].qid] for i in there])
        if found["value"] is not None:
            rows.append({"metric": metric, "n": len(there), **found, "measures_truth": found["value"] >= LEAST_AUC})
    return sorted(rows, key=lambda row: -row["value"])


def _mean_of(values: Array) -> Callable[[npt.NDArray[np.intp]], float]:
    return lambda at: float(values[at].mean())


def _round(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
