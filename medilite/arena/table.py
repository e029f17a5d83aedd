"""Votes as columns of numbers: what the ratings, the counts and the drawing of pairs are computed from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from medilite.arena.fit import LEFT, RIGHT, TIE
from medilite.arena.records import CHOICES, PUBLIC_BANK, Contestant
from medilite.arena.voters import is_account

COLUMNS = (
    "left", "right", "choice", "voter", "question_key", "grade_difference", "left_words", "right_words", "similarity",
    "left_unsafe", "right_unsafe", "kind", "voted_at", "left_out", "network", "bank", "turns",
)  # fmt: skip
"""The columns of `Store.rating_rows`."""

OUTCOMES = {"left": LEFT, "equal": TIE, "both_bad": TIE, "right": RIGHT}

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class HasVotes(Protocol):
    """What a table is read from: the store or a substitute."""

    def rating_rows(self, before: float | None = None) -> list[tuple[Any, ...]]:
        """Return COLUMNS of every vote (given before that time), oldest first."""


@dataclass(frozen=True)
class VoteTable:
    """All votes, oldest first; every array has one entry a vote.

    `left` and `right` index `contestants`. `outcome` is LEFT, TIE or RIGHT. `grade_difference` is left minus right, nan
    where a text has no grade; `log_length_ratio` is log(words left / words right), `similarity` the share of words in
    common. `left_out` indexes `reasons`: why a vote is not counted, 0 ("") if it is. `network` indexes `networks`, the
    networks by day, and is -1 if unknown; `account` is true for votes of signed-in voters, `public` for those on pairs
    that anybody can look up. `turns` is how many turns of a conversation were shown. `weight`, from 0 to 1, is how much
    a vote counts if it is not left out.
    """

    contestants: tuple[Contestant, ...]
    left: Ints
    right: Ints
    outcome: Ints
    both_bad: NDArray[np.bool_]
    voter: Ints
    question: Ints
    questions: tuple[str, ...]
    grade_difference: Floats
    log_length_ratio: Floats
    similarity: Floats
    left_unsafe: NDArray[np.bool_]
    right_unsafe: NDArray[np.bool_]
    live: NDArray[np.bool_]
    voted_at: Floats
    left_out: Ints
    reasons: tuple[str, ...]
    network: Ints
    networks: tuple[str, ...]
    account: NDArray[np.bool_]
    public: NDArray[np.bool_]
    turns: Ints
    weight: Floats

    def __len__(self) -> int:
        return len(self.left)

    @property
    def counted(self) -> VoteTable:
        """The votes that go into the ratings."""
        return self.where(self.left_out == 0)

    @property
    def size(self) -> int:
        """How many votes these count as: the sum of their weights, rounded."""
        return round(float(self.weight.sum()))

    def weighted(self, weight: Floats) -> VoteTable:
        """Return the votes with other weights."""
        return dataclasses.replace(self, weight=weight)

    def where(self, chosen: NDArray[np.bool_]) -> VoteTable:
        """Return the votes for which `chosen` is true."""
        if chosen.all():
            return self
        fields: dict[str, Any] = {
            name: value[chosen] if isinstance(value, np.ndarray) else value for name, value in vars(self).items()
        }
        return VoteTable(**fields)


def read_table(store: HasVotes, known: Iterable[Contestant] = (), before: float | None = None) -> VoteTable:
    """Return all votes of a store, given before that time. `known` contestants come first, votes or not."""
    return as_table(store.rating_rows(before), known)


def as_table(rows: Sequence[tuple[Any, ...]], known: Iterable[Contestant] = ()) -> VoteTable:
    """Return rows of COLUMNS as a table."""
    column: dict[str, Sequence[Any]] = dict.fromkeys(COLUMNS, ())
    if rows:
        column |= dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    contestants = {contestant.key: i for i, contestant in enumerate(known)}
    voters: dict[str, int] = {}
    questions: dict[str, int] = {}
    voter = _codes(column["voter"], voters)
    left, right = (_codes(column[side], contestants) for side in ("left", "right"))
    choice = _codes(column["choice"], {name: i for i, name in enumerate(CHOICES)})
    # An answer without words has no length to compare; 1 keeps the ratio finite.
    words = {side: np.maximum(np.array(column[f"{side}_words"], dtype=float), 1) for side in ("left", "right")}
    reasons: dict[str, int] = {"": 0}
    left_out = _codes(column["left_out"], reasons)
    networks: dict[Any, int] = {"": -1, None: -1}
    network = _codes(column["network"], networks, first=0)
    return VoteTable(
        contestants=tuple(Contestant.of_key(key) for key in contestants),
        left=left,
        right=right,
        outcome=np.array([OUTCOMES[name] for name in CHOICES])[choice],
        both_bad=choice == CHOICES.index("both_bad"),
        voter=voter,
        question=_codes(column["question_key"], questions),
        questions=tuple(questions),
        grade_difference=np.array(column["grade_difference"], dtype=float),
        log_length_ratio=np.log(words["left"] / words["right"]),
        similarity=np.array(column["similarity"], dtype=float),
        left_unsafe=np.array(column["left_unsafe"], dtype=bool),
        right_unsafe=np.array(column["right_unsafe"], dtype=bool),
        live=np.array(column["kind"]) == "live",
        voted_at=np.array(column["voted_at"], dtype=float),
        left_out=left_out,
        reasons=tuple(reasons),
        network=network,
        networks=tuple(name for name, code in networks.items() if code >= 0),
        account=np.array([is_account(name) for name in voters], dtype=bool)[voter],
        public=np.array(column["bank"]) == PUBLIC_BANK,
        turns=np.array(column["turns"], dtype=np.int64),
        weight=np.ones(len(rows)),
    )


def _codes(values: Sequence[Any], codes: dict[Any, int], first: int | None = None) -> Ints:
    """Return each value's number; new values get the next, from `first` on (by default as many as are known)."""
    following = len(codes) if first is None else first
    for value in dict.fromkeys(values):
        if value not in codes:
            codes[value], following = following, following + 1
    return np.fromiter(map(codes.__getitem__, values), dtype=np.int64, count=len(values))
