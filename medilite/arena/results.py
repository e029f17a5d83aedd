"""The current results of the votes, computed once for all visitors.

A page view reads a few counts, at most every few seconds; a million votes are read and rated again only when they have
changed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medilite.arena.bank import bank_folder, read_bank
from medilite.arena.booth import UNDO_GRACE_S, UNDO_S
from medilite.arena.contestants import base_contestant, contestants
from medilite.arena.drawing import Opponents
from medilite.arena.mirror.state import MirrorState, read_state
from medilite.arena.ratings import Ratings, of_public_pairs, rate
from medilite.arena.records import Contestant
from medilite.arena.table import read_table
from medilite.arena.trust import Sensitivity, judge, sensitivity
from medilite.arena.vote_statistics import (
    Agreement,
    Counts,
    Matrix,
    Period,
    count,
    easier_wins,
    over_time,
    same_in_bank,
    win_matrix,
)
from medilite.arena.votes import Votes
from medilite.errors import MediLiteError
from medilite.models import Profile

if TYPE_CHECKING:
    from medilite.settings import Settings

REFRESH_S = 15.0
"""Most seconds that results may be old, and least seconds between two ratings."""

SETTLED_S = UNDO_S + UNDO_GRACE_S
"""Least age of a vote before results include it: a table that moved would reveal names before an undo."""


@dataclass(frozen=True)
class Results:
    """All results of the votes; `at` is when they were read, in seconds since 1970.

    `public` are the ratings from pairs of the bank in the public repository, whose models anybody can look up (None
    without any votes on them). `ratings` are the same if `of_public` (`ratings.of_public_pairs` says when), else from
    all other pairs; `sensitivity` and `bound` are of the votes of `ratings`. `bound` is by how many points the votes of
    one network and day may move the difference between two ratings, None if nothing is rated.

    `current` are the contestants that the models are now, by model. `same_answers` has,
    for every two, how many pairs were the same word for word: (of the ready-made
    answers, out of so many, and of those written live).
    """

    ratings: Ratings
    public: Ratings | None
    of_public: bool
    sensitivity: Sensitivity
    bound: float | None
    counts: Counts
    matrix: Matrix
    periods: tuple[Period, ...]
    easier: Agreement
    same_answers: Mapping[Opponents, tuple[int, int, int]]
    current: Mapping[str, Contestant]
    base: Contestant | None
    at: float


class LiveResults:
    """The present results of a store; safe to ask from several threads."""

    def __init__(
        self,
        profile: Profile,
        settings: Settings,
        votes: Votes,
        refresh_s: float = REFRESH_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._profile = profile
        self._settings, self._votes = settings, votes
        self._refresh_s = refresh_s
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._version: object = None
        self._results: Results | None = None
        self._error: MediLiteError | None = None
        self._mirror: MirrorState | None = None
        self._mirror_at = float("-inf")

    @property
    def settings(self) -> Settings:
        """What the deployment has set."""
        return self._settings

    def get(self) -> Results | None:
        """Return the results, None if nobody has voted yet. Raises StoreError and DataError.

        While they are being computed, callers get the last ones, if there are
        any.
        """
        if not self._lock.acquire(blocking=self._results is None):
            return self._results
        try:
            now = self._clock()
            if now - self._looked_at >= self._refresh_s:
                # An unreachable database isn't asked again by every caller either.
                self._error = None
                try:
                    self._refresh()
                except MediLiteError as error:
                    self._error = error
                self._looked_at = now
            if self._error:
                raise self._error
            return self._results
        finally:
            self._lock.release()

    def mirror(self) -> MirrorState | None:
        """Return how far the votes' mirror is, None if it has not begun. Raises StoreError."""
        now = self._clock()
        if self._settings.is_mirrored and now - self._mirror_at >= self._refresh_s:
            self._mirror_at = now
            store = self._votes.store
            self._mirror = read_state(store) if store.database.is_there else None
        return self._mirror

    def _refresh(self) -> None:
        store = self._votes.store
        if not store.database.is_there:
            self._results = self._version = None
            return
        here = contestants(self._profile)
        before = time.time() - SETTLED_S
        version = (store.version(before), tuple(here.values()))
        if version == self._version:
            return
        trust = judge(read_table(store, here.values(), before))
        table = trust.table
        base = base_contestant(self._profile, here)
        secret, looked_up = table.where(~table.public), table.where(table.public)
        public = rate(looked_up, base) if len(looked_up.counted) else None
        of_public = of_public_pairs(table, base)
        # Never both kinds in one: votes on public pairs are of models that anybody can look up.
        rated = looked_up if public and of_public else secret
        self._results = Results(
            ratings=public if public and of_public else rate(secret, base),
            public=public,
            of_public=of_public,
            sensitivity=sensitivity(trust, base),
            bound=trust.bounds[of_public],
            counts=count(table),
            matrix=win_matrix(rated),
            periods=over_time(table),
            easier=easier_wins(rated),
            same_answers=self._same_answers(here),
            current=here,
            base=base,
            at=time.time(),
        )
        self._version = version

    def _same_answers(self, here: Mapping[str, Contestant]) -> dict[Opponents, tuple[int, int, int]]:
        bank = read_bank(bank_folder(self._profile))
        found = {two: (*counts, 0) for two, counts in (same_in_bank(bank.of(here)) if bank else {}).items()}
        for first, second, live in self._votes.store.same_answers():
            two = frozenset((first, second))
            same, of, _ = found.get(two, (0, 0, 0))
            found[two] = same, of, live
        return {two: counts for two, counts in found.items() if counts[0] or counts[2]}
