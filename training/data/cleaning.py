"""Answers that are not sentences: lists of resources and tables of symptoms, and how many of each there are."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from medilite.records import Example

_LIST_MARK = re.compile(r"(?:^|\s)[-•*] ")

SHARED_BY = 5
"""Rows that give one answer word for word, from which it is counted as boilerplate."""


@dataclass(frozen=True, slots=True)
class CleanRule:
    """What the clean set leaves out.

    Lists of resources go; tables of the Human Phenotype Ontology stay up to a
    share of a split's other rows, for some users' questions are about symptoms.
    """

    resource_list_start: str = "These resources address"
    symptom_table_phrase: str = "The Human Phenotype Ontology"
    symptom_table_share: float = 0.02


def is_resource_list(example: Example, rule: CleanRule) -> bool:
    """Return whether the answer is a list of where else to look."""
    return example.answer.startswith(rule.resource_list_start)


def is_symptom_table(example: Example, rule: CleanRule) -> bool:
    """Return whether the answer is a table of symptoms with the ontology's paragraph on how to read it."""
    return rule.symptom_table_phrase in example.answer


def answers(example: Example, rule: CleanRule) -> bool:
    """Return whether the answer is one in sentences: neither list nor table."""
    return not is_resource_list(example, rule) and not is_symptom_table(example, rule)


def is_prose(example: Example, rule: CleanRule) -> bool:
    """Return whether the answer is in sentences alone: no table, and no list or one of a single item."""
    return answers(example, rule) and len(_LIST_MARK.findall(example.answer)) < 2


def cleaned(examples: Sequence[Example], rule: CleanRule, seed: int) -> list[Example]:
    """Return the rows that stay, in order; which tables of symptoms stay is drawn by `seed`."""
    tables = [i for i, example in enumerate(examples) if is_symptom_table(example, rule)]
    plain = sum(answers(example, rule) for example in examples)
    most = min(len(tables), round(rule.symptom_table_share * plain))
    kept = set(random.Random(seed).sample(tables, most))
    return [example for i, example in enumerate(examples) if answers(example, rule) or i in kept]


def count_boilerplate(examples: Sequence[Example], rule: CleanRule) -> dict[str, int]:
    """Return how many rows are lists of resources, tables of symptoms, or share their answer with many others."""
    texts = Counter(example.answer for example in examples)
    return {
        "rows": len(examples),
        "resource_lists": sum(is_resource_list(example, rule) for example in examples),
        "symptom_tables": sum(is_symptom_table(example, rule) for example in examples),
        f"same_answer_in_{SHARED_BY}_rows_or_more": sum(texts[example.answer] >= SHARED_BY for example in examples),
    }
