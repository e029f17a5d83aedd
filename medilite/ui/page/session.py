"""The state of one open page.

A Session lives in a `gr.State`: in memory, for one visitor, until the page is
closed. The only other thing kept of a visitor is what an engine computed from
their last prompts, in memory, for ten minutes at most and under an id that never
leaves the server.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from medilite.arena.live import LiveRun
from medilite.lab.forks import ForkMap
from medilite.ui.chat.history import Turn
from medilite.ui.compare.comparison import Comparison


class StopFlag:
    """Set by one request (Stop), read by another (the running answer)."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask what runs here to stop."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether someone asked to stop."""
        return self._event.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Sleep up to `timeout_s`, less if asked to stop; return whether it was."""
        return self._event.wait(timeout_s)


@dataclass
class Desk:
    """What runs in one tab: at most one stream of answers, and the flag that stops it."""

    stop: StopFlag | None = None
    used: bool = False
    """Whether the status line says how the last run here ended."""

    @property
    def busy(self) -> bool:
        """Whether an answer is being written or waits."""
        return self.stop is not None

    def request_stop(self) -> None:
        """Stop what runs; without effect if nothing does."""
        if self.stop is not None:
            self.stop.set()

    def lends_status(self, *, ready: bool) -> bool:
        """Whether the status line shows the model's loading; once answers have ended it doesn't become "Ready"."""
        if self.busy or (ready and self.used):
            return False
        self.used = False
        return True

    @contextmanager
    def running(self) -> Iterator[StopFlag]:
        """Mark the desk busy for the length of a `with`; what ran before is asked to stop."""
        self.request_stop()
        self.used = True
        mine = self.stop = StopFlag()
        try:
            yield mine
        finally:
            mine.set()
            if self.stop is mine:
                self.stop = None


@dataclass
class Session:
    """One visitor's comparison, chat, fork map and live pair; `visitor` is who asks the engine."""

    visitor: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    comparison: Comparison | None = None
    compare: Desk = field(default_factory=Desk)
    turns: list[Turn] = field(default_factory=list)
    chat: Desk = field(default_factory=Desk)
    vote: Desk = field(default_factory=Desk)
    lab: Desk = field(default_factory=Desk)
    forks: ForkMap | None = None
    own_adapter: str = ""
    live: LiveRun | None = None
    runs: int = 0
    checks_source: bool = False

    def next_run(self) -> int:
        """Return the number of the comparison that starts now."""
        self.runs += 1
        return self.runs

    def __deepcopy__(self, memo: dict[int, Any]) -> Session:
        """Return a new, empty session: Gradio copies the first one for every page that opens."""
        return Session()
