"""Cut an answer into passages: whole sentences within a section, short enough to show and to prompt with."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

PASSAGE_WORDS = 110
"""Most words of a passage, unless one sentence is longer: what a card shows without scrolling, about 150 tokens."""

SENTENCE_WORDS = 60
"""Longest run of words taken as one sentence. MedQuAD lost its line breaks, so a list may have no full stop at all."""

_ABBREVIATION_LIST = """
dr mr mrs ms prof st fig vs approx e.g i.e etc cf al no u.s u.k inc dept jan feb mar apr aug sept oct nov dec
"""
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())
_END = re.compile(
    r"[.!?]+[\"'”’)\]]*(?=\s+[\"'“(\[]*[A-Z0-9•-])"  # a full stop before a capital, a figure or an item
    r"|(?<=[^\s.!?:])(?=\s+[-•*]\s+[\"'(]?[A-Z])"  # an item without a full stop before the next: "- Fever - Cough"
    r"|\d%(?=\s+[A-Z])"  # a row of the Human Phenotype Ontology's tables: "Cognitive impairment 50% Coloboma 7.5%"
    r"|(?=\n\s*\n)"
)


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch `text[start:end]` of an answer."""

    start: int
    end: int


def sentences(text: str) -> list[Cut]:
    """Return the sentences of `text` in order, without the white space between them.

    An item of a list and a row of a table are sentences; a run of more than
    SENTENCE_WORDS words without any end is cut there, between words.
    """
    found: list[Cut] = []
    start = 0
    for match in _END.finditer(text):
        if not _is_abbreviation(text, match.start()):
            found += _bounded(text, start, match.end())
            start = match.end()
    return [*found, *_bounded(text, start, len(text))]


def cut_passages(text: str, most_words: int = PASSAGE_WORDS) -> list[Cut]:
    """Return passages of whole sentences that cover `text` in order.

    A passage has at most `most_words` words, unless its only sentence is longer.
    A question within an answer is a heading of its source, and a blank line ends a
    section: both start a passage.
    """
    passages: list[Cut] = []
    count = 0
    for sentence in sentences(text):
        words = len(text[sentence.start : sentence.end].split())
        is_heading = text[sentence.start : sentence.end].endswith("?")
        if passages:
            last = passages[-1]
            is_section = is_heading or text[last.end : sentence.start].count("\n") > 1
            if not is_section and count + words <= most_words:
                passages[-1] = Cut(last.start, sentence.end)
                count += words
                continue
        passages.append(sentence)
        count = words
    return passages


def fitting(text: str, fits: Callable[[str], bool]) -> str:
    """Return as many of the first sentences of `text` as fit; "" if not even one does.

    `fits` is called with beginnings of `text`; if it holds for one, it has to hold for every shorter one.
    """
    if not text or fits(text):
        return text
    ends = [0, *(cut.end for cut in sentences(text))]
    too_many = bisect_left(ends, True, lo=1, key=lambda end: not fits(text[:end]))
    return text[: ends[too_many - 1]]


def _is_abbreviation(text: str, stop: int) -> bool:
    if text[stop : stop + 1] != ".":
        return False
    word = re.search(r"[\w.]*$", text[max(0, stop - 12) : stop])
    last = word[0].casefold() if word else ""
    return last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha())


def _bounded(text: str, start: int, end: int) -> Iterator[Cut]:
    words = list(re.finditer(r"\S+", text[start:end]))
    for first in range(0, len(words), SENTENCE_WORDS):
        part = words[first : first + SENTENCE_WORDS]
        yield Cut(start + part[0].start(), start + part[-1].end())
