"""Which pairs the study kept, and how many each step leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from medilite.data import question_key
from medilite.errors import DataError
from medilite.records import Example
from training.data.collection import RawPair, with_ids


@dataclass(frozen=True, slots=True)
class Filter:
    """The study's filter; lengths in words, split on spaces."""

    max_answer_words: int = 1500
    min_rows_per_focus_area: int = 2
    focus_area_if_missing: str = "Others"


@dataclass(frozen=True, slots=True)
class Filtered:
    """The pairs with an answer, those that the filter kept, and the count at every stage, in order.

    `synonyms` are other names of a pair's focus area, and `addresses` the pages of the answers, by `qid`, where the
    source gives any.
    """

    answered: list[Example]
    kept: list[Example]
    counts: dict[str, int]
    synonyms: dict[str, tuple[str, ...]]
    addresses: dict[str, str]


def apply_filter(pairs: Sequence[RawPair], rule: Filter) -> Filtered:
    """Drop pairs without question or answer, long answers, and focus areas with too few rows left.

    Raises DataError if nothing is left, saying which step took how much.
    """
    answered_pairs = [pair for pair in pairs if pair.question and pair.answer]
    examples = with_ids(answered_pairs, rule.focus_area_if_missing)
    short = [example for example in examples if len(example.answer.split(" ")) <= rule.max_answer_words]
    rows = Counter(example.focus_area for example in short)
    kept = [example for example in short if rows[example.focus_area] >= rule.min_rows_per_focus_area]
    counts = {
        "pairs_read": len(pairs),
        "without_question": sum(not pair.question for pair in pairs),
        "without_answer": sum(bool(pair.question) and not pair.answer for pair in pairs),
        "with_answer": len(examples),
        "focus_area_missing": sum(not pair.focus_area for pair in answered_pairs),
        "distinct_questions": len({example.question for example in examples}),
        "distinct_questions_case_folded": len({question_key(example.question) for example in examples}),
        "repeated_pairs": len(examples) - len({(example.question, example.answer) for example in examples}),
        "dropped_answer_too_long": len(examples) - len(short),
        "dropped_focus_area_too_small": len(short) - len(kept),
        "kept": len(kept),
        "focus_areas": len({example.focus_area for example in kept}),
    }
    if not kept:
        steps = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count and "d" in name)
        raise DataError(
            f"No pair is left after the filter {asdict(rule)}: {steps}. Check the columns of the source, or loosen it "
            "with --max-words or --min-per-focus."
        )
    pairs_by_id = list(zip(examples, answered_pairs, strict=True))
    synonyms = {example.qid: pair.synonyms for example, pair in pairs_by_id if pair.synonyms}
    addresses = {example.qid: pair.address for example, pair in pairs_by_id if pair.address}
    return Filtered(examples, kept, counts, synonyms, addresses)
