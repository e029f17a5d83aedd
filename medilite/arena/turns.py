"""Turns: threads enter one after another, in the order of their arrival.

SQLite admits one writer at a time, and a writer that finds it busy retries at growing intervals; among many some are
lucky again and again, and one may time out. Writers of one process queue here instead.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """One place, and a queue of threads for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: deque[threading.Event] = deque()
        self._taken = False

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._line)

    @contextmanager
    def turn(self, timeout_s: float) -> Iterator[None]:
        """Hold the place for the length of a `with`; raises TimeoutError when it isn't free within `timeout_s`."""
        with self._lock:
            mine = threading.Event()
            if self._taken:
                self._line.append(mine)
            else:
                self._taken = True
                mine.set()
        try:
            if not mine.wait(timeout_s):
                raise TimeoutError(f"no turn came within {timeout_s:g} s")
            yield
        finally:
            with self._lock:
                if not mine.is_set():
                    self._line.remove(mine)
                elif self._line:
                    self._line.popleft().set()
                else:
                    self._taken = False
