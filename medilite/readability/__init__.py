"""Scores of a text, and the words and sentences behind them.

`measure` gives the scores, `hard_spans` what to mark, `grade_word` and
`grade_band` what to call a grade, `METRICS` what each number means. `normalise`
documents what counts as a word and a sentence. textstat loads at first use;
`warm_up` does it ahead of time.
"""

from medilite.readability.dictionary import familiar_words, textstat_module
from medilite.readability.grades import (
    BANDS,
    RECOMMENDED_GRADES,
    BandKey,
    GradeBand,
    grade_band,
    grade_word,
    whole_grade,
)
from medilite.readability.normal import normalise
from medilite.readability.scores import METRICS, Metric, Readability, measure, warm_up
from medilite.readability.spans import LONG_SENTENCE_WORDS, Span, hard_spans

__all__ = [
    "BANDS",
    "LONG_SENTENCE_WORDS",
    "METRICS",
    "RECOMMENDED_GRADES",
    "BandKey",
    "GradeBand",
    "Metric",
    "Readability",
    "Span",
    "familiar_words",
    "grade_band",
    "grade_word",
    "hard_spans",
    "measure",
    "normalise",
    "textstat_module",
    "warm_up",
    "whole_grade",
]
