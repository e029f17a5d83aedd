"""Whether every vote that was acknowledged is in the database, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.crowd.tally import CastVote
from medilite.arena.voters import voter_of
from medilite.errors import TokenError


@dataclass(frozen=True, slots=True)
class Kept:
    """Counts of votes; `strangers` are in the database but were never acknowledged."""

    acknowledged: int
    once: int
    missing: int
    more_than_once: int
    with_another_choice: int
    strangers: int

    @property
    def none_lost(self) -> bool:
        """Whether every acknowledged vote is there, as it was given and once."""
        return self.once == self.acknowledged and not self.with_another_choice


def kept_votes(database: str, acknowledged: Sequence[CastVote]) -> Kept:
    """Read the database, as any other process would, and look for every vote by its pair's token.

    Raises StoreError if it can't be read.
    """
    from medilite.arena.store import Store

    store = Store(database)
    try:
        votes = list(store.votes())
        times = Counter(vote.pair.id for vote in votes)
        choices = {vote.pair.id: vote.ballot.choice for vote in votes}
        missing = other = once = more = 0
        found = set()
        for vote in acknowledged:
            try:
                pair = store.find_pair(vote.token, voter_of(store, vote.voter))
            except TokenError:  # the database doesn't know its voter
                pair = None
            count = times[pair.id] if pair else 0
            missing += count == 0
            once += count == 1
            more += count > 1
            if pair and count:
                # A pair has one vote: if acknowledged twice, it was counted twice here.
                more += pair.id in found
                found.add(pair.id)
                other += choices[pair.id] != vote.choice
    finally:
        store.database.close()
    return Kept(len(acknowledged), once, missing, more, other, len(set(times) - found))
