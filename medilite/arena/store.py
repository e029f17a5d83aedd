"""The store of pairs and votes; every write is one transaction.

Imported once a store is opened: SQLAlchemy is slow to import.
"""

from __future__ import annotations

import dataclasses
import hmac
import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from medilite.arena import schema
from medilite.arena.hiding import hidden, hidden_columns, hidden_key
from medilite.arena.records import Ballot, Pair, Vote, text_key
from medilite.arena.rows import as_pair, as_vote, pair_row, vote_row
from medilite.arena.store_reader import StoreReader
from medilite.errors import LimitError, TokenError

OPEN_PAIRS = 5
"""How many open pairs of each kind one voter may have (several pages); older ones expire."""

MARKING_WINDOW = 500
"""How many of a voter's last votes are considered when a new one is marked."""

Marker = Callable[[Sequence[Vote]], Sequence[tuple[str, ...]]]
"""Takes all votes of one voter in their order, gives the marks of each."""

Texts = Callable[[Pair], Pair]
"""Takes a pair as stored and returns it as its vote stores it: with its texts, if they may be kept."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many votes one voter may give in a minute and in a day."""

    per_minute: int = 20
    per_day: int = 400


_DAY_KEY = "network key"

_EXTENDED = (
    "left_words", "left_grade", "right_words", "right_grade", "similarity", "expires_at", "turns",
)  # fmt: skip
"""The columns of a live pair that a follow-up changes; its keys depend on its id alone."""


class Store(StoreReader):
    """Pairs and votes in a database; safe to use from several threads, and from several processes at once."""

    def __init__(self, target: str | Path, timeout_s: float = 10.0) -> None:
        super().__init__(target, timeout_s)
        self._secret: bytes | None = None

    @property
    def secret(self) -> bytes:
        """A random key, made with the store and never shown: it signs voters' ids and hides what may not be kept."""
        # No cached_property: before Python 3.12 its lock makes all callers wait for an unreachable database.
        if self._secret is None:
            self._secret = self._read_secret()
        return self._secret

    def _read_secret(self) -> bytes:
        row = sa.select(schema.meta.c.value).where(schema.meta.c.name == "secret")
        with self.database.write("secret") as connection:
            found = connection.execute(row).scalar()
            if found is None:
                found = secrets.token_hex(32)
                connection.execute(schema.meta.insert().values(name="secret", value=found))
        return bytes.fromhex(found)

    def adopt_secret(self, text: str) -> None:
        """Derive the secret from a text if the store has none yet, as in a new database."""
        made = hmac.new(text.encode(), b"medilite votes", "sha256").hexdigest()
        with self.database.write("secret") as connection:
            connection.execute(self.insert_new(schema.meta).values(name="secret", value=made))

    def key_of_day(self, day: int, fresh: str) -> bytes:
        """Return a day's key for naming networks; the first call of a day replaces the last one by `fresh`."""
        meta = schema.meta
        with self.database.write(lock=_DAY_KEY) as connection:
            found = connection.execute(sa.select(meta.c.value).where(meta.c.name == _DAY_KEY)).scalar()
            if found is None or found.partition(":")[0] != str(day):
                found = f"{day}:{fresh}"
                connection.execute(self.insert_new(meta).values(name=_DAY_KEY, value=found))
                connection.execute(meta.update().where(meta.c.name == _DAY_KEY).values(value=found))
        return bytes.fromhex(found.partition(":")[2])

    def keyed(self, text: str) -> str:
        """Return the HMAC-SHA-256 of a text under the store's secret, in hexadecimal."""
        return hmac.new(self.secret, text.encode(), "sha256").hexdigest()

    # --- pairs ---------------------------------------------------------------------------

    def add_pair(self, pair: Pair, token: str | None = None) -> str:
        """Store a pair and return its token, which is stored nowhere; the same pair and `token` again change nothing.

        No text is stored with a pair, and nothing that lets a guess at a visitor's own question be tested: texts come
        with the vote. A voter's oldest open pairs of its kind expire when there are too many; that they were shown is
        remembered.
        """
        token = token or new_token()
        row = {**pair_row(hidden(pair) if pair.kind == "live" else pair), "token_sha256": text_key(token)}
        with self.database.write() as connection:
            c = schema.pairs.c
            # Ready-made pairs that were skipped stay open: they must not end a live one, which is still on the page.
            mine = sa.select(c.id).where(c.voter == pair.voter, c.kind == pair.kind, c.expires_at > pair.created_at)
            still_open = mine.where(~sa.exists().where(schema.votes.c.id == c.id))
            stale = still_open.order_by(c.created_at.desc()).offset(OPEN_PAIRS - 1)
            over = connection.execute(stale).scalars().all()
            if over:
                expire = schema.pairs.update().where(c.id.in_(over))
                connection.execute(expire.values(expires_at=pair.created_at))
            connection.execute(self.insert_new(schema.pairs).values(row))
        return token

    def find_pair(self, token: str, voter: str) -> Pair | None:
        """Return the pair of a token, if it is this voter's."""
        with self.database.read() as connection:
            return self._pair(connection, token, voter)

    def note_follow_up(self, token: str, voter: str, now: float) -> None:
        """Note that both models of an open live pair are asked a further question, before they are.

        Raises TokenError if there is no such pair of this voter's, it has expired, or is voted on: names may be known.
        """
        with self.database.write(lock=voter) as connection:
            pair, c = self._open_pair(connection, token, voter, now), schema.pairs.c
            connection.execute(schema.pairs.update().where(c.id == pair.id).values(asked=c.asked + 1))

    def extend_pair(self, token: str, pair: Pair, now: float) -> None:
        """Store what an open pair has become by a follow-up; again changes nothing. Raises as `note_follow_up`."""
        row = pair_row(hidden(pair))
        changed = {name: row[name] for name in _EXTENDED}
        with self.database.write(lock=pair.voter) as connection:
            self._open_pair(connection, token, pair.voter, now)
            connection.execute(schema.pairs.update().where(schema.pairs.c.id == pair.id).values(changed))

    def _open_pair(self, connection: sa.Connection, token: str, voter: str, now: float) -> Pair:
        pair = self._pair(connection, token, voter)
        vote = self._vote(connection, pair.id) if pair else None
        if vote is not None and vote.undone_at is None:
            raise TokenError("You have voted on these answers, so there is no follow-up to them. Ask a new question.")
        if pair is None or pair.kind != "live" or now > pair.expires_at:
            raise TokenError(
                "These answers are no longer kept here, so there is no follow-up to them. Ask a new question."
            )
        return pair

    def add_same(self, pair: Pair) -> None:
        """Note that a pair was drawn whose answers are the same; nobody votes on it, so its texts are not stored."""
        first, second = sorted((pair.left.contestant, pair.right.contestant))
        row = {
            "id": pair.id, "kind": pair.kind, "profile": pair.profile, "question_key": hidden_key(pair.id, "question"),
            "contestant_a": first.sha256, "contestant_b": second.sha256, "model_a": first.model,
            "model_b": second.model, "answer_key": hidden_key(pair.id, "left"), "at": pair.created_at,
        }  # fmt: skip
        with self.database.write() as connection:
            connection.execute(self.insert_new(schema.sames).values(row))

    def _keep_texts(self, connection: sa.Connection, pair: Pair) -> None:
        if pair.question is pair.left.text is pair.right.text is None:
            return
        self.lock_texts(connection, (pair.question_key, pair.left.key, pair.right.key))
        if pair.question is not None:
            row = {"key": pair.question_key, "id": pair.question_id, "text": pair.question}
            connection.execute(self.insert_new(schema.questions).values(row))
        for side in (pair.left, pair.right):
            if side.text is not None:
                connection.execute(self.insert_new(schema.answers).values(key=side.key, text=side.text))

    def lock_texts(self, connection: sa.Connection, keys: Iterable[str]) -> None:
        """Let nobody else store or delete these texts until the transaction ends.

        A text that is there already is not stored again, so a vote that is taken back meanwhile, and doesn't see this
        transaction's, would delete it.
        """
        self.database.lock(connection, *keys)

    def insert_new(self, table: sa.Table) -> Any:
        """Return an INSERT that skips rows whose key exists."""
        dialect = sqlite if self.database.is_sqlite else postgresql
        return dialect.insert(table).on_conflict_do_nothing()

    def _pair(self, connection: sa.Connection, token: str, voter: str) -> Pair | None:
        row = connection.execute(
            sa.select(schema.pairs).where(schema.pairs.c.token_sha256 == text_key(token), schema.pairs.c.voter == voter)
        ).one_or_none()
        return as_pair(row._mapping) if row else None

    # --- votes ---------------------------------------------------------------------------

    def cast(
        self, token: str, voter: str, ballot: Ballot, now: float, limits: Limits, marker: Marker, *,
        texts: Texts | None = None, network: str = "",
    ) -> tuple[Vote, bool]:  # fmt: skip
        """Store a vote and return it, with True; the earlier vote and False if there is a valid one.

        A vote that was taken back can be given again, since no names were revealed in between. Raises TokenError for a
        token that is unknown, another voter's or expired, LimitError when the voter has to wait, and StoreError. After
        any error the same token may be tried again.
        """
        with self.database.write(lock=voter) as connection:
            pair = self._pair(connection, token, voter)
            if pair is None:
                raise TokenError(
                    "This pair isn't known here: it was never shown to you, or too long ago. Nothing was counted; "
                    "take the next pair."
                )
            earlier = self._vote(connection, pair.id)
            if earlier is not None and earlier.undone_at is None:
                return earlier, False
            if now > pair.expires_at:
                raise TokenError("This pair has expired, so nothing was counted. Take the next pair.")
            self._check_limits(connection, voter, now, limits)
            decide_s = now - pair.created_at
            whole = texts(pair) if texts else pair
            assert whole.id == pair.id, "a vote keeps the texts of its own pair"
            vote = Vote(whole, ballot, now, decide_s if decide_s >= 0 else None, network=network)
            if earlier is not None:
                row = vote_row(vote)
                connection.execute(schema.votes.update().where(schema.votes.c.id == row.pop("id")).values(row))
            # Two replicas with one token: the lock admits one at a time, and the key prevents a second vote in any
            # case.
            elif connection.execute(self.insert_new(schema.votes).values(vote_row(vote))).rowcount == 0:
                earlier = self._vote(connection, pair.id)
                assert earlier is not None
                return earlier, False
            self._keep_texts(connection, whole)
            marks = self._mark(connection, voter, marker)
        return dataclasses.replace(vote, marks=marks.get(pair.id, ())), True

    def reveal(self, token: str, voter: str, now: float) -> Vote:
        """Note that a voter sees the names, so that their vote can't be taken back any more; return it.

        Raises TokenError if they have no valid vote, without which names are
        not shown.
        """
        with self.database.write(lock=voter) as connection:
            pair = self._pair(connection, token, voter)
            vote = self._vote(connection, pair.id) if pair else None
            if pair is None or vote is None or vote.undone_at is not None:
                raise TokenError("There is no vote of yours on this pair, so its names stay hidden. Vote first.")
            pairs = schema.pairs
            reveal = pairs.update().where(pairs.c.id == pair.id, pairs.c.revealed_at.is_(None))
            connection.execute(reveal.values(revealed_at=now))
        return vote

    def undo(self, token: str, voter: str, now: float, within_s: float, marker: Marker) -> bool:
        """Take a vote back, and its texts with it; False if it is too late, or the names were revealed.

        Raises TokenError if there is no such vote.
        """
        with self.database.write(lock=voter) as connection:
            pair = self._pair(connection, token, voter)
            vote = self._vote(connection, pair.id) if pair else None
            if pair is None or vote is None:
                raise TokenError("There is no vote of yours on this pair, so there is nothing to take back.")
            if vote.undone_at is not None:
                return True
            revealed_at = sa.select(schema.pairs.c.revealed_at).where(schema.pairs.c.id == pair.id)
            if connection.execute(revealed_at).scalar() is not None or not 0 <= now - vote.voted_at <= within_s:
                return False
            columns: dict[str, Any] = {"undone_at": now}
            if vote.pair.kind == "live":
                columns |= hidden_columns(pair_row(vote.pair))
            connection.execute(schema.votes.update().where(schema.votes.c.id == vote.pair.id).values(columns))
            self._drop_texts(connection, vote.pair)
            self._mark(connection, voter, marker)
        self.database.forget()
        return True

    def _drop_texts(self, connection: sa.Connection, pair: Pair) -> None:
        """Delete the texts of a pair that no other vote needs."""
        self.lock_texts(connection, (pair.question_key, pair.left.key, pair.right.key))
        c = schema.votes.c
        valid = c.undone_at.is_(None)
        for table, keys, column in (
            (schema.questions, (pair.question_key,), (c.question_key,)),
            (schema.answers, (pair.left.key, pair.right.key), (c.left_answer_key, c.right_answer_key)),
        ):
            for key in keys:
                used = sa.exists().where(valid, sa.or_(*(one == key for one in column)))
                connection.execute(table.delete().where(table.c.key == key, ~used))

    def _vote(self, connection: sa.Connection, pair_id: str) -> Vote | None:
        row = connection.execute(sa.select(schema.votes).where(schema.votes.c.id == pair_id)).one_or_none()
        return as_vote(row._mapping) if row else None

    def _check_limits(self, connection: sa.Connection, voter: str, now: float, limits: Limits) -> None:
        for allowed, seconds, words in ((limits.per_minute, 60.0, "minute"), (limits.per_day, 86_400.0, "day")):
            # Votes from the future (the clock was set back) count no longer than others.
            recent = schema.votes.c.voted_at.between(now - seconds, now + seconds)
            given = connection.execute(
                sa.select(sa.func.count()).select_from(schema.votes).where(schema.votes.c.voter == voter, recent)
            ).scalar_one()
            if given >= allowed:
                raise LimitError(
                    f"You have voted {given:,} times within a {words}, which is the limit. "
                    f"This vote is not counted yet: wait {'a moment' if words == 'minute' else 'until tomorrow'} "
                    "and choose again."
                )

    def _mark(self, connection: sa.Connection, voter: str, marker: Marker) -> dict[str, tuple[str, ...]]:
        """Mark the voter's last votes again and keep what has changed; return the marks by vote."""
        latest = (
            sa.select(schema.votes)
            .where(schema.votes.c.voter == voter, schema.votes.c.undone_at.is_(None))
            .order_by(schema.votes.c.voted_at.desc(), schema.votes.c.id)
            .limit(MARKING_WINDOW)
        )
        rows = [as_vote(row._mapping) for row in connection.execute(latest)][::-1]
        # A mark due to older votes stays, though these are no longer considered.
        whole = len(rows) < MARKING_WINDOW
        result = {}
        for vote, marks in zip(rows, marker(rows), strict=True):
            marks = marks if whole else tuple(sorted({*vote.marks, *marks}))
            result[vote.pair.id] = marks
            if marks != vote.marks:
                self._set_marks(connection, vote.pair.id, marks)
        return result

    def _set_marks(self, connection: sa.Connection, vote_id: str, marks: tuple[str, ...]) -> None:
        connection.execute(schema.votes.update().where(schema.votes.c.id == vote_id).values(marks=",".join(marks)))

    def recheck(self, marker: Marker) -> tuple[int, int]:
        """Mark every vote again; return (votes looked at, votes whose marks have changed)."""
        with self.database.read() as connection:
            voters = connection.execute(sa.select(schema.votes.c.voter).distinct()).scalars().all()
        looked_at = changed = 0
        order = (schema.votes.c.voted_at, schema.votes.c.id.desc())
        for voter in voters:
            with self.database.write(lock=voter) as connection:
                of_voter = sa.select(schema.votes).where(schema.votes.c.voter == voter).order_by(*order)
                rows = [as_vote(row._mapping) for row in connection.execute(of_voter)]
                standing = [vote for vote in rows if vote.undone_at is None]
                for vote, marks in zip(standing, marker(standing), strict=True):
                    if marks != vote.marks:
                        changed += 1
                        self._set_marks(connection, vote.pair.id, marks)
                looked_at += len(rows)
        return looked_at, changed


def new_id() -> str:
    """Return an id for a new pair."""
    return uuid.uuid4().hex


def new_token() -> str:
    """Return a token for a new pair."""
    return secrets.token_urlsafe(24)
