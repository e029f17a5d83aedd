"""One thread that computes, and the queue of visitors before it.

Generation runs apart from its consumers: a browser that stalls can't block the model, and one that leaves frees its
rows within one step. Calls leave and join the batch between steps; `Runner` is the batch.
"""

from __future__ import annotations

import logging
import queue
import threading
import traceback
from collections.abc import Hashable, Iterator
from typing import Protocol

from medilite.engine.local.calls import Call, fair_order, has_room_for, visitors_ahead
from medilite.engine.native.courtesy import give_way
from medilite.engine.protocol import Occupancy
from medilite.errors import EngineError, MediLiteError
from medilite.records import RowStep, Step

log = logging.getLogger(__name__)

_POLL_S = 0.25
"""How often a waiting visitor is shown their place in the queue."""

_TIDY_S = 60.0
"""How often an idle engine drops prefixes that have been kept for long."""


class Runner(Protocol):
    """The rows of the calls that are being answered; used by one thread."""

    def join(self, call: Call) -> bool:
        """Take a call in and return True, or False if there is no room for it now."""

    def step(self) -> list[tuple[Call, tuple[RowStep, ...]]]:
        """Advance one step. Returns every running call, even without new text, so that callers can cancel."""

    def drop(self, call: Call) -> None:
        """Forget a call's rows, ended or not; no effect on an unknown call."""

    def tidy(self) -> None:
        """Drop prefixes that have been kept for long."""

    def occupied(self) -> tuple[int, int | None]:
        """Return how many rows are being written, and how many can be at once (None: no limit).

        Called from other threads.
        """


class Scheduler:
    """Runs calls, several at once where its runner can; the thread starts with the first call."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._changed = threading.Condition()
        self._waiting: list[Call] = []
        self._running: list[Call] = []
        self._turns: dict[Hashable, int] = {}  # visitor -> number of their last turn
        self._thread: threading.Thread | None = None
        self._closed = False

    def stream(self, call: Call) -> Iterator[Step]:
        """Yield the call's steps and, while it waits, the number of visitors ahead.

        Closing the iterator removes the call before the next step. Raises EngineError if the engine fails or is closed.
        """
        nothing = tuple(call.beginnings())
        with self._changed:
            if self._closed:
                raise _closed()
            self._waiting.append(call)
            if not self._is_at_work():
                self._thread = threading.Thread(target=self._work, name="medilite-engine", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            while True:
                try:
                    step = call.steps.get(timeout=_POLL_S)
                except queue.Empty:
                    if not self._is_at_work() and call.steps.empty():
                        # The thread is gone; the next call starts another.
                        raise EngineError("Generation failed. Ask again.") from None
                    # Yielded at every poll, changed or not, so that the caller can close the iterator.
                    if ahead := self._ahead(call):
                        yield Step(nothing, waiting=ahead)
                    continue
                if step is None:
                    return
                if isinstance(step, BaseException):
                    raise step
                yield step
        finally:
            call.cancelled.set()
            with self._changed:
                if call in self._waiting:
                    self._waiting.remove(call)

    def close(self) -> None:
        """Stop within one step; waiting and running calls get EngineError."""
        with self._changed:
            self._closed = True
            thread = self._thread
            self._changed.notify()
        if thread is not None:
            thread.join()

    def occupancy(self) -> Occupancy:
        """Return how many calls wait, and how many rows are being written of those that can be."""
        used, slots = self._runner.occupied()
        with self._changed:
            return Occupancy(len(self._waiting), used, slots)

    def _is_at_work(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _ahead(self, call: Call) -> int:
        with self._changed:
            return visitors_ahead(call, self._order(), self._running) if call in self._waiting else 0

    def _order(self) -> list[Call]:
        return fair_order(self._waiting, self._running, self._turns)

    def _work(self) -> None:
        give_way()
        while self._wait():
            try:
                self._let_go()
                self._take_in()
                if self._running:
                    self._go_on()
            except Exception as error:  # the thread must survive any error, or no request is answered
                _log("The engine failed between two steps", error)
                for call in list(self._running):
                    self._end(call, _as_engine_error(error))
        with self._changed:
            left, self._waiting = [*self._waiting, *self._running], []
        for call in left:
            self._drop(call)
            call.steps.put(_closed())

    def _wait(self) -> bool:
        """Sleep until there is something to do; False once the engine is closed."""
        with self._changed:
            while not (self._waiting or self._running or self._closed):
                if not self._changed.wait(_TIDY_S):
                    self._tidy()
            return not self._closed

    def _let_go(self) -> None:
        for call in [call for call in self._running if call.cancelled.is_set()]:
            self._end(call, None)

    def _take_in(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    return
                slots = self._runner.occupied()[1]
                call = next((c for c in self._order() if has_room_for(c, self._running, slots)), None)
                if call is None:
                    return
            # Not under the lock, which callers need: joining may take long.
            try:
                joined = self._runner.join(call)
            except Exception as error:  # the thread must survive; the caller gets the error
                _log("A call could not begin", error)
                self._end(call, _as_engine_error(error))
                continue
            if not joined:
                return
            with self._changed:
                if call in self._waiting:
                    self._waiting.remove(call)
                self._running.append(call)
                asking = {other.visitor for other in (*self._waiting, *self._running)}
                last = max(self._turns.values(), default=-1)
                self._turns = {visitor: turn for visitor, turn in self._turns.items() if visitor in asking}
                self._turns[call.visitor] = last + 1

    def _go_on(self) -> None:
        try:
            found = self._runner.step()
        except Exception as error:  # as above; it isn't known which call caused it, so all running calls end
            _log("A step failed", error)
            for call in list(self._running):
                self._end(call, _as_engine_error(error))
            return
        for call, rows in found:
            call.steps.put(Step(rows))
            if all(row.stopped for row in rows):
                self._end(call, None)

    def _tidy(self) -> None:
        try:
            self._runner.tidy()
        except Exception as error:
            _log("The engine's old prefixes could not be dropped", error)

    def _drop(self, call: Call) -> None:
        try:
            self._runner.drop(call)
        except Exception as error:  # the caller must get the call's end all the same
            _log("The rows of a call could not be dropped", error)

    def _end(self, call: Call, last: BaseException | None) -> None:
        self._drop(call)
        with self._changed:
            for calls in (self._waiting, self._running):
                if call in calls:
                    calls.remove(call)
        call.steps.put(last)


def _log(what: str, error: Exception) -> None:
    """Log a failure's type and lines of code only: its message may quote what somebody asked."""
    log.error("%s (%s):\n%s", what, type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))


def _as_engine_error(error: Exception) -> MediLiteError:
    if isinstance(error, MediLiteError):
        return error
    return EngineError(f"Generation failed ({type(error).__name__}: {error}). Ask again.")


def _closed() -> EngineError:
    return EngineError("The engine is shutting down. Start it again, then ask again.")
