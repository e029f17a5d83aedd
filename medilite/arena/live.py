"""A live pair: two models answer a visitor's own question, in step and in one batch."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medilite.arena.mask import mask, mask_growing
from medilite.arena.records import Contestant, Pair
from medilite.prompts import question_messages
from medilite.records import Decoding, Request, Step, StopReason

if TYPE_CHECKING:
    from medilite.arena.booth import NoPair, Shown

LIVE_DECODING = Decoding(max_new_tokens=192, temperature=0.7, top_p=0.95, repetition_penalty=1.1)
"""The default decoding of `votes prepare`."""


@dataclass
class LiveRun:
    """Two answers as they are written; which models they are from is known only here.

    `contestants` are those on the left and on the right. `keep` is whether the visitor agreed that the question's text
    is stored. `began_at` is the time of the first step, from which on the visitor could read. `two_probability` is that
    of the draw. `pair`, `token` and `made` are set once, when it is finished.
    `reopened` is whether its texts came back from the visitor's page, which may say anything: they are never kept.
    """

    voter: str
    question: str
    keep: bool
    contestants: tuple[Contestant, Contestant]
    seed: int
    names: tuple[str, ...] = ()
    decoding: Decoding = LIVE_DECODING
    began_at: float | None = None
    texts: list[str] = field(default_factory=lambda: ["", ""])
    stopped: list[StopReason | None] = field(default_factory=lambda: [None, None])
    two_probability: float | None = None
    pair: Pair | None = None
    token: str | None = None
    made: Shown | NoPair | None = None
    reopened: bool = False
    finishing: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def requests(self) -> tuple[Request, Request]:
        """Return what to ask the engine: left and right with the same seed."""
        messages = question_messages(self.question)
        left, right = (Request(c.model, messages, self.decoding, self.seed) for c in self.contestants)
        return left, right

    def advance(self, step: Step, now: float) -> None:
        """Add one step of the engine; a waiting step adds nothing."""
        if step.waiting:
            return
        if self.began_at is None:
            self.began_at = now
        for i, row in enumerate(step.rows):
            if self.stopped[i] is None:
                self.texts[i] += row.text
                self.stopped[i] = row.stopped

    def cancel(self) -> None:
        """Stop both answers, as the visitor asked."""
        self.stopped = [reason or "cancelled" for reason in self.stopped]

    @property
    def done(self) -> bool:
        """Whether both answers have stopped."""
        return None not in self.stopped

    @property
    def cut_short(self) -> bool:
        """Whether an answer was stopped before its end: such answers say little of their models."""
        return "cancelled" in self.stopped

    @property
    def failed(self) -> bool:
        """Whether either model failed."""
        return "error" in self.stopped

    def shown(self) -> tuple[str, str]:
        """Return what may be shown of (left, right) now; names are masked before any part of them is shown."""
        left, right = (mask(text, self.names) if self.done else mask_growing(text, self.names) for text in self.texts)
        return left, right


def able_contestants(here: Mapping[str, Contestant], able: Mapping[str, bool]) -> tuple[Contestant, ...]:
    """Return the contestants whose models can answer now, in the profile's order."""
    return tuple(contestant for model, contestant in here.items() if able.get(model))
