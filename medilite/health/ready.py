"""Ready or not: what `/readyz` answers."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from medilite.arena.votes import Votes
from medilite.engine.protocol import Engine
from medilite.errors import MediLiteError, without_folders

if TYPE_CHECKING:
    from medilite.draining import Drain

FRESH_S = 1.0
"""Seconds for which a result of the store is reused by further probes."""

STORE_TIMEOUT_S = 2.0
"""Seconds that the store may take to answer; a slower probe is useless."""


class Readiness:
    """Reports what keeps the app from answering and counting votes; safe to use from several threads."""

    def __init__(self, engine: Engine, votes: Votes, drain: Drain) -> None:
        self._engine, self._votes, self._drain = engine, votes, drain
        self._lock = threading.Lock()
        self._asking = ThreadPoolExecutor(1, "medilite-ready")
        self._asked: Future[None] | None = None
        self._store: str | None = None
        self._store_at = float("-inf")

    def reasons(self) -> list[str]:
        """Return why the app is not ready, in sentences; empty if it is ready."""
        found = ["The app is being stopped."] if self._drain.begun else []
        progress = self._engine.progress()
        if not progress.ready:
            found.append(progress.error or f"The model is not loaded yet: {progress.message.rstrip('.')}.")
        if store := self._why_no_store():
            found.append(store)
        return [without_folders(reason) for reason in found]

    def close(self) -> None:
        """End the thread that asks the store."""
        self._asking.shutdown(wait=False, cancel_futures=True)

    def _why_no_store(self) -> str | None:
        with self._lock:
            if time.monotonic() - self._store_at >= FRESH_S:
                self._store = self._ask_store()
                self._store_at = time.monotonic()
            return self._store

    def _ask_store(self) -> str | None:
        # The store's own timeout is longer than a probe's; the next probe waits for a query that is still running.
        self._asked = self._asked or self._asking.submit(self._look)
        try:
            self._asked.result(STORE_TIMEOUT_S)
        except TimeoutError:
            return (
                f"The votes' database can't be used at the moment: it has not answered within {STORE_TIMEOUT_S:.0f} s."
            )
        except MediLiteError as error:
            self._asked = None
            return str(error)
        self._asked = None
        return None

    def _look(self) -> None:
        import sqlalchemy as sa

        with self._votes.store.database.read() as connection:
            connection.execute(sa.text("SELECT 1 FROM meta LIMIT 1"))
