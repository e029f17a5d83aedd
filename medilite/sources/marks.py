"""Compare an answer with its source, sentence by sentence: found, not found, at odds, or left unmarked.

Nothing is marked as true: a sentence is *found* if a sentence of the source has
nearly all of its words, *not found* if the source has few of them, and *at
odds* if `claims` finds a number, a gene or a pattern of inheritance that
contradicts the source. Sentences in between are not marked. How often marks are
wrong was measured by reading (docs/sources.md).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from medilite import claims
from medilite.claims.negation import says_no
from medilite.claims.rarity import weight

Verdict = Literal["found", "not_found", "at_odds"]

FOUND_IN_ONE = 0.75
"""A sentence is found if one sentence of the source has at least this share of its words, by weight."""

NOT_FOUND = 0.45
"""Up to this share of its words anywhere in the source, a sentence is not found…"""

SPECIFIC = 20.0
"""…if the words that the source lacks weigh this much (`claims.rarity`; a rare one weighs 8): a sentence that says
nothing specific, such as a heading, is left unmarked."""

FEWEST_STEMS = 2
"""A sentence with fewer words of content, not counting the question's, has nothing to look up."""

AT_ODDS: frozenset[claims.Kind] = frozenset({"gene", "inheritance", "number"})
"""Claims that can put a sentence at odds with its source; negations and diseases were wrong too often."""

_GENE = re.compile(r"\b(?:genes?|mutations?|proteins?|enzymes?)\b", re.IGNORECASE)
_CAUSE = re.compile(r"\b(?:caus\w+|mutat\w+|due to|results?|responsible|chang\w+)\b", re.IGNORECASE)
_BOUND = re.compile(r"\b(?:less|fewer|more|up|at (?:least|most))(?: than| to)?\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Mark:
    """The verdict on `answer[start:end]`, and the source's sentence behind it, if there is one."""

    start: int
    end: int
    verdict: Verdict
    quote: str = ""
    why: str = ""


def mark(answer: str, sources: Sequence[str], question: str = "") -> list[Mark]:
    """Return the marks of an answer's sentences, in order; none without a source."""
    return list(_mark(answer, tuple(sources), question)) if sources else []


@lru_cache(maxsize=256)
def _mark(answer: str, sources: tuple[str, ...], question: str) -> tuple[Mark, ...]:
    odds = [
        finding
        for finding in claims.held_against(answer, sources, question).claims
        if finding.verdict == "at_odds" and finding.claim.kind in AT_ODDS and _is_plain(finding, answer, sources)
    ]
    said = [sentence for text in sources for sentence in claims.sentences(text)]
    everywhere = frozenset[str]().union(*(sentence.stems for sentence in said))
    known = frozenset[str]().union(*(sentence.stems for sentence in claims.sentences(question)))
    marks = []
    for sentence in claims.sentences(answer):
        finding = next((one for one in odds if sentence.start <= one.claim.start < sentence.end), None)
        if finding:
            quote = _evidence(finding, sources)
            marks.append(Mark(sentence.start, sentence.end, "at_odds", quote, finding.why))
            continue
        new = sentence.stems - known
        if len(new) < FEWEST_STEMS:
            continue
        share, best = max(((_share(new, other.stems), other.text) for other in said), default=(0.0, ""))
        if share >= FOUND_IN_ONE and _agree(sentence.text, best):
            marks.append(Mark(sentence.start, sentence.end, "found", best))
        elif _share(sentence.stems, everywhere) <= NOT_FOUND and _weight(new - everywhere) >= SPECIFIC:
            marks.append(Mark(sentence.start, sentence.end, "not_found"))
    return tuple(marks)


def _agree(one: str, other: str) -> bool:
    """Return whether a sentence has no number that the other lacks, and both or neither are negated."""
    return set(_NUMBER.findall(one)) <= set(_NUMBER.findall(other)) and says_no(one) == says_no(other)


def _share(stems: frozenset[str], have: frozenset[str]) -> float:
    total = _weight(stems)
    return _weight(stems & have) / total if total else 0.0


def _weight(stems: frozenset[str]) -> float:
    return math.fsum(map(weight, stems))


def _is_plain(finding: claims.Finding, answer: str, sources: Sequence[str]) -> bool:
    """Return whether a finding is of a kind that was hardly ever wrong when read (docs/sources.md)."""
    evidence = _evidence(finding, sources)
    claim = finding.claim
    if not evidence:
        return False
    if claim.kind == "gene":
        # A sentence about another gene is at odds with the source only if it calls that gene the cause.
        return bool(_GENE.search(evidence) and _CAUSE.search(_sentence_at(answer, claim.start)))
    if claim.kind == "number":
        # A bound ("fewer than 1 in 100,000") is compatible with other numbers.
        bounded = _BOUND.search(evidence) or _BOUND.search(_sentence_at(answer, claim.start))
        return isinstance(claim.value, claims.Quantity) and claim.value.unit == "ratio" and not bounded
    return True


def _evidence(finding: claims.Finding, sources: Sequence[str]) -> str:
    """Return the sentence of the source behind a finding; "" for none."""
    return _sentence_at(sources[finding.evidence.reference], finding.evidence.start) if finding.evidence else ""


def _sentence_at(text: str, place: int) -> str:
    return next((one.text for one in claims.sentences(text) if one.start <= place < one.end), "")
