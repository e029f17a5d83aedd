"""The clean set: training without lists and tables, and two sealed parts that nothing was trained or chosen on.

`known` asks new questions on diseases that training knows by other questions,
`new` asks on diseases that no training pair is about. docs/protocol.md says what
they are for.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from medilite.data import question_key
from medilite.records import Example
from training.data.cleaning import CleanRule, answers, cleaned, count_boilerplate
from training.data.diseases import disease_of, plain
from training.data.splits import SplitSet

USED = Path(__file__).with_name("used.txt")


@dataclass(frozen=True, slots=True)
class SealRule:
    """How many questions are sealed, and which may be.

    `most_known_of_disease` leaves diseases their other questions; one of those
    has an answer of at most `short_words`, which training never drops for its
    length. A disease is held out whole if it has `fewest_new_of_disease` to
    `most_new_of_disease` questions: one alone is an overview, nearly always, and
    many are diseases that an abbreviation made one.
    """

    known_questions: int = 640
    new_questions: int = 420
    most_known_of_disease: int = 1
    short_words: int = 250
    fewest_new_of_disease: int = 2
    most_new_of_disease: int = 12


@dataclass(frozen=True, slots=True)
class CleanSet:
    """The clean set's splits by name, and in counts how they were made."""

    splits: dict[str, list[Example]]
    notes: dict[str, Any]


@cache
def used_ids() -> frozenset[str]:
    """Return the ids of the pairs that a committed adapter or a recorded try may have trained on."""
    lines = USED.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def make_clean_set(
    distinct: SplitSet,
    answered: Sequence[Example],
    synonyms: Mapping[str, Sequence[str]],
    seed: int,
    *,
    used: frozenset[str] | None = None,
    clean: CleanRule | None = None,
    seal: SealRule | None = None,
) -> CleanSet | str:
    """Return the clean set of a collection, or why there is none: no synonyms, or too few questions to seal.

    Everything comes out of `distinct`, whose validation and test questions are
    in none of its training rows. `answered` are all pairs of the collection, by
    which a held-out disease is known under each of its names.
    """
    if not synonyms:
        return "the source names no synonyms, so diseases that training doesn't know can't be separated from the others"
    used, clean, seal = used_ids() if used is None else used, clean or CleanRule(), seal or SealRule()
    disease = disease_of(answered, synonyms)
    new = _draw_new(distinct, answered, disease, used, clean, seal, seed)
    if (found := len(_keys(new))) < seal.new_questions:
        return f"only {found:,} questions are on untouched diseases, {seal.new_questions:,} are wanted"
    held_out = {disease[example.qid] for example in new}
    rest = _apart(distinct.train, disease, held_out)
    known = _draw_known(rest, disease, used, clean, seal, seed)
    if (found := len(_keys(known))) < seal.known_questions:
        return f"only {found:,} untouched questions are on diseases with others, {seal.known_questions:,} are wanted"
    asked = _keys([*known, *new])
    train = cleaned([example for example in rest if question_key(example.question) not in asked], clean, seed)
    in_train = {example.qid for example in train}
    splits = {
        "train": train,
        "val": cleaned(_apart(distinct.val, disease, held_out), clean, seed),
        "test": cleaned(_apart(distinct.test, disease, held_out), clean, seed),
        "grpo": [example for example in distinct.grpo if example.qid in in_train],
        "known": known,
        "new": new,
    }
    notes = {
        "made_from": "distinct",
        "clean": asdict(clean),
        "seal": asdict(seal),
        "boilerplate": {
            name: count_boilerplate(getattr(distinct, name), clean) for name in ("train", "val", "test", "grpo")
        },
        "used_pairs": {"listed": len(used), "in_this_collection": sum(example.qid in used for example in answered)},
        "diseases": {"in_collection": len(set(disease.values())), "new": len(held_out)},
        "train_rows_of_new_diseases_left_out": len(distinct.train) - len(rest),
        "questions": {name: len(_keys(rows)) for name, rows in splits.items()},
        "sealed_by_type": {
            name: dict(Counter(example.qtype for example in splits[name]).most_common()) for name in ("known", "new")
        },
        "sealed_by_source": {
            name: dict(Counter(example.source for example in splits[name]).most_common()) for name in ("known", "new")
        },
    }
    return CleanSet(splits, notes)


def _draw_new(
    distinct: SplitSet,
    answered: Sequence[Example],
    disease: Mapping[str, str],
    used: frozenset[str],
    clean: CleanRule,
    seal: SealRule,
    seed: int,
) -> list[Example]:
    """Return rows of diseases that nothing was trained on, and whose questions ask about no other disease."""
    touched = {disease[example.qid] for example in answered if example.qid in used}
    asking: dict[str, set[str]] = defaultdict(set)
    for example in answered:
        asking[question_key(example.question)].add(disease[example.qid])
    by_disease: dict[str, list[Example]] = defaultdict(list)
    for example in distinct.train:
        by_disease[disease[example.qid]].append(example)
    names: dict[str, set[str]] = defaultdict(set)
    for name, rows in by_disease.items():
        names[name] = {plain(example.focus_area) for example in rows}
    missing = {disease[example.qid] for example in answered if example.focus_area == "Others"} | {""}
    drawn: list[Example] = []
    asked = 0
    for name in _shuffled(by_disease, seed):
        rows = [example for example in by_disease[name] if answers(example, clean)]
        questions = _keys(rows)
        fits = seal.fewest_new_of_disease <= len(questions) <= seal.most_new_of_disease
        if asked >= seal.new_questions or name in touched or name in missing or not fits:
            continue
        if any(len(asking[question_key(example.question)]) > 1 for example in by_disease[name]):
            continue
        if any(_part_of_other(own, names[other]) for own in names[name] for other in names if other != name):
            continue
        drawn += rows
        asked += len(questions)
    return drawn


def _draw_known(
    rest: Sequence[Example],
    disease: Mapping[str, str],
    used: frozenset[str],
    clean: CleanRule,
    seal: SealRule,
    seed: int,
) -> list[Example]:
    """Return all rows of some questions that nothing was trained on, and of whose disease training keeps others."""
    by_question: dict[str, list[Example]] = defaultdict(list)
    by_disease: dict[str, set[str]] = defaultdict(set)
    short: set[str] = set()
    texts: dict[str, set[str]] = defaultdict(set)
    for example in rest:
        key = question_key(example.question)
        by_question[key].append(example)
        texts[example.answer].add(key)
        if answers(example, clean):
            by_disease[disease[example.qid]].add(key)
            if len(example.answer.split(" ")) <= seal.short_words:
                short.add(key)
    taken: dict[str, set[str]] = defaultdict(set)
    drawn: list[Example] = []
    asked = 0
    for key in _shuffled(by_question, seed):
        rows = by_question[key]
        homes = {disease[example.qid] for example in rows}
        name = min(homes)
        stay = by_disease[name] - taken[name] - {key}
        if (
            asked >= seal.known_questions
            or len(homes) > 1
            or not name
            or len(taken[name]) >= seal.most_known_of_disease
            or not stay & short
            or any(example.qid in used or len(texts[example.answer]) > 1 for example in rows)
            or not all(answers(example, clean) for example in rows)
            or any(example.focus_area == "Others" for example in rows)
        ):
            continue
        taken[name].add(key)
        drawn += rows
        asked += 1
    return drawn


def _part_of_other(name: str, others: set[str]) -> bool:
    """Return whether a disease's name is part of another's, or the other way round: "Gout" and a guide to it.

    Their sources give them no name in common, but a model that was trained on one knows the other.
    """
    return any(f" {name} " in f" {other} " or f" {other} " in f" {name} " for other in others if other)


def _apart(examples: Sequence[Example], disease: Mapping[str, str], held_out: set[str]) -> list[Example]:
    return [example for example in examples if disease[example.qid] not in held_out]


def _keys(examples: Iterable[Example]) -> set[str]:
    return {question_key(example.question) for example in examples}


def _shuffled(names: Iterable[str], seed: int) -> list[str]:
    names = sorted(names)
    random.Random(seed).shuffle(names)
    return names
