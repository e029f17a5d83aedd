"""Two models against each other, question by question: differences with intervals, and where they are clear."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from medilite.leaderboard import Row
from medilite.ui.leaderboard.board.view import CLOSENESS, GRADE, KEY_TERMS, WORDS, Column, View
from medilite.ui.page.words import number_text

FIRST = (GRADE, "flesch_reading_ease", WORDS, CLOSENESS, KEY_TERMS, "rouge_l", "chrf", "bleu_study")
"""Columns that are shown at once; the others are folded away."""

SLICED = (GRADE, WORDS, CLOSENESS, KEY_TERMS)
"""Columns of the table by slice."""

DIMENSIONS = {"source": "Source", "qtype": "Type of question", "reference_words": "Length of the reference"}

CLEAR = 0.05
"""A difference counts as clear where its corrected p-value is below this."""

Pair = tuple[str, str]


def differences_html(view: View, split: str, pair: Pair) -> str:
    """Return the table of one pair, the other metrics and the slices folded away; "" where nothing was compared."""
    rows = [
        row
        for row in view.rows("comparisons", split=split, model=pair[0], against=pair[1])
        if row["difference"] is not None
    ]
    if not rows:
        return ""
    labels = {spec.id: spec.label for spec in view.models}
    new, old = labels[pair[0]], labels[pair[1]]
    count = sum(row["p_holm"] is not None for row in view.rows("comparisons", split=split))
    first = sorted((row for row in rows if row["metric"] in FIRST), key=lambda row: FIRST.index(row["metric"]))
    others = [row for row in rows if row["metric"] not in FIRST]
    return (
        f'<p class="ml-fine">{escape(new)} minus {escape(old)}, question by question. A difference counts as clear '
        f"where its p-value, corrected for all {count:,} comparisons of these questions (Holm), is below {CLEAR}.</p>"
        f"{_table(view, first, f'{new} minus {old}')}"
        f"{_folded('All other measures', 'lb-other-measures', _table(view, others, 'All other measures'))}"
        f"{_slices(view, split, pair)}"
    )


def p_text(p: float | None) -> str:
    """Return a p-value as people read it."""
    if p is None:
        return "–"
    return "below 0.001" if p < 0.001 else number_text(p, 3)


def verdict(row: Row, column: Column) -> str:
    """Return what a difference comes to, in a word or two: never better or worse where it may be chance."""
    if row["p_holm"] is None or row["p_holm"] >= CLEAR or not row["difference"]:
        return "not clear"
    up = row["difference"] > 0
    if column.better is None:
        return "more" if up else "less"
    return "better" if up == (column.better == "higher") else "worse"


def signed(value: float, digits: int) -> str:
    """Return a difference with its sign; none where it rounds to nothing."""
    text = number_text(value, digits)
    return f"+{text}" if value > 0 and text != number_text(0.0, digits) else text


def _table(view: View, rows: Sequence[Row], name: str) -> str:
    if not rows:
        return ""
    body = "".join(_row(row, view.column(row["metric"])) for row in rows)
    heads = "".join(
        f'<th scope="col">{head}</th>' for head in ("Difference", "Comes to", "Likely better", "p, corrected", "n")
    )
    return _scroll(name, f"<thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody>")


def _row(row: Row, column: Column) -> str:
    likely = row["probability_better"]
    return (
        f'<tr data-metric="{escape(row["metric"])}"><th scope="row">{escape(column.label)} '
        f'<span class="ml-unit">{escape(column.unit)}</span></th>{_difference(row, column)}'
        f"<td>{verdict(row, column)}</td><td>{'–' if likely is None else f'{number_text(100 * likely, 0)} %'}</td>"
        f"<td>{p_text(row['p_holm'])}</td><td>{row['n']:,}</td></tr>"
    )


def _difference(row: Row, column: Column) -> str:
    between = f"{signed(row['low'], column.digits)} to {signed(row['high'], column.digits)}"
    return (
        f'<td><span class="lb-mean">{signed(row["difference"], column.digits)}</span>'
        f'<span class="lb-interval">{between}</span></td>'
    )


def _slices(view: View, split: str, pair: Pair) -> str:
    rows = view.rows("slices", split=split, model=pair[0], against=pair[1])
    columns = [view.column(key) for key in SLICED if any(row["metric"] == key for row in rows)]
    if not columns:
        return ""
    heads = "".join(f'<th scope="col">{escape(column.label)}</th>' for column in columns)
    body = ""
    for dimension, name in DIMENSIONS.items():
        of_dimension = [row for row in rows if row["dimension"] == dimension]
        if of_dimension:
            body += f'<tr><th scope="rowgroup" colspan="{len(columns) + 1}">{escape(name)}</th></tr>'
        for one in dict.fromkeys(row["slice"] for row in of_dimension):
            body += _slice(one, [row for row in of_dimension if row["slice"] == one], columns)
    table = _scroll("By part of the questions", f"<thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody>")
    return _folded(
        "By source, type of question and length of the reference",
        "lb-slices",
        '<p class="ml-fine">Parts of at least 20 questions. “Clear” is after a correction for all comparisons of the '
        f"same kind of part.</p>{table}",
    )


def _slice(name: str, rows: Iterable[Row], columns: Sequence[Column]) -> str:
    by_metric = {row["metric"]: row for row in rows}
    cells = ""
    for column in columns:
        row = by_metric.get(column.key)
        if row is None or row["low"] is None:
            cells += "<td>–</td>"
            continue
        cells += _difference(row, column).replace("</td>", f'<span class="lb-n">{verdict(row, column)}</span></td>')
    count = max((row["of"] for row in by_metric.values()), default=0)
    return f'<tr><th scope="row">{escape(name)}<span class="lb-n">n {count:,}</span></th>{cells}</tr>'


def _scroll(name: str, table: str) -> str:
    return (
        f'<div class="lb-table-scroll" tabindex="0" role="region" aria-label="{escape(name)}">'
        f'<table class="lb-small">{table}</table></div>'
    )


def _folded(summary: str, key: str, content: str) -> str:
    if not content:
        return ""
    return f'<details class="lb-fold" data-keep="{key}"><summary>{escape(summary)}</summary>{content}</details>'
