"""Rewards of being faithful: an answer says what MedQuAD's references of its question say."""

from __future__ import annotations

import math
from collections.abc import Sequence

from medilite.content.repetition import longest_copied

RECALL_LIMIT = 0.5
"""Weighted recall that earns 1: half of what a reference dwells on fills a plain answer of 80 words."""

COPIED_ENOUGH, COPIED_LIMIT = 7, 25
"""Words copied in a row that still earn 1, and that earn −1. A disease's name and what it is rarely fill seven words; a
copied sentence of MedQuAD has 20."""


def closeness_reward(answer: float | None, question: float | None) -> float | None:
    """Return how close in meaning an answer is to the references, from −1 to 1, against the question's own closeness.

    Both are `medilite.content.closeness` to the same references: of the answer
    and of the question as if it were the answer. Naming the subject makes any
    text close, so the question's closeness earns 0; a reference word for word
    earns 1, a text that has nothing to do with it −1, evenly between. None (no
    reward) where there is no reference; −1 for an answer without words.
    """
    if question is None:
        return None
    if answer is None:
        return -1.0
    # Off the ends, where one of the two slopes would have no room.
    zero = min(max(question, 0.05), 0.95)
    return max(-1.0, (answer - zero) / ((1 - zero) if answer > zero else zero))


def key_terms_reward(recall: float | None) -> float | None:
    """Return −1 for an answer with no key term of the references, rising to 1 at a recall of RECALL_LIMIT.

    It rises with the square root, so that the first terms count most: between
    saying something of what the references say and saying nothing lies more than
    between much and more. `recall` is `medilite.content.key_term_recall`, the
    question's own words left out; None (no reward) where no reference has a key term.
    """
    return None if recall is None else 2 * math.sqrt(min(1.0, recall / RECALL_LIMIT)) - 1


def copied_reward(text: str, references: Sequence[str]) -> float | None:
    """Return 1 for at most COPIED_ENOUGH words in a row from a reference, falling evenly to −1 at COPIED_LIMIT.

    None (no reward) without a reference.
    """
    if not references:
        return None
    over = max(longest_copied(reference, text) for reference in references) - COPIED_ENOUGH
    return 1 - 2 * min(max(over / (COPIED_LIMIT - COPIED_ENOUGH), 0.0), 1.0)
