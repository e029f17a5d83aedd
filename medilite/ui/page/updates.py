"""How often pages are updated while answers are written: often for one visitor, less if many share the machine."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

UPDATES_PER_S = 8.0
"""How often one visitor's page is updated."""

UPDATES_IN_ALL = 24.0
"""Updates a second of all pages together, because each takes time of a core that the engine needs too."""

STILL_WAITING_S = 1.0
"""How often a page is updated while the number of visitors ahead stays the same."""


class Updates:
    """Decides when each of many streams updates its page; shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.streams = 0

    @contextmanager
    def taken(self) -> Iterator[StreamUpdates]:
        """Count one more stream for the length of a `with`."""
        with self._lock:
            self.streams += 1
        try:
            yield StreamUpdates(self)
        finally:
            with self._lock:
                self.streams -= 1


class StreamUpdates:
    """Decides when one stream updates its page."""

    def __init__(self, among: Updates) -> None:
        self._among = among
        self._told_at = -math.inf
        self._ahead = -1

    def is_due(self, ahead: int) -> bool:
        """Return whether to update now, with `ahead` visitors ahead (0: being written); True counts as an update."""
        every_s = max(1 / UPDATES_PER_S, self._among.streams / UPDATES_IN_ALL)
        if ahead and ahead == self._ahead:
            every_s = max(every_s, STILL_WAITING_S)
        now = time.monotonic()
        if now - self._told_at < every_s and bool(ahead) == bool(self._ahead):
            return False
        self._told_at, self._ahead = now, ahead
        return True
