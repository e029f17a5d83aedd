"""The grades of one comparison on one line each, with the level recommended for patients marked."""

from __future__ import annotations

from collections.abc import Sequence

from medilite.readability import RECOMMENDED_GRADES, grade_word
from medilite.ui.compare.comparison import Pane
from medilite.ui.html import Markup, templates
from medilite.ui.page.scores import score_text

LOWEST, HIGHEST = 0.0, 18.0
"""The grades that the axis shows; a grade beyond them is drawn at the edge, with its true number."""

TICKS = (0, 2, 4, 6, 8, 10, 12, 14, 16, 18)


def plot_html(panes: Sequence[Pane], *, asked: bool = True) -> Markup:
    """Return the plot of these panes; a model without a grade (yet) keeps an empty line of its own."""
    low, high = RECOMMENDED_GRADES
    rows = []
    for pane in panes:
        grade = _grade(pane)
        at = None if grade is None else _percent(grade)
        rows.append((pane.spec, at, _pending_words(pane, asked) if grade is None else score_text("", float(grade))))
    ticks = [(_percent(tick), f"{tick}{'+' if tick == HIGHEST else ''}") for tick in TICKS]
    recommended = f"{grade_word(low)} to {grade_word(high)}"
    band = (_percent(low), _percent(high))
    return templates("compare/cards.html").grade_line(rows, ticks, band, recommended, _in_words(panes))


def _grade(pane: Pane) -> float | None:
    return pane.scores.flesch_kincaid_grade if pane.scores else None


def _percent(grade: float) -> str:
    """Return where on the axis a grade is, in per cent of its width."""
    return f"{100 * (min(max(grade, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST):.2f}"


def _pending_words(pane: Pane, asked: bool) -> str:
    if not asked:
        return "–"
    return "no grade" if pane.stopped else "…"


def _in_words(panes: Sequence[Pane]) -> str:
    said = []
    for pane in panes:
        grade = _grade(pane)
        if grade is not None:
            said.append(f"{pane.spec.label} {grade:.1f} ({grade_word(grade)})")
        elif pane.stopped:
            said.append(f"{pane.spec.label} no grade")
    if not said:
        return "No grades yet."
    low, high = RECOMMENDED_GRADES
    return f"Grades: {', '.join(said)}. Recommended for patients: {grade_word(low)} to {grade_word(high)}."
