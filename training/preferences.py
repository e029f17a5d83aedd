"""Preference pairs from scored answers: `python -m training.preferences --answers FILE.jsonl --out PAIRS.jsonl`.

Of two answers to one question the easier one is preferred, but only if it says no less: it is as close to the
references and names as many of their key terms. Each input line holds question, model, text, grade (Flesch–Kincaid),
closeness (of sentence embeddings, -1 to 1) and key_term_recall (0 to 1); a score that failed is null, and its answer is
left out.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medilite.errors import DataError, MediLiteError
from medilite.files import read_utf8, write_whole


@dataclass(frozen=True, slots=True)
class Preference:
    """One prompt with an answer that is preferred to another."""

    prompt: str
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True)
class Scored:
    """One model's answer with its scores; None where a score failed."""

    question: str
    model: str
    text: str
    grade: float | None
    closeness: float | None
    key_term_recall: float | None

    @property
    def is_scored(self) -> bool:
        """Whether every score is there."""
        return None not in (self.grade, self.closeness, self.key_term_recall)


@dataclass(frozen=True, slots=True)
class Rule:
    """When one answer is preferred: `easier` grades lower, of `low` to `high` words, and at most `slack` less faithful.

    Two equal answers are no pair, and neither are two of one model.
    """

    easier: float = 2.0
    slack: float = 0.02
    low: int = 30
    high: int = 300
    per_question: int = 1

    def prefers(self, chosen: Scored, rejected: Scored) -> bool:
        """Return whether `chosen` is preferred to `rejected`; both have every score."""
        return (
            chosen.grade + self.easier <= rejected.grade  # type: ignore[operator]
            and chosen.closeness >= rejected.closeness - self.slack  # type: ignore[operator]
            and chosen.key_term_recall >= rejected.key_term_recall - self.slack  # type: ignore[operator]
            and self.low <= len(chosen.text.split()) <= self.high
        )


def make_pairs(answers: Iterable[Scored], rule: Rule) -> list[dict[str, Any]]:
    """Return pairs as rows of prompt, chosen, rejected and where both came from, questions in their order.

    Of one question the pairs with the widest gap in grade come first, at most
    `rule.per_question` of them, and no answer is the chosen one of several.
    """
    by_question: defaultdict[str, list[Scored]] = defaultdict(list)
    for answer in answers:
        if answer.is_scored:
            by_question[answer.question].append(answer)
    rows = []
    for question, found in by_question.items():
        fitting = [(a, b) for a in found for b in found if rule.prefers(a, b)]
        fitting.sort(key=lambda pair: pair[0].grade - pair[1].grade)  # type: ignore[operator]
        used: set[str] = set()
        for chosen, rejected in fitting:
            if len(used) < rule.per_question and chosen.model not in used:
                used.add(chosen.model)
                rows.append(
                    {
                        **asdict(Preference(question, chosen.text, rejected.text)),
                        "chosen_model": chosen.model,
                        "rejected_model": rejected.model,
                        "grade_difference": round(chosen.grade - rejected.grade, 2),  # type: ignore[operator]
                    }
                )
    return rows


def read_preferences(file: Path) -> list[Preference]:
    """Return the pairs of a JSONL file; keys besides the three are ignored. Raises DataError naming line and remedy."""
    pairs = []
    for number, row in _rows(file, "Make it with `python -m training.preferences`"):
        texts = [text for key in ("prompt", "chosen", "rejected") if isinstance(text := row.get(key), str)]
        if len(texts) < 3 or not all(text.strip() for text in texts):
            raise DataError(f"{file}, line {number}: prompt, chosen and rejected all have to be there, as texts.")
        pairs.append(Preference(*texts))
    if not pairs:
        raise DataError(f"{file} holds no preference pair. Make it with `python -m training.preferences`.")
    return pairs


def read_answers(file: Path) -> list[Scored]:
    """Return the scored answers of a JSONL file; raises DataError naming line and key."""
    answers = []
    for number, row in _rows(file, "Score answers first"):
        values: dict[str, Any] = {}
        for key in ("question", "model", "text"):
            if not isinstance(row.get(key), str):
                raise DataError(f"{file}, line {number}: {key} has to be a text, not {row.get(key)!r}.")
            values[key] = row[key]
        for key in ("grade", "closeness", "key_term_recall"):
            value = row.get(key, "nothing")
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise DataError(f"{file}, line {number}: {key} has to be a number or null, not {value!r}.")
            values[key] = None if value is None or not math.isfinite(value) else float(value)
        answers.append(Scored(**values))
    return answers


def _rows(file: Path, remedy: str) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = read_utf8(file, str(file), DataError, f"{remedy}.").split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{file}, line {number} is no JSON: {error}.") from error
        if not isinstance(row, dict):
            raise DataError(f"{file}, line {number} holds no JSON object.")
        yield number, row


def say_pairs(answers: Sequence[Scored], rows: Sequence[dict[str, Any]]) -> str:
    """Return a summary of a few lines."""
    questions = {answer.question for answer in answers}
    unscored = sum(not answer.is_scored for answer in answers)
    lines = [
        f"{len(answers):,} answers to {len(questions):,} questions ({unscored:,} not fully scored and left out)",
        f"{len(rows):,} pairs of {len({row['prompt'] for row in rows}):,} questions",
    ]
    for role in ("chosen", "rejected"):
        models = [row[f"{role}_model"] for row in rows]
        lines.append(f"{role}: " + ", ".join(f"{model} {models.count(model)}" for model in sorted(set(models))))
    return "\n".join(lines if rows else lines[:2])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when the pairs are written, 2 for an error that a user can fix."""
    rule = Rule()
    parser = argparse.ArgumentParser(
        prog="python -m training.preferences", description="Make preference pairs: easier and as faithful over harder."
    )
    parser.add_argument("--answers", type=Path, required=True, help="JSONL of scored answers")
    parser.add_argument("--out", type=Path, required=True, help="JSONL to write the pairs to")
    parser.add_argument("--easier", type=float, default=rule.easier, help="least difference in grade (%(default)s)")
    parser.add_argument(
        "--slack", type=float, default=rule.slack, help="how much less close or complete it may be (%(default)s)"
    )
    parser.add_argument("--words", type=int, nargs=2, default=(rule.low, rule.high), help="bounds of a chosen answer")
    parser.add_argument(
        "--per-question", type=int, default=rule.per_question, help="most pairs a question (%(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        answers = read_answers(options.answers)
        low, high = options.words
        rows = make_pairs(answers, Rule(options.easier, options.slack, low, high, options.per_question))
        if not rows:
            raise DataError(
                f"{options.answers}: of no two answers to one question is one easier by {options.easier} grades and as "
                "faithful. Lower --easier, raise --slack, or bring more answers."
            )
        write_whole(options.out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(say_pairs(answers, rows))
    print(f"Written to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
