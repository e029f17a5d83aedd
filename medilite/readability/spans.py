"""Where the hard words, long sentences, passives and unexplained abbreviations of a text are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from medilite.readability.dictionary import textstat_module
from medilite.readability.forms import abbreviations, passives
from medilite.readability.normal import normalise_with_origins, running_sentences
from medilite.readability.scores import is_scorable

LONG_SENTENCE_WORDS = 20
"""A sentence of more words than this is long: the US Department of Health and Human Services
("Plain Writing in One Page") asks for no more than 20 words a sentence."""

_TOKEN = re.compile(r"\S+")
_EDGES = re.compile(r"^[^\w]+|[^\w]+$")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text, `text[start:end]`, and what it is."""

    start: int
    end: int
    kind: Literal["hard-word", "long-sentence", "passive", "abbreviation"]


def hard_spans(text: str) -> list[Span]:
    """Return what makes `text` hard to read, by start, the longer first.

    A hard word is one that textstat calls difficult: two or more syllables and
    not on Dale and Chall's list of familiar words; there are as many as
    `measure(text).difficult_words`. A long sentence has more than
    LONG_SENTENCE_WORDS words; it may hold hard words. `forms` says what counts as
    a passive and as an unexplained abbreviation. Positions index into `text` as
    given, markup included.
    """
    return list(_hard_spans(text))


@lru_cache(maxsize=128)
def _hard_spans(text: str) -> tuple[Span, ...]:
    running, origins = normalise_with_origins(text)
    if not is_scorable(running):
        return ()
    textstat = textstat_module()
    spans: list[Span] = []
    for token in _TOKEN.finditer(running):
        # Token by token this gives the very words of textstat's own list.
        words = textstat.backend.selections.list_words(token[0])
        if words and textstat.is_difficult_word(words[0]):
            bare = _EDGES.sub("", token[0])
            start = token.start() + token[0].index(bare)
            spans.append(Span(origins[start], origins[start + len(bare) - 1] + 1, "hard-word"))
    spans += [Span(origins[start], origins[end - 1] + 1, "abbreviation") for start, end in abbreviations(running)]
    for sentence in running_sentences(running):
        for start, end in passives(sentence[0]):
            at = sentence.start()
            spans.append(Span(origins[at + start], origins[at + end - 1] + 1, "passive"))
        if textstat.lexicon_count(sentence[0]) > LONG_SENTENCE_WORDS:
            last = sentence.start() + len(sentence[0].rstrip()) - 1
            # A full stop added for a line break is not in the text.
            while text[origins[last]].isspace():
                last -= 1
            spans.append(Span(origins[sentence.start()], origins[last] + 1, "long-sentence"))
    return tuple(sorted(spans, key=lambda span: (span.start, -span.end)))
