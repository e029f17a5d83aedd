"""Several threads on one step, phase by phase.

A free thread takes the next item of the phase; a phase ends when all its items are done. A thread that the system has
suspended delays the others only if it has taken an item, which matters on two cores that other processes use too.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from medilite.engine.native.code_cache import lean
from medilite.engine.native.courtesy import give_way
from medilite.engine.native.intrinsics import add_shared, breathe, read_shared

log = logging.getLogger(__name__)

_LINE = 16
"""Distance of two counters in int64 numbers, so that they don't share a cache line."""

_GENERATION, _INSIDE, _SEATS = 0, 1, 2
_PHASES = 3
"""Counters before those of the phases, which have two each: items that are taken, and items that are done."""


@lean()
def _counter(counters: np.ndarray, number: int) -> int:
    return counters.ctypes.data + 8 * _LINE * number


@lean()
def enter(counters: np.ndarray, generation: int) -> int:
    """Join the step of that generation and return this thread's number in it, from 0; −1 if the step is over."""
    add_shared(_counter(counters, _INSIDE), 1)
    if read_shared(_counter(counters, _GENERATION)) == generation:
        return add_shared(_counter(counters, _SEATS), 1)
    leave(counters)
    return -1


@lean()
def leave(counters: np.ndarray) -> None:
    """Note that this thread no longer uses the counters."""
    add_shared(_counter(counters, _INSIDE), -1)


@lean()
def take(counters: np.ndarray, phase: int, items: int, seat: int) -> int:
    """Return an item of a phase that no thread has taken, or −1 if all are taken.

    Threads with an even seat take from the first item up, the others from the
    last one down: so each of two reads its weights sequentially, which memory
    does fastest.
    """
    taken = _counter(counters, _PHASES + 2 * phase)
    if add_shared(taken, 1) >= items:
        return -1
    if seat % 2 == 0:
        return add_shared(taken + 8, 1)
    return items - 1 - add_shared(taken + 16, 1)


@lean()
def done(counters: np.ndarray, phase: int) -> None:
    """Count one item as done."""
    add_shared(_counter(counters, _PHASES + 1 + 2 * phase), 1)


@lean()
def wait(counters: np.ndarray, phase: int, items: int) -> None:
    """Wait until all items of a phase are done."""
    while read_shared(_counter(counters, _PHASES + 1 + 2 * phase)) < items:
        breathe()


@lean()
def _begin(counters: np.ndarray, generation: int) -> None:
    """Close the last step, wait for threads still in it, open the next."""
    add_shared(_counter(counters, _GENERATION), -read_shared(_counter(counters, _GENERATION)))
    while read_shared(_counter(counters, _INSIDE)) > 0:
        breathe()
    counters[2 * _LINE :] = 0
    add_shared(_counter(counters, _GENERATION), generation)


class Team:
    """`threads` threads, the caller's among them; the others sleep between steps and end with the process."""

    def __init__(self, threads: int, phases: int) -> None:
        self._counters = np.zeros((_PHASES + 2 * phases) * _LINE, np.int64)
        self._generation = 0
        self._work: list[queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None]] = []
        for number in range(1, threads):
            work: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None] = queue.SimpleQueue()
            self._work.append(work)
            threading.Thread(target=_help, args=[work], name=f"medilite-team-{number}", daemon=True).start()

    def run(self, step: Callable[..., None], *arguments: Any) -> None:
        """Have all threads run `step(*arguments, counters, generation)` and return when its phases are done."""
        self._generation += 1
        _begin(self._counters, self._generation)
        whole = (*arguments, self._counters, self._generation)
        for work in self._work:
            work.put((step, whole))
        step(*whole)

    def close(self) -> None:
        """End the other threads."""
        for work in self._work:
            work.put(None)


def _help(work: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None]) -> None:
    give_way()
    while (found := work.get()) is not None:
        step, arguments = found
        try:
            step(*arguments)
        except Exception:  # out of memory, for instance: the others do this step, and this thread joins the next
            log.exception("A thread of the engine could not take part in a step.")
        del found, arguments
