"""The arena's records: contestants, candidates, pairs, ballots, votes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from medilite.errors import BallotError
from medilite.records import Decoding

Choice = Literal["left", "right", "equal", "both_bad"]
CHOICES: tuple[Choice, ...] = ("left", "right", "equal", "both_bad")

Kind = Literal["ready", "live"]
"""Where a pair's answers come from: made beforehand, or written for the visitor's own question."""

UNSAFE = "unsafe"
"""The flag "wrong or unsafe", among the details of an answer."""

REASONS = {
    "easier": "easier to understand",
    "accurate": "more accurate",
    "complete": "more complete",
    "safer": "safer",
    "long": "too long",
}
"""What a voter may say of an answer besides the choice, by its stored name."""

UNDONE = "taken back"
"""The reason for a vote that was taken back not to count; other reasons are marks."""

OWN_QUESTION = "own"
"""The question id of a visitor's own question."""

NO_SEED = -1
"""Replaces the seed of an answer whose text isn't stored: with it a guessed question could be asked again."""

PUBLIC_BANK = "public"
"""The bank of a pair whose texts are in the public repository; a deployment's own bank has a random name."""


@dataclass(frozen=True, slots=True, order=True)
class Contestant:
    """A model as it was trained once: its id and the SHA-256 of what it is made of.

    A model that was retrained is another contestant.
    """

    model: str
    sha256: str

    @property
    def key(self) -> str:
        """Both in one string."""
        return f"{self.model}@{self.sha256}"

    @classmethod
    def of_key(cls, key: str) -> Contestant:
        """Return the contestant of a key."""
        return cls(*key.rsplit("@", 1))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the two answers of a pair, or one model's side of a conversation (`conversation_text`), all of it scored.

    `text` is None if it may not be kept.
    """

    contestant: Contestant
    text: str | None
    key: str
    seed: int
    words: int
    grade: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one question, as they were shown to one voter.

    `question_key` identifies the question, `question` is its text if it may be stored. `similarity` is the share of
    words, from 0 to 1, that the answers have in common. Times are seconds since 1970 (UTC). `bank` names the bank that
    a ready-made pair is from. `two_probability` is the probability with which these two were drawn, on these sides,
    `place_probability` that of the question and seed given the two; None if unknown, or if nothing was drawn.
    `turns` is how many questions the voter was shown whole answers to: more than one after follow-ups. `asked` is how
    many were asked: more than `turns` where a follow-up's answers broke off, or were being written when the vote came.
    Where the turns have changed after a reload, no grade is known, and words and similarity are those of before.
    """

    id: str
    kind: Kind
    profile: str
    voter: str
    question_id: str
    question_key: str
    question: str | None
    left: Candidate
    right: Candidate
    similarity: float
    decoding: Decoding
    created_at: float
    expires_at: float
    app_version: str
    bank: str = ""
    two_probability: float | None = None
    place_probability: float | None = None
    turns: int = 1
    asked: int = 1


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a voter says: the choice, and for each answer a flag and reasons."""

    choice: Choice
    left_unsafe: bool = False
    right_unsafe: bool = False
    left_reasons: tuple[str, ...] = ()
    right_reasons: tuple[str, ...] = ()

    @classmethod
    def parse(cls, choice: object, left: object = (), right: object = ()) -> Ballot:
        """Return the ballot of a form or a raw request.

        `left` and `right` list the details of each answer: UNSAFE and names of
        REASONS. Raises BallotError for anything else.
        """
        if choice not in CHOICES:
            raise BallotError(
                f"The choice {_short(choice)} is not one of {', '.join(CHOICES)}; nothing was counted. Choose again."
            )
        sides = [_details(details) for details in (left, right)]
        flags = [UNSAFE in names for names in sides]
        reasons = [tuple(name for name in REASONS if name in names) for names in sides]
        return cls(choice, *flags, *reasons)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Vote:
    """A pair and what its voter said about it.

    `decide_s` is the time from showing the pair to the choice, None if the clock ran backwards. `marks` say why a
    vote stays out of the ratings. `network` identifies a network address within one day: a hash under a key that is
    thrown away each day; "" if unknown.
    """

    pair: Pair
    ballot: Ballot
    voted_at: float
    decide_s: float | None
    undone_at: float | None = None
    marks: tuple[str, ...] = ()
    network: str = ""

    @property
    def counted(self) -> bool:
        """Whether the vote goes into the ratings."""
        return self.undone_at is None and not self.marks


def text_key(text: str) -> str:
    """Return the key of a text that may be kept: its SHA-256."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def conversation_text(turns: Sequence[str]) -> str:
    """Return as one text what was asked, or what one model answered, turn by turn: several as a JSON list of them."""
    return turns[0] if len(turns) == 1 else json.dumps(list(turns), ensure_ascii=False)


def _details(details: object) -> frozenset[str]:
    if details is None:
        return frozenset()
    if isinstance(details, str) or not isinstance(details, Iterable):
        raise BallotError(f"The details {_short(details)} are not a list; nothing was counted. Choose again.")
    names = list(details)
    known = (UNSAFE, *REASONS)
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise BallotError(
                f"The reason {_short(name)} is not one of {', '.join(known)}; nothing was counted. Choose again."
            )
    return frozenset(names)


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:39] + "…"
