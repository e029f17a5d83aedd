"""How the grades of all answers are spread, a row a model, with the recommended band marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

from medilite.models import ModelSpec
from medilite.readability import RECOMMENDED_GRADES, grade_word, whole_grade
from medilite.ui.compare.cards import colours
from medilite.ui.leaderboard.board.view import GRADE, View, number_text

LAST = 18
"""Whole grades from 0 on have a bar each; all from here on share the last one."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The grades of one model's answers: how many answers fall on each whole grade, their middle, and the easy ones."""

    spec: ModelSpec
    counts: tuple[int, ...]
    middle: float
    easy: int

    @property
    def n(self) -> int:
        """How many answers have a grade."""
        return sum(self.counts)


def spread_of(spec: ModelSpec, grades: Sequence[float | None]) -> Spread | None:
    """Return how a model's grades are spread; None if no answer has one. Rounded as by `whole_grade`."""
    known = [grade for grade in grades if grade is not None]
    if not known:
        return None
    counted = Counter(min(whole_grade(grade) or 0, LAST) for grade in known)
    return Spread(
        spec=spec,
        counts=tuple(counted[whole] for whole in range(LAST + 1)),
        middle=median(known),
        easy=sum(grade <= RECOMMENDED_GRADES[1] for grade in known),
    )


def spreads(view: View, split: str) -> list[Spread]:
    """Return the spread of every model that has grades."""
    columns = view.scores[split]
    found = []
    for spec in view.models:
        grades = [grade for model, grade in zip(columns["model"], columns[GRADE], strict=True) if model == spec.id]
        if spread := spread_of(spec, grades):
            found.append(spread)
    return found


def grades_html(view: View, split: str) -> str:
    """Return the plot, or "" where no answer has a grade."""
    found = spreads(view, split)
    if not found:
        return ""
    highest = max(count / spread.n for spread in found for count in spread.counts)
    low, high = (round(grade) for grade in RECOMMENDED_GRADES)
    rows = "".join(_row(spread, highest) for spread in found)
    ticks = "".join(
        f'<span style="left:{_middle_of(grade):.2f}%">{grade}{"+" if grade == LAST else ""}</span>'
        for grade in range(0, LAST + 1, 3)
    )
    style = f"--from:{100 * low / (LAST + 1):.2f}%;--to:{100 * (high + 1) / (LAST + 1):.2f}%"
    return (
        f'<figure class="lb-figure" style="{style}"><figcaption><h3>How the grades are spread</h3>'
        "<p>Every answer’s Flesch–Kincaid grade: how many answers fall on each. A mean hides whether all answers are "
        f"a little easier or a few are much easier. The shaded band is {grade_word(low)} to {grade_word(high)}; the "
        "line is the middle answer.</p></figcaption>"
        f'<div class="lb-spreads" role="img" aria-label="{escape("; ".join(map(_words, found)))}">{rows}'
        f'<div class="lb-spread lb-spread-axis" aria-hidden="true"><span></span><div class="lb-x-ticks">{ticks}</div>'
        f'<span class="ml-fine">{grade_word(high)} or easier</span></div></div></figure>'
    )


def _row(spread: Spread, highest: float) -> str:
    bars = "".join(
        f'<i style="height:{100 * count / spread.n / highest:.1f}%" '
        f'title="{grade_word(float(grade)) if grade < LAST else "Grade 18 and beyond"}: {count:,} answers"></i>'
        for grade, count in enumerate(spread.counts)
    )
    middle = min(max(spread.middle, 0.0), float(LAST))
    line = f'<span class="lb-middle" style="left:{_middle_of(middle):.2f}%"></span>'
    return (
        f'<div class="lb-spread" data-model="{escape(spread.spec.id)}" {colours(spread.spec)}>'
        f'<span class="ml-plot-name">{escape(spread.spec.label)}</span><div class="lb-bars">{bars}{line}</div>'
        f'<span class="lb-easy">{_share(spread)}<span class="ml-unit">of {spread.n:,}</span></span></div>'
    )


def _middle_of(grade: float) -> float:
    """Return where a grade stands in percent: in the middle of its bar."""
    return 100 * (grade + 0.5) / (LAST + 1)


def _share(spread: Spread) -> str:
    return f"{number_text(100 * spread.easy / spread.n, 0)} %"


def _words(spread: Spread) -> str:
    return (
        f"{spread.spec.label}: middle grade {number_text(spread.middle, 1)}, {_share(spread)} of {spread.n:,} answers "
        f"at {grade_word(RECOMMENDED_GRADES[1])} or easier"
    )
