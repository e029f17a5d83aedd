"""Greedy answers to validation questions while GRPO trains, measured as in evaluation.

Rewards are of samples and are the training's target; whether the checkpoint got easier without saying less, or more
than is known, shows in greedy answers to questions that no training saw. Settings are chosen by these curves, never by
the test split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from transformers import TrainerCallback

from medilite.content import Encoder, key_term_recall, repeated_ngrams, topic_similarities
from medilite.readability import measure
from medilite.records import Message
from training.rewards.claimed import found_in

FIT_WORDS = range(30, 301)
"""Words of an answer that is neither too short nor too long: the study's bounds."""

LOOP = 0.25
"""Share of repeated 4-grams from which an answer is a loop (docs/protocol.md)."""

MEASURES = (
    "grade", "closeness", "key_term_recall", "words", "words_a_sentence", "fit_length", "ended", "repeated_4grams",
    "median_grade", "looped", "content_f1", "content_precision", "claims_not_found", "claims_at_odds",
)  # fmt: skip
"""The protocol compares tries by the last six; the others are kept to compare with older runs."""

VALIDATION_CURVES = tuple(f"validation/{name}" for name in MEASURES)


@dataclass(frozen=True, slots=True)
class Completion:
    """A greedy answer, and whether the model ended it."""

    text: str
    ended: bool


def measured(
    answers: Sequence[Completion], questions: Sequence[str], references: Sequence[Sequence[str]], encoder: Encoder
) -> dict[str, float]:
    """Return the means of MEASURES over answers that have them; a measure that none has is left out.

    `references[i]` are those of `questions[i]`, which `answers[i]` is to. The
    median grade is of answers that don't loop; claims are counts an answer.
    """
    texts = [answer.text for answer in answers]
    found = [measure(text) for text in texts]
    recalls = [key_term_recall(t, own, q) for t, own, q in zip(texts, references, questions, strict=True)]
    held = [found_in(t, own, q) for t, own, q in zip(texts, references, questions, strict=True)]
    claims = [one for one in held if one is not None]
    repeated = [repeated_ngrams(text) for text in texts]
    loops = [share is not None and share >= LOOP for share in repeated]
    values: dict[str, Iterable[float | None]] = {
        "grade": [one.flesch_kincaid_grade for one in found],
        "closeness": topic_similarities(texts, references, encoder),
        "key_term_recall": recalls,
        "words": [float(one.words) for one in found],
        "words_a_sentence": [one.words / one.sentences if one.sentences else None for one in found],
        "fit_length": [float(one.words in FIT_WORDS) for one in found],
        "ended": [float(answer.ended) for answer in answers],
        "repeated_4grams": repeated,
        "median_grade": [one.flesch_kincaid_grade for one, loop in zip(found, loops, strict=True) if not loop],
        "looped": map(float, loops),
        "content_f1": [one.f1 for one in claims],
        "content_precision": [one.precision for one in claims],
        "claims_not_found": [float(one.count("not_found")) for one in claims],
        "claims_at_odds": [float(one.count("at_odds")) for one in claims],
    }
    there = {name: [value for value in column if value is not None] for name, column in values.items()}
    means = {name: fmean(column) for name, column in there.items() if column}
    return means | ({"median_grade": median(there["median_grade"])} if there["median_grade"] else {})


class Validation(TrainerCallback):
    """Has the policy answer before the first step (then it is the parent), every `every` steps, and after the last.

    `answer` returns the policy's greedy answers to conversations; `note` takes a measure's name and value for the
    step's log. `turns` are what the user says: the questions, or each with the passage to answer from.
    """

    def __init__(
        self,
        answer: Callable[[Any, Sequence[Sequence[Message]]], list[Completion]],
        note: Callable[[str, float], None],
        columns: Sequence[Mapping[str, Any]],
        turns: Sequence[str],
        every: int,
        encoder: Encoder,
    ) -> None:
        self._answer, self._note, self._every, self._encoder = answer, note, every, encoder
        self._questions = [column["question"] for column in columns]
        self._references = [column["references"] for column in columns]
        self._conversations = [[Message("user", turn)] for turn in turns]

    def on_step_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Measure the parent, whose numbers go into the first step's log."""
        if state.global_step == 0:
            self._measure(model)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Measure the policy after this step."""
        if state.global_step % self._every == 0 or state.global_step == state.max_steps:
            self._measure(model)

    def _measure(self, model: Any) -> None:
        answers = self._answer(model, self._conversations)
        for name, value in measured(answers, self._questions, self._references, self._encoder).items():
            self._note(f"validation/{name}", value)
