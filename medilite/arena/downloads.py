"""Votes as files to download, made when they are asked for."""

from __future__ import annotations

import secrets
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medilite.arena.bank import private_names
from medilite.arena.export import public_records, write_records
from medilite.arena.results import REFRESH_S, SETTLED_S
from medilite.arena.votes import Votes
from medilite.errors import DataError, MediLiteError

if TYPE_CHECKING:
    from medilite.arena.store import Store

FAILED_S = 5.0
"""Seconds for which a failure is repeated to further requests."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A file, what it was made from, and when."""

    path: Path
    version: tuple[Any, ...]
    at: float


class Downloads:
    """Makes the files on request, once for all requests until the votes change.

    `data_dir` is the folder of this deployment's own answers. The files name no question of a private
    bank whose pairs may still be shown, here or on another replica.
    """

    def __init__(self, votes: Votes, data_dir: Path, refresh_s: float = REFRESH_S) -> None:
        self._votes, self._data_dir = votes, data_dir
        self._refresh_s = refresh_s
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._made: dict[str, _Made] = {}
        self._failed: tuple[float, MediLiteError] | None = None

    def path(self, suffix: str) -> Path | None:
        """Return the file of a format, None if nobody has voted. Raises StoreError and DataError.

        A failure is raised for all who wait and who ask in the next FAILED_S seconds: trying one after another would
        block every thread that serves files.
        """
        with self._lock:
            if self._failed and time.monotonic() - self._failed[0] < FAILED_S:
                raise self._failed[1]
            self._failed = None
            try:
                return self._path(suffix)
            except MediLiteError as error:
                self._failed = time.monotonic(), error
                raise

    def _path(self, suffix: str) -> Path | None:
        made = self._made.get(suffix)
        if made and time.monotonic() - made.at < self._refresh_s:
            return made.path
        store = self._votes.store
        if not store.database.is_there:
            return None
        before = time.time() - SETTLED_S
        version = store.version(before)
        if made and made.version == version:
            return made.path
        if not version[0]:
            return None
        fresh = self._write(store, suffix, before)
        self._made[suffix] = _Made(fresh, version, time.monotonic())
        if made:
            made.path.unlink(missing_ok=True)
        return fresh

    def _write(self, store: Store, suffix: str, before: float) -> Path:
        """Write a file under a new name each time, so that readers of the last one can finish."""
        try:
            self._folder = self._folder or tempfile.TemporaryDirectory(prefix="medilite-votes-")
            fresh = Path(self._folder.name) / f"{secrets.token_hex(8)}{suffix}"
            in_use = private_names(self._data_dir) | store.private_banks()
            write_records(public_records(store.votes(before=before), in_use), fresh)
        except (OSError, DataError) as error:
            cause = error.__cause__ if isinstance(error, DataError) else error
            if not isinstance(cause, OSError):
                raise
            # Without the path, which visitors must not see.
            raise DataError(f"A file of the votes can't be made here: {cause.strerror}. Try again later.") from error
        return fresh
