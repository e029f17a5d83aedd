"""Who beat whom: each row's share of the points against each column, with its votes."""

from __future__ import annotations

from html import escape

from medilite.arena.records import Contestant
from medilite.arena.results import Results
from medilite.ui.leaderboard.votes.names import Names, percent, votes_word
from medilite.ui.leaderboard.votes.ratings import shown

AHEAD = 0.005
"""By how much of the points one has to lead for more than "even": what is printed differs from 50 %."""


def matrix_html(results: Results, names: Names) -> str:
    """Return the matrix in the order of the ratings."""
    order = [row.contestant for row in shown(results) if row.votes]
    if len(order) < 2:
        return ""
    head = "".join(f'<th scope="col">{names.html(one)}</th>' for one in order)
    rows = {one: "".join(_cell(results, names, one, other) for other in order) for one in order}
    body = "".join(f'<tr><th scope="row">{names.html(one)}</th>{cells}</tr>' for one, cells in rows.items())
    return (
        '<section class="lb-figure"><h3>Who beat whom</h3><p>The share of the points that the model of the row took '
        "from the model of the column, and the votes on those two. Above 50 % is ahead. These are plain counts; the "
        "ratings also weigh whom each met and on which side.</p>"
        '<div class="lb-table-scroll" tabindex="0" role="region" aria-label="Who beat whom">'
        '<table class="lb-small vb-matrix"><caption class="ml-hidden">Share of the points of each row against each '
        f"column</caption><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _cell(results: Results, names: Names, one: Contestant, other: Contestant) -> str:
    if one == other:
        return '<td class="vb-self"><span aria-hidden="true">·</span><span class="ml-hidden">itself</span></td>'
    matrix = results.matrix
    i, j = matrix.contestants.index(one), matrix.contestants.index(other)
    votes, score = matrix.votes(i, j), matrix.score(i, j)
    if score is None:
        return '<td class="vb-none">–<span class="lb-n">no votes</span></td>'
    kind, word = "even", "even"
    if abs(score - 0.5) >= AHEAD:
        kind, word = ("ahead", "ahead") if score > 0.5 else ("behind", "behind")
    tip = (
        f"{names.label(one)} against {names.label(other)}: won {matrix.wins[i, j]:,}, tied {matrix.ties[i, j]:,}, "
        f"lost {matrix.wins[j, i]:,}"
    )
    return (
        f'<td class="vb-{kind}" title="{escape(tip)}">'
        f'<span class="lb-mean">{percent(score)}</span><span class="lb-n">{word}, {votes_word(votes)}</span></td>'
    )
