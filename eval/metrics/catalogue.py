"""What each number of the leaderboard means, which way is better, and what it takes to compute it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal

from medilite.readability import METRICS as READABILITY

Needs = Literal["answer", "question", "references", "judge"]
"""What a metric is computed from, besides the answer: nothing, the question's text, the references, or a judge."""


Lead = Literal["mean", "median"]
"""Which statistic over questions leads in tables: the median where one odd answer can move a mean."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of an answer; tables have its `lead` over questions, with `digits` after the point."""

    key: str
    label: str
    unit: str
    better: Literal["lower", "higher"] | None
    explanation: str
    source: str
    needs: Needs
    digits: int = 1
    lead: Lead = "mean"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


FORMULAS = ("flesch_kincaid_grade", "smog_index", "coleman_liau_index", "dale_chall_score", "gunning_fog")
"""The five formulas that are asked whether one answer is easier than another; lower is easier in each."""

EASIER = 4
"""Of FORMULAS, how many have to agree before anything is called easier (docs/protocol.md)."""

GRADE_8 = 8.0
"""The grade that health texts should not exceed (National Institutes of Health and American Medical Association)."""

LOOP = 0.25
"""An answer loops if at least this share of its 4-grams of words occurred before in it (docs/protocol.md)."""

WITHOUT_LOOPS = (*FORMULAS, "flesch_reading_ease", "automated_readability_index", "difficult_share", "grade_8")
"""Metrics that leave loops out: a text that repeats itself is not easier for that."""


def _reading(key: str, digits: int = 1) -> Metric:
    about = READABILITY[key]
    lead: Lead = "median" if key in FORMULAS else "mean"
    return Metric(key, about.label, about.unit, about.better, about.explanation, about.source, "answer", digits, lead)


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
        "grade_8", "8th grade or below", "share of answers", "higher",
        "How many answers have a grade of 8 or below, which is what health texts are asked to have.",
        f"Flesch–Kincaid grade ≤ {GRADE_8:g}; answers that loop are left out", "answer", 3,
    ),
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
        "loops", "Loops", "share of answers", "lower",
        "How many answers say the same again and again. They are left out of grades, not averaged in.",
        f"at least {LOOP:.0%} of an answer's 4-grams of words occurred before in it", "answer", 3,
    ),
    Metric(
        "question_echo", "Echo", "share of words", "lower",
        "How much of the answer is copied from the question, its wording and not only its subject.",
        "runs of at least four words that stand in the question in that order", "question", 3,
    ),
    Metric(
        "content_precision", "Supported content", "share of weight", "higher",
        "How much of what the answer says, beyond the question's own words, a reference says too; rare words weigh "
        "more. It tells nothing of an order or a relation of words, and a reference is not all that is true.",
        "share of the answer's different content stems, by inverse document frequency, that any reference has",
        "references", 3,
    ),
    Metric(
        "content_recall", "Content said", "share of weight", "higher",
        "How much of what a reference says, beyond the question's own words, the answer says; the best of its "
        "references, at most 24 terms of each.",
        "share of a reference's content stems, by (1 + ln frequency) × inverse document frequency", "references", 3,
    ),
    Metric(
        "content_f1", "Content F1", "F-measure", "higher",
        "Supported content and content said in one number: low if either is.",
        "harmonic mean of the two; 0 for an answer without content", "references", 3,
    ),
    Metric(
        "unsupported_terms", "Unsupported terms", "terms an answer", "lower",
        "How many different content words the answer has that no reference and not the question has. A long answer "
        "has more.",
        "content stems in no reference", "references", 1,
    ),
    Metric(
        "claims_at_odds", "Claims at odds", "claims an answer", "lower",
        "How many claims contradict the references or themselves: genes, patterns of inheritance and what they are "
        "said to mean, numbers, negations, diseases.",
        "medilite.claims, different claims an answer; kinds whose planted errors are found reliably", "references", 2,
    ),
    Metric(
        "claims_not_found", "Claims not found", "claims an answer", "lower",
        "How many claims no reference says. Not found isn't wrong: a reference is not all that is known.",
        "as claims at odds", "references", 2,
    ),
    Metric(
        "claims_found", "Claims found", "claims an answer", None,
        "How many claims a reference or the question says too. A longer answer has more.",
        "as claims at odds", "references", 2,
    ),
    Metric(
        "false_explanation", "False explanation", "share of answers", "lower",
        "How many answers explain a pattern of inheritance against its meaning: dominant as both copies or both "
        "parents, recessive as one copy.",
        "medilite.claims", "references", 3,
    ),
    Metric(
        "inheritance_from_nowhere", "Inheritance from nowhere", "share of answers", "lower",
        "How many answers name a pattern of inheritance where no reference speaks of genes or inheritance at all.",
        "medilite.claims", "references", 3,
    ),
    Metric(
        "invented_prevalence", "Invented prevalence", "share of answers", "lower",
        "How many answers give a prevalence, such as 1 in 10,000, that no reference gives.",
        "medilite.claims", "references", 3,
    ),
    Metric(
        "topic_similarity", "Topic similarity", "cosine", "higher",
        "How near the answer's topic is to the nearest reference's. It measures no truth: the question itself, handed "
        "back, is about as near as any model's answer (see the row of the echo).",
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
        "readability": ("flesch_reading_ease", "flesch_kincaid_grade", "grade_8"),
        "length": ("words",),
        "sentences": ("flesch_kincaid_grade",),
        "jargon": ("difficult_share",),
        "closeness": ("topic_similarity",),
        "key_terms": ("key_term_recall", "content_recall"),
        "f1": ("content_f1", "content_precision", "content_recall"),
        "precision": ("content_precision", "unsupported_terms"),
        "supported": (
            *("claims_at_odds", "claims_not_found", "false_explanation"),
            *("inheritance_from_nowhere", "invented_prevalence"),
        ),
        "repetition": ("repeated_4grams", "loops"),
        "echo": ("question_echo",),
        "ending": ("ended",),
        # A rewriter's, against the passage that it is given.
        "grounded": ("content_precision", "unsupported_terms"),
        "copied": (),
    }
)
"""Metrics that a reward of GRPO works on, by the reward's name in training.json: a gain there was trained for."""
