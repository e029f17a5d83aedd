"""Pairs and votes made for tests."""

from __future__ import annotations

from collections.abc import Callable

from medilite.arena.records import Ballot, Candidate, Contestant, Pair, Vote, text_key
from medilite.arena.store import Limits, new_id
from medilite.records import Decoding

NOW = 1_700_000_000.0
MANY = Limits(10_000, 10_000)


def contestant(model: str = "base", training: int = 1) -> Contestant:
    return Contestant(model, f"{training:064x}")


def candidate(model: str = "base", text: str | None = "An answer.", **fields: object) -> Candidate:
    values = {"seed": 0, "words": 2, "grade": 4.0, "key": text_key(text or model), **fields}
    return Candidate(contestant=contestant(model), text=text, **values)  # type: ignore[arg-type]


def pair(left: str | Candidate = "base", right: str | Candidate = "grpo", **fields: object) -> Pair:
    """Return a pair; models become candidates that say who they are."""
    left, right = (candidate(s, f"{s} says this.") if isinstance(s, str) else s for s in (left, right))
    values = {
        "id": new_id(), "kind": "ready", "profile": "lite", "question_id": "heart-01", "question_key": "q1",
        "question": "What helps?", "decoding": Decoding(temperature=0.7), "created_at": NOW, "expires_at": NOW + 3600,
        "app_version": "0", "voter": "voter", "similarity": 0.4, "left": left, "right": right, **fields,
    }  # fmt: skip
    return Pair(**values)  # type: ignore[arg-type]


def vote(choice: str = "left", at: float = NOW + 60, decide_s: float | None = 60.0, **fields: object) -> Vote:
    """Return a vote; fields are its pair's."""
    return Vote(pair(**fields), Ballot(choice), at, decide_s)  # type: ignore[arg-type]


def texts_of(shown: Pair) -> Callable[[Pair], Pair]:
    """Return what gives a vote the texts of its pair, as the booth does."""
    return lambda _: shown


def no_marks(votes: object) -> list[tuple[str, ...]]:
    """Mark nothing."""
    return [()] * len(votes)  # type: ignore[arg-type]
