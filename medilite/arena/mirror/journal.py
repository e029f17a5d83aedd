"""Read from the store what the mirror lacks, and merge the mirror's lines into the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa

from medilite.arena import schema
from medilite.arena.hiding import hidden_columns
from medilite.arena.mirror.lines import ANSWER, COLUMNS, QUESTION, Change, Text
from medilite.arena.records import OWN_QUESTION
from medilite.arena.store import Store

BATCH = 500
"""How many changes are read or merged at once."""

_TABLES = {"vote": schema.votes, "same": schema.sames}
_LOCK = "mirror"


@dataclass(frozen=True, slots=True)
class Lack:
    """A change that the mirror lacks, and the texts that belong to it."""

    change: Change
    texts: tuple[Text, ...] = ()


def count_pending(store: Store) -> int:
    """Return how many votes and sames have changed since the mirror had them. Raises StoreError."""
    c = schema.changed.c
    with store.database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).where(c.pending)).scalar_one())


def pending(store: Store, *, forgets: bool, limit: int = BATCH, young: tuple[float, float] | None = None) -> list[Lack]:
    """Return what the mirror lacks, `limit` changes at most. Raises StoreError.

    With `forgets`, visitors' own questions are to be deleted some day. The mirror can't delete, so those are sent
    without texts, as they will be stored then. Votes given between these two times (`young`, seconds since 1970) wait:
    they may still be taken back, and their texts with them.
    """
    c = schema.changed.c
    wanted = sa.select(c.what, c.id, c.revision).where(c.pending).order_by(c.what, c.id).limit(limit)
    if young is not None:
        votes = schema.votes.c
        given = sa.select(votes.id).where(votes.voted_at.between(*young), votes.undone_at.is_(None))
        wanted = wanted.where(~sa.and_(c.what == "vote", c.id.in_(given)))
    with store.database.read() as connection:
        noted = connection.execute(wanted).all()
        rows = {
            what: {row["id"]: row for row in _rows(connection, what, [id for kind, id, _ in noted if kind == what])}
            for what in _TABLES
        }
    return [_lack(what, id, revision, rows[what].get(id), forgets) for what, id, revision in noted]


def settle(store: Store, changes: Iterable[Change]) -> None:
    """Note that the mirror has these; what has changed again meanwhile stays pending. Raises StoreError."""
    c = schema.changed.c
    for some in _in_batches(changes):
        revisions = {(change.what, change.id): change.revision for change in some}
        which = sa.tuple_(c.what, c.id).in_(list(revisions))
        with store.database.write(lock=_LOCK) as connection:
            # Rows being written now are left for the next time: waiting for them, while they wait for us, is a
            # deadlock.
            found = connection.execute(
                sa.select(c.what, c.id, c.revision).where(which).with_for_update(skip_locked=True)
            ).all()
            done = [(what, id) for what, id, revision in found if revision == revisions[what, id]]
            if done:
                connection.execute(
                    schema.changed.update().where(sa.tuple_(c.what, c.id).in_(done)).values(pending=False)
                )


def absorb(store: Store, lines: Callable[[], Iterable[Change | Text]]) -> int:
    """Merge the mirror's lines into the store and return how many votes and sames changed. Raises StoreError.

    `lines` is called twice: for the changes, then for the texts that the store's votes need. The order of lines does
    not matter, and merging them again changes nothing.
    """
    count = 0
    for some in _in_batches(line for line in lines() if isinstance(line, Change)):
        best: dict[tuple[str, str], Change] = {}
        for change in some:
            known = best.get((change.what, change.id))
            if known is None or change.rank > known.rank:
                best[change.what, change.id] = change
        with store.database.write(lock=_LOCK) as connection:
            count += sum([_take(connection, what, best) for what in _TABLES])
    for texts in _in_batches(line for line in lines() if isinstance(line, Text)):
        with store.database.write(lock=_LOCK) as connection:
            _take_texts(connection, store, texts)
    return count


# --- out of the store ----------------------------------------------------------------------


def _rows(connection: sa.Connection, what: str, ids: Sequence[str]) -> Sequence[Mapping[Any, Any]]:
    if what == "same":
        return connection.execute(sa.select(schema.sames).where(schema.sames.c.id.in_(ids))).mappings().all()
    return connection.execute(schema.votes_with_texts().where(schema.votes.c.id.in_(ids))).mappings().all()


def _lack(what: Any, id: str, revision: int, found: Mapping[Any, Any] | None, forgets: bool) -> Lack:
    if found is None:
        return Lack(Change(what, id, revision, None))
    row = {name: found[name] for name in COLUMNS[what]}
    if what == "same":
        return Lack(Change(what, id, revision, row))
    texts = {
        "question_key": found["question"], "left_answer_key": found["left_text"],
        "right_answer_key": found["right_text"],
    }  # fmt: skip
    if forgets and row["question_id"] == OWN_QUESTION:
        return Lack(Change("vote", id, revision, {**row, **hidden_columns(row)}))
    kept = tuple(
        Text(QUESTION, row[key], text, row["question_id"]) if key == "question_key" else Text(ANSWER, row[key], text)
        for key, text in texts.items()
        if text is not None
    )
    return Lack(Change("vote", id, revision, row), kept)


# --- into the store ------------------------------------------------------------------------


def _take(connection: sa.Connection, what: str, best: Mapping[tuple[str, str], Change]) -> int:
    """Merge the changes of one kind, one a vote; return how many of them changed anything."""
    table, c = _TABLES[what], schema.changed.c
    changes = {id: change for (kind, id), change in best.items() if kind == what}
    if not changes:
        return 0
    here_too = sa.select(c.id, c.revision, c.pending).where(c.what == what, c.id.in_(list(changes)))
    noted = connection.execute(here_too).all()
    known = {id: revision for id, revision, _ in noted}
    waits = {id for id, _, waiting in noted if waiting}
    undone = table.c.undone_at if what == "vote" else sa.null()
    here = {
        id: at is not None
        for id, at in connection.execute(sa.select(table.c.id, undone).where(table.c.id.in_(list(changes)))).all()
    }
    fresh, settled, count = [], [], 0
    for id, change in changes.items():
        if id not in known:
            count += change.row is not None
            if change.row is not None:
                fresh.append(dict(change.row))
        elif id not in here:
            # Deleted here, so it stays deleted, even if other lines of the mirror have it.
            if change.row is not None:
                continue
        elif change.row is None:
            connection.execute(table.delete().where(table.c.id == id))
            count += 1
        elif change.rank > (False, known[id], here[id]):
            connection.execute(table.update().where(table.c.id == id).values(dict(change.row)))
            count += 1
        elif change.rank < (False, known[id], here[id]) or id not in waits:
            continue
        settled.append({"what": what, "id": id, "revision": max(change.revision, known.get(id, 0)), "pending": False})
    if fresh:
        connection.execute(table.insert(), fresh)
    # Overwrites what the triggers noted just now: the mirror has these.
    if settled:
        ids = [line["id"] for line in settled]
        connection.execute(schema.changed.delete().where(c.what == what, c.id.in_(ids)))
        connection.execute(schema.changed.insert(), settled)
    return count


def _take_texts(connection: sa.Connection, store: Store, texts: Sequence[Text]) -> None:
    """Keep those texts that belong to a vote which was not taken back."""
    store.lock_texts(connection, {text.key for text in texts})
    votes = schema.votes.c
    kept = votes.undone_at.is_(None)
    uses = {
        QUESTION: (schema.questions, (votes.question_key,)),
        ANSWER: (schema.answers, (votes.left_answer_key, votes.right_answer_key)),
    }
    for what, (table, columns) in uses.items():
        rows = {text.key: text for text in texts if text.what == what}
        if not rows:
            continue
        used = {
            key for column in columns
            for key in connection.execute(sa.select(column).where(column.in_(list(rows)), kept).distinct()).scalars()
        }  # fmt: skip
        for key in used:
            text = rows[key]
            row = {"key": key, "text": text.text} | ({"id": text.id} if what == QUESTION else {})
            connection.execute(store.insert_new(table).values(row))


def _in_batches(things: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(things)
    while some := list(islice(remaining, BATCH)):
        yield some
