"""Rewards of an answer's form: easy words, fit length, nothing said twice, a proper end."""

from __future__ import annotations

import re

from medilite.content import echo_share, repeated_ngrams, stems
from medilite.readability import hard_spans, measure

JARGON_LIMIT = 0.5
"""Share of difficult words that earns −1. Answers of the fine-tuned 135M models have 0.25 to 0.5 of them."""

REPEATED_LIMIT = 0.25
"""Share of repeated 4-grams that earns −1. Prose has under 0.03; an answer that loops soon exceeds 0.25."""

ECHO_LIMIT = 0.5
"""Share of words copied from the question that earns −1."""

SENTENCE_ENOUGH, SENTENCE_LIMIT = 12.0, 30.0
"""Mean words a sentence that earn 1, and −1. Plain-language guides ask for 15 to 20 at most; MedQuAD's answers have
about 20, the fine-tuned models' more."""

# A full stop, or the like, and what may close after it.
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]*_]*$")


def readability_reward(text: str, enough: float = 100.0) -> float:
    """Return Flesch reading ease, clipped to 0..100, mapped to −1..1; −1 for a text without words.

    Source: the study's reward, ease / 50 − 1. From an ease of `enough` on nothing
    more is earned: beyond plain English (60 to 70), what is left to leave out is
    the content.
    """
    ease = measure(text).flesch_reading_ease
    return -1.0 if ease is None else min(max(ease, 0.0), enough) / 50 - 1


def sentences_reward(text: str) -> float:
    """Return 1 for sentences of SENTENCE_ENOUGH words or fewer on average, falling evenly to −1 at SENTENCE_LIMIT.

    −1 for a text without words. Flesch–Kincaid's grade counts the words of a
    sentence more than reading ease does, and a long sentence made two says no
    less: of all that makes a text easier this costs the least content.
    """
    found = measure(text)
    if not found.words or not found.sentences:
        return -1.0
    over = found.words / found.sentences - SENTENCE_ENOUGH
    return 1 - 2 * min(max(over / (SENTENCE_LIMIT - SENTENCE_ENOUGH), 0.0), 1.0)


def length_reward(text: str, low: int = 30, high: int = 300) -> float:
    """Return 1 for `low` to `high` words; below, rising from −1 at no word; above, 0.02 less a word, down to −1.

    Source: the study's reward. Words are split on white space.
    """
    words = len(text.split())
    if words < low:
        return -1 + 2 * words / low
    return 1.0 if words <= high else max(-1.0, 1 - 0.02 * (words - high))


def jargon_reward(text: str, question: str) -> float:
    """Return 1 without a difficult word, falling evenly to −1 at a share of JARGON_LIMIT; −1 for a text without words.

    Difficult is what `readability` calls so. The question's own words (any form
    of them) are never counted: the answer has to use them, and who asked knows them.
    """
    words = measure(text).words
    if not words:
        return -1.0
    own = stems(question)
    hard = [text[span.start : span.end] for span in hard_spans(text) if span.kind == "hard-word"]
    return _falling(sum(not stems(word) <= own for word in hard) / words, JARGON_LIMIT)


def repetition_reward(text: str) -> float:
    """Return 1 without a repeated 4-gram, falling evenly to −1 at a share of REPEATED_LIMIT; −1 under four words."""
    share = repeated_ngrams(text)
    return -1.0 if share is None else _falling(share, REPEATED_LIMIT)


def echo_reward(text: str, question: str) -> float:
    """Return 1 with nothing copied from the question, falling evenly to −1 at a share of ECHO_LIMIT; −1 without words.

    `medilite.content.echo_share` says what is copied; naming the question's subject is not.
    """
    share = echo_share(question, text)
    return -1.0 if share is None else _falling(share, ECHO_LIMIT)


def ending_reward(text: str, ended: bool) -> float:
    """Return 1 for an answer that ended by itself and at the end of a sentence, 0 in mid-sentence, −1 if cut off.

    `ended` is whether the model ended it; if not, it reached the token limit. An answer without words earns −1: there
    is nothing that could end.
    """
    if not ended or not any(map(str.isalnum, text)):
        return -1.0
    return 1.0 if _SENTENCE_END.search(text.rstrip()) else 0.0


def _falling(share: float, limit: float) -> float:
    """Return 1 at no share, −1 from `limit` on, evenly between."""
    return max(-1.0, 1 - 2 * share / limit)
