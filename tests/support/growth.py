"""Whether the time that a text takes grows with its length alone."""

from __future__ import annotations

import time
from collections.abc import Callable


def is_linear(read: Callable[[str], object], piece: str, most: int = 20_000) -> bool:
    """Return whether reading twenty times the text takes less than a hundred times as long, by processor time.

    The longer text is `piece`, `most` times.

    A quadratic way would take 400 times as long, each time. A collection of garbage, in a process that has run many
    tests, takes a second once: so it is asked up to three times.
    """

    def took(count: int) -> float:
        begun = time.process_time()
        read(piece * count)
        return time.process_time() - begun

    took(100)
    return any(took(most) < 100 * max(took(most // 20), 1e-3) for _ in range(3))
