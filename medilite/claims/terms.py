"""The content words of an answer, weighted by how rare they are, and how many of them a reference has."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from medilite.claims.rarity import weight
from medilite.claims.records import Term
from medilite.content.key_terms import MAX_TERMS, common_stems, stem, stems
from medilite.content.words import words

_WORD = re.compile(r"[^\W\d_][^\W_]*(?:['’][^\W_]+)*|\d+[^\W_]*[^\W\d_][^\W_]*")


def terms(text: str, question: str, known: frozenset[str]) -> tuple[Term, ...]:
    """Return the content words of `text` that the question lacks, by start; found are those whose stem is in `known`.

    Left out are function words, words that any health text has, numbers and
    single letters, as in `content.key_terms`.
    """
    left_out = common_stems() | stems(question)
    found = []
    for match in _WORD.finditer(text):
        own = words(match[0]) if not match[0].isascii() else [match[0].lower().replace("’", "'")]
        for word in own:
            if len(word) > 1 and (root := stem(word)) not in left_out:
                found.append(Term(match.start(), match.end(), root, weight(root), root in known))
    return tuple(found)


def found_share(known: Mapping[str, bool]) -> float | None:
    """Return the share (0..1), by weight, of different terms that are found; None without a term that weighs."""
    total = math.fsum(map(weight, known))
    return math.fsum(weight(root) for root, found in known.items() if found) / total if total else None


@lru_cache(maxsize=4096)
def key_weights(text: str, question: str) -> Mapping[str, float]:
    """Return the weightiest content terms of a reference, at most MAX_TERMS: (1 + ln times it occurs) × rarity."""
    left_out = common_stems() | stems(question)
    counts = Counter(
        found
        for word in words(text)
        if len(word) > 1 and any(map(str.isalpha, word)) and (found := stem(word)) not in left_out
    )
    weighed = sorted(
        ((1 + math.log(n)) * weight(found), -place, found) for place, (found, n) in enumerate(counts.items())
    )
    return {found: value for value, _, found in reversed(weighed[-MAX_TERMS:]) if value > 0}
