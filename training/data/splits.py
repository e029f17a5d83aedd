"""The study's split, and a second one in which no question is in two splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from medilite.data import SPLITS, question_key
from medilite.errors import DataError
from medilite.records import Example

__all__ = ["SPLITS", "SplitSet", "divide", "split_as_study", "without_shared_questions"]

GRPO_PROMPTS = 5000
"""About how many prompts the study wanted; the ratio that gives them is rounded to two digits, as the study's was."""

GRPO_EVAL_ROWS = 100
MIN_ROWS = 20


@dataclass(frozen=True, slots=True)
class SplitSet:
    """Four splits of one collection; `grpo` is a part of `train`, its last `grpo_eval_rows` rows evaluate.

    `notes` says how the rows came to their splits, in counts.
    """

    train: list[Example]
    val: list[Example]
    test: list[Example]
    grpo: list[Example]
    grpo_eval_rows: int
    notes: dict[str, Any]

    def named(self) -> dict[str, list[Example]]:
        """Return the splits by name, in the order of SPLITS."""
        return {name: getattr(self, name) for name in SPLITS}


def split_as_study(examples: Sequence[Example], seed: int) -> SplitSet:
    """Split 80/10/10 row by row, stratified by focus area: two rows that ask one question may be in different splits.

    Raises DataError if there are too few rows to fill every split.
    """
    if len(examples) < MIN_ROWS:
        raise DataError(
            f"{len(examples)} pairs are too few to split 80/10/10: at least {MIN_ROWS} are needed after the filter."
        )
    labels = [example.focus_area for example in examples]
    train, rest, first = divide(range(len(examples)), labels, 0.2, seed)
    val, test, second = divide(rest, labels, 0.5, seed)
    ratio = min(1.0, round(GRPO_PROMPTS / len(train), 2))
    _, grpo, third = divide(train, labels, ratio, seed)
    return SplitSet(
        train=[examples[i] for i in train],
        val=[examples[i] for i in val],
        test=[examples[i] for i in test],
        grpo=[examples[i] for i in grpo],
        grpo_eval_rows=min(GRPO_EVAL_ROWS, len(grpo) // 10),
        notes={
            "shares": {"train": 0.8, "val": 0.1, "test": 0.1},
            "grpo_share_of_train": ratio,
            "rows_by_division": {"rest_from_train": first, "test_from_val": second, "grpo_from_train": third},
        },
    )


def without_shared_questions(study: SplitSet) -> SplitSet:
    """Return the study's split with every question moved wholly into one split.

    A question (case and white space folded) belongs to test if any of its rows
    is in the study's test split, else to val if any is in val, else to train.
    All rows stay. So `test` holds the study's test rows and every further
    reference of their questions, `train` is part of the study's training split,
    and a checkpoint trained on it has seen no question of either test split.
    Answers may still be in two splits: MedQuAD gives one boilerplate answer to
    hundreds of questions.
    """
    homes: dict[str, str] = {}
    for name in ("test", "val", "train"):
        for example in study.named()[name]:
            homes.setdefault(question_key(example.question), name)

    def staying(examples: Sequence[Example], name: str) -> list[Example]:
        return [example for example in examples if homes[question_key(example.question)] == name]

    # A split's own rows come first, in the study's order; what moves in follows.
    moved_in = {
        "test": staying(study.train, "test") + staying(study.val, "test"),
        "val": staying(study.train, "val"),
    }
    return SplitSet(
        train=staying(study.train, "train"),
        val=staying(study.val, "val") + moved_in["val"],
        test=study.test + moved_in["test"],
        grpo=staying(study.grpo, "train"),
        grpo_eval_rows=len(staying(study.grpo[len(study.grpo) - study.grpo_eval_rows :], "train")),
        notes={
            "made_from": "study",
            "rows_moved": {
                "train_to_test": len(staying(study.train, "test")),
                "val_to_test": len(staying(study.val, "test")),
                "train_to_val": len(staying(study.train, "val")),
                "dropped_from_grpo": len(study.grpo) - len(staying(study.grpo, "train")),
            },
        },
    )


def divide(
    items: Sequence[int], labels: Sequence[str], share: float, seed: int
) -> tuple[list[int], list[int], dict[str, int]]:
    """Take a share of the items, stratified by `labels[item]`; return (the rest, the share, how it was done).

    scikit-learn stratifies only classes of two or more, and only if either side has room for one of every class. Items
    alone in their class are therefore divided at random, apart from the others. If there is no room, so are all items
    of classes too small to send one to either side; the rest always fits.
    """
    items = list(items)
    sizes = Counter(labels[item] for item in items)
    smaller_side = min(share, 1 - share)
    for least in (2, ceil(1 / smaller_side) if smaller_side else len(items) + 1):
        large = [item for item in items if sizes[labels[item]] >= least]
        small = [item for item in items if sizes[labels[item]] < least]
        classes = len({labels[item] for item in large})
        room = min(ceil(share * len(large)), len(large) - ceil(share * len(large)))
        if classes <= room:
            break
    left, taken = _take(large, [labels[item] for item in large], share, seed)
    left_small, taken_small = _take(small, None, share, seed)
    return left + left_small, taken + taken_small, {"stratified": len(large), "at_random": len(small)}


def _take(items: list[int], labels: list[str] | None, share: float, seed: int) -> tuple[list[int], list[int]]:
    from sklearn.model_selection import train_test_split
    from sklearn.utils import shuffle

    taken = ceil(share * len(items))  # scikit-learn rounds up too
    if taken == len(items):
        return [], list(shuffle(items, random_state=seed)) if items else []
    left, chosen = train_test_split(items, test_size=share, random_state=seed, stratify=labels)
    return left, chosen
