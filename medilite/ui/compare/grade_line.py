"""The grades of one comparison on one line each, with the level recommended for patients marked."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from medilite.models import ModelSpec
from medilite.readability import RECOMMENDED_GRADES, grade_word
from medilite.ui.compare.cards import colours
from medilite.ui.compare.comparison import Pane
from medilite.ui.page.scores import score_text

LOWEST, HIGHEST = 0.0, 18.0
"""The grades that the axis shows; a grade beyond them is drawn at the edge, with its true number."""

TICKS = (0, 2, 4, 6, 8, 10, 12, 14, 16, 18)


def plot_html(panes: Sequence[Pane], *, asked: bool = True) -> str:
    """Return the plot of these panes; a model without a grade (yet) keeps an empty line of its own."""
    low, high = RECOMMENDED_GRADES
    rows = "".join(_row(pane.spec, _grade(pane), _pending_words(pane, asked)) for pane in panes)
    ticks = "".join(
        f'<span class="ml-tick" style="left:{_percent(tick):.2f}%">{tick}{"+" if tick == HIGHEST else ""}</span>'
        for tick in TICKS
    )
    band = f"--from:{_percent(low):.2f}%;--to:{_percent(high):.2f}%"
    return (
        f'<figure class="ml-plot" style="{band}"><figcaption><h3>How hard each answer is to read</h3>'
        f"<p>US school grade (Flesch–Kincaid): lower is easier. The shaded band, {grade_word(low)} to "
        f"{grade_word(high)}, is what health agencies recommend for patients.</p></figcaption>"
        f'<div class="ml-plot-body" role="img" aria-label="{escape(_in_words(panes))}">{rows}'
        f'<div class="ml-axis" aria-hidden="true"><span></span><div class="ml-axis-track">{ticks}</div><span></span>'
        "</div></div></figure>"
    )


def _grade(pane: Pane) -> float | None:
    return pane.scores.flesch_kincaid_grade if pane.scores else None


def _percent(grade: float) -> float:
    return 100 * (min(max(grade, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST)


def _pending_words(pane: Pane, asked: bool) -> str:
    if not asked:
        return "–"
    return "no grade" if pane.stopped else "…"


def _row(spec: ModelSpec, grade: float | None, pending: str) -> str:
    if grade is None:
        mark, number = "", pending
    else:
        mark = f'<span class="ml-stem" style="width:{_percent(grade):.2f}%"></span>'
        mark += f'<span class="ml-point" style="left:{_percent(grade):.2f}%"></span>'
        number = score_text("", float(grade))
    return (
        f'<div class="ml-plot-row" data-model="{escape(spec.id)}" {colours(spec)}>'
        f'<span class="ml-plot-name">{escape(spec.label)}</span><div class="ml-track">{mark}</div>'
        f'<span class="ml-plot-number">{number}</span></div>'
    )


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
