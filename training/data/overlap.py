"""How far the splits of one set share questions and answers, which makes a test easier than it looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from medilite.data import question_key
from medilite.records import Example
from training.data.splits import SplitSet

PAIRS = (("val", "train"), ("test", "train"), ("test", "val"))


def measure_overlap(splits: SplitSet) -> list[dict[str, Any]]:
    """Return, for each pair of splits, how many rows of the first ask or answer what a row of the second does.

    `question_exact` compares the text as it is, `question_folded` without
    regard to case and white space, `answer_exact` the answers.
    """
    named = splits.named()
    return [
        {
            "rows_of": first,
            "also_in": second,
            "rows": len(named[first]),
            "question_exact": _shared(named[first], named[second], lambda example: example.question),
            "question_folded": _shared(named[first], named[second], lambda example: question_key(example.question)),
            "answer_exact": _shared(named[first], named[second], lambda example: example.answer),
        }
        for first, second in PAIRS
    ]


def overlap_sentence(overlap: Sequence[dict[str, Any]]) -> str:
    """Return the finding that matters most, test against train, as a sentence."""
    row = next(row for row in overlap if (row["rows_of"], row["also_in"]) == ("test", "train"))
    return (
        f"{row['question_exact']:,} of {row['rows']:,} test rows ask a question also in train "
        f"({row['question_folded']:,} if case is ignored)"
    )


def _shared(first: Sequence[Example], second: Sequence[Example], key: Callable[[Example], str]) -> int:
    there = {key(example) for example in second}
    return sum(key(example) in there for example in first)
