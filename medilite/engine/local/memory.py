"""How many answers this machine has memory for."""

from __future__ import annotations

import ctypes
from contextlib import suppress

from medilite.engine.local.pages import page_bytes, pages_for
from medilite.engine.shape import LlamaShape
from medilite.machine import memory_bytes

SHARE = 1 / 8
"""Share of the memory that keys and values may take."""

USUAL_POSITIONS = 512
"""Positions reserved for a row on average; one may take more while others take fewer."""

LEAST, MOST = 6, 48
"""Six models of one visitor fit in any case; beyond 48 rows throughput stops rising."""


def usual_slots(shape: LlamaShape, memory: int | None = None) -> int:
    """Return how many rows may run at once in `memory` bytes (default: this machine's)."""
    have = memory_bytes() if memory is None else memory
    row = page_bytes(shape) * pages_for(min(USUAL_POSITIONS, shape.context))
    return max(LEAST, min(MOST, int(have * SHARE) // row))


def give_back() -> None:
    """Return freed memory to the system, if the C library is glibc, which otherwise keeps it for later."""
    with suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
