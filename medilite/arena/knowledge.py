"""What is known from the votes so far for choosing the next pair."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from medilite.arena.drawing import Knowledge
from medilite.arena.ratings import Ratings
from medilite.arena.table import VoteTable


def knowledge_of(table: VoteTable, ratings: Ratings, questions: Mapping[str, str]) -> Knowledge:
    """Return the knowledge for drawing the next pairs.

    `questions` maps the keys of questions in the table to ids; others count for the pair and not for a question. Only
    counted votes inform about a pair, but any vote has used up a question and a side.
    """
    known = Knowledge(ratings.strengths, ratings.tie)
    ids = [questions.get(key) for key in table.questions]
    rows = np.stack([table.left, table.right, table.question, table.left_out == 0], axis=1)
    combinations, counts = np.unique(rows, axis=0, return_counts=True)
    for (left, right, question, counted), count in zip(combinations.tolist(), counts.tolist(), strict=True):
        one, other = table.contestants[left], table.contestants[right]
        two = frozenset((one, other))
        known.on_left[one, other] = known.on_left.get((one, other), 0) + count
        if counted:
            known.votes[two] = known.votes.get(two, 0) + count
        if (asked := ids[question]) is not None:
            known.shown[two, asked] = known.shown.get((two, asked), 0) + count
    return known
