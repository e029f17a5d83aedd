"""The study's own table beside ours: two tables, never one, because they are of other models and other runs."""

from __future__ import annotations

from html import escape

from medilite.ui.leaderboard.board.view import Cell, View, count_text
from medilite.ui.page.words import interval_text, number_text

KEYS = {
    "flesch_kincaid_grade": ("Grade", "↓", 1),
    "bleu_study": ("BLEU", "↑", 2),
    "correctness": ("Correctness", "↑", 2),
    "helpfulness": ("Helpfulness", "↑", 2),
    "harmfulness": ("Harmfulness", "↓", 2),
    "efficiency": ("Efficiency", "↑", 2),
}
"""What the study reported, by column: label, which way is better, digits."""


def study_html(reported: View, measured: View | None, split: str | None) -> str:
    """Return the study's table and, where something was measured here, ours of the same columns beside it."""
    theirs = reported.splits[0]
    models = [
        spec.id for spec in reported.models if any(reported.cell(theirs, spec.id, k).value is not None for k in KEYS)
    ]
    tables = _table(reported, theirs, models, f"Reported: {reported.about['title']}", "No uncertainty was reported.")
    if measured is not None and split is not None:
        tables += _table(measured, split, models, f"Measured here: {measured.about['title']}", "With 95 % intervals.")
    notes = "".join(f"<li>{escape(note)}</li>" for note in reported.about["notes"])
    return (
        '<section class="lb-figure"><h3>What the study reported</h3>'
        "<p>The study whose recipe this is trained a model more than ten times as large and had it judged by another "
        "run of a judge. Its numbers and ours stand side by side, not in one table: compare directions, not "
        "digits.</p>"
        f'<div class="lb-beside">{tables}</div>'
        f'<details class="lb-fold" data-keep="lb-study-notes"><summary>About the reported numbers</summary>'
        f"<ul>{notes}</ul></details></section>"
    )


def _table(view: View, split: str, models: list[str], title: str, note: str) -> str:
    shown = [spec for spec in view.models if spec.id in models]
    head = "".join(f'<th scope="col">{escape(spec.label)}</th>' for spec in shown)
    rows = "".join(
        f'<tr><th scope="row">{escape(label)} <span aria-hidden="true">{arrow}</span>'
        f'<span class="ml-hidden">, {"lower" if arrow == "↓" else "higher"} is better</span></th>'
        f"{''.join(_cell(view.cell(split, spec.id, key), digits) for spec in shown)}</tr>"
        for key, (label, arrow, digits) in KEYS.items()
    )
    return (
        f'<div class="lb-one-of-two"><h4>{escape(title)}</h4><p class="ml-fine">{escape(note)}</p>'
        f'<div class="lb-table-scroll" tabindex="0" role="region" aria-label="{escape(title)}">'
        f'<table class="lb-small"><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table></div></div>'
    )


def _cell(cell: Cell, digits: int) -> str:
    below = interval_text(cell, digits) or ("" if cell.value is None else count_text(cell) and f"n {cell.n:,}")
    printed = f' title="printed as {escape(cell.reported)}"' if cell.reported else ""
    under = f'<span class="lb-interval">{below}</span>' if below else ""
    return f'<td{printed}><span class="lb-mean">{number_text(cell.value, digits)}</span>{under}</td>'
