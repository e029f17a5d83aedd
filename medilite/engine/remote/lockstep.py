"""Rows that are written apart and shown together: a step is taken when every living row has its next token.

So all panes advance on one clock whichever server or adapter is fastest, and speed doesn't reveal the model. How long a
row may delay the others is bounded by `row.Limits`: a row that is late ends.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Iterator, Sequence

from medilite.records import RowStep, Step

POLL_S = 0.25
"""Seconds after which a step without new text is yielded, at which the caller can close the iterator."""


class Lockstep:
    """The rows of one call, from their beginnings to their ends. Any thread may add steps, one reads."""

    def __init__(self, beginnings: Sequence[RowStep]) -> None:
        self._rows = list(beginnings)
        self._ahead: list[deque[RowStep]] = [deque() for _ in beginnings]
        self._arrived: queue.SimpleQueue[tuple[int, RowStep] | BaseException] = queue.SimpleQueue()

    def add(self, row: int, step: RowStep) -> None:
        """Add a row's next step."""
        self._arrived.put((row, step))

    def break_off(self, error: BaseException) -> None:
        """Make the reader raise an error."""
        self._arrived.put(error)

    def steps(self, poll_s: float = POLL_S) -> Iterator[Step]:
        """Yield steps until every row has stopped; raises what `break_off` was given."""
        if not self._living():
            yield Step(tuple(self._rows))
        due = time.monotonic() + poll_s
        while self._living():
            try:
                arrived = self._arrived.get(timeout=max(due - time.monotonic(), 0))
                if isinstance(arrived, BaseException):
                    raise arrived
                self._ahead[arrived[0]].append(arrived[1])
            except queue.Empty:
                pass
            while (living := self._living()) and all(self._ahead[row] for row in living):
                self._rows = [
                    self._ahead[i].popleft() if i in living else _silent(row) for i, row in enumerate(self._rows)
                ]
                yield Step(tuple(self._rows))
                due = time.monotonic() + poll_s
            # Others may be streaming, so that the queue is never empty, while the rows wait for one that is late.
            if time.monotonic() >= due and self._living():
                self._rows = [_silent(row) for row in self._rows]
                yield Step(tuple(self._rows))
                due = time.monotonic() + poll_s

    def _living(self) -> list[int]:
        return [i for i, row in enumerate(self._rows) if row.stopped is None]


def _silent(row: RowStep) -> RowStep:
    return RowStep("", row.tokens, row.stopped, row.error)
