"""Ready or not: what `/readyz` answers."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from medilite.engine.protocol import Engine
from medilite.errors import MediLiteError
from medilite.settings import Settings

if TYPE_CHECKING:
    from medilite.arena.database import Database
    from medilite.draining import Drain

FRESH_S = 1.0
"""How long a result of the store is good: probes that come together share one."""

STORE_TIMEOUT_S = 2.0
"""How long the store may take to answer; a probe that takes longer is worth nothing."""


class Readiness:
    """Tells what keeps the app from answering and counting votes; safe to use from several threads."""

    def __init__(self, engine: Engine, settings: Settings, drain: Drain) -> None:
        self._engine, self._settings, self._drain = engine, settings, drain
        self._lock = threading.Lock()
        self._database: Database | None = None
        self._store: str | None = None
        self._store_at = float("-inf")

    def reasons(self) -> list[str]:
        """Return why the app is not ready, in sentences; nothing where it is."""
        found = ["The app is being stopped."] if self._drain.begun else []
        progress = self._engine.progress()
        if not progress.ready:
            found.append(progress.error or f"The model is not loaded yet: {progress.message.rstrip('.')}.")
        if store := self._why_no_store():
            found.append(store)
        return found

    def close(self) -> None:
        """Give the store's connection back."""
        with self._lock:
            if self._database is not None:
                self._database.close()

    def _why_no_store(self) -> str | None:
        with self._lock:
            if time.monotonic() - self._store_at >= FRESH_S:
                self._store = self._ask_store()
                self._store_at = time.monotonic()
            return self._store

    def _ask_store(self) -> str | None:
        import sqlalchemy as sa

        from medilite.arena.database import Database

        try:
            self._database = self._database or Database(self._settings.votes_database, STORE_TIMEOUT_S)
            with self._database.read() as connection:
                connection.execute(sa.text("SELECT 1 FROM meta LIMIT 1"))
        except MediLiteError as error:
            return str(error)
        return None
