"""A voter's own table as HTML, and what leads to it."""

from __future__ import annotations

from medilite.arena.booth import OWN_TABLE_VOTES
from medilite.arena.voter_counts import OwnTable
from medilite.models import Profile
from medilite.ui.html import Markup, templates

_COLUMNS = (
    ("Votes", "In how many of your votes the model took part."),
    ("Better", "How often you found it better than the other."),
    ("Equal", "How often you found both equally good."),
    ("Both bad", "How often you found both bad."),
    ("Worse", "How often you found the other better."),
    ("Points", "Share of the points: 1 for better, ½ for equal or both bad. Higher is better."),
    ("Unsafe", "How often you called its answer wrong or unsafe. Lower is better."),
)


def way_html(given: int | None) -> Markup:
    """Return how many votes are missing for a table of one's own, or the button that shows it."""
    return templates("vote/cards.html").own_way(given, OWN_TABLE_VOTES) if given else Markup()


def own_html(table: OwnTable, profile: Profile) -> Markup:
    """Return the table, best share of points first, models without a vote last."""
    ordered = sorted(table.rows, key=lambda row: -1.0 if row.score is None else row.score, reverse=True)
    rows = [(profile.get(row.model), row) for row in ordered]
    return templates("vote/cards.html").own(_COLUMNS, rows, table.votes, table.earlier)
