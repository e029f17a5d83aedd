"""Delete what is old: expired pairs, visitors' own questions and votes, as configured.

When a visitor's question is deleted, the votes on it become as if it had never been stored: without anything to test a
guess with (`hiding`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medilite.arena.hiding import HIDDEN, hidden_columns
from medilite.arena.records import OWN_QUESTION
from medilite.arena.votes import Votes
from medilite.errors import MediLiteError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from medilite.arena.store import Store
    from medilite.settings import Settings

log = logging.getLogger(__name__)

DAY_S = 86_400.0

PAIRS_AFTER_EXPIRY_S = 7 * DAY_S
"""Seconds for which an expired pair is remembered, so that its token still gets a correct error."""

FIRST_AFTER_S = 60.0
"""Seconds after the app's start until the first deletion: at once it has other work."""

LEAP_S = 300.0
"""Seconds by which the clock may leap between two checks; a night's suspend is a leap as well."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long to keep each kind, in seconds; None is for ever. A vote is deleted with its texts."""

    votes_s: float | None = None
    questions_s: float | None = None

    @classmethod
    def of(cls, settings: Settings) -> Retention:
        """Return what the settings say."""
        votes, questions = settings.keep_votes_days, settings.keep_questions_days
        return cls(votes * DAY_S if votes else None, questions * DAY_S if questions else None)


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many were deleted: expired pairs, votes, visitors' own questions."""

    pairs: int
    votes: int
    questions: int


def delete_old(store: Store, keep: Retention, now: float) -> Deleted:
    """Delete what is older than `keep` allows at `now` (seconds since 1970), and return how much. Raises StoreError.

    Pairs are always deleted a week after they expired, and texts with their
    last vote.
    """
    import sqlalchemy as sa

    from medilite.arena import schema

    pairs, votes, sames = schema.pairs, schema.votes, schema.sames
    with store.database.write() as connection:
        if not store.database.is_sqlite:
            # No pair may be added between the check and the deletion: its text would be deleted too.
            connection.execute(sa.text("LOCK TABLE pairs, votes IN SHARE ROW EXCLUSIVE MODE"))
        gone_votes = 0
        if keep.votes_s is not None:
            before = now - keep.votes_s
            gone_votes = connection.execute(votes.delete().where(votes.c.voted_at < before)).rowcount
            connection.execute(sames.delete().where(sames.c.at < before))
        oldest = pairs.c.expires_at < now - PAIRS_AFTER_EXPIRY_S
        if keep.votes_s is not None:
            oldest |= pairs.c.created_at < now - keep.votes_s
        gone_pairs = connection.execute(pairs.delete().where(oldest)).rowcount
        if keep.questions_s is not None:
            _hide_questions(connection, now - keep.questions_s)
        deleted = Deleted(gone_pairs, gone_votes, _delete_unused(connection))
    store.database.forget()
    return deleted


def _hide_questions(connection: sa.Connection, before: float) -> None:
    """Hide visitors' questions that have not been shown since, so that nothing of their texts is left."""
    import sqlalchemy as sa

    from medilite.arena import schema

    # By the votes' own question ids: in `questions` a text that the project asks too has the id of who was first.
    votes, c = schema.votes, schema.votes.c
    own = c.question_id == OWN_QUESTION
    recent = sa.select(c.question_key).where(own, c.created_at >= before)
    old = sa.select(votes).where(own, ~c.question_key.startswith(HIDDEN), c.question_key.not_in(recent))
    for row in connection.execute(old).mappings().all():
        connection.execute(votes.update().where(c.id == row["id"]).values(hidden_columns(dict(row))))


def _delete_unused(connection: sa.Connection) -> int:
    """Delete texts that no vote belongs to; return how many visitors' questions were among them."""
    import sqlalchemy as sa

    from medilite.arena import schema

    questions, answers, votes = schema.questions, schema.answers, schema.votes.c
    unused = questions.c.key.not_in(sa.select(votes.question_key))
    own = sa.select(sa.func.count()).where(unused, questions.c.id == OWN_QUESTION)
    count = connection.execute(own).scalar_one()
    connection.execute(questions.delete().where(unused))
    used = sa.union(sa.select(votes.left_answer_key), sa.select(votes.right_answer_key))
    connection.execute(answers.delete().where(answers.c.key.not_in(used)))
    return int(count)


def start_deleting(
    settings: Settings,
    votes: Votes,
    *,
    first_after_s: float = FIRST_AFTER_S,
    every_s: float = DAY_S,
    clock: Callable[[], float] = time.time,
) -> Callable[[], None]:
    """Delete what is old soon and then once a day, in the background; return a function that stops it.

    A failure is logged and tried again the next time. If `clock` (seconds since 1970) has leapt nothing is deleted that
    time: votes that look old need not be. A missing file is not created.
    """
    stop = threading.Event()

    def run() -> None:
        wait_s, last = first_after_s, clock() - time.monotonic()
        while not stop.wait(wait_s):
            wait_s = every_s
            leap, last = clock() - time.monotonic() - last, clock() - time.monotonic()
            if abs(leap) > LEAP_S:
                log.warning("The clock has leapt by %.0f s: nothing old is deleted this time.", leap)
                continue
            try:
                _delete_once(settings, votes.store, clock())
            except MediLiteError as error:
                log.warning("old votes were not deleted: %s", error)

    threading.Thread(target=run, name="retention", daemon=True).start()
    return stop.set


def _delete_once(settings: Settings, store: Store, now: float) -> None:
    if not store.database.is_there:
        return
    deleted = delete_old(store, Retention.of(settings), now)
    log.info("deleted %d old pairs, %d votes, %d questions", deleted.pairs, deleted.votes, deleted.questions)
