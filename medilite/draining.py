"""Graceful stop: no new answers, some time for running ones, then flush and close.

One `Drain` a process. Events of the page run inside `Drain.event`; the engine that they ask is a `DrainedEngine`, which
refuses new questions once the drain has begun and ends running answers when it is over, with a sentence for the
visitor. What was written so far stays on the page.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from medilite.engine.protocol import (
    Availability,
    Engine,
    LoadProgress,
    Occupancy,
    ProgressCallback,
    TakesAdapters,
    occupancy_of,
)
from medilite.errors import EngineError, StoppingError
from medilite.models import ModelSpec
from medilite.records import Message, Request, Step

log = logging.getLogger(__name__)

REFUSED = (
    "MediLite is being stopped at the moment and takes no new questions. Yours is still here: ask again in a minute."
)
ENDED = "MediLite is being stopped, so this answer ends here. What was written is kept: ask again in a minute."

CLOSE_S = 3.0
"""Seconds that an engine may take to end its threads."""


class Drain:
    """Whether the process is being stopped, what still runs, and what to do at the end."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._begun = self._over = False
        self._last: list[tuple[str, Callable[[], object]]] = []

    @property
    def begun(self) -> bool:
        """Whether new questions are refused."""
        return self._begun

    @property
    def over(self) -> bool:
        """Whether running answers have to end."""
        return self._over

    @property
    def running(self) -> int:
        """How many events are running."""
        return self._running

    @contextmanager
    def event(self) -> Iterator[None]:
        """Count an event for the length of a `with`."""
        with self._changed:
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def begin(self) -> None:
        """Refuse new questions from now on."""
        self._begun = True

    def wait(self, timeout_s: float) -> bool:
        """Wait until no event is under way, `timeout_s` at most; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: self._running == 0, timeout_s)

    def end(self) -> None:
        """End every answer with its next step."""
        self._begun = self._over = True

    def refuse(self) -> None:
        """Raise StoppingError once the drain has begun."""
        if self._begun:
            raise StoppingError(REFUSED)

    def at_the_end(self, name: str, act: Callable[[], object]) -> None:
        """Call `act` when nothing runs any more, to flush or close something. `name` is for the log.

        Calls are made in reverse order, since later ones may depend on earlier
        ones.
        """
        self._last.append((name, act))

    def finish(self) -> None:
        """Make the calls for the end, once; a failure is logged, and the others are still made."""
        last, self._last = self._last, []
        for name, act in reversed(last):
            try:
                act()
            except Exception:
                log.exception("Not done at the end: %s", name)


class DrainedEngine:
    """An engine that follows a drain; otherwise it passes everything to the engine (see protocol.Engine)."""

    def __init__(self, engine: Engine, drain: Drain) -> None:
        self.engine = engine
        self.drain = drain

    def load(self, on_progress: ProgressCallback | None = None) -> None:
        """Fetch and load everything."""
        self.engine.load(on_progress)

    def progress(self) -> LoadProgress:
        """Return the loading progress."""
        return self.engine.progress()

    def availability(self) -> Mapping[str, Availability]:
        """Return, by model id, whether each can answer."""
        return self.engine.availability()

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the prompt's length in tokens."""
        return self.engine.count_tokens(messages)

    def context_length(self) -> int:
        """Return how many tokens prompt and answer may have together."""
        return self.engine.context_length()

    def occupancy(self) -> Occupancy | None:
        """Return how busy the engine is."""
        return occupancy_of(self.engine)

    def bring(self, spec: ModelSpec) -> None:
        """Add an adapter, if the engine can."""
        if not isinstance(self.engine, TakesAdapters):
            raise EngineError("This engine can't add adapters. Use MEDILITE_ENGINE=local with MEDILITE_PRECISION=int8.")
        self.engine.bring(spec)

    def let_go(self, model: str) -> None:
        """Forget a model that was brought."""
        if isinstance(self.engine, TakesAdapters):
            self.engine.let_go(model)

    def stream(self, requests: Sequence[Request]) -> Iterator[Step]:
        """Yield the engine's steps; raises StoppingError if the drain has begun, or ends meanwhile."""
        self.drain.refuse()
        steps = self.engine.stream(requests)
        try:
            for step in steps:
                yield step
                if self.drain.over and not all(row.stopped for row in step.rows):
                    raise StoppingError(ENDED)
        finally:
            # Engines return generators; closing one is how rows are cancelled.
            if close := getattr(steps, "close", None):
                close()

    def close(self) -> None:
        """Have the engine end its threads, CLOSE_S at most: libraries crash when one is still running at exit.

        An engine that isn't loaded has none.
        """
        close = getattr(self.engine, "close", None)
        if close is None or not self.engine.progress().ready:
            return
        closing = threading.Thread(target=close, name="medilite-close", daemon=True)
        closing.start()
        closing.join(CLOSE_S)
