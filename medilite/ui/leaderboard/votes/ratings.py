"""Ratings with their intervals, as a plot and as a table with more columns."""

from __future__ import annotations

from html import escape

from medilite.arena.ratings import PRELIMINARY_VOTES, Rating
from medilite.arena.results import Results
from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.chart import Chart, Spec, axis, figure, points, whiskers
from medilite.ui.leaderboard.votes.names import Names
from medilite.ui.page.words import counted, interval_text, number_text


def ratings_html(results: Results, names: Names) -> Markup:
    """Return the table of all current models, and of earlier ones with votes."""
    rows = [(names.of(row.contestant), row) for row in shown(results)]
    return templates("leaderboard/votes.html").ratings(rows, PRELIMINARY_VOTES)


def trust_html(results: Results, names: Names) -> Markup:
    """Return the ratings with more and with less trust in the votes; "" if no model has a rating."""
    moved = results.sensitivity
    apart = None if results.of_public else results.public
    looked_up = {row.contestant: row.rating.value for row in apart.rows if row.rating} if apart else {}
    rows = []
    for row in shown(results):
        values = [m.get(row.contestant) for m in (moved.counted, moved.everything, moved.trusted, moved.without_tenth)]
        public = looked_up.get(row.contestant)
        if values[0] is not None or public is not None:
            rows.append((names.of(row.contestant), [*values, *([public] if looked_up else [])]))
    if not rows:
        return Markup()
    template = templates("leaderboard/votes.html")
    return template.trust(rows, moved.tenth, moved.most_moved, results.bound, bool(looked_up))


def shown(results: Results) -> list[Rating]:
    """Return the ratings of all current models, and of earlier ones with votes."""
    current = set(results.current.values())
    return [row for row in results.ratings.rows if row.contestant in current or row.votes]


def ratings(results: Results, names: Names) -> Chart | None:
    """Return the plot, best on top; None if no model has a rating yet."""
    traces = [_point(row, names) for row in shown(results) if row.rating]
    if not traces:
        return None
    x, y = axis("Rating →", tickformat=",d"), axis(autorange="reversed", type="category", showgrid=False)
    return Chart(
        "Ratings",
        "With 95 % intervals that hold at any time you look; they are wider where votes come from few people or "
        "few questions. Models share a rank unless they differ clearly.",
        figure("ratings", traces, 90 + 40 * len(traces), showlegend=False, xaxis=x, yaxis=y),
    )


def _point(row: Rating, names: Names) -> Spec:
    who, rating = names.of(row.contestant), row.rating
    assert rating is not None
    label = escape(who.label)
    hover = f"<b>{label}</b><br>{number_text(rating.value)} ({interval_text(rating)})<br>{counted(row.votes, 'vote')}"
    return points(
        who.label, who.colour, [rating.value], [label],
        error_x=whiskers(who.colour, rating.value, rating.low, rating.high), hovertemplate=f"{hover}<extra></extra>",
    )  # fmt: skip
