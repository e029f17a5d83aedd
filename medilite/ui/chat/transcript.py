"""A chat as HTML: questions to the right, each answer under the name of the model that gave it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from medilite.ui.chat.history import Turn
from medilite.ui.compare.cards import card_html
from medilite.ui.page.notices import emergency_html

EMPTY = (
    '<div class="ml-chat-empty"><p><strong>Talk with one model at a time.</strong></p>'
    "<p>Choose a model, write a question below and press Send. Ask on, or switch to another model in the "
    "middle: it is given the conversation so far.</p></div>"
)


def transcript_html(turns: Sequence[Turn]) -> str:
    """Return the whole conversation, every text escaped; what to do next if there is none yet."""
    inner = "".join(_turn_html(turn, number) for number, turn in enumerate(turns)) or EMPTY
    # aria-live is off: the status line says when an answer is there, instead of every word on its way.
    return (
        '<h2 class="ml-hidden">Conversation</h2>'
        '<div class="ml-chat" role="log" aria-live="off" aria-label="Conversation" tabindex="0" '
        f'data-turns="{len(turns)}">{inner}</div>'
    )


def _turn_html(turn: Turn, number: int) -> str:
    card = card_html(turn.pane, turn.limit, key=f"-{number}", extra_class="ml-chat-answer")
    return (
        f'<div class="ml-turn"><div class="ml-said"><span class="ml-hidden">You asked: </span>'
        f'<p class="ml-text">{escape(turn.question)}</p></div>{emergency_html(turn.question)}{card}</div>'
    )
