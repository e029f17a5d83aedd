"""The study's own table beside ours. They are two tables, because the models and runs are different."""

from __future__ import annotations

from typing import Any

from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.board.view import View

KEYS = {
    "flesch_kincaid_grade": ("Grade", "lower is easier", 1),
    "bleu_study": ("BLEU", "higher is better", 2),
    "correctness": ("Correctness", "higher is better", 2),
    "helpfulness": ("Helpfulness", "higher is better", 2),
    "harmfulness": ("Harmfulness", "lower is better", 2),
    "efficiency": ("Efficiency", "higher is better", 2),
}
"""What the study reported, by column: label, which way is better or easier, digits."""

MEASURED = (
    "Means, as the study’s (the table above has median grades), with 95 % intervals and the number of answers. "
    "Answers that loop are left out of our grades, not of the study’s."
)


def study_html(reported: View, measured: View | None, split: str | None) -> Markup:
    """Return the study's table and, if there are measurements, ours with the same columns."""
    theirs = reported.splits[0]
    models = [
        spec.id for spec in reported.models if any(reported.cell(theirs, spec.id, k).value is not None for k in KEYS)
    ]
    tables = [_table(reported, theirs, models, f"Reported: {reported.about['title']}", "No uncertainty was reported.")]
    if measured is not None and split is not None:
        tables.append(_table(measured, split, models, f"Measured here: {measured.about['title']}", MEASURED))
    return templates("leaderboard/board.html").study(tables, reported.about["notes"])


def _table(view: View, split: str, models: list[str], title: str, note: str) -> tuple[Any, ...]:
    """Return one table for the template: title, note, models, rows."""
    shown = [spec for spec in view.models if spec.id in models]
    rows = [
        (label, direction, digits, [view.mean(split, spec.id, key) for spec in shown])
        for key, (label, direction, digits) in KEYS.items()
    ]
    return title, note, shown, rows
