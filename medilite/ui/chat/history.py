"""The turns of a chat, and the messages made from them for a model."""

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

    `limit` is the most tokens that the answer may have, `attempt` how often it was
    retried.
    """

    question: str
    pane: Pane
    limit: int
    attempt: int = 0

    @cached_property
    def emergency(self) -> Markup:
        """The notice above the turn as HTML, "" for none; made once, not at every step of the answer."""
        return emergency_html(self.question)


def messages(turns: Sequence[Turn], question: str) -> tuple[Message, ...]:
    """Return the conversation so far and the new question as messages for a model.

    Every answer is the assistant's, whichever model gave it. A turn without any
    answer (it failed, or was stopped at once) is left out: chat templates require
    user and assistant to alternate.
    """
    said: list[Message] = []
    for turn in turns:
        if turn.pane.text.strip():
            said += [Message("user", turn.question), Message("assistant", turn.pane.text)]
    return (*said, Message("user", question))
