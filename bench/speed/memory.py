"""How fast this machine's memory is read: the limit for a step of one row, which reads all weights."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from medilite.engine.native.arrays import new_array
from medilite.engine.native.code_cache import compiled
from medilite.engine.native.intrinsics import total

SIZE = 1 << 28
"""Bytes that are read: far more than a processor's cache holds."""


@compiled(nogil=True, error_model="numpy")
def _read(values: np.ndarray) -> float:
    return total(values.ctypes.data, len(values))


class Memory:
    """Reads an array of its own from end to end, on several threads, in the pages that weights are in."""

    def __init__(self, threads: int) -> None:
        values = new_array((SIZE // 4,), np.float32)
        values[:] = 1  # memory is given as it is written
        self._parts = np.split(values[: len(values) // (64 * threads) * 64 * threads], threads)
        self._pool = ThreadPoolExecutor(threads)
        self.bytes_per_s(1)

    def bytes_per_s(self, times: int = 5) -> float:
        """Return the bytes read a second, by the quickest of some times."""
        best = float("inf")
        for _ in range(times):
            start = time.perf_counter()
            list(self._pool.map(_read, self._parts))
            best = min(best, time.perf_counter() - start)
        return sum(part.nbytes for part in self._parts) / best
