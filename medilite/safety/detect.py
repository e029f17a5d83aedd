"""Whether a question speaks of an emergency, and of which."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from medilite.errors import MediLiteError
from medilite.safety.conditions import CONDITION_PHRASES, CONDITIONS
from medilite.safety.notices import NOTICES, EmergencyKind, EmergencyNotice
from medilite.safety.phrases import Phrase, PhraseBook, compile_phrase, phrases
from medilite.safety.rules import PHRASES
from medilite.safety.spelling import corrected
from medilite.safety.vocabulary import NAMES

_APOSTROPHE = re.compile(r"['’‘ʼ`´]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_LONG_LIGATURES = re.compile("[\ufdf0-\ufdff]")
"""Arabic phrases in one character, each of which NFKC makes up to 18: none is of the rules' language."""
_APART = re.compile(r"\b(my|him|her|your|it|one) self\b")
_SENTENCE_END = re.compile(r"(?:[.!?;]|:(?!\s*\d))+(?:\s+|$)|\n\s*")
"""A colon before a number ends none: "SpO2: 84%"."""
_WRAPPED = re.compile(r"(?<!\s)[^\S\n]*\n[^\S\n]*(?=\S)(?!(?:[-*+•‣◦·]|\d{1,2}[.)])\s)")
"""A line break that may be within a sentence: no blank line, and no item of a list, follows it."""
_WORD = re.compile(r"[^\W_]+|\|")
_MOST_READ = 20_000
"""How many characters are read: the longest question that the settings can allow. A refused one may be longer."""


def emergency_notice(question: str) -> EmergencyNotice | None:
    """Return the notice for a question that speaks of an emergency, or None.

    Case, punctuation, curly quotes and common misspellings make no difference.
    If the question fits several kinds, the first in the order of NOTICES
    counts, so everyone who mentions suicide always sees a crisis line.
    """
    return _notice(question[:_MOST_READ])


@contextmanager
def noticed(question: object) -> Iterator[None]:
    """Begin the message of a MediLiteError that is raised inside with the notice that `question` gets, if it gets one.

    For callers that see only the error message: a question that can't be answered may still be an emergency.
    """
    try:
        yield
    except MediLiteError as error:
        if isinstance(question, str) and (notice := emergency_notice(question)):
            error.args = (f"{notice} {error}",)
        raise


@lru_cache(maxsize=512)
def _notice(question: str) -> EmergencyNotice | None:
    words = _plain(question)
    for kind, book in _books().items():
        if book.any_occurs(words):
            return NOTICES[kind]
    return None


@lru_cache(maxsize=1)
def _books() -> dict[EmergencyKind, PhraseBook]:
    return {
        kind: PhraseBook(zip(_phrases(kind), compiled, strict=True), NAMES) for kind, compiled in _compiled().items()
    }


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
    reaches from one sentence into the next, and misspelt key words are corrected. Where a line ends, a sentence
    may end without a full stop, or go on because the text was wrapped: both readings are there, one after the other.
    """
    text = unicodedata.normalize("NFKC", _LONG_LIGATURES.sub(" ", question)).casefold()
    text = _INVISIBLE.sub("", _APOSTROPHE.sub("'", text)).replace("|", " ")
    words = [word for reading in dict.fromkeys((text, _WRAPPED.sub(" ", text))) for word in _words(reading)]
    return f" {' '.join(words)} "


def _words(text: str) -> list[str]:
    # "my self" is one word, and so are the other selves.
    text = _APART.sub(r"\1self", corrected(text))
    return [*_WORD.findall(_SENTENCE_END.sub(" | ", text.replace("'", ""))), "|"]
