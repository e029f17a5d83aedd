"""How far the votes' mirror is: kept in the store, so that any process can read it, the page or another replica."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medilite.arena.store import Store

_NAME = "mirror"


@dataclass(frozen=True, slots=True)
class MirrorState:
    """The last known state of the mirror; times are seconds since 1970 (UTC).

    `whole_at` is when the mirror last held everything that the store holds, None before the first time. `restored_at`
    is when its votes were taken into this store. `error` is a sentence about the last failure, None if there was none.
    `waiting` counts the votes whose last change it lacks now.
    """

    repo: str
    whole_at: float | None = None
    restored_at: float | None = None
    error: str | None = None
    waiting: int = 0

    def age_s(self, now: float) -> float | None:
        """Return how many seconds the mirror may be behind; None if it never held everything."""
        return None if self.whole_at is None else max(0.0, now - self.whole_at)


def read_state(store: Store) -> MirrorState | None:
    """Return how far the mirror of a store is, None if there never was one. Raises StoreError."""
    import sqlalchemy as sa

    from medilite.arena import schema
    from medilite.arena.mirror.journal import count_pending

    with store.database.read() as connection:
        kept = connection.execute(sa.select(schema.meta.c.value).where(schema.meta.c.name == _NAME)).scalar()
    if kept is None:
        return None
    known = {field.name for field in dataclasses.fields(MirrorState)}
    fields: dict[str, Any] = {name: value for name, value in json.loads(kept).items() if name in known}
    return MirrorState(**{**fields, "waiting": count_pending(store)})


def write_state(store: Store, state: MirrorState) -> None:
    """Store a state for other processes. Raises StoreError."""
    from medilite.arena import schema

    value = json.dumps({**dataclasses.asdict(state), "waiting": 0})
    with store.database.write(lock=_NAME) as connection:
        connection.execute(store.insert_new(schema.meta).values(name=_NAME, value=value))
        connection.execute(schema.meta.update().where(schema.meta.c.name == _NAME).values(value=value))
