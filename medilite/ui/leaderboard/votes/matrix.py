"""Who beat whom: each row's share of the points against each column, with its votes."""

from __future__ import annotations

from html import escape

from medilite.arena.records import Contestant
from medilite.arena.results import Results
from medilite.ui.leaderboard.chart import Chart, Table, axis, figure
from medilite.ui.leaderboard.votes.names import Names
from medilite.ui.leaderboard.votes.ratings import shown
from medilite.ui.page.words import counted, percent

AHEAD = 0.005
"""Lead from which the word is not "even": the printed share then differs from 50 %."""

_SCALE = [[0.0, "#f1a340"], [0.5, "#f7f7f7"], [1.0, "#67a9cf"]]
"""From behind to ahead, orange to blue, which colour-blind people can distinguish."""

_TEXT = "#101418"
"""Read on every colour of the scale, and the same on a dark page, whose cells are no darker."""


def matrix(results: Results, names: Names) -> Chart | None:
    """Return the matrix in the order of the ratings; None for fewer than two contestants with votes."""
    order = [row.contestant for row in shown(results) if row.votes]
    if len(order) < 2:
        return None
    labels = [names.of(one).label for one in order]
    shares = [[_share(results, one, other) for other in order] for one in order]
    plain = [escape(label) for label in labels]
    heat = {
        "type": "heatmap",
        **{"x": plain, "y": plain, "colorscale": _SCALE, "zmin": 0, "zmax": 100, "showscale": False},
        "z": [[None if share is None else 100 * share for share in row] for row in shares],
        "text": [[_text(results, one, other) for other in order] for one in order],
        "customdata": [[escape(_told(results, names, one, other)) for other in order] for one in order],
        **{
            "texttemplate": "%{text}",
            "textfont": {"color": _TEXT},
            "hovertemplate": "%{customdata}<extra></extra>",
            "xgap": 2,
            "ygap": 2,
        },
    }
    return Chart(
        "Who beat whom",
        "The share of the points that the model of the row took from the model of the column, and n, the votes on "
        "those two. Above 50 % is ahead. These are plain counts; the ratings also take into account which models each "
        "met and on which side.",
        figure(
            "who-beat-whom",
            [heat],
            150 + 42 * len(order),
            xaxis=axis(side="top", type="category", showgrid=False, tickangle=-45),
            yaxis=axis(autorange="reversed", type="category", showgrid=False),
        ),
        Table(
            "Share of the points of each row against each column",
            ("Model", *labels),
            [(label, *(_cell(results, one, two) for two in order)) for label, one in zip(labels, order, strict=True)],
        ),
    )


def _at(results: Results, one: Contestant, other: Contestant) -> tuple[int, int]:
    listed = results.matrix.contestants
    return listed.index(one), listed.index(other)


def _share(results: Results, one: Contestant, other: Contestant) -> float | None:
    return None if one == other else results.matrix.score(*_at(results, one, other))


def _text(results: Results, one: Contestant, other: Contestant) -> str:
    share = _share(results, one, other)
    votes = results.matrix.votes(*_at(results, one, other))
    return "" if share is None else f"{percent(share)}<br>n {votes:,}"


def _told(results: Results, names: Names, one: Contestant, other: Contestant) -> str:
    i, j = _at(results, one, other)
    wins, ties = results.matrix.wins, results.matrix.ties
    said = f"won {wins[i, j]:,}, tied {ties[i, j]:,}, lost {wins[j, i]:,}"
    return f"{names.of(one).label} against {names.of(other).label}: {said}"


def _cell(results: Results, one: Contestant, other: Contestant) -> str:
    share = _share(results, one, other)
    if share is None:
        return "itself" if one == other else "no votes"
    word = "even" if abs(share - 0.5) < AHEAD else "ahead" if share > 0.5 else "behind"
    return f"{percent(share)}, {word}, {counted(results.matrix.votes(*_at(results, one, other)), 'vote')}"
