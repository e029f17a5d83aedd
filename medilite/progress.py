"""Progress of getting weights or loading the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """The progress of loading: a sentence for people and, if known, a share from 0 to 1."""

    message: str
    share: float | None = None
    ready: bool = False
    error: str | None = None


ProgressCallback = Callable[[LoadProgress], None]
