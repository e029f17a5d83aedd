"""The grades of one comparison on one line each, with the level recommended for patients marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medilite.models import ModelSpec
from medilite.readability import RECOMMENDED_GRADES, grade_word
from medilite.sources.records import Passage
from medilite.ui.compare.comparison import Pane
from medilite.ui.html import Markup, templates
from medilite.ui.page.scores import score_text
from medilite.ui.page.source import passage_grade

LOWEST, HIGHEST = 0.0, 18.0
"""The grades that the axis shows; a grade beyond them is drawn at the edge, with its true number."""

TICKS = (0, 3, 6, 9, 12, 15, 18)


@dataclass(frozen=True, slots=True)
class SourceLine:
    """What the plot shows for the source: a line like a model's, in the page's own colour."""

    label: str = "Source"
    id: str = "source"
    colour: str = "var(--ml-accent)"
    colour_dark: str = "var(--ml-accent)"


def plot_html(panes: Sequence[Pane], *, asked: bool = True, given: Passage | None = None) -> Markup:
    """Return the plot of these panes; a model without a grade (yet) keeps an empty line of its own.

    Where the models answered from a passage, its own grade is the last line.
    """
    low, high = RECOMMENDED_GRADES
    rows: list[tuple[ModelSpec | SourceLine, str | None, str]] = []
    for pane in panes:
        grade = _grade(pane)
        at = None if grade is None else _percent(grade)
        rows.append((pane.spec, at, _pending_words(pane, asked) if grade is None else score_text("", float(grade))))
    source = passage_grade(given.text) if given else None
    if given:
        rows.append((SourceLine(), None if source is None else _percent(source), score_text("", source)))
    ticks = [(_percent(tick), f"{tick}{'+' if tick == HIGHEST else ''}") for tick in TICKS]
    recommended = f"{grade_word(low)} to {grade_word(high)}"
    band = (_percent(low), _percent(high))
    return templates("compare/cards.html").grade_line(rows, ticks, band, recommended, _in_words(panes, source))


def _grade(pane: Pane) -> float | None:
    return pane.scores.flesch_kincaid_grade if pane.scores else None


def _percent(grade: float) -> str:
    """Return where on the axis a grade is, in per cent of its width."""
    return f"{100 * (min(max(grade, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST):.2f}"


def _pending_words(pane: Pane, asked: bool) -> str:
    if not asked:
        return "–"
    return "no grade" if pane.stopped else "…"


def _in_words(panes: Sequence[Pane], source: float | None) -> str:
    said = [] if source is None else [f"the source {source:.1f} ({grade_word(source)})"]
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
