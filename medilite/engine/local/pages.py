"""Pages of keys and values: one pool for all rows, and how many hold each page.

A page holds PAGE positions of one row, in all layers. Rows of one visitor may share a page where their tokens begin
with the same prefix; it is free when the last of them gives it back. Nothing is written to a shared page: a row writes
to pages of its own.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from medilite.engine.native.arrays import PAGE, Pages, new_array
from medilite.engine.shape import LlamaShape


def pages_for(positions: int) -> int:
    """Return how many pages hold that many positions."""
    return -(-positions // PAGE)


def page_bytes(shape: LlamaShape) -> int:
    """Return the size of one page: keys and values of all layers in float16."""
    return 2 * 2 * shape.layers * shape.kv_heads * shape.head_dim * PAGE


class PagePool:
    """The pages of all caches; it grows as they are asked for.

    `reserve` sets pages aside at once. The system gives memory to what is first written, and the lowest free pages go
    first, so pages that were never needed cost nothing. A page is written whole when it is taken: otherwise memory
    would keep growing for minutes after all pages are in use, as rows reach the ends of their pages.
    """

    def __init__(self, shape: LlamaShape) -> None:
        self._shape = shape
        self._free: list[int] = []
        self._holders: list[int] = []
        self._written = 0
        self.pages = self._empty(0)

    def _empty(self, count: int) -> Pages:
        shape = self._shape
        size = (count, shape.layers, shape.kv_heads)
        return Pages(
            new_array((*size, shape.head_dim, PAGE), np.uint16), new_array((*size, PAGE, shape.head_dim), np.uint16)
        )

    @property
    def size(self) -> int:
        """How many pages there are, free or not."""
        return len(self._holders)

    @property
    def free(self) -> int:
        """How many pages are free."""
        return len(self._free)

    def reserve(self, count: int) -> None:
        """Grow to at least `count` pages."""
        there = self.size
        if count <= there:
            return
        grown = self._empty(count)
        if there:
            grown.keys[:there], grown.values[:there] = self.pages
        self.pages = grown
        self._holders += [0] * (count - there)
        for page in range(there, count):
            heapq.heappush(self._free, page)

    def take(self, count: int) -> list[int]:
        """Return the numbers of `count` pages, the lowest free ones, growing the pool if there are too few."""
        if (missing := count - self.free) > 0:
            self.reserve(self.size + max(missing, self.size // 2))
        taken = [heapq.heappop(self._free) for _ in range(count)]
        for page in taken:
            self._holders[page] = 1
        end = taken[-1] + 1 if taken else 0
        for part in self.pages:
            part[self._written : end] = 0
        self._written = max(self._written, end)
        return taken

    def share(self, pages: Sequence[int]) -> None:
        """Hold pages that are held already."""
        for page in pages:
            self._holders[page] += 1

    def give_back(self, pages: Sequence[int]) -> None:
        """Release pages."""
        for page in pages:
            self._holders[page] -= 1
            if not self._holders[page]:
                heapq.heappush(self._free, page)

    def copy(self, source: int, to: int) -> None:
        """Copy page `source` to page `to`."""
        for part in self.pages:
            part[to] = part[source]


class PagedCache:
    """The pages of a batch's rows: `tables` (rows, pages of a row) int32."""

    def __init__(self, pool: PagePool, rows: int, positions: int) -> None:
        self._pool = pool
        each = pages_for(positions)
        self.tables = np.array(pool.take(rows * each), np.int32).reshape(rows, each)

    def keep(self, rows: list[int]) -> None:
        """Drop all rows but these and release the pages of the others."""
        gone = np.delete(self.tables, rows, axis=0)
        self.tables = np.ascontiguousarray(self.tables[rows])
        self._pool.give_back(gone.ravel().tolist())

    def close(self) -> None:
        """Give all pages back."""
        self.keep([])

    def __del__(self) -> None:
        self.close()
