"""Read what a tab had before it was reloaded, from its browser, as strictly as any request.

The texts are shown only to the visitor who sent them, and nothing that is stored
is made or measured from them, so it does no harm if they were changed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from medilite.arena.live import Texts
from medilite.models import Profile
from medilite.prompts import clean_text
from medilite.records import StopReason
from medilite.ui.chat.history import Turn
from medilite.ui.compare.comparison import MOST_EARLIER, Comparison, Pane
from medilite.ui.compare.links import decode_link, given_of
from medilite.ui.page.decoding import DEFAULTS, MAX_SEED, SETTINGS

BROKE_OFF = "The connection was lost, or the page was reloaded, while it was written. Ask again for a whole answer."
"""Why an answer that was being written during the reload has no end."""

_STOPPED: dict[str, StopReason] = {"end": "end", "length": "length", "cancelled": "cancelled", "error": "error"}
_MOST_TOKENS = int(SETTINGS[0].high)
_MOST_CHARS = 40 * _MOST_TOKENS
"""Longest answer that is accepted: no token of the models has more than 40 characters."""


def kept_comparison(given: object, profile: Profile, max_chars: int) -> Comparison | None:
    """Return the comparison that a page had, None without one; an answer that was being written ends there."""
    if not isinstance(given, dict) or not isinstance(given.get("cards"), list):
        return None
    question, settings = _text(given.get("question")), _text(given.get("settings"))
    asked = decode_link(f"#{settings}&q={quote(question)}", profile, max_chars)
    read = [(pane, _earlier(card)) for card in given["cards"][: len(profile.every)] if (pane := _pane(card, profile))]
    panes = [pane for pane, _ in read]
    if asked is None or not panes or len({pane.spec.id for pane in panes}) < len(panes):
        return None
    comparison = Comparison.ended(asked.question, profile, asked.decoding, asked.seed, panes)
    comparison.from_source = asked.from_source
    comparison.given = given_of(settings) if asked.from_source else None
    for question, before in _runs(read):
        run = Comparison.ended(question[:max_chars], profile, asked.decoding, asked.seed, before)
        run.before, comparison.before = comparison.before, run
    return comparison


def kept_turns(given: object, profile: Profile, max_chars: int) -> list[Turn]:
    """Return the turns of the conversation that a page had; those of models that are gone are left out."""
    turns = []
    for one in given if isinstance(given, list) else ():
        pane, question = _pane(one, profile), _text(one.get("question") if isinstance(one, dict) else None)
        if pane is not None and question.strip():
            limit = _whole(one.get("limit"), _MOST_TOKENS) or DEFAULTS.max_new_tokens
            turns.append(Turn(question[:max_chars], pane, limit, _whole(one.get("attempt"), MAX_SEED)))
    return turns


def kept_conversation(given: object) -> tuple[Texts, ...]:
    """Return question, left and right answer of every turn of a live pair that a page had, () if it had none."""
    if not isinstance(given, dict):
        return ()
    last = [given.get(name) for name in ("question", "left", "right")]
    earlier = given.get("earlier")
    turns = [*(earlier[:MOST_EARLIER] if isinstance(earlier, list) else ()), last]
    read = [tuple(map(_text, turn)) for turn in turns if isinstance(turn, list) and len(turn) == 3]
    return tuple((question, left, right) for question, left, right in read if question) if read[-1][0] else ()


def broke_off(panes: list[Pane]) -> bool:
    """Whether one of these answers was being written when the page went."""
    return any(pane.error == BROKE_OFF for pane in panes)


def _pane(given: Any, profile: Profile) -> Pane | None:
    spec = profile.find(given.get("model")) if isinstance(given, dict) else None
    if spec is None:
        return None
    pane = Pane(spec, _text(given.get("text")), _whole(given.get("tokens"), _MOST_TOKENS))
    stopped = _STOPPED.get(str(given.get("state")))
    why = _text(given.get("why")) if stopped == "error" else None
    pane.finish(stopped or "error", (why or None) if stopped else BROKE_OFF)
    return pane


def _runs(read: list[tuple[Pane, list[tuple[str, str]]]]) -> list[tuple[str, list[Pane]]]:
    """Return the questions before, the first one first, each with the panes of those that answered it.

    Not every model was there from the first question on (the Rewriter comes with a passage), so answers go by their
    questions, from the last back; one to a question that the longest conversation doesn't have is left out.
    """
    longest = max((earlier for _, earlier in read), key=len)
    runs: list[tuple[str, list[Pane]]] = [(question, []) for question, _ in longest]
    for pane, earlier in read:
        place = len(runs)
        for question, text in reversed(earlier):
            at = next((at for at in reversed(range(place)) if runs[at][0] == question), None)
            if at is not None:
                place = at
                answered = Pane(pane.spec, text)
                answered.finish("end")
                runs[at][1].append(answered)
    return runs


def _earlier(card: Any) -> list[tuple[str, str]]:
    """Return the questions and answers that a card's answer follows, as far as they can be read."""
    given = card.get("earlier")
    turns = given if isinstance(given, list) else []
    read = [
        (_text(turn[0]), _text(turn[1])) for turn in turns[:MOST_EARLIER] if isinstance(turn, list) and len(turn) == 2
    ]
    return [(asked, said) for asked, said in read if asked.strip() and said.strip()]


def _text(given: object) -> str:
    return clean_text(given[:_MOST_CHARS]) if isinstance(given, str) else ""


def _whole(given: object, most: int) -> int:
    return min(max(given, 0), most) if isinstance(given, int) and not isinstance(given, bool) else 0
