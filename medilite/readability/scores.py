"""Scores of a text by textstat's formulas, and what each of them means."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple

from medilite.readability.dictionary import textstat_module
from medilite.readability.english import is_english
from medilite.readability.normal import normalise, running_sentences

_CACHED_CHARS = 20_000
"""Longest text whose scores are remembered: answers are far shorter, and references rarely come twice."""


@dataclass(frozen=True, slots=True)
class Readability:
    """How hard a text is to read; METRICS says what each number means.

    A text without words (numbers and signs alone are none) has None for every
    score and 0 for every count. So has a text that is plainly not English
    (`is_english`), because the formulas are for English: its `words` and `sentences`
    are counted, its long and difficult words are not looked for (0).
    """

    flesch_kincaid_grade: float | None
    flesch_reading_ease: float | None
    smog_index: float | None
    gunning_fog: float | None
    coleman_liau_index: float | None
    automated_readability_index: float | None
    dale_chall_score: float | None
    words: int
    sentences: int
    long_words: int
    difficult_words: int
    reading_time_s: float | None

    @property
    def is_foreign(self) -> bool:
        """Whether the text has words, but is plainly not English and so has no scores."""
        return self.words > 0 and self.flesch_kincaid_grade is None

    def as_dict(self) -> dict[str, float | int | None]:
        """Return the fields by name, unrounded."""
        return dataclasses.asdict(self)


_NOTHING = Readability(None, None, None, None, None, None, None, 0, 0, 0, 0, None)


def measure(text: str) -> Readability:
    """Return the scores of `text`: textstat's formulas, unrounded, for `normalise(text)` and its sentences.

    The counts: `long_words` have over 6 letters; `difficult_words` are the words
    that `hard_spans` marks. Raises DataError if textstat's dictionary can't be
    put anywhere.
    """
    return _measure_cached(text) if len(text) <= _CACHED_CHARS else _measure(text)


def warm_up() -> None:
    """Load textstat and its dictionary now (seconds), so that the first `measure` need not."""
    textstat_module()


def is_scorable(normalised: str) -> bool:
    """Return whether the English formulas say anything about a text: it has letters, and is not plainly foreign."""
    return any(map(str.isalpha, normalised)) and is_english(normalised)


def _measure(text: str) -> Readability:
    running = normalise(text)
    if not any(map(str.isalpha, running)):
        return _NOTHING
    textstat = textstat_module()
    words, sentences = textstat.lexicon_count(running), len(running_sentences(running))
    if not is_scorable(running):
        return dataclasses.replace(_NOTHING, words=words, sentences=sentences)
    # textstat's formulas on textstat's counts, but for the sentences: textstat leaves out those of one
    # or two words, so that a list of such items is one endless sentence.
    length, syllables = words / sentences, textstat.syllable_count(running) / words
    hard = 100 * textstat.difficult_words(running, 0, unique=False) / words
    return Readability(
        flesch_kincaid_grade=0.39 * length + 11.8 * syllables - 15.59,
        flesch_reading_ease=206.835 - 1.015 * length - 84.6 * syllables,
        smog_index=1.043 * math.sqrt(30 * (textstat.polysyllabcount(running) / sentences)) + 3.1291,
        gunning_fog=0.4 * (length + 100 * textstat.difficult_words(running, 3, unique=False) / words),
        coleman_liau_index=0.058 * (textstat.letter_count(running) / words * 100)
        - 0.296 * (sentences / words * 100)
        - 15.8,
        automated_readability_index=4.71 * (textstat.char_count(running) / words) + 0.5 * length - 21.43,
        dale_chall_score=0.1579 * hard + 0.0496 * length + (3.6365 if hard > 5 else 0),
        words=words,
        sentences=sentences,
        long_words=textstat.long_word_count(running),
        difficult_words=textstat.difficult_words(running, unique=False),
        reading_time_s=textstat.reading_time(running),
    )


_measure_cached = lru_cache(maxsize=512)(_measure)


class Metric(NamedTuple):
    """What a number of Readability means, for tables and hover texts."""

    label: str
    unit: str
    better: Literal["lower", "higher"] | None
    explanation: str
    source: str


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "flesch_kincaid_grade": Metric(
            "Grade",
            "US school grade",
            "lower",
            "The US school grade whose pupils can read the text, from the length of its sentences and words.",
            "Flesch–Kincaid grade: 0.39 words/sentence + 11.8 syllables/word − 15.59 (Kincaid et al. 1975)",
        ),
        "flesch_reading_ease": Metric(
            "Reading ease",
            "points",
            "higher",
            "How easily the text reads: 60 to 70 is plain English, under 30 is for graduates; it can leave 0 to 100.",
            "Flesch reading ease: 206.835 − 1.015 words/sentence − 84.6 syllables/word (Flesch 1948)",
        ),
        "smog_index": Metric(
            "SMOG",
            "US school grade",
            "lower",
            "The years of school needed to understand the text, from its words of three or more syllables; "
            "made for 30 sentences, so rough for a short answer.",
            "SMOG: 3.1291 + 1.043 √(30 × words of 3+ syllables/sentences) (McLaughlin 1969)",
        ),
        "gunning_fog": Metric(
            "Fog",
            "US school grade",
            "lower",
            "The years of school needed to follow the text at first reading, from sentence length and long, "
            "unfamiliar words.",
            "Gunning fog: 0.4 (words/sentence + percentage of unfamiliar words of 3+ syllables) (Gunning 1952)",
        ),
        "coleman_liau_index": Metric(
            "Coleman–Liau",
            "US school grade",
            "lower",
            "The US school grade from letters a word and sentences a word, without counting syllables.",
            "Coleman–Liau: 0.058 letters/100 words − 0.296 sentences/100 words − 15.8 (Coleman & Liau 1975 give "
            "0.0588; textstat uses 0.058, which lowers the grade by about 0.4)",
        ),
        "automated_readability_index": Metric(
            "ARI",
            "US school grade",
            "lower",
            "The US school grade from characters a word and words a sentence.",
            "Automated readability index: 4.71 characters/word + 0.5 words/sentence − 21.43 (Smith & Senter 1967)",
        ),
        "dale_chall_score": Metric(
            "Dale–Chall",
            "points",
            "lower",
            "From the share of words not on a list of 3,000 familiar ones: under 5 is 4th grade, from 9 on college.",
            "Dale–Chall: 0.1579 × percentage of unlisted words + 0.0496 words/sentence, + 3.6365 if that percentage "
            "is over 5 (Dale & Chall 1948); textstat also counts names, numbers and inflected forms as unlisted",
        ),
        "words": Metric("Words", "words", None, "How many words the answer has.", "textstat: lexicon_count"),
        "sentences": Metric(
            "Sentences",
            "sentences",
            None,
            "How many sentences the answer has, an item of a list being one.",
            "readability.normal: running_sentences",
        ),
        "long_words": Metric(
            "Long words",
            "words",
            "lower",
            "How many words have more than 6 letters.",
            "textstat: long_word_count, after LIX (Björnsson 1968)",
        ),
        "difficult_words": Metric(
            "Hard words",
            "words",
            "lower",
            "How many words have two or more syllables and are not on a list of about 3,000 familiar words.",
            "textstat: difficult_words (every occurrence), with the list of Dale & Chall",
        ),
        "reading_time_s": Metric(
            "Reading time",
            "s",
            "lower",
            "About how long reading the answer takes, at 14.69 ms a character.",
            "Demberg & Keller 2008, as textstat: reading_time",
        ),
    }
)
