"""The leaderboard's table: every number with its interval and rank; sorted and searched in the browser.

All columns are in the HTML; which of them show, in which order the rows are,
and what the search finds is the page's doing (assets/style/leaderboard.js).
"""

from __future__ import annotations

from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.board.view import GROUPS, View

TRAINED = "◆"


def controls_html() -> Markup:
    """Return the search field and the choice of columns."""
    return templates("leaderboard/board.html").controls(GROUPS)


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
