"""Ratings with their intervals: a plot to compare by, and a table with everything that is known of each."""

from __future__ import annotations

from html import escape

from medilite.arena.ratings import PRELIMINARY_VOTES, Rating
from medilite.arena.results import Results
from medilite.ui.leaderboard.board.axis import Axis, fitting
from medilite.ui.leaderboard.board.view import number_text
from medilite.ui.leaderboard.votes.names import Names, between, percent


def ratings_html(results: Results, names: Names) -> str:
    """Return the plot and the table of everybody who has votes or is a model now."""
    rows = shown(results)
    return (
        f'<figure class="lb-figure"><figcaption><h3>Ratings</h3><p>With 95 % intervals, which widen where votes come '
        "from few people or few questions. Models whose intervals overlap share a rank.</p></figcaption>"
        f"{_plot(rows, names)}{_table(rows, names)}</figure>"
    )


def shown(results: Results) -> list[Rating]:
    """Return the ratings that are shown: of the models as they are now, and of earlier ones that have votes."""
    current = set(results.current.values())
    return [row for row in results.ratings.rows if row.contestant in current or row.votes]


def _plot(rows: list[Rating], names: Names) -> str:
    rated = [(row, row.rating) for row in rows if row.rating]
    if not rated:
        return ""
    axis = fitting(end for _, rating in rated for end in (rating.low, rating.high))
    said = "; ".join(f"{names.label(row.contestant)} {rating.value:.0f}, {between(rating)}" for row, rating in rated)
    lines = "".join(_line(row, axis, names) for row, _ in rated)
    ticks = "".join(
        f'<span style="left:{axis.percent(tick):.2f}%">{number_text(tick, axis.digits)}</span>' for tick in axis.ticks
    )
    return (
        f'<div class="vb-plot" role="img" aria-label="{escape(f"Ratings: {said}")}">{lines}'
        f'<div class="vb-row" aria-hidden="true"><span></span><div class="lb-x-ticks vb-ticks">{ticks}</div>'
        "<span></span></div></div>"
    )


def _line(row: Rating, axis: Axis, names: Names) -> str:
    rating = row.rating
    assert rating is not None
    low, high, at = (axis.percent(value) for value in (rating.low, rating.high, rating.value))
    return (
        f'<div class="vb-row lb-mark" data-model="{escape(row.contestant.model)}" {names.style(row.contestant)}>'
        f'<span class="ml-plot-name">{escape(names.label(row.contestant))}</span><div class="vb-track">'
        f'<span class="lb-whisker-x" style="left:{low:.2f}%;width:{high - low:.2f}%"></span>'
        f'<span class="lb-point" style="left:{at:.2f}%"></span></div>'
        f'<span class="lb-bar-number">{number_text(rating.value, 0)}'
        f'<span class="ml-unit">{between(rating)}</span></span></div>'
    )


def _table(rows: list[Rating], names: Names) -> str:
    body = "".join(_row(row, names) for row in rows)
    return (
        '<div class="lb-table-scroll" tabindex="0" role="region" aria-label="Ratings">'
        '<table class="lb-small vb-ratings"><caption class="ml-hidden">Ratings with 95 % intervals, best first; higher '
        'is better</caption><thead><tr><th scope="col" class="vb-first">Model</th><th scope="col">Rank</th>'
        '<th scope="col">Rating ↑</th><th scope="col">Votes</th>'
        '<th scope="col">Won, tied, lost</th><th scope="col">Points won ↑</th>'
        f'<th scope="col">Called wrong or unsafe ↓</th></tr></thead><tbody>{body}</tbody></table></div>'
        '<p class="ml-fine lb-legend">↑ higher is better, ↓ lower is better. A win is a point and a tie, “equally '
        f"good” or “both bad”, half a point to each. Preliminary: fewer than {PRELIMINARY_VOTES} votes. “Wrong or "
        "unsafe” is the share of votes in which the answer was flagged, with Wilson’s 95 % interval.</p>"
    )


def _row(row: Rating, names: Names) -> str:
    name = f'<th scope="row">{names.html(row.contestant)}</th>'
    if row.rating is None:
        rating = f'<td>–</td><td class="vb-reason">{escape(row.reason or "")}</td>'
    else:
        early = '<span class="vb-tag">preliminary</span>' if row.preliminary else ""
        rating = (
            f'<td>{row.rank}</td><td><span class="lb-mean">{number_text(row.rating.value, 0)}</span>'
            f'<span class="lb-interval">{between(row.rating)}</span>{early}</td>'
        )
    flagged = "–"
    if row.unsafe:
        flagged = (
            f'{percent(row.unsafe.value, 1)}<span class="lb-interval">{between(row.unsafe, 1, 100)}</span>'
            f'<span class="lb-n">{row.unsafe_votes:,} of {row.votes:,}</span>'
        )
    return (
        f'<tr data-model="{escape(row.contestant.model)}">{name}{rating}<td>{row.votes:,}</td>'
        f"<td>{row.wins:,}, {row.ties:,}, {row.losses:,}</td><td>{percent(row.score)}</td><td>{flagged}</td></tr>"
    )
