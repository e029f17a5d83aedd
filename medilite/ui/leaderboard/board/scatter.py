"""Grade against supported content, with intervals: easier to the left, more supported content at the top."""

from __future__ import annotations

from html import escape

from medilite.models import ModelSpec
from medilite.readability import RECOMMENDED_GRADES, grade_word
from medilite.ui.leaderboard.board.view import GRADE, KEY_TERMS, PRECISION, Cell, Column, View
from medilite.ui.leaderboard.chart import SYMBOLS, Chart, Table, axis, band, figure, points, whiskers


def scatter(view: View, split: str) -> Chart | None:
    """Return the plot; a board without supported content shows key terms, and one with neither gives None."""
    for key in (PRECISION, KEY_TERMS):
        cells = [(spec, view.cell(split, spec.id, GRADE), view.cell(split, spec.id, key)) for spec in view.models]
        if known := [(spec, x, y) for spec, x, y in cells if x.value is not None and y.value is not None]:
            return _chart(view, known, view.column(GRADE), view.column(key))
    return None


def _chart(view: View, known: list[tuple[ModelSpec, Cell, Cell]], grade: Column, measure: Column) -> Chart:
    symbols = {spec.id: SYMBOLS[i % len(SYMBOLS)] for i, spec in enumerate(view.models)}
    traces = [
        points(
            spec.label, spec.colour, [x.value], [y.value], symbols[spec.id],
            error_x=whiskers(spec.colour, x.value, x.low, x.high),
            error_y=whiskers(spec.colour, y.value, y.low, y.high),
            text=[f"grade of {x.counted} answers, content of {y.counted}"],
            hovertemplate=f"<b>{escape(spec.label)}</b><br>{escape(grade.label)} {x.text(grade.digits)}<br>"
            f"{escape(measure.label)} {y.text(measure.digits)}<br>%{{text}}<extra></extra>",
        )
        for spec, x, y in known
    ]  # fmt: skip
    low, high = RECOMMENDED_GRADES
    ends = [end for _, x, _ in known for end in (x.value, x.low, x.high) if end is not None]
    near = min(ends) < high and max(ends) > low
    shaded = f" The shaded band is what health agencies recommend: {grade_word(low)} to {grade_word(high)}."
    return Chart(
        "Easier, and still supported?",
        f"Each model’s {grade.lead} grade against its {measure.lead} {measure.label.lower()}, with 95 % intervals. To "
        "the left is easier to read, up is more of it in the references; a model can be easy and wrong."
        f"{shaded if near else ''}",
        figure(
            "grade-and-content",
            traces,
            420,
            xaxis=axis(f"← easier · {grade.label} ({grade.unit})"),
            yaxis=axis(f"{measure.label} ↑"),
            shapes=[band(low, high)] if near else [],
        ),
        Table(
            "Grade and content of each model, with 95 % intervals",
            ("Model", grade.label, "of answers", measure.label, "of answers"),
            [(spec.label, x.text(grade.digits), x.counted, y.text(measure.digits), y.counted) for spec, x, y in known],
        ),
    )
