"""Which two models can be told apart, and about how many more votes the others take."""

from __future__ import annotations

from itertools import pairwise

from medilite.arena.records import Contestant
from medilite.arena.results import Results
from medilite.ui.leaderboard.votes.names import Names, votes_word


def apart_html(results: Results, names: Names) -> str:
    """Return neighbours by rating, and behind them every two; "" where fewer than two are rated."""
    rated = [row.contestant for row in results.ratings.rows if row.rating]
    if len(rated) < 2:
        return ""
    next_to = "".join(f"<li>{_said(results, names, *two)}</li>" for two in pairwise(rated))
    rest = [two for two in results.ratings.more_votes if two not in set(pairwise(rated))]
    others = "".join(f"<li>{_said(results, names, *two)}</li>" for two in rest)
    fold = (
        f'<details class="lb-fold" data-keep="vb-apart"><summary>Every other two</summary><ul>{others}</ul></details>'
        if others
        else ""
    )
    return (
        '<section class="lb-figure"><h3>Who can be told apart?</h3>'
        "<p>Neighbours in the order above. Foretold from the votes so far: if ratings stay where they are, and "
        "intervals narrow with the root of the votes.</p>"
        f'<ul class="vb-list">{next_to}</ul>{fold}</section>'
    )


def _said(results: Results, names: Names, upper: Contestant, lower: Contestant) -> str:
    votes = results.ratings.more_votes[upper, lower]
    two = f'{names.html(upper)} <span class="ml-unit">over</span> {names.html(lower)}'
    if votes == 0:
        return f"{two}: <strong>told apart</strong>"
    if votes is None:
        return f"{two}: as good as equal; more votes than one can foretell"
    return f"{two}: about {votes_word(_rounded(votes)).removesuffix(' votes').removesuffix(' vote')} more votes"


def _rounded(votes: int) -> int:
    """Return a number to two digits: more would look surer than it is."""
    power = max(0, len(str(votes)) - 2)
    return int(round(votes, -power))
