"""The one protocol that every engine speaks.

An engine answers requests of any of the profile's models at once and yields,
step by step, the new text of every request. Rows are independent: one that
fails or ends does not touch the others, and an answer does not depend on what
shares its batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from medilite.models import ModelSpec
from medilite.progress import LoadProgress, ProgressCallback
from medilite.records import Answer, Message, Request, Step


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a model can answer and, if not, why (a sentence for people)."""

    available: bool
    reason: str | None = None


@runtime_checkable
class Engine(Protocol):
    """Generates answers of the profile's models; safe to call from several threads."""

    def load(self, on_progress: ProgressCallback | None = None) -> None:
        """Fetch and load everything; blocks. A second call waits for the first or returns at once.

        Raises WeightsError if the base can't be loaded. A broken adapter raises nothing: `availability` reports it.
        """

    def progress(self) -> LoadProgress:
        """Return the loading progress; never blocks."""

    def availability(self) -> Mapping[str, Availability]:
        """Return, by model id in the profile's order, whether each can answer. Loads if need be."""

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the prompt's length in tokens, the opening of the answer's turn included. Loads if need be."""

    def context_length(self) -> int:
        """Return how many tokens prompt and answer may have together."""

    def stream(self, requests: Sequence[Request]) -> Iterator[Step]:
        """Yield steps until every request has stopped. Loads first if need be.

        Closing the iterator cancels within one step and frees the rows. Raises
        UnknownModelError, QuestionError, ContextOverflowError, or EngineError for
        what this engine can't do (`records.Request`), before anything is generated; a
        model that is unavailable, or fails later, ends its own row with "error".
        """


@runtime_checkable
class TakesAdapters(Protocol):
    """An engine that can add adapters while it runs; not every one can."""

    def bring(self, spec: ModelSpec) -> None:
        """Add a model whose adapter is a folder to the running batch. Loads first if need be.

        Raises ModelUnavailableError with the reason where it can't be used, EngineError if this engine takes none.
        """

    def let_go(self, model: str) -> None:
        """Remove a model that was brought; no effect on any other."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How busy an engine is: waiting calls, running rows, and how many rows can run at once."""

    waiting: int
    used: int
    slots: int | None = None


@runtime_checkable
class Occupied(Protocol):
    """An engine that reports how busy it is; not every one can."""

    def occupancy(self) -> Occupancy | None:
        """Return how busy the engine is now, None before it is loaded; never blocks for long."""


def occupancy_of(engine: object) -> Occupancy | None:
    """Return how busy an engine is, None if it doesn't report that."""
    return engine.occupancy() if isinstance(engine, Occupied) else None


def collect(requests: Sequence[Request], steps: Iterator[Step]) -> list[Answer]:
    """Drain `steps` and return one whole answer per request, in order."""
    texts = [""] * len(requests)
    last = None
    for step in steps:
        if step.waiting:
            continue
        last = step
        for i, row in enumerate(step.rows):
            texts[i] += row.text
    if last is None:
        return []
    return [
        Answer(request.model, text, row.tokens, row.stopped or "cancelled", row.error)
        for request, text, row in zip(requests, texts, last.rows, strict=True)
    ]
