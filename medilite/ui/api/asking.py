"""`ask` and `compare`: answers for programs, through the same steps as the page's."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any, cast

import medilite
from medilite.answer_record import answer_record
from medilite.engine.protocol import Engine
from medilite.errors import ArgumentError, EngineError
from medilite.models import ModelSpec, Profile
from medilite.prompts import clean_question
from medilite.readability import grade_word
from medilite.safety import NOT_MEDICAL_ADVICE, emergency_notice, noticed
from medilite.settings import Settings
from medilite.sources.shelf import Shelf
from medilite.ui.api.arguments import one_model, quoted, several_models
from medilite.ui.api.library import marks_of, sourced
from medilite.ui.api.schemas import Asked, Compared, ModelAnswer
from medilite.ui.compare.comparison import Comparison, Pane
from medilite.ui.guard.address import caller, network_of
from medilite.ui.guard.limits import Admission
from medilite.ui.page.answering import Stage, message_of, run
from medilite.ui.page.decoding import DEFAULT_SEED, DEFAULTS, as_decoding, as_seed
from medilite.ui.page.loading import wait_until_ready
from medilite.ui.page.session import StopFlag
from medilite.ui.page.source import Seeking

AT_ONCE = 4
"""Answers that may be written at the same time for one address; a page has one per tab."""

UPDATE_S = 1.0
"""How often a program gets an update."""

NOTICE = f"Written by a very small language model. {NOT_MEDICAL_ADVICE}"
"""Part of every answer, because an answer may be passed on alone."""


class Asking:
    """Answers programs' questions; stores none of them.

    A program has no page whose session could identify it, so all
    programs at one network address are one visitor to the limits.
    """

    def __init__(
        self,
        engine: Engine,
        profile: Profile,
        settings: Settings,
        admission: Admission,
        who: Callable[[], str | None] = caller,
        shelf: Shelf | None = None,
    ) -> None:
        self._shelf = shelf
        self._engine = engine
        self._profile = profile
        self._settings = settings
        self._admission = admission
        self._who = who
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    def ask(
        self,
        question: str,
        model: str,
        max_new_tokens: int = DEFAULTS.max_new_tokens,
        temperature: float = DEFAULTS.temperature,
        top_p: float = DEFAULTS.top_p,
        repetition_penalty: float = DEFAULTS.repetition_penalty,
        seed: int = DEFAULT_SEED,
    ) -> Iterator[Asked]:
        """Yield one model's answer as it grows, about once a second, and complete at the end.

        Raises MediLiteError for a bad request, and whatever the page's own events raise.
        """
        decoding = (max_new_tokens, temperature, top_p, repetition_penalty)
        with noticed(question):
            comparison = self._comparison(question, (one_model(model, self._profile),), decoding, seed)
            for about in self._answers(comparison):
                yield cast("Asked", {**about, **_answer(comparison.panes[0])})

    def compare(
        self,
        question: str,
        models: list[str] | None = None,
        max_new_tokens: int = DEFAULTS.max_new_tokens,
        temperature: float = DEFAULTS.temperature,
        top_p: float = DEFAULTS.top_p,
        repetition_penalty: float = DEFAULTS.repetition_penalty,
        seed: int = DEFAULT_SEED,
        sources: bool = False,
        from_source: bool = False,
    ) -> Iterator[Compared]:
        """Yield the answers of several models (by default all), as `ask` does.

        With `sources` the library is searched too, and each answer is compared with
        what fits; with `from_source` the models get the first passage besides, and the
        profile's rewriters answer too, unless `models` are named.
        """
        decoding = (max_new_tokens, temperature, top_p, repetition_penalty)
        with noticed(question):
            comparison = self._comparison(question, several_models(models, self._profile), decoding, seed)
            flags = {"sources": sources, "from_source": from_source}
            for name, given in flags.items():
                if not isinstance(given, bool):
                    raise ArgumentError(f"{name}={quoted(given)} can't be used: it has to be true or false.")
            comparison.check = sources or from_source
            comparison.rewriters = self._profile.rewriters if models is None else ()
            for about in self._answers(comparison, from_source=from_source):
                answers = [{**_answer(pane), "marks": marks_of(pane)} for pane in comparison.panes]
                results = {
                    "answers": answers,
                    "source": sourced(comparison.question, comparison.sought) if comparison.sought else None,
                    "answered_from": comparison.given and comparison.given.id,
                    "notice": NOTICE,
                }
                yield cast("Compared", {**about, **results})

    def _comparison(
        self, question: str, specs: tuple[ModelSpec, ...], decoding: tuple[object, ...], seed: object
    ) -> Comparison:
        asked = clean_question(question, self._settings.max_question_chars)
        return Comparison.of(asked, self._profile, specs, as_decoding(*decoding, by_name=True), as_seed(seed))

    def _answers(self, comparison: Comparison, *, from_source: bool = False) -> Iterator[dict[str, Any]]:
        """Let the engine fill the panes, and yield the state that they share."""
        seeking = Seeking(self._shelf, comparison.question) if self._shelf and comparison.check else None
        address = network_of(self._who() or "")
        with self._turn(address), self._admission.seat(f"programs at {address}"):
            told_s = -UPDATE_S
            if from_source:
                for progress in wait_until_ready(self._engine, StopFlag()):
                    yield _about(comparison, Stage("loading", progress=progress))
                _take(comparison, seeking)
                comparison.give(comparison.sought, self._engine)
            # No visitor: an engine caches nothing for programs, since it can't distinguish them.
            stages = run(self._engine, comparison.requests(), StopFlag(), comparison.advance)
            try:
                with closing(cast("Generator[Stage]", stages)):
                    for stage in stages:
                        if stage.kind != "done" and time.monotonic() - told_s >= UPDATE_S:
                            told_s = time.monotonic()
                            yield _about(comparison, stage)
            except Exception as error:
                if not any(pane.text for pane in comparison.panes):
                    raise
                comparison.fail(message_of(error))
        _take(comparison, seeking)
        yield _about(comparison, Stage("done"))

    @contextmanager
    def _turn(self, address: str) -> Iterator[None]:
        with self._lock:
            if self._running[address] >= AT_ONCE:
                raise EngineError(
                    f"{AT_ONCE} answers are being written for programs at your network address, which is the "
                    "limit. Ask again when one of them is done."
                )
            self._running[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[address] -= 1
                if not self._running[address]:
                    del self._running[address]


def _take(comparison: Comparison, seeking: Seeking | None) -> None:
    """Add the library's passages once, after a short wait for them."""
    if seeking is not None and (sought := seeking.come(wait=True)) is not None:
        comparison.take_source(sought)


def _about(comparison: Comparison, stage: Stage) -> dict[str, Any]:
    notice = emergency_notice(comparison.question)
    return {
        "state": stage.kind,
        "ahead": stage.ahead,
        "question": comparison.question,
        "emergency": asdict(notice) if notice else None,
        "profile": comparison.profile.name,
        "decoding": asdict(comparison.decoding),
        "seed": comparison.seed,
        "version": medilite.__version__,
    }


def _answer(pane: Pane) -> ModelAnswer:
    answer = {
        **answer_record(pane.answer(), pane.scores),
        "label": pane.spec.label,
        # How an answer stopped is unknown until it has.
        "stopped": pane.stopped,
        "ended": None if pane.stopped is None else pane.stopped == "end",
        "grade": grade_word(pane.scores.flesch_kincaid_grade) if pane.scores else None,
        "notice": NOTICE,
    }
    return cast("ModelAnswer", answer)
