"""A chat so far: its turns, and the messages that a model is given of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from medilite.records import Message
from medilite.ui.compare.comparison import Pane
from medilite.ui.html import Markup
from medilite.ui.page.notices import emergency_html


@dataclass
class Turn:
    """One question and the answer to it; the pane knows which model gave it.

    `limit` is the most tokens that the answer was given, `attempt` how often it
    was retried.
    """

    question: str
    pane: Pane
    limit: int
    attempt: int = 0

    @cached_property
    def emergency(self) -> Markup:
        """The notice above the turn as HTML, "" for none; worked out once, and not at every step of every answer."""
        return emergency_html(self.question)


def messages(turns: Sequence[Turn], question: str) -> tuple[Message, ...]:
    """Return the conversation so far and the new question, as a model is given it.

    Whichever model gave an answer, it is the assistant's. A turn without
    a word of answer (it failed, or was stopped at once) is left out whole: a
    chat template wants user and assistant to take turns.
    """
    said: list[Message] = []
    for turn in turns:
        if turn.pane.text.strip():
            said += [Message("user", turn.question), Message("assistant", turn.pane.text)]
    return (*said, Message("user", question))
