"""One thread that runs what visitors ask for, in the order of their asking.

The work runs apart from its consumers: a browser that stalls can't hold the
model, and one that leaves frees it within one step.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator

from medilite.errors import EngineError, MediLiteError
from medilite.records import RowStep, Step

_POLL_S = 0.25
"""How often a waiting visitor hears where in the queue they stand."""


class Job:
    """One call's steps, on their way from the engine's thread to the caller's."""

    def __init__(self, run: Callable[[], Iterator[Step]]) -> None:
        self.run = run
        self.steps: queue.SimpleQueue[Step | BaseException | None] = queue.SimpleQueue()
        self.cancelled = threading.Event()


class JobQueue:
    """First come, first served; the thread starts with the first job and ends with the process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._thread: threading.Thread | None = None

    def stream(self, run: Callable[[], Iterator[Step]], rows: int) -> Iterator[Step]:
        """Yield the steps of `run()`, made on the engine's thread, and first the number of visitors ahead.

        Closing the iterator stops the job before its next step.
        """
        job = Job(run)
        nothing = (RowStep("", 0),) * rows
        with self._changed:
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="medilite-engine", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            while True:
                try:
                    step = job.steps.get(timeout=_POLL_S if self._ahead(job) else None)
                except queue.Empty:
                    # Told at every poll, changed or not: it is the caller's chance to close the iterator.
                    if ahead := self._ahead(job):
                        yield Step(nothing, waiting=ahead)
                    continue
                if step is None:
                    return
                if isinstance(step, BaseException):
                    raise step
                yield step
        finally:
            job.cancelled.set()
            with self._changed:
                if job in self._waiting:
                    self._waiting.remove(job)

    def _ahead(self, job: Job) -> int:
        with self._changed:
            if job not in self._waiting:
                return 0
            return self._waiting.index(job) + (self._running is not None)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                job = self._running = self._waiting.popleft()
            steps: Iterator[Step] | None = None
            try:
                steps = job.run()
                while not job.cancelled.is_set():
                    step = next(steps, None)
                    job.steps.put(step)
                    if step is None:
                        break
            except MediLiteError as error:
                job.steps.put(error)
            except Exception as error:  # the thread has to outlive any job; the caller gets the error
                job.steps.put(EngineError(f"Generation broke down ({type(error).__name__}: {error}). Ask again."))
            finally:
                steps = None  # the batch's memory goes now, not with the next job
                with self._changed:
                    self._running = None
