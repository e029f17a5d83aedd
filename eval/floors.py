"""Floors: answers that know nothing, and one that knows all, to compare a model's numbers with.

Each is a system without a model that answers the same questions and is scored
by the same code. A metric on which one of the floors is as good as the models
says nothing of what they know.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from eval.metrics.answer import Scores, own_scores, question_scores, rounded, similarity_or_empty
from eval.metrics.catalogue import SCORED
from eval.metrics.claimed import claim_scores
from eval.metrics.overlap import rouge_l, rouge_tokens
from eval.processes import mapped
from eval.questions import Question, text_hash
from eval.scores import Row
from medilite.claims import sentences
from medilite.cli.terminal import Say
from medilite.content import Encoder, key_term_recall, stems, topic_similarities
from medilite.data import CLEAN, DISTINCT, load_split, question_key
from medilite.errors import WeightsError
from medilite.records import Example

FLOORS = {
    "floor-echo": ("Question echoed", "the question, handed back"),
    "floor-filler": ("Fixed filler", "the same four sentences for every question"),
    "floor-other": ("Another disease's answer", "what MedQuAD says of another disease, to a question of the same kind"),
    "floor-nearest": (
        "Nearest training answer",
        "MedQuAD's answer to the training question with the most words in common, by rarity; no model",
    ),
    "ceiling-reference": ("Reference itself", "the first reference of the question"),
}
"""Key, label and what it is, in the order of tables."""

FILLER = (
    "This is a condition that affects people in different ways. The signs and symptoms vary from person to person. "
    "Treatment depends on the cause and on how severe it is. Talk to your doctor about what is best for you."
)

SIMILAR = ("floor-echo", "floor-filler", "ceiling-reference")
"""Floors whose topic similarity is computed: the others would double the embeddings, for a metric of no truth."""

MOST_WORDS = 180
"""Answers taken from MedQuAD are cut after the sentence that reaches this many words: models have 256 tokens."""

SEED = 42


def floor_texts(questions: Sequence[Question], train: Sequence[Example], seed: int = SEED) -> dict[str, dict[str, str]]:
    """Return the text of each floor by qid, the reference's aside: that depends on the split."""
    asked = {question_key(question.text) for question in questions}
    train = [example for example in train if question_key(example.question) not in asked]
    by_kind: dict[str, list[Example]] = {}
    for example in train:
        by_kind.setdefault(example.qtype, []).append(example)
    nearest = _Nearest(train)
    found: dict[str, dict[str, str]] = {}
    for question in questions:
        rng = random.Random(f"{seed} {question.qid}")
        others = by_kind.get(question.qtype) or train
        strangers = (
            [
                one
                for one in (rng.choice(others) for _ in range(20))
                if one.focus_area.casefold() not in question.text.casefold()
            ]
            if others
            else []
        )
        close = nearest.to(question.text)
        found[question.qid] = {
            "floor-echo": question.text,
            "floor-filler": FILLER,
            "floor-other": cut(strangers[0].answer) if strangers else "",
            "floor-nearest": cut(close.answer) if close else "",
        }
    return found


def cut(text: str, most_words: int = MOST_WORDS) -> str:
    """Return the first sentences of a text, up to the one that reaches `most_words`."""
    end = words = 0
    for sentence in sentences(text):
        end, words = sentence.end, words + len(sentence.text.split())
        if words >= most_words:
            break
    return text[:end] if end else text


class _Nearest:
    """Training questions by their words, so that the nearest to another is found without a model."""

    def __init__(self, train: Sequence[Example]) -> None:
        self._train = train
        self._stems = [stems(example.question) for example in train]
        counts = Counter(stem for some in self._stems for stem in some)
        self._weights = {stem: math.log((len(train) + 1) / count) for stem, count in counts.items()}
        self._lengths = [math.fsum(self._weights[stem] for stem in sorted(some)) for some in self._stems]
        self._having: dict[str, list[int]] = {}
        for place, some in enumerate(self._stems):
            for stem in some:
                self._having.setdefault(stem, []).append(place)

    def to(self, question: str) -> Example | None:
        """Return the pair whose question shares most, by weight (Dice), or None; of equals the first."""
        own = sorted(stems(question))
        length = math.fsum(self._weights.get(stem, 0.0) for stem in own)
        common: dict[int, float] = {}
        for stem in own:
            for place in self._having.get(stem, ()):
                common[place] = common.get(place, 0.0) + self._weights[stem]
        likeness = {place: 2 * shared / (length + self._lengths[place]) for place, shared in common.items() if shared}
        if not likeness:
            return None
        best = max(likeness.values())
        return self._train[min(place for place, like in likeness.items() if like >= best - 1e-12)]


def floor_rows(
    questions: Mapping[str, Sequence[Question]],
    data: Path,
    encoder: Encoder | None = None,
    say: Say = lambda text: None,
    workers: int = 1,
    similar: bool = True,
    known: Mapping[tuple[str, str, str, str], float | None] | None = None,
) -> list[Row]:
    """Return the scores of every floor against every split, by split, question and floor.

    BLEU and chrF++ are left out, topic similarity too but for SIMILAR; there as well where no encoder
    can be had, or unless `similar`; `known` are values by (split, qid, floor, hash of
    the text) that needn't be computed again. Raises DataError where the training split can't be used.
    """
    tasks: list[_Task] = []
    for of_set, splits in groupby(sorted(questions, key=_trained_on), key=_trained_on):
        of_splits = [(split, question) for split in splits for question in questions[split]]
        once = {question.qid: question for _, question in of_splits}
        texts = floor_texts(list(once.values()), load_split(data / of_set, "train"))
        tasks += [
            (split, question, {**texts[question.qid], "ceiling-reference": question.references[0]})
            for split, question in of_splits
        ]
    place = {split: number for number, split in enumerate(questions)}
    tasks.sort(key=lambda task: place[task[0]])
    # A question of two splits is one task: its texts are the same, and mostly its references are.
    shared: dict[str, list[_Task]] = {}
    for task in tasks:
        shared.setdefault(task[1].qid, []).append(task)
    found: dict[tuple[str, str], list[Row]] = {}
    for number, some in enumerate(mapped(_score, list(shared.values()), workers), 1):
        say(f"floors: question {number:,} of {len(shared):,}")
        for row in some:
            found.setdefault((row.split, row.qid), []).append(row)
    rows = [row for split, question, _ in tasks for row in found[split, question.qid]]
    if similar:
        known = known or {}
        rows = [
            replace(
                row, scores={**row.scores, "topic_similarity": known.get((row.split, row.qid, row.model, row.answer))}
            )
            for row in rows
        ]
        places = [i for i, r in enumerate(rows) if r.model in SIMILAR and r.scores["topic_similarity"] is None]
        texts_of = {(split, question.qid): (question, of) for split, question, of in tasks}
        held = [texts_of[rows[i].split, rows[i].qid] for i in places]
        said = [of[rows[i].model] for i, (_, of) in zip(places, held, strict=True)]
        try:
            close = topic_similarities(said, [question.references for question, _ in held], encoder)
        except WeightsError:
            close = [None] * len(said)
        for i, value, text in zip(places, close, said, strict=True):
            rows[i] = replace(rows[i], scores={**rows[i].scores, "topic_similarity": similarity_or_empty(value, text)})
    return [replace(row, scores={key: row.scores.get(key) for key in SCORED}) for row in rows]


def _trained_on(split: str) -> str:
    """Return the set whose training split the models trained on that a split is for; the study's shares questions."""
    return CLEAN if split.startswith(f"{CLEAN}/") else DISTINCT


_Task = tuple[str, Question, dict[str, str]]
"""A split, a question of it, and each floor's answer."""


def _score(tasks: Sequence[_Task]) -> list[Row]:
    """Return the rows of one question in all splits that have it; what they share is computed once."""
    by_text: dict[str, Scores] = {}
    by_references: dict[tuple[str, tuple[str, ...]], Scores] = {}
    rows = []
    for split, question, texts in tasks:
        for floor, text in texts.items():
            if text not in by_text:
                by_text[text] = own_scores(text, None, None) | question_scores(question.text, text)
            key = text, tuple(question.references)
            if key not in by_references:
                by_references[key] = _against_references(question, text)
            rows.append(Row(split, question.qid, floor, text_hash(text), by_text[text] | by_references[key], {}))
    return rows


def _against_references(question: Question, text: str) -> Scores:
    said = rouge_tokens(text)
    return rounded(
        {
            "key_term_recall": key_term_recall(text, question.references, question.text),
            "rouge_l": max(rouge_l(said, rouge_tokens(reference)) for reference in question.references),
        }
    ) | claim_scores(question.text, question.references, text)
