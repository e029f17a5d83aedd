"""Grade against closeness, every model with its intervals: easier to the left, nearer the references upwards."""

from __future__ import annotations

from html import escape

from medilite.models import ModelSpec
from medilite.readability import RECOMMENDED_GRADES, grade_word
from medilite.ui.compare.cards import colours, name_html
from medilite.ui.leaderboard.board.axis import Axis, fitting
from medilite.ui.leaderboard.board.view import (
    CLOSENESS,
    GRADE,
    KEY_TERMS,
    Cell,
    Column,
    View,
    interval_text,
    number_text,
)


def scatter_html(view: View, split: str) -> str:
    """Return the plot; key terms stand in for closeness where that could not be computed."""
    up = next((key for key in (CLOSENESS, KEY_TERMS) if _known(view, split, key)), None)
    points = [
        (spec, view.cell(split, spec.id, GRADE), view.cell(split, spec.id, up))
        for spec in view.models
        if up and view.cell(split, spec.id, GRADE).value is not None and view.cell(split, spec.id, up).value is not None
    ]
    if up is None or not points:
        return ""
    x, y = _axis([across for _, across, _ in points]), _axis([along for _, _, along in points])
    grade, measure = view.column(GRADE), view.column(up)
    marks = "".join(_mark(spec, across, along, x, y) for spec, across, along in points)
    low, high = RECOMMENDED_GRADES
    band = ""
    if x.low < high and x.high > low:
        band = f'<span class="lb-band" style="left:{x.percent(low):.2f}%;right:{100 - x.percent(high):.2f}%"></span>'
    said = "; ".join(_words(spec, across, along, grade, measure) for spec, across, along in points)
    return (
        '<figure class="lb-figure"><figcaption><h3>Easier, and still to the point?</h3>'
        f"<p>Each model’s mean grade against its mean {escape(measure.label.lower())}, with 95 % intervals. "
        f"Up and to the left is better: easier to read, and nearer to what the references say."
        f"{_band_words(band)}</p></figcaption>"
        f'<div class="lb-scatter" role="img" aria-label="{escape(said)}">'
        f'<span class="lb-y-name" aria-hidden="true">{escape(measure.label)} ↑</span>'
        f'<div class="lb-y-ticks" aria-hidden="true">{_ticks(y, "bottom")}</div>'
        f'<div class="lb-field">{_grid(x, y)}{band}{marks}</div>'
        f'<div class="lb-x-ticks" aria-hidden="true">{_ticks(x, "left")}</div>'
        '<span class="lb-x-name" aria-hidden="true">'
        f"← easier · {escape(grade.label)} ({escape(grade.unit)})</span></div>"
        f"{_key(points, grade, measure)}</figure>"
    )


def _known(view: View, split: str, key: str) -> bool:
    return any(view.cell(split, spec.id, key).value is not None for spec in view.models)


def _band_words(band: str) -> str:
    low, high = RECOMMENDED_GRADES
    return f" The shaded band is what health agencies recommend: {grade_word(low)} to {grade_word(high)}." * bool(band)


def _axis(cells: list[Cell]) -> Axis:
    return fitting(end for cell in cells for end in (cell.value, cell.low, cell.high) if end is not None)


def _mark(spec: ModelSpec, across: Cell, along: Cell, x: Axis, y: Axis) -> str:
    """Return a model's point with a whisker each way."""
    assert across.value is not None
    assert along.value is not None
    left, bottom = x.percent(across.value), y.percent(along.value)
    whiskers = _whisker("lb-whisker-x", across, x, "left", "width", f"bottom:{bottom:.2f}%")
    whiskers += _whisker("lb-whisker-y", along, y, "bottom", "height", f"left:{left:.2f}%")
    point = f'<span class="lb-point" style="left:{left:.2f}%;bottom:{bottom:.2f}%"></span>'
    return f'<span class="lb-mark" data-model="{escape(spec.id)}" {colours(spec)}>{whiskers}{point}</span>'


def _whisker(name: str, cell: Cell, axis: Axis, start: str, size: str, other: str) -> str:
    if cell.low is None or cell.high is None:
        return ""
    low, high = axis.percent(cell.low), axis.percent(cell.high)
    return f'<span class="{name}" style="{start}:{low:.2f}%;{size}:{high - low:.2f}%;{other}"></span>'


def _ticks(axis: Axis, side: str) -> str:
    return "".join(
        f'<span style="{side}:{axis.percent(tick):.2f}%">{number_text(tick, axis.digits)}</span>' for tick in axis.ticks
    )


def _grid(x: Axis, y: Axis) -> str:
    lines = [f'<i class="lb-line-y" style="left:{x.percent(tick):.2f}%"></i>' for tick in x.ticks]
    lines += [f'<i class="lb-line-x" style="bottom:{y.percent(tick):.2f}%"></i>' for tick in y.ticks]
    return "".join(lines)


def _key(points: list[tuple[ModelSpec, Cell, Cell]], grade: Column, measure: Column) -> str:
    rows = "".join(
        f'<tr><th scope="row">{name_html(spec)}</th>{_numbers(across, grade)}{_numbers(along, measure)}</tr>'
        for spec, across, along in points
    )
    return (
        '<table class="lb-key"><thead><tr><td></td>'
        f'<th scope="col">{escape(grade.label)}</th><th scope="col">{escape(measure.label)}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _numbers(cell: Cell, column: Column) -> str:
    interval = interval_text(cell, column.digits)
    return f'<td>{column.text(cell.value)} <span class="ml-unit">{interval}</span></td>'


def _words(spec: ModelSpec, across: Cell, along: Cell, grade: Column, measure: Column) -> str:
    return (
        f"{spec.label}: {grade.label} {grade.text(across.value)}, {measure.label.lower()} {measure.text(along.value)}"
    )
