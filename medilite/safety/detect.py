"""Whether a question speaks of an emergency, and of which."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from medilite.safety.conditions import CONDITION_PHRASES, CONDITIONS
from medilite.safety.notices import NOTICES, EmergencyKind, EmergencyNotice
from medilite.safety.phrases import Phrase, compile_phrase, phrases
from medilite.safety.rules import PHRASES
from medilite.safety.spelling import mended
from medilite.safety.vocabulary import NAMES

_APOSTROPHE = re.compile(r"['’‘ʼ`´]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_SENTENCE_END = re.compile(r"[.!?;:]+(?:\s+|$)|\n\s*")
_WORD = re.compile(r"[^\W_]+|\|")


def emergency_notice(question: str) -> EmergencyNotice | None:
    """Return the notice for a question that speaks of an emergency, or None.

    Case, punctuation, curly quotes and common misspellings make no difference.
    If the question fits several kinds, the first in the order of NOTICES counts,
    so whoever speaks of suicide is always told of a crisis line.
    """
    words = _plain(question)
    for kind, compiled in _compiled().items():
        if any(phrase.occurs(words) for phrase in compiled):
            return NOTICES[kind]
    return None


@lru_cache(maxsize=1)
def _compiled() -> dict[EmergencyKind, tuple[Phrase, ...]]:
    return {kind: tuple(compile_phrase(phrase, NAMES) for phrase in _phrases(kind)) for kind in NOTICES}


def _phrases(kind: EmergencyKind) -> Iterator[str]:
    yield from phrases(PHRASES[kind])
    if kind in CONDITIONS:
        condition = "|".join(CONDITIONS[kind].split())
        for phrase in phrases(CONDITION_PHRASES):
            yield phrase.replace("{}", condition)


def _plain(question: str) -> str:
    """Return the question as the phrases expect it: lower-case words parted and enclosed by single spaces.

    Apostrophes are gone ("cant"), sentences (and the question) end with a word "|", so that no phrase
    reaches from one sentence into the next, and misspelt key words are mended.
    """
    text = unicodedata.normalize("NFKC", question).casefold()
    text = mended(_INVISIBLE.sub("", _APOSTROPHE.sub("'", text)).replace("|", " "))
    words = _WORD.findall(_SENTENCE_END.sub(" | ", text.replace("'", "")))
    return f" {' '.join([*words, '|'])} "
