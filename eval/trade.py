"""Did it get easier by saying less? Change in grade against change in content, question by question."""

from __future__ import annotations

from typing import Any

import numpy as np

from eval.intervals import RESAMPLES, SEED, mean_intervals
from eval.scores import SplitScores
from eval.tables import Row, number

GRADE = "flesch_kincaid_grade"
CONTENT = ("key_term_recall", "closeness")

QUARTERS = {
    "easier_no_less": "Easier, and says no less",
    "easier_less": "Easier, but says less",
    "harder_no_less": "No easier, says no less",
    "harder_less": "No easier, and says less",
}
"""Key and label of each quarter. Easier: the grade fell. Less: the measure fell. No change is neither."""


def trade(
    scores: SplitScores, model: str, against: str, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[list[Row], list[Row]]:
    """Return (the share of questions in each quarter, what the easier answers lost) for each measure of content.

    Questions where either answer has no grade or no score are left out and counted.
    """
    quarters: list[Row] = []
    easier: list[Row] = []
    grade = scores.column(GRADE, model) - scores.column(GRADE, against)
    for measure in CONTENT:
        change = scores.column(measure, model) - scores.column(measure, against)
        there = ~np.isnan(grade) & ~np.isnan(change)
        answered = ~np.isnan(scores.column("words", model)) & ~np.isnan(scores.column("words", against))
        fell, less = grade < 0, change < 0
        kinds = np.stack([fell & ~less, fell & less, ~fell & ~less, ~fell & less], axis=1)[there].astype(float)
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
        shares = mean_intervals(kinds, resamples, seed)
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
        lost = mean_intervals(both, resamples, seed) if len(both) else None
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
