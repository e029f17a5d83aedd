"""The leaderboard's table: every number with its interval and rank; sorted and searched in the browser.

All columns are in the HTML; which of them show, in which order the rows are,
and what the search finds is up to the page's script (assets/style/leaderboard.js).
"""

from __future__ import annotations

from medilite.leaderboard import LEAST_QUESTIONS
from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.board.view import AT_ODDS, GRADE, GROUPS, LOOPS, PRECISION, View

TRAINED = "◆"


def controls_html() -> Markup:
    """Return the search field and the choice of columns."""
    return templates("leaderboard/board.html").controls(GROUPS)


KINDS = {GRADE: "median grade", PRECISION: "supported", AT_ODDS: "at odds", LOOPS: "loops"}
"""The columns of the table by kind of question, and their short names there."""


def kinds_html(view: View, split: str) -> Markup:
    """Return the table by kind of question, models side by side, folded away; "" for a board without it.

    A cell is None where fewer than LEAST_QUESTIONS answers were scored.
    """
    every = view.rows("kinds", split=split)
    cells = {(row["kind"], row["model"], row["metric"]): row for row in every if row["n"] >= LEAST_QUESTIONS}
    models = [(spec.id, spec.label) for spec in view.models if any(key[1] == spec.id for key in cells)]
    models += [(floor["id"], floor["label"]) for floor in view.floors]
    kinds = {row["kind"]: row["of"] for row in every}
    digits = {key: view.column(key).digits for key in KINDS} if every else {}
    rows = [
        (kind, of, name, digits[key], [cells.get((kind, model, key)) for model, _ in models])
        for kind, of in kinds.items()
        for key, name in KINDS.items()
    ]
    return (
        templates("leaderboard/board.html").kinds([label for _, label in models], rows, len(KINDS))
        if rows
        else Markup()
    )


def table_html(view: View, split: str) -> Markup:
    """Return the table of one split."""
    rows = [
        (
            spec,
            view.answered(split, spec.id).counted if view.answered(split, spec.id).n else "",
            [(column, view.cell(split, spec.id, column.key)) for column in view.columns],
        )
        for spec in view.models
    ]
    floors = [
        (floor, [(column, view.cell(split, floor["id"], column.key)) for column in view.columns])
        for floor in view.floors
    ]
    rewarded = {model for column in view.columns for model in column.trained_on}
    labels = [spec.label for spec in view.models if spec.id in rewarded]
    return templates("leaderboard/board.html").table(
        split, view.split(split)["questions"], view.columns, rows, floors, labels, TRAINED
    )
