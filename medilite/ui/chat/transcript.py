"""A chat as HTML: questions to the right, each answer under the name of the model that gave it."""

from __future__ import annotations

from collections.abc import Sequence

from medilite.ui.chat.history import Turn
from medilite.ui.compare.cards import card_html
from medilite.ui.html import Markup, templates


def transcript_html(turns: Sequence[Turn]) -> Markup:
    """Return the whole conversation, or what to do first if there is none yet."""
    return templates("chat/transcript.html").transcript([
        (
            turn.question,
            turn.emergency,
            card_html(turn.pane, turn.limit, key=f"-{number}", extra_class="ml-chat-answer"),
            turn.limit,
            turn.attempt,
        )
        for number, turn in enumerate(turns)
    ])  # fmt: skip
