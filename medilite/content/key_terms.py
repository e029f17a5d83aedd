"""How much of a reference's content an answer has, by words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from medilite.content.common_words import FUNCTION_WORDS, GENERAL_WORDS
from medilite.content.words import words

if TYPE_CHECKING:
    from nltk.stem.snowball import EnglishStemmer

MAX_TERMS = 24
"""Most key terms of one reference. A reference may have 1,500 words and an answer a hundred, so the share of
everything that a long reference says would measure lengths. What it says most often, and first, an answer can say."""


def key_terms(text: str, question: str = "", limit: int = MAX_TERMS) -> Mapping[str, float]:
    """Return the stems of the words that carry the content of `text`, weightiest first, with their weights.

    Out go function words, words that any health text has (`common_words`),
    numbers, single letters, and the words of `question`, which an answer has
    without knowing anything. The rest is stemmed (Porter's second English
    stemmer), so "treated" and "treating" are one term. A term that occurs n
    times weighs 1 + ln n (damped term frequency; Manning, Raghavan & Schütze
    2008, 6.4.1). At most `limit` terms stay: the weightiest, among equals the
    earlier in the text. Weights add up to 1; a text without key terms gives {}.
    """
    return _key_terms(text, question, limit)


def key_term_recall(answer: str, references: Sequence[str], question: str = "") -> float | None:
    """Return the share (0..1), by weight, of a reference's key terms that the answer has: the best of `references`.

    None if no reference has a key term; 0 for an empty answer. Word order,
    and how often the answer says a term, do not matter.
    """
    said = stems(answer)
    shares = [
        math.fsum(weight for term, weight in terms.items() if term in said)
        for reference in references
        if (terms := key_terms(reference, question))
    ]
    return max(shares, default=None)


@lru_cache(maxsize=4096)
def stems(text: str) -> frozenset[str]:
    """Return the stems of all words of `text` but numbers and single letters."""
    return frozenset(_stem_all(words(text)))


@lru_cache(maxsize=4096)
def _key_terms(text: str, question: str, limit: int) -> Mapping[str, float]:
    left_out = common_stems() | stems(question)
    counts = Counter(found for found in _stem_all(words(text)) if found not in left_out)
    # `most_common` keeps the order of first occurrence among equals.
    weights = {term: 1 + math.log(count) for term, count in counts.most_common(limit)}
    total = math.fsum(weights.values())
    return MappingProxyType({term: weight / total for term, weight in weights.items()})


@cache
def common_stems() -> frozenset[str]:
    """Return the stems of function words and of words that any health text has."""
    # Texts that lost their apostrophes on the way ("doesnt") are not rare in MedQuAD.
    bare = {word.replace("'", "") for word in FUNCTION_WORDS}
    return frozenset(_stem_all(FUNCTION_WORDS | GENERAL_WORDS | bare))


def _stem_all(tokens: Iterable[str]) -> list[str]:
    """Return the stems of `tokens`, without those that are no word: numbers and single letters."""
    return [stem(token) for token in tokens if len(token) > 1 and any(map(str.isalpha, token))]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return a lower-case word's stem (Porter's second English stemmer)."""
    return _stemmer().stem(word)


@cache
def _stemmer() -> EnglishStemmer:
    from nltk.stem.snowball import EnglishStemmer

    return EnglishStemmer()
