"""The votes of this process: one store, opened on first use and shared by all parts of the app."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medilite.arena.store import Store


class Votes:
    """A store that is opened on first use; safe to use from several threads.

    `target` is the database's path or URL, `timeout_s` as in `Database`. SQLAlchemy
    is imported, and the database opened, when `store` is first asked for.
    """

    def __init__(self, target: str | Path, timeout_s: float = 10.0) -> None:
        self._target, self._timeout_s = target, timeout_s
        self._lock = threading.Lock()
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """The store, opened when it is first asked for. Raises SettingsError for a URL that can't be one."""
        with self._lock:
            if self._store is None:
                from medilite.arena.store import Store

                self._store = Store(self._target, self._timeout_s)
            return self._store

    def close(self) -> None:
        """Close the database's connections; the next use of the store opens new ones."""
        with self._lock:
            if self._store is not None:
                self._store.database.close()
