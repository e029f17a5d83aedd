"""Still preferred when equally easy? Ratings, and ratings at equal grade and length."""

from __future__ import annotations

from medilite.arena.ratings import Interval, Rating
from medilite.arena.results import Results
from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.votes.intro import effects_words
from medilite.ui.leaderboard.votes.names import Names


def equal_html(results: Results, names: Names) -> Markup:
    """Return both ratings side by side, or why there are none."""
    rows = [row for row in results.ratings.rows if row.equal and row.rating]
    base = next((row for row in rows if row.contestant == results.base), None)
    listed = [(names.of(row.contestant), row, _against(row, base)) for row in rows]
    return templates("leaderboard/votes.html").equal(listed, effects_words(results), results.ratings.equal_votes)


def _against(row: Rating, base: Rating | None) -> str:
    if base is None or row is base:
        return "the base itself"
    before, after = _order(row.rating, base.rating), _order(row.equal, base.equal)
    return f"{before} either way" if before == after else f"{before}; when equally easy, {after}"


def _order(one: Interval | None, other: Interval | None) -> str:
    assert one is not None
    assert other is not None
    if one.low > other.high:
        return "ahead"
    return "behind" if one.high < other.low else "no clear difference"
