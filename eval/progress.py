"""Progress of a generation run: tokens a second, answers left, the expected end."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable
from typing import Any


class Pace:
    """Counts answers and tokens; safe to use from several threads.

    `generated` counts tokens as they come, `count` whole answers with their tokens.
    """

    def __init__(self, wanted: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._wanted, self._clock = wanted, clock
        self._lock = threading.Lock()
        self._began = clock()
        self._started = datetime.datetime.now(datetime.UTC)
        self.answers = self.tokens = self.live_tokens = 0

    def generated(self, tokens: int) -> None:
        """Count tokens of answers that are still being written."""
        with self._lock:
            self.live_tokens += tokens

    def count(self, answers: int, tokens: int) -> None:
        """Count answers that are done (or failed)."""
        with self._lock:
            self.answers += answers
            self.tokens += tokens

    @property
    def duration_s(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._began

    def line(self) -> str:
        """Return the progress: answers, tokens a second, and the expected end, once known."""
        seconds = self.duration_s
        line = f"{self.answers:,} of {self._wanted:,} answers · {self.live_tokens / max(seconds, 1e-9):,.0f} tokens/s"
        if not self.answers:
            return line
        left = seconds / self.answers * (self._wanted - self.answers)
        end = datetime.datetime.now() + datetime.timedelta(seconds=left)
        return f"{line} · {_span(left)} left, ends about {end:%H:%M}"

    def summary(self) -> str:
        """Return the totals."""
        seconds = max(self.duration_s, 1e-9)
        return (
            f"{self.answers:,} answers, {self.tokens:,} tokens in {_span(seconds)}: "
            f"{self.tokens / seconds:,.0f} tokens/s, {self.answers / seconds:.2f} answers/s"
        )

    def as_record(self) -> dict[str, Any]:
        """Return the counts for the run's record."""
        return {
            "started": f"{self._started:%Y-%m-%dT%H:%M:%SZ}",
            "duration_s": round(self.duration_s, 1),
            "answers": self.answers,
            "tokens": self.tokens,
        }


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
