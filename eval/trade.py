"""Did it get easier by saying less, or less that is supported? Change in grade against change in content."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from eval.intervals import RESAMPLES, SEED, Clusters, clusters_of, mean_intervals
from eval.scores import SplitScores
from eval.tables import Row, number

GRADE = "flesch_kincaid_grade"
CONTENT = ("content_recall", "content_precision")
"""How much of the references an answer says, and how much of it they support."""

QUARTERS = {
    "easier_more": "Lower grade, and more",
    "easier_same": "Lower grade, and as much",
    "easier_less": "Lower grade, but less",
    "harder_more": "Grade not lower, and more",
    "harder_same": "Grade not lower, and as much",
    "harder_less": "Grade not lower, and less",
}
"""Key and label of each part. More and less are of the measure: no change is neither."""


def trade(
    scores: SplitScores, model: str, against: str, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[list[Row], list[Row]]:
    """Return (the share of questions in each of QUARTERS, what the easier answers lost) for each of CONTENT.

    Questions where either answer has no grade (it loops, or has no words) or no score are left out and counted.
    """
    quarters: list[Row] = []
    easier: list[Row] = []
    grade = scores.column(GRADE, model) - scores.column(GRADE, against)
    for measure in CONTENT:
        change = scores.column(measure, model) - scores.column(measure, against)
        there = ~np.isnan(grade) & ~np.isnan(change)
        answered = ~np.isnan(scores.column("words", model)) & ~np.isnan(scores.column("words", against))
        fell = grade < 0
        ways = [fell & (change > 0), fell & (change == 0), fell & (change < 0)]
        ways += [~fell & (change > 0), ~fell & (change == 0), ~fell & (change < 0)]
        kinds = np.stack(ways, axis=1)[there].astype(float)
        common: dict[str, Any] = {
            "split": scores.split,
            "model": model,
            "against": against,
            "measure": measure,
            "n": int(there.sum()),
            "left_out": int((answered & ~there).sum()),
        }
        if not there.any():
            continue
        shares = mean_intervals(kinds, resamples, seed, clusters=_clusters(scores, there))
        for i, quarter in enumerate(QUARTERS):
            quarters.append(
                {
                    **common,
                    "quarter": quarter,
                    "label": QUARTERS[quarter],
                    "share": number(shares.mean[i]),
                    # An interval of a share ends at 0 and 1.
                    "low": number(np.clip(shares.low[i], 0, 1)),
                    "high": number(np.clip(shares.high[i], 0, 1)),
                }
            )
        both = np.stack([grade, change], axis=1)[there & fell]
        lost = mean_intervals(both, resamples, seed, clusters=_clusters(scores, there & fell)) if len(both) else None
        easier.append(
            {
                **common,
                "easier": len(both),
                "grade_change": number(lost.mean[0]) if lost else None,
                "grade_change_low": number(lost.low[0]) if lost else None,
                "grade_change_high": number(lost.high[0]) if lost else None,
                "change": number(lost.mean[1]) if lost else None,
                "change_low": number(lost.low[1]) if lost else None,
                "change_high": number(lost.high[1]) if lost else None,
            }
        )
    return quarters, easier


def _clusters(scores: SplitScores, which: npt.NDArray[np.bool_]) -> Clusters:
    return clusters_of([(a.source, a.qtype) for a, chosen in zip(scores.questions, which, strict=True) if chosen])
