"""What happened, counted: how long everything took, what was turned away and why, which votes were acknowledged."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class QueueFullError(Exception):
    """The app replied that too many visitors are asking, which is allowed under load."""


class WentWrongError(Exception):
    """The app said or did anything else than it should."""


@dataclass(frozen=True, slots=True)
class CastVote:
    """A vote that the app has acknowledged: the voter's id as the browser keeps it, the pair's token, the choice."""

    voter: str
    token: str
    choice: str


@dataclass
class Tally:
    """All visitors together. Latencies in seconds, by what was done."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    done: Counter[str] = field(default_factory=Counter)
    full: Counter[str] = field(default_factory=Counter)
    full_said: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    nothing: Counter[str] = field(default_factory=Counter)
    waited: list[int] = field(default_factory=list)
    votes: list[CastVote] = field(default_factory=list)
    resent: int = 0
    answers: int = 0
    messages: int = 0
    received_bytes: int = 0

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Time a `with` that ends well."""
        began = time.perf_counter()
        yield
        self.seconds[what].append(time.perf_counter() - began)

    def fail(self, action: str, error: BaseException) -> None:
        """Count an action that went wrong, with what it was."""
        self.failed[action] += 1
        words = str(error) or "no message"
        self.errors[f"{action}: {type(error).__name__.removesuffix('Error')}: {words}"[:500]] += 1
