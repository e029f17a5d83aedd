"""One answer's numbers, each under its key in the catalogue; what can't be had is None, never 0."""

from __future__ import annotations

from collections.abc import Sequence

from eval.metrics.catalogue import GRADE_8, LOOP
from eval.metrics.overlap import References
from medilite.content import echo_share, key_term_recall, repeated_ngrams
from medilite.readability import measure

Scores = dict[str, float | None]

DECIMALS = 6
"""Scores are rounded to this many digits, so that everything computed from them is reproducible to the digit."""

_FORMULAS = (
    *("flesch_kincaid_grade", "flesch_reading_ease", "smog_index", "gunning_fog", "coleman_liau_index"),
    *("automated_readability_index", "dale_chall_score"),
)


def own_scores(text: str, tokens: int | None, stopped: str | None) -> Scores:
    """Return the scores of the answer alone. An answer without words has no grade (None) and 0 words.

    `tokens` and `stopped` are None for a text that no model wrote.
    The readability figures are `medilite.readability.measure`'s.
    """
    reading = measure(text)
    scored = reading.flesch_kincaid_grade is not None
    return rounded(
        {key: getattr(reading, key) for key in _FORMULAS}
        | {
            "grade_8": float(reading.flesch_kincaid_grade <= GRADE_8)
            if reading.flesch_kincaid_grade is not None
            else None,
            "difficult_share": reading.difficult_words / reading.words if scored and reading.words else None,
            "words": reading.words,
            "sentences": reading.sentences,
            "tokens": tokens,
            "ended": None if stopped is None else float(stopped == "end"),
            "repeated_4grams": (repeated := repeated_ngrams(text, 4)),
            # A text of fewer than four words has nothing to repeat.
            "loops": float((repeated or 0.0) >= LOOP),
        }
    )


def question_scores(question: str, text: str) -> Scores:
    """Return the scores that need the question's text."""
    return rounded({"question_echo": echo_share(question, text)})


def reference_scores(question: str, references: Sequence[str], prepared: References, text: str) -> Scores:
    """Return the scores that need references, except topic similarity, which is computed for many answers at once."""
    return rounded(
        {
            "key_term_recall": key_term_recall(text, references, question),
            "rouge_l": prepared.rouge_l(text),
            "chrf": prepared.chrf(text),
        }
    )


def similarity_or_empty(similarity: float | None, text: str) -> float | None:
    """Return a similarity for tables: 0 for an empty answer, which would otherwise be left out of the mean."""
    from medilite.content import words

    return 0.0 if similarity is None and not words(text) else rounded({"": similarity})[""]


def rounded(scores: Scores) -> Scores:
    """Return the scores with DECIMALS digits after the point."""
    return {key: None if value is None else round(float(value), DECIMALS) for key, value in scores.items()}
