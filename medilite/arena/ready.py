"""Ready-made answers, as they may be shown: this deployment's own, or those of the repository."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from medilite.arena.bank import ANSWERS_FILE, Bank, read_bank
from medilite.arena.drawing import Opponents, Place
from medilite.arena.mask import mask, names_of
from medilite.arena.records import Candidate, Contestant, Pair, text_key
from medilite.errors import DataError
from medilite.models import Profile

log = logging.getLogger(__name__)

Had = tuple[str, frozenset[str]]
"""Question and contestants of a pair that a voter has had."""


class NoPair(Enum):
    """Why there is no pair to vote on."""

    EMPTY = "there are no ready-made answers"
    STALE = "the ready-made answers are of models that have been retrained since"
    SEEN = "this visitor has had every pair"
    SAME = "both answers are the same"
    WORDLESS = "an answer has no words"
    STOPPED = "an answer was stopped before its end"
    FAILED = "a model broke down"


@dataclass(frozen=True)
class Ready:
    """The ready-made answers that may be shown: of the present contestants, where two answers differ as shown."""

    bank: Bank
    places: Mapping[Opponents, list[Place]]
    keys: Mapping[str, str]
    """Question ids by the keys of their texts."""

    def unseen(self, seen: set[Had]) -> dict[Opponents, list[Place]]:
        """Return the places that a voter has not been shown."""
        questions: dict[frozenset[str], set[str]] = {}
        for key, hashes in seen:
            questions.setdefault(hashes, set()).add(self.keys.get(key, ""))
        left = {}
        for two, listed in self.places.items():
            had = questions.get(frozenset(contestant.sha256 for contestant in two), set())
            left[two] = [place for place in listed if place.question not in had] if had else listed
        return left

    def voted(self, votes: Sequence[tuple[str, int, str, str]]) -> list[tuple[Opponents, str, int]]:
        """Return contestants, question and seed of those of a voter's votes (`Store.voted_on`) that are on these."""
        by_hash = {contestant.sha256: contestant for two in self.places for contestant in two}
        return [
            (frozenset(by_hash[one] for one in hashes), self.keys[key], seed)
            for key, seed, *hashes in votes
            if key in self.keys and all(one in by_hash for one in hashes)
        ]


class ReadyAnswers:
    """Reads the answers when they are first asked for; safe to use from several threads.

    `folder` has those of the repository, `private` this deployment's own, which take precedence and are read again when
    replaced.
    """

    def __init__(self, profile: Profile, folder: Path, private: Path | None) -> None:
        self.names = names_of(profile)
        self._folder, self._private = folder, private
        self._lock = threading.Lock()
        self._private_at: int | None = None
        self._answers: Ready | NoPair | None = None

    def get(self, here: Mapping[str, Contestant]) -> Ready | NoPair:
        """Return the answers of the contestants that are here, or why there are none; raises DataError."""
        with self._lock:
            made_at = _written_at(self._private)
            if self._answers is None or made_at != self._private_at:
                self._answers, self._private_at = self._read_private(made_at, here), made_at
            if self._answers is None:
                bank = read_bank(self._folder)
                if bank is None:
                    return NoPair.EMPTY  # looked for again next time: they may be added while the app runs
                self._answers = self._usable(bank, here)
            return self._answers

    def masked(self, text: str | None) -> str:
        """Return an answer as it is shown: without the models' names."""
        return mask(text or "", self.names)

    def row_of(self, pair: Pair) -> tuple[str, Candidate, Candidate] | None:
        """Return question, left and right of a ready-made pair, if its answers are still the same here."""
        ready = self._answers
        if not isinstance(ready, Ready):
            return None
        row = ready.bank.answers.get((pair.question_id, pair.left.seed), {})
        left, right = (row.get(side.contestant) for side in (pair.left, pair.right))
        if left is None or right is None or (left.key, right.key) != (pair.left.key, pair.right.key):
            return None
        return ready.bank.questions[pair.question_id], left, right

    def _read_private(self, made_at: int | None, here: Mapping[str, Contestant]) -> Ready | None:
        """Return this deployment's own answers, None if there are no usable ones."""
        if made_at is None or self._private is None:
            return None
        try:
            bank = read_bank(self._private)
        except DataError as error:
            log.warning("This deployment's own answers can't be used, so the public ones are shown: %s", error)
            return None
        ready = self._usable(bank, here) if bank else None
        return ready if isinstance(ready, Ready) else None

    def _usable(self, bank: Bank, here: Mapping[str, Contestant]) -> Ready | NoPair:
        present = bank.of(here)
        if present.stale:
            log.warning("Ready-made answers are left out, because their models were retrained: %s", present.stale)
        places = {
            two: [place for place in listed if not self._same_when_shown(present, two, place)]
            for two, listed in present.places.items()
        }
        if not any(places.values()):
            return NoPair.STALE
        return Ready(present, places, {text_key(text): id for id, text in present.questions.items()})

    def _same_when_shown(self, bank: Bank, two: Opponents, place: Place) -> bool:
        one, other = (self.masked(bank.answers[place.question, place.seed][c].text) for c in two)
        return one == other


def _written_at(private: Path | None) -> int | None:
    """Return when a folder's answers were written, which is last, None if there are none."""
    try:
        return (private / ANSWERS_FILE).stat().st_mtime_ns if private else None
    except OSError:
        return None
