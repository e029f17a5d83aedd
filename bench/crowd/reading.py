"""What a visitor reads in the HTML that the app shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

NOT_ADVICE = "Not medical advice"
"""The notice that every answer must have."""

_ARTICLE = re.compile(r'<article class="ml-card.*?</article>', re.DOTALL)
_ATTRIBUTE = re.compile(r'data-(model|tokens|state)="([^"]*)"')
_TEXT = re.compile(r'<p [^>]*class="ml-text">(.*?)</p>', re.DOTALL)
_MESSAGE = re.compile(r'<p class="ml-error"[^>]*>(.*?)</p>', re.DOTALL)
_AHEAD = re.compile(r"(\d+) visitors? (?:is|are) ahead of you")
_FULL = re.compile(r"\d+ visitors are asking at the moment, which is the limit\.")
_PAIR = re.compile(r'<section class="vt-pair" data-state="([^"]*)" data-token="([^"]*)"')
_TITLE = re.compile(r"<h2[^>]*>(.*?)</h2>")
_TAG = re.compile(r"<[^>]+>")
_VOTER = re.compile(r'data-voter="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Card:
    """One answer as shown: its model (if revealed), tokens so far, state, text, and its notice."""

    model: str
    tokens: int
    state: str
    text: str
    marked: bool


def cards(html: str) -> list[Card]:
    """Return the answers in a grid, a conversation or a pair."""
    return [_card(article) for article in _ARTICLE.findall(html)]


def _card(article: str) -> Card:
    data = dict(_ATTRIBUTE.findall(article[: article.index(">")]))
    text = _TEXT.search(article)
    words = unescape(_TAG.sub("", text[1])) if text else ""
    return Card(data.get("model", ""), int(data.get("tokens", 0)), data.get("state", ""), words, NOT_ADVICE in article)


def tokens(html: str) -> int:
    """Return the greatest number of tokens that an answer has so far."""
    return max((int(value) for name, value in _ATTRIBUTE.findall(html) if name == "tokens"), default=0)


def error(html: str) -> str:
    """Return the message near a field; empty if all is well."""
    found = _MESSAGE.search(html)
    return unescape(found[1]) if found else ""


def is_full(message: str) -> bool:
    """Whether a message says that too many visitors are asking."""
    return _FULL.search(message) is not None


def ahead(html: str) -> int:
    """Return how many visitors a status line says are ahead."""
    found = _AHEAD.search(html)
    return int(found[1]) if found else 0


def pair(html: str) -> tuple[str, str]:
    """Return state and token of a blind pair."""
    found = _PAIR.search(html)
    return (found[1], unescape(found[2])) if found else ("", "")


def title(html: str) -> str:
    """Return the heading of what is shown in a pair's place."""
    found = _TITLE.search(html)
    return unescape(found[1]) if found else ""


def voter(html: str) -> str | None:
    """Return the voter's id that the page is given to keep."""
    found = _VOTER.search(html)
    return unescape(found[1]) if found else None
