"""How far two readers agree, what they say of each model, and how far each metric agrees with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.intervals import clusters_of, function_interval, mean_intervals
from eval.questions import Question
from eval.reading.labels import LABELS, READERS, Read

Array = npt.NDArray[np.float64]
Clusters = Mapping[str, int]
"""The cluster of each question: those of one source and kind go together, as in every interval of the board."""

DIFFER = {"right_or_partly": ("right", "partly"), "right": ("right",), "wrong_or_harmful": ("wrong", "harmful")}
"""The shares of labels in which two models are compared."""

LEAST_AUC = 0.65
"""A metric whose AUC against the reading is below this is not shown as a measure of truth."""


def kappas(tables: Array) -> Array:
    """Return Cohen's kappa (1960) of tables of counts (… × labels × labels), one reader's labels by the other's.

    It is agreement beyond what the readers' own label counts give by chance; NaN where both used one label, and the
    same. Counts are whole numbers, so that is told without a tolerance.
    """
    n, same = tables.sum((-2, -1)), np.trace(tables, axis1=-2, axis2=-1)
    chance = (tables.sum(-1) * tables.sum(-2)).sum(-1)
    with np.errstate(invalid="ignore"):
        found: Array = (n * same - chance) / (n * n - chance)
    return found


def kappa(one: Sequence[Any], other: Sequence[Any]) -> float:
    """Return Cohen's kappa of two readers' labels, NaN where `kappas` has none."""
    return float(kappas(_tables(one, other).sum(0)))


def aucs(scores: Array, good: npt.NDArray[np.bool_], weights: Array) -> Array:
    """Return, by row of `weights` (rows × answers: how often each counts), the AUC of the scores.

    That is the probability that a good answer scores above a bad one, ties counting half; NaN without both kinds.
    """
    above = np.sign(scores[good][:, None] - scores[~good]) / 2 + 0.5
    ours, others = weights[:, good], weights[:, ~good]
    with np.errstate(invalid="ignore"):
        found: Array = ((ours @ above) * others).sum(1) / (ours.sum(1) * others.sum(1))
    return found


def auc(scores: Array, good: npt.NDArray[np.bool_]) -> float:
    """Return the AUC of scores, NaN without both kinds of answers."""
    return float(aucs(scores, good, np.ones((1, len(scores))))[0])


def clusters(questions: Sequence[Question]) -> Clusters:
    """Return the cluster of each question that was read, by qid; each its own where there are too few."""
    numbers = clusters_of([(question.source, question.qtype) for question in questions])
    return {question.qid: int(number) for question, number in zip(questions, numbers, strict=True)}


def agreement(read: Sequence[Read], of: Clusters) -> dict[str, Any]:
    """Return kappa over the five labels and over right-or-partly, and the table of both readers' labels."""
    first, second = ([one.readers[reader].label for one in read] for reader in READERS)
    good = [[one.readers[reader].good for one in read] for reader in READERS]
    return {
        "answers": len(read),
        "questions": len({one.qid for one in read}),
        "clusters": len({of[one.qid] for one in read}),
        "same_label": _round(sum(map(str.__eq__, first, second)) / len(read)),
        "kappa": _kappa(first, second, read, of),
        "kappa_right_or_partly": _kappa(good[0], good[1], read, of),
        "labels": {
            one: {other: sum(a == one and b == other for a, b in zip(first, second, strict=True)) for other in LABELS}
            for one in LABELS
        },
    }


def _kappa(one: Sequence[Any], other: Sequence[Any], read: Sequence[Read], of: Clusters) -> dict[str, Any]:
    tables = _tables(one, other)
    shape = tables.shape[1:]
    return _of_sums(tables.reshape(len(tables), -1), lambda sums: kappas(sums.reshape(-1, *shape)), read, of)


def _tables(one: Sequence[Any], other: Sequence[Any]) -> Array:
    """Return, by answer, a table with a 1 where the two readers' labels cross."""
    labels = sorted({*one, *other})
    tables = np.zeros((len(one), len(labels), len(labels)))
    for row, (a, b) in enumerate(zip(one, other, strict=True)):
        tables[row, labels.index(a), labels.index(b)] = 1
    return tables


def by_model(read: Sequence[Read], of: Clusters) -> dict[str, dict[str, Any]]:
    """Return, by model, the share of each label (mean of the readers) and of right or partly right, with interval."""
    result = {}
    for model in dict.fromkeys(sorted(one.model for one in read)):
        own = [one for one in read if one.model == model]
        good = np.array([np.mean([one.readers[reader].good for reader in READERS]) for one in own])
        found = mean_intervals(good[:, None], clusters=_places(own, of))
        result[model] = {
            "n": len(own),
            "right_or_partly": _interval(found.mean[0], found.low[0], found.high[0]),
            **{
                label: _round(np.mean([one.readers[reader].label == label for one in own for reader in READERS]))
                for label in LABELS
            },
            "false_sentences": _round(np.mean([len(one.readers[reader].false) for one in own for reader in READERS])),
        }
    return result


def differences(read: Sequence[Read], pairs: Sequence[tuple[str, str]], of: Clusters) -> list[dict[str, Any]]:
    """Return, for pairs of models, how their shares of what DIFFER names differ, question by question.

    `p_value` is of eval.significance, two-sided and not corrected for the number of comparisons.
    """
    qids = sorted({one.qid for one in read})
    rows = []
    for model, against in pairs:
        for name, labels in DIFFER.items():
            values = {
                (one.qid, one.model): float(np.mean([one.readers[reader].label in labels for reader in READERS]))
                for one in read
            }
            change = np.array([values[qid, model] - values[qid, against] for qid in qids])
            found = mean_intervals(change[:, None], clusters=np.array([of[qid] for qid in qids], np.intp))
            rows.append(
                {
                    "model": model,
                    "against": against,
                    "share": name,
                    "n": len(qids),
                    **_interval(found.mean[0], found.low[0], found.high[0]),
                    "p_value": _round(found.p_value[0]),
                }
            )
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

        def of_weights(weights: Array, column: Array = column, good: Any = good) -> Array:
            found: Array = np.mean([aucs(column, one, weights) for one in good], axis=0)
            return found

        # What is summed is how often each answer was drawn.
        found = _of_sums(np.eye(len(there)), of_weights, [read[i] for i in there], of)
        if found["value"] is not None:
            rows.append({"metric": metric, "n": len(there), **found, "measures_truth": found["value"] >= LEAST_AUC})
    return sorted(rows, key=lambda row: -row["value"])


def _of_sums(sums_of: Array, function: Callable[[Array], Array], read: Sequence[Read], of: Clusters) -> dict[str, Any]:
    """Return a function of sums over answers (`sums_of`: answers × sums), with its interval; None if not defined."""
    if np.isnan(function(sums_of.sum(0, keepdims=True))[0]):
        return _interval(np.nan, np.nan, np.nan)
    value, low, high, _ = function_interval(sums_of, lambda sums: function(sums)[:, None], clusters=_places(read, of))
    return _interval(value[0], low[0], high[0])


def _places(read: Sequence[Read], of: Clusters) -> npt.NDArray[np.intp]:
    """Return each answer's cluster."""
    return np.array([of[one.qid] for one in read], np.intp)


def _interval(value: float, low: float, high: float) -> dict[str, Any]:
    """Return a value with its ends as published; the ends are None where the value is not defined."""
    return {"value": _round(value), "low": _round(low), "high": _round(high)}


def _round(value: Any) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
