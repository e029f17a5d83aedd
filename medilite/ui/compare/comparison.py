"""One comparison: the question, the settings, and a pane for each model's growing answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from medilite.engine.protocol import Engine
from medilite.errors import MediLiteError, without_folders
from medilite.models import ModelSpec, Profile
from medilite.prompts import question_messages, sourced_messages
from medilite.readability import Readability, Span, hard_spans, measure
from medilite.records import Answer, Decoding, Message, Request, RowStep, Step, StopReason
from medilite.sources.marks import Mark as SourceMark
from medilite.sources.marks import mark
from medilite.sources.passages import fitting
from medilite.sources.records import Passage
from medilite.sources.shelf import Sought
from medilite.textdiff import DiffSpan, differences

log = logging.getLogger(__name__)

MOST_EARLIER = 3
"""How many comparisons one can follow up on in a row: more would rarely fit the models' context."""


@dataclass(slots=True)
class Pane:
    """One model's answer while it grows and after; scores and marks come once it has stopped."""

    spec: ModelSpec
    text: str = ""
    tokens: int = 0
    stopped: StopReason | None = None
    error: str | None = None
    scores: Readability | None = None
    hard: Sequence[Span] = ()
    differs: Sequence[DiffSpan] = ()
    checked: Sequence[SourceMark] | None = None
    """What came of holding it against the source; None if it wasn't."""
    ids: list[int] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    """Its tokens, from engines that report them, and the text that came with each."""

    def take(self, row: RowStep) -> None:
        """Add what one step of the engine brought; after the answer has stopped, nothing changes."""
        if self.stopped:
            return
        self.text += row.text
        self.tokens = row.tokens
        if row.ids:
            self.ids += row.ids
            self.pieces.append(row.text)
        if row.stopped:
            self.finish(row.stopped, row.error and without_folders(row.error))

    def finish(self, reason: StopReason, error: str | None = None) -> None:
        """Note why the answer stopped and score what there is of it."""
        self.stopped = reason
        self.error = error
        if not self.text.strip():
            return
        try:
            self.scores = measure(self.text)
            self.hard = hard_spans(self.text)
        except MediLiteError as problem:  # an answer without scores is still an answer
            log.error("An answer could not be scored: %s", problem)

    def answer(self) -> Answer:
        """Return the answer as the record that the stages share; an unfinished one counts as cancelled."""
        return Answer(self.spec.id, self.text, self.tokens, self.stopped or "cancelled", self.error)


@dataclass(slots=True)
class Comparison:
    """What was asked of which models, and how far each has come; `run` numbers a visitor's comparisons."""

    question: str
    profile: Profile
    decoding: Decoding
    seed: int
    panes: list[Pane] = field(default_factory=list)
    run: int = 0
    sought: Sought | None = None
    check: bool = False
    from_source: bool = False
    """Whether the models were to answer from the source."""
    given: Passage | None = None
    """The passage that they got with the question, as far as it fitted; None if they got none."""
    rewriters: tuple[ModelSpec, ...] = ()
    """Models that answer as well once there is a passage."""
    before: Comparison | None = None
    """The comparison that this one follows up on; each model continues from its own answers."""

    @classmethod
    def of(
        cls, question: str, profile: Profile, specs: Sequence[ModelSpec], decoding: Decoding, seed: int, run: int = 0
    ) -> Comparison:
        """Return a comparison with an empty pane for each of `specs`."""
        return cls(question, profile, decoding, seed, [Pane(spec) for spec in specs], run)

    @classmethod
    def ended(cls, question: str, profile: Profile, decoding: Decoding, seed: int, panes: list[Pane]) -> Comparison:
        """Return a comparison whose answers have all stopped, with what differs between them marked."""
        made = cls(question, profile, decoding, seed, panes)
        if made.base:
            made._mark_differences(made.base)
        return made

    @property
    def missed_source(self) -> bool:
        """Whether the models were to answer from the source, and got no passage."""
        return self.from_source and self.given is None

    @property
    def earlier(self) -> tuple[Comparison, ...]:
        """The comparisons that this one follows up on, the first one first."""
        return () if self.before is None else (*self.before.earlier, self.before)

    @property
    def questions(self) -> tuple[str, ...]:
        """The first question and those that followed up on it, the one that is answered here last."""
        return (*(run.question for run in self.earlier), self.question)

    def turns(self, model: str) -> list[tuple[str, str]]:
        """Return (question, answer) of what a model was asked before this; without those that it left unanswered."""
        panes = [(run.question, pane) for run in self.earlier for pane in run.panes if pane.spec.id == model]
        return [(question, pane.text) for question, pane in panes if pane.text.strip()]

    def conversation(self, model: str) -> tuple[Message, ...]:
        """Return `turns` as a model is given them."""
        said = [(Message("user", question), Message("assistant", text)) for question, text in self.turns(model)]
        return tuple(message for turn in said for message in turn)

    @property
    def stopped(self) -> int:
        """How many answers have stopped."""
        return sum(1 for pane in self.panes if pane.stopped)

    @property
    def done(self) -> bool:
        """Whether every answer has stopped."""
        return self.stopped == len(self.panes)

    def requests(self, visitor: str = "") -> tuple[Request, ...]:
        """Return what to ask the engine for a visitor: one request a pane, the same seed for all."""
        given = self.given
        messages = sourced_messages(self.question, given.text) if given else question_messages(self.question)
        passage = given.text if given else ""
        return tuple(
            Request(model, (*self.conversation(model), *messages), self.decoding, self.seed, visitor, passage=passage)
            for model in (pane.spec.id for pane in self.panes)
        )

    def give(self, sought: Sought | None, engine: Engine) -> None:
        """Have the models answer from the passage that was found, as many of its sentences as fit the context.

        The rewriters that are available then answer too. Where nothing fits the question, or there is no library, the
        models answer without a passage. Loads the engine if need be.
        """
        self.from_source = True
        if sought is None or sought.found is None or not sought.found.fits:
            return
        passage = sought.found.hits[0].passage
        room = engine.context_length() - self.decoding.max_new_tokens
        states = engine.availability() if self.rewriters else {}
        able = [spec for spec in self.rewriters if spec.id in states and states[spec.id].available]
        said = max(
            (self.conversation(spec.id) for spec in (*(pane.spec for pane in self.panes), *able)),
            key=lambda said: sum(len(m.content) for m in said),
        )
        text = fitting(
            passage.text, lambda part: engine.count_tokens((*said, *sourced_messages(self.question, part))) <= room
        )
        if text:
            self.given = replace(passage, text=text)
            self.panes += [Pane(spec) for spec in able]

    def take_source(self, sought: Sought) -> None:
        """Note what the library says to the question, and hold what is answered already against it, if asked to."""
        self.sought = sought
        self.hold_against_source(self.check)

    def hold_against_source(self, check: bool) -> None:
        """Hold every answer that has stopped against the source, and those to come; or show them without."""
        self.check = check
        for pane in self.panes:
            self._check(pane)

    def _check(self, pane: Pane) -> None:
        if not self.check or self.sought is None or not self.sought.references:
            pane.checked = None
        elif pane.stopped and pane.checked is None and pane.text.strip():
            pane.checked = mark(pane.text, self.sought.references, self.question)

    def advance(self, step: Step) -> None:
        """Add one step of the engine to the panes; a waiting step adds nothing."""
        if step.waiting:
            return
        for pane, row in zip(self.panes, step.rows, strict=True):
            before = pane.stopped
            pane.take(row)
            if pane.stopped and not before:
                self._mark_differences(pane)
                self._check(pane)

    def cancel(self) -> None:
        """End the answers that are still being written, as the person asked."""
        for pane in self.panes:
            if not pane.stopped:
                pane.finish("cancelled")
                self._mark_differences(pane)
                self._check(pane)

    def fail(self, reason: str) -> None:
        """End the answers that are still being written with an error, keeping the text so far."""
        for pane in self.panes:
            if not pane.stopped:
                pane.finish("error", reason)
                self._mark_differences(pane)

    @property
    def base(self) -> Pane | None:
        """The pane of the base model, or None if it was not asked."""
        return next((pane for pane in self.panes if pane.spec.adapter is None), None)

    def _mark_differences(self, finished: Pane) -> None:
        """Compare with the base's answer those that have become comparable now that `finished` has stopped."""
        base = self.base
        if base is None or not base.stopped or not base.text.strip():
            return
        for pane in self.panes if finished is base else [finished]:
            if pane is not base and pane.stopped:
                pane.differs = differences(base.text, pane.text)
