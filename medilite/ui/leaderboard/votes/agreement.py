"""Whether the votes go with grade, closeness and judge: vote by vote, and model by model."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from medilite.arena.records import Contestant
from medilite.arena.results import Results
from medilite.arena.tallies import Agreement, orders_agree
from medilite.ui.leaderboard.board.view import CLOSENESS, GRADE, View, number_text
from medilite.ui.leaderboard.votes.names import percent

NO_REFERENCES = "not measured: the questions that people vote on have no reference answers"
NOT_JUDGED = "not measured: the answers that people vote on were not judged"

MEASURES = {
    GRADE: ("Grade", "the easier answer is preferred", "lower is better"),
    CLOSENESS: ("Closeness", "the answer nearer to the references is preferred", "higher is better"),
    "correctness": (
        "Judge’s correctness",
        "the answer that the judge finds more correct is preferred",
        "higher is better",
    ),
}
"""Label, what agreeing means, and which way is better, by the leaderboard's column."""


def agreement_html(results: Results, board: View | None) -> str:
    """Return the table; `board` is the measured leaderboard, None where there is none."""
    by_vote = {
        GRADE: results.easier,
        CLOSENESS: Agreement(None, 0, NO_REFERENCES),
        "correctness": Agreement(None, 0, NOT_JUDGED),
    }
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}<span class="ml-unit">{escape(means)}</span></th>'
        f"{_by_vote(by_vote[key])}{_by_model(_orders(results, board, key, better))}</tr>"
        for key, (label, means, better) in MEASURES.items()
    )
    return (
        '<section class="lb-figure"><h3>Do the votes go with what was measured?</h3>'
        "<p>Vote by vote: the share of decided votes for the better of the two by that measure; 50 % is no relation. "
        "Model by model: Kendall’s τ between the order by rating and the order of the leaderboard’s means; 1 is the "
        "same order, −1 the reverse, p the chance of as strong a relation between unrelated orders.</p>"
        '<div class="lb-table-scroll" tabindex="0" role="region" aria-label="Agreement with what was measured">'
        '<table class="lb-small vb-agreement"><caption class="ml-hidden">Agreement of votes with measures</caption>'
        '<thead><tr><th scope="col" class="vb-first">Measure</th><th scope="col" class="vb-means">Vote by vote</th>'
        '<th scope="col" class="vb-means">Model by model</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _orders(results: Results, board: View | None, key: str, better: str) -> Agreement:
    if board is None:
        return Agreement(None, 0, "not measured: there is no leaderboard for these models yet")
    if all(column.key != key for column in board.columns):
        return Agreement(None, 0, "not measured: the leaderboard has no such column")
    split = board.splits[0]
    values: Mapping[Contestant, float | None] = {
        contestant: board.cell(split, model, key).value for model, contestant in results.current.items()
    }
    return orders_agree(results.ratings, values, lower_is_better=better == "lower is better")


def _by_vote(found: Agreement) -> str:
    if found.value is None or found.low is None or found.high is None:
        return f'<td class="vb-means">– <span class="ml-unit">{escape(found.reason or "")}</span></td>'
    ends = f"{number_text(100 * found.low, 0)} to {number_text(100 * found.high, 0)}"
    return (
        f'<td class="vb-means"><span class="lb-mean">{percent(found.value)}</span> '
        f'<span class="ml-unit">{ends} %, n {found.n:,}</span></td>'
    )


def _by_model(found: Agreement) -> str:
    if found.value is None or found.p is None:
        return f'<td class="vb-means">– <span class="ml-unit">{escape(found.reason or "")}</span></td>'
    return (
        f'<td class="vb-means"><span class="lb-mean">τ {number_text(found.value, 2)}</span> '
        f'<span class="ml-unit">p {number_text(found.p, 2)}, n {found.n} models</span></td>'
    )
