"""What is stored of a visitor's own question without its text: nothing with which a guess at it could be tested.

The engine is deterministic: with the seed anybody could ask a guessed question again and compare. So the seed is left
out, keys are made from the pair's random id instead of the text, and counts are so coarse that many answers share them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from typing import Any

from medilite.arena.records import NO_SEED, Candidate, Pair

GRADE_STEP, SIMILARITY_STEP = 2.0, 0.25
HIGHEST_GRADE = 20.0

HIDDEN = "hidden:"
"""What every key begins with that identifies a text without depending on it."""

_SIDES = ("left", "right")


def hidden_key(pair_id: str, what: str) -> str:
    """Return a key that identifies a text without depending on it: `what` is question, left or right."""
    return HIDDEN + hashlib.sha256(f"{pair_id} {what}".encode()).hexdigest()


def coarse_words(words: int) -> int:
    """Return the power of two nearest to a number of words, by ratio; 0 for none."""
    return 2 ** round(math.log2(words)) if words > 0 else 0


def coarse_grade(grade: float | None) -> float | None:
    """Return a grade to the nearest GRADE_STEP, from 0 to HIGHEST_GRADE; None for none."""
    return None if grade is None else min(max(round(grade / GRADE_STEP) * GRADE_STEP, 0.0), HIGHEST_GRADE)


def coarse_similarity(similarity: float) -> float:
    """Return a similarity (0 to 1) to the nearest SIMILARITY_STEP."""
    return round(similarity / SIMILARITY_STEP) * SIMILARITY_STEP


def hidden(pair: Pair) -> Pair:
    """Return a pair as it is stored without its texts; doing it twice changes nothing."""

    def side(name: str, candidate: Candidate) -> Candidate:
        return dataclasses.replace(
            candidate,
            text=None,
            key=hidden_key(pair.id, name),
            seed=NO_SEED,
            words=coarse_words(candidate.words),
            grade=coarse_grade(candidate.grade),
        )

    return dataclasses.replace(
        pair,
        question=None,
        question_key=hidden_key(pair.id, "question"),
        left=side("left", pair.left),
        right=side("right", pair.right),
        similarity=coarse_similarity(pair.similarity),
    )


def is_hidden(pair: Pair) -> bool:
    """Whether a stored pair, or that of a vote, is kept without its texts (`hidden`)."""
    return pair.question_key.startswith(HIDDEN)


def hidden_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a stored pair or vote that `hidden` changes, with their new values."""
    columns: dict[str, Any] = {
        "question_key": hidden_key(row["id"], "question"),
        "similarity": coarse_similarity(row["similarity"]),
    }
    for side in _SIDES:
        columns |= {
            f"{side}_answer_key": hidden_key(row["id"], side),
            f"{side}_seed": NO_SEED,
            f"{side}_words": coarse_words(row[f"{side}_words"]),
            f"{side}_grade": coarse_grade(row[f"{side}_grade"]),
        }
    return columns
