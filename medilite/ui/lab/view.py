"""What a view of the Lab is: its controls, what it does when asked, and where it shows what came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from medilite.engine.protocol import Engine
from medilite.models import ModelSpec, Profile
from medilite.prompts import question_messages
from medilite.records import Message, Request, Step
from medilite.sources.shelf import Shelf
from medilite.ui.compare.cards import TEMPLATE as CARDS
from medilite.ui.compare.cards import card_html
from medilite.ui.compare.comparison import Comparison
from medilite.ui.html import Markup, templates
from medilite.ui.page.answering import Stage, run
from medilite.ui.page.decoding import decoding_words
from medilite.ui.page.loading import wait_until_ready
from medilite.ui.page.session import Session, StopFlag

Update = dict[Any, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a view has to show: where its work is, a few words on how far, and what changes on the page."""

    stage: Stage
    detail: str = ""
    update: Update | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One press of a view's button: the question, who asks, and how to ask the engine."""

    question: str
    session: Session
    stop: StopFlag
    engine: Engine
    profile: Profile
    shelf: Shelf

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that asks the question."""
        return question_messages(self.question)

    @property
    def visitor(self) -> str:
        """Who asks."""
        return self.session.visitor

    def loading(self) -> Iterator[Stage]:
        """Wait until the model is there, which says which models can answer."""
        for progress in wait_until_ready(self.engine, self.stop):
            yield Stage("loading", progress=progress)

    def able(self) -> tuple[ModelSpec, ...]:
        """Return the models that can answer; loads the engine if need be."""
        states = self.engine.availability()
        return tuple(spec for spec in self.profile.models if states[spec.id].available)

    def ask(self, requests: Sequence[Request], advance: Callable[[Step], None]) -> Iterator[Stage]:
        """Ask the engine and yield where it is; "done" or "stopped" is the last."""
        yield from run(self.engine, tuple(requests), self.stop, advance)


class View(ABC):
    """One view; built once, its handlers hold no visitor's data. Most have no controls."""

    key: str
    label: str
    verb: str
    about: str

    def build(self) -> None:  # noqa: B027
        """Lay out the controls inside the current Blocks."""

    @abstractmethod
    def build_result(self) -> None:
        """Lay out the place for what comes of them, inside the current Blocks."""

    @property
    def controls(self) -> list[Any]:
        """The components whose values `work` and `check` are given."""
        return []

    @property
    @abstractmethod
    def parts(self) -> list[Any]:
        """The components that its updates fill."""

    def check(self, profile: Profile, *values: Any) -> None:  # noqa: B027
        """Raise a MediLiteError for values that can't be used."""

    @abstractmethod
    def work(self, work: Work, *values: Any) -> Iterator[Shown]:
        """Do what the view is for, showing what there is as it comes."""


def cards_html(run: Comparison, key: str, asked: str = "") -> Markup:
    """Return the answers of a view's run as cards, under the question where one is given; `key` as for `card_html`."""
    cards = [card_html(pane, run.decoding.max_new_tokens, key=key) for pane in run.panes]
    return templates(CARDS).grid(cards, 0, asked, decoding_words(run.decoding, run.seed))
