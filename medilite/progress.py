"""How far something that takes a while has come: getting weights, loading the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How far loading has come: a sentence for people and, where known, a share from 0 to 1."""

    message: str
    share: float | None = None
    ready: bool = False
    error: str | None = None


ProgressCallback = Callable[[LoadProgress], None]
