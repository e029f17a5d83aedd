"""A live pair: two models answer a visitor's own question, and follow-ups to it, in step and in one batch."""

from __future__ import annotations

import dataclasses
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medilite.arena.mask import mask, mask_growing
from medilite.arena.records import Candidate, Contestant, Pair, conversation_text, text_key
from medilite.prompts import question_messages
from medilite.readability import measure
from medilite.records import Decoding, Message, Request, Step, StopReason
from medilite.textdiff import similarity

if TYPE_CHECKING:
    from medilite.arena.booth import NoPair, Shown

Texts = tuple[str, str, str]
"""A question, and the answers on the left and on the right."""

LIVE_DECODING = Decoding(max_new_tokens=192, temperature=0.7, top_p=0.95, repetition_penalty=1.1)
"""The default decoding of `votes prepare`."""


@dataclass
class LiveRun:
    """Two answers as they are written; which models they are from is known only here.

    `contestants` are those on the left and on the right. `keep` is whether the visitor agreed that the question's text
    is stored. `began_at` is the time of the first step, from which on the visitor could read. `two_probability` is that
    of the draw. `pair`, `token` and `made` are set once, when it is finished.
    `reopened` is whether its texts came back from the visitor's page, which may say anything: they are never kept or
    measured.
    `before` is the run that this one follows up on, `conversation` a secret name for all runs that follow each other.
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
    before: LiveRun | None = None
    conversation: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    finishing: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def follow(self, question: str, keep: bool) -> LiveRun:
        """Return the run in which both are asked a further question; texts are kept only if `keep` always was True."""
        return LiveRun(
            self.voter, question, self.keep and keep, self.contestants, self.seed, self.names, self.decoding,
            token=self.token, reopened=self.reopened, before=self, conversation=self.conversation,
        )  # fmt: skip

    def reopen(self, turns: Sequence[Texts]) -> LiveRun:
        """Return the last run of a conversation with these turns, which came back from the visitor's page."""
        run = self
        for number, (question, *answers) in enumerate(turns):
            run = run.follow(question, False) if number else dataclasses.replace(run, question=question)
            run.texts, run.stopped, run.reopened = answers, ["end", "end"], True
        return run

    @property
    def runs(self) -> tuple[LiveRun, ...]:
        """The first run of the conversation and those that followed, this one last."""
        return (self,) if self.before is None else (*self.before.runs, self)

    @property
    def questions(self) -> tuple[str, ...]:
        """What was asked, turn by turn."""
        return tuple(run.question for run in self.runs)

    @property
    def earlier(self) -> tuple[Texts, ...]:
        """The turns before this one, as they were shown."""
        return tuple((run.question, *run.shown()) for run in self.runs[:-1])

    def sides(self) -> tuple[Candidate, Candidate, float]:
        """Return both sides with all that they have answered, and the share of words that these have in common."""
        said = [[run.texts[side] for run in self.runs] for side in (0, 1)]
        candidates = []
        for contestant, turns in zip(self.contestants, said, strict=True):
            text, score = conversation_text(turns), measure("\n\n".join(turns))
            candidates.append(
                Candidate(contestant, text, text_key(text), self.seed, score.words, score.flesch_kincaid_grade)
            )
        return candidates[0], candidates[1], similarity(*map("\n\n".join, said)) or 0.0

    def requests(self) -> tuple[Request, Request]:
        """Return what to ask the engine: left and right with the same seed, each after its own answers.

        They ask in the conversation's name, not the visitor's: if Compare had read one model's prompt already, that
        model's answer would begin sooner here.
        """
        left, right = (
            Request(
                contestant.model, (*self._history(side), *question_messages(self.question)), self.decoding, self.seed,
                self.conversation,
            )
            for side, contestant in enumerate(self.contestants)
        )  # fmt: skip
        return left, right

    def _history(self, side: int) -> list[Message]:
        turns = ((Message("user", run.question), Message("assistant", run.texts[side])) for run in self.runs[:-1])
        return [message for turn in turns for message in turn]

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
