"""Load once for all callers: the first caller loads, the others wait, and any thread may read the progress."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from medilite.errors import EngineError, MediLiteError
from medilite.progress import LoadProgress, ProgressCallback

log = logging.getLogger(__name__)

T = TypeVar("T")


class LoadOnce(Generic[T]):
    """What an engine has loaded, if anything; `idle` is its status before loading, `failed` after a failure."""

    def __init__(self, load: Callable[[ProgressCallback], T], idle: str, failed: str) -> None:
        self._load = load
        self._idle = LoadProgress(idle)
        self._failed = failed
        self._lock = threading.Lock()
        self._loaded: T | None = None
        self.progress = self._idle

    @property
    def loaded(self) -> T | None:
        """What is loaded, None before; never blocks."""
        return self._loaded

    def get(self, on_progress: ProgressCallback | None = None) -> T:
        """Return what is loaded, loading it first if need be.

        Raises what loading raises where that is a MediLiteError, else EngineError.
        """
        if self._loaded is not None:
            return self._loaded

        def report(progress: LoadProgress) -> None:
            self.progress = progress
            if on_progress:
                on_progress(progress)

        with self._lock:
            if self._loaded is None:
                try:
                    self._loaded = self._load(report)
                except MediLiteError as error:
                    report(LoadProgress(self._failed, error=str(error)))
                    raise
                except Exception as error:
                    log.exception("loading failed")
                    text = f"{self._failed} ({type(error).__name__}: {error})."
                    report(LoadProgress(self._failed, error=text))
                    raise EngineError(text) from error
                report(LoadProgress("Ready", 1.0, ready=True))
            return self._loaded

    def let_go(self) -> T | None:
        """Forget what is loaded and return it, so that the caller can close it; None if nothing is loaded."""
        with self._lock:
            loaded, self._loaded = self._loaded, None
            self.progress = self._idle
        return loaded
