"""Whether the votes agree with grade, topic similarity and judge: vote by vote, and model by model."""

from __future__ import annotations

from collections.abc import Mapping

from medilite.arena.records import Contestant
from medilite.arena.results import Results
from medilite.arena.vote_statistics import Agreement, orders_agree
from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.board.view import GRADE, SIMILARITY, View

NO_REFERENCES = "not measured: the questions that people vote on have no reference answers"
NOT_JUDGED = "not measured: the answers that people vote on were not judged"

MEASURES = {
    GRADE: ("Grade", "the easier answer is preferred", "lower is better"),
    SIMILARITY: ("Topic similarity", "the answer nearer to the references’ topic is preferred", "higher is better"),
    "correctness": (
        "Judge’s correctness",
        "the answer that the judge finds more correct is preferred",
        "higher is better",
    ),
}
"""Label, what agreeing means, and which way is better, by the leaderboard's column."""


def agreement_html(results: Results, board: View | None) -> Markup:
    """Return the table; `board` is the measured leaderboard, None without one."""
    by_vote = {
        GRADE: results.easier,
        SIMILARITY: Agreement(None, 0, NO_REFERENCES),
        "correctness": Agreement(None, 0, NOT_JUDGED),
    }
    rows = [
        (label, means, by_vote[key], _orders(results, board, key, better))
        for key, (label, means, better) in MEASURES.items()
    ]
    return templates("leaderboard/votes.html").agreement(rows)


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
