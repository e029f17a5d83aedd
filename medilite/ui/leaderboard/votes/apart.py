"""Which two models differ clearly, and about how many more votes the others need."""

from __future__ import annotations

from itertools import pairwise

from medilite.arena.results import Results
from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.votes.names import Names


def apart_html(results: Results, names: Names) -> Markup:
    """Return neighbours by rating, then every other pair; "" if fewer than two are rated."""
    rated = [row.contestant for row in results.ratings.rows if row.rating]
    if len(rated) < 2:
        return Markup()
    neighbours = list(pairwise(rated))
    pairs = {
        (upper, lower): {"upper": names.of(upper), "lower": names.of(lower), "votes": _rounded(votes)}
        for (upper, lower), votes in results.ratings.more_votes.items()
    }
    others = [pair for two, pair in pairs.items() if two not in set(neighbours)]
    return templates("leaderboard/votes.html").apart([pairs[two] for two in neighbours], others)


def _rounded(votes: int | None) -> int | None:
    """Return a number rounded to two digits; more would suggest false precision."""
    return None if votes is None else int(round(votes, -max(0, len(str(votes)) - 2)))
