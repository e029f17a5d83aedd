"""A voter's own table as HTML, and what leads to it."""

from __future__ import annotations

from html import escape

from medilite.arena.booth import OWN_TABLE_VOTES
from medilite.arena.tally import OwnRow, OwnTable
from medilite.models import Profile
from medilite.ui.compare.cards import name_html
from medilite.ui.page.scores import term_html

_COLUMNS = (
    ("Votes", "In how many of your votes the model stood."),
    ("Better", "How often you found it better than the other."),
    ("Equal", "How often you found both equally good."),
    ("Both bad", "How often you found both bad."),
    ("Worse", "How often you found the other better."),
    ("Points", "Share of the points: 1 for better, ½ for equal or both bad. Higher is better."),
    ("Unsafe", "How often you called its answer wrong or unsafe. Lower is better."),
)


def way_html(given: int | None) -> str:
    """Return the way to one's own table: how many votes are left to it, or the button that shows it."""
    if not given:
        return ""
    if given < OWN_TABLE_VOTES:
        return (
            f'<p class="vt-own-way ml-quiet">You have given {given} of the {OWN_TABLE_VOTES} votes after which you can '
            "see how you vote, model by model.</p>"
        )
    return (
        '<p class="vt-own-way"><button type="button" class="ml-tool" data-do="own">Show how you have voted</button> '
        f'<span class="ml-quiet">{given:,} votes so far</span></p>'
    )


def own_html(table: OwnTable, profile: Profile) -> str:
    """Return the table, best share of points first, models without a vote last."""
    heads = "".join(f'<th scope="col">{term_html(name, help)}</th>' for name, help in _COLUMNS)
    ordered = sorted(table.rows, key=lambda row: -1.0 if row.score is None else row.score, reverse=True)
    rows = "".join(_row(row, profile) for row in ordered)
    earlier = (
        f'<p class="ml-fine">{table.earlier:,} of your votes are on models that have been trained anew since; '
        "they are in no row.</p>"
        if table.earlier
        else ""
    )
    return (
        '<section class="vt-own" aria-label="How you have voted"><h2 tabindex="-1">How you have voted</h2>'
        f'<p class="ml-quiet">{table.votes:,} votes of yours. With so few of them luck weighs much.</p>'
        '<div class="vt-scroll" tabindex="0" role="region" aria-label="Your votes by model"><table class="vt-table">'
        f'<thead><tr><th scope="col">Model</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>{earlier}'
        "</section>"
    )


def _row(row: OwnRow, profile: Profile) -> str:
    score = "–" if row.score is None else f"{100 * row.score:.0f} %"
    cells = (row.votes, row.wins, row.ties, row.bad, row.losses, score, row.unsafe)
    name = name_html(profile.get(row.model))
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{escape(str(cell))}</td>" for cell in cells)}</tr>'
