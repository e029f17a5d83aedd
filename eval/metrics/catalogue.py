"""What each number of the leaderboard means, which way is better, and what it takes to compute it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal

from medilite.readability import METRICS as READABILITY

Needs = Literal["answer", "question", "references", "judge"]
"""What a metric is computed from, besides the answer: nothing, the question's text, the references, or a judge."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of an answer, averaged over questions in tables; `digits` after the point are shown."""

    key: str
    label: str
    unit: str
    better: Literal["lower", "higher"] | None
    explanation: str
    source: str
    needs: Needs
    digits: int = 1

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def _reading(key: str, digits: int = 1) -> Metric:
    about = READABILITY[key]
    return Metric(key, about.label, about.unit, about.better, about.explanation, about.source, "answer", digits)


_JUDGE_SOURCE = "An LLM's judgment from 1 to 10, given question, answer and references"

_ALL = (
    _reading("flesch_kincaid_grade"),
    _reading("flesch_reading_ease"),
    _reading("smog_index"),
    _reading("gunning_fog"),
    _reading("coleman_liau_index"),
    _reading("automated_readability_index"),
    _reading("dale_chall_score"),
    Metric(
        "difficult_share", "Hard words", "share of words", "lower",
        "How much of the answer is words of two or more syllables that are not on a list of about 3,000 familiar ones.",
        "textstat: difficult_words / lexicon_count, with the list of Dale & Chall", "answer", 3,
    ),
    _reading("words", 0),
    _reading("sentences"),
    Metric(
        "tokens", "Tokens", "tokens", None, "How many tokens the model wrote, the closing one not counted.",
        "counted while the answer was written", "answer", 0,
    ),
    Metric(
        "ended", "Ended by itself", "share of answers", "higher",
        "How many answers the model brought to an end itself; the others were cut at the token limit.",
        "why the answer stopped", "answer", 3,
    ),
    Metric(
        "repeated_4grams", "Repetition", "share of 4-grams", "lower",
        "How much of the answer is runs of four words that it had said before.",
        "1 − distinct 4-grams / 4-grams; none in answers under four words", "answer", 3,
    ),
    Metric(
        "question_echo", "Echo", "share of words", "lower",
        "How much of the answer is copied from the question, its wording and not only its subject.",
        "runs of at least four words that stand in the question in that order", "question", 3,
    ),
    Metric(
        "closeness", "Closeness", "cosine", "higher",
        "How near the answer's meaning is to the nearest reference's.",
        "cosine of all-MiniLM-L6-v2 sentence embeddings (Reimers & Gurevych 2019); 0 for an empty answer",
        "references", 3,
    ),
    Metric(
        "key_term_recall", "Key terms", "share of weight", "higher",
        "How many of the terms that carry a reference's content the answer has; the best of its references.",
        "at most 24 stemmed terms a reference, weighted by 1 + ln frequency", "references", 3,
    ),
    Metric(
        "rouge_l", "ROUGE-L", "F-measure", "higher",
        "How much of a reference the answer gives in the same order, and little else.",
        "longest common subsequence of lower-cased words, F1, nearest reference (Lin 2004)", "references", 3,
    ),
    Metric(
        "chrf", "chrF++", "points of 100", "higher",
        "How many short runs of characters and words the answer shares with the nearest reference.",
        "sacrebleu: chrF++ of each answer, nearest reference (Popović 2017)", "references",
    ),
    Metric(
        "correctness", "Correctness", "of 10", "higher", "How right the judge finds the answer.",
        _JUDGE_SOURCE, "judge", 2,
    ),
    Metric(
        "helpfulness", "Helpfulness", "of 10", "higher", "How helpful the judge finds the answer.",
        _JUDGE_SOURCE, "judge", 2,
    ),
    Metric(
        "harmfulness", "Harmfulness", "of 10", "lower", "How harmful the judge finds the answer; 10 is worst.",
        _JUDGE_SOURCE, "judge", 2,
    ),
    Metric(
        "efficiency", "Efficiency", "of 10", "higher", "How well the judge finds the answer to the point.",
        _JUDGE_SOURCE, "judge", 2,
    ),
)  # fmt: skip

METRICS: Mapping[str, Metric] = MappingProxyType({metric.key: metric for metric in _ALL})
"""By key, in the order of tables."""

JUDGED = tuple(key for key, metric in METRICS.items() if metric.needs == "judge")
SCORED = tuple(key for key in METRICS if key not in JUDGED)
"""What `eval.score` computes, and what comes from judgments."""

BLEU_ABOUT = {
    "bleu_study": (
        "BLEU, as the study",
        "Lower-cased, against all references of a question joined into one; 0 to 100. Look at its parts: an answer "
        "shorter than the joined references loses most of its score to the brevity penalty, however right its words.",
    ),
    "bleu": ("BLEU", "sacrebleu's, cased, against each reference of a question; 0 to 100."),
}
"""Label and explanation of the two ways of BLEU; higher is better in both."""

TRAINED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "readability": ("flesch_reading_ease", "flesch_kincaid_grade"),
        "length": ("words",),
        "sentences": ("flesch_kincaid_grade",),
        "jargon": ("difficult_share",),
        "closeness": ("closeness",),
        "key_terms": ("key_term_recall",),
        "repetition": ("repeated_4grams",),
        "echo": ("question_echo",),
        "ending": ("ended",),
    }
)
"""Metrics that a reward of GRPO works on, by the reward's name in training.json: a gain there was paid for."""
