"""The distribution of the grades of all answers, one row per model, with the recommended band marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from statistics import median

from medilite.models import ModelSpec
from medilite.readability import RECOMMENDED_GRADES, grade_word, whole_grade
from medilite.ui.leaderboard.board.view import GRADE, View
from medilite.ui.leaderboard.chart import INK, Chart, Spec, Table, axis, band, figure, note, row_of
from medilite.ui.page.words import number_text, percent

LAST = 18
"""Whole grades from 0 up have a bar each; this one and all above share the last bar."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The grades of one model's answers: the count of each whole grade, the median, and how many are easy."""

    spec: ModelSpec
    counts: tuple[int, ...]
    middle: float
    easy: int

    @property
    def n(self) -> int:
        """The number of answers with a grade."""
        return sum(self.counts)


def spread_of(spec: ModelSpec, grades: Sequence[float | None]) -> Spread | None:
    """Return the distribution of a model's grades, rounded by `whole_grade`; None if no answer has one."""
    known = [grade for grade in grades if grade is not None]
    if not known:
        return None
    counted = Counter(min(whole_grade(grade) or 0, LAST) for grade in known)
    easy = sum(grade <= RECOMMENDED_GRADES[1] for grade in known)
    return Spread(spec, tuple(counted[whole] for whole in range(LAST + 1)), median(known), easy)


def spreads(view: View, split: str) -> list[Spread]:
    """Return the distribution of every model with grades. Answers that loop are left out, as in the table."""
    qids = view.questions[split]["qid"]
    found = (spread_of(spec, [view.compared(split, qid, spec.id, GRADE) for qid in qids]) for spec in view.models)
    return [spread for spread in found if spread]


def grades(view: View, split: str) -> Chart | None:
    """Return the plot, or None if no answer has a grade."""
    found = spreads(view, split)
    if not found:
        return None
    low, high = RECOMMENDED_GRADES
    top = 100 * max(count / spread.n for spread in found for count in spread.counts)
    traces: list[Spec] = []
    layout: Spec = {"shapes": [band(round(low) - 0.5, round(high) + 0.5)], "annotations": []}
    for row, spread in enumerate(found, start=1):
        y = f"y{row}".replace("y1", "y")
        domain = row_of(row, len(found), gap=0.3)
        traces.append(_bars(spread, y))
        layout[f"yaxis{y[1:]}"] = axis(domain=domain, range=[0, top], showticklabels=False, showgrid=False, ticks="")
        middle = min(max(spread.middle, 0.0), float(LAST))
        place = {"xref": "x", "yref": f"{y} domain", "x0": middle, "x1": middle, "y0": 0, "y1": 1}
        layout["shapes"].append({"type": "line", **place, "line": {"color": INK, "width": 2, "dash": "dot"}})
        said = f"<b>{escape(spread.spec.label)}</b>, {percent(spread.easy / spread.n)} of {spread.n:,} easy"
        layout["annotations"].append(note(said, x=0, y=domain[1], xanchor="left", yanchor="bottom"))
    ticks = list(range(0, LAST + 1, 3))
    layout["xaxis"] = axis(
        "← easier · grade", tickvals=ticks, ticktext=[*map(str, ticks[:-1]), f"{LAST}+"], anchor=traces[-1]["yaxis"]
    )
    return Chart(
        "How the grades are spread",
        "Flesch–Kincaid grades of the answers that don’t loop: how many fall on each. A mean hides whether all are a "
        f"little easier or a few are much easier. The shaded band is {grade_word(low)} to {grade_word(high)}, the "
        f"dotted line the median answer; “easy” is a grade of {high:.1f} or lower, as in the table above.",
        figure("spread-of-grades", traces, 60 + 80 * len(found), showlegend=False, bargap=0.12, **layout),
        Table(
            "Answers on each grade",
            ("Model", "Answers", "Median grade", f"Grade {high:.1f} or lower", *map(str, range(LAST)), f"{LAST}+"),
            [
                (
                    *(spread.spec.label, f"{spread.n:,}", number_text(spread.middle, 1)),
                    *(percent(spread.easy / spread.n), *(f"{count:,}" for count in spread.counts)),
                )
                for spread in found
            ],
        ),
    )


def _bars(spread: Spread, y: str) -> Spec:
    words = [grade_word(float(grade)) for grade in range(LAST)] + [f"Grade {LAST} and beyond"]
    label = escape(spread.spec.label)
    return {
        "type": "bar",
        "name": label,
        "marker": {"color": spread.spec.colour},
        "yaxis": y,
        "x": list(range(LAST + 1)),
        "y": [100 * count / spread.n for count in spread.counts],
        "customdata": list(zip(words, spread.counts, strict=True)),
        "hovertemplate": f"<b>{label}</b><br>%{{customdata[0]}}: %{{customdata[1]:,}} of {spread.n:,} answers"
        " (%{y:.1f} %)<extra></extra>",
    }
