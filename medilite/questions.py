"""The health questions that visitors can pick from, written for this project."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from medilite.errors import DataError
from medilite.files import read_utf8
from medilite.models import ROOT

QUESTIONS_FILE = ROOT / "assets" / "questions.jsonl"

_FIELDS = ("id", "topic", "question")
_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Question:
    """One question to ask, under its topic."""

    id: str
    topic: str
    question: str


@lru_cache(maxsize=1)
def load_questions() -> tuple[Question, ...]:
    """Return the shipped questions in their order. Raises DataError as `read_questions` does."""
    return read_questions(QUESTIONS_FILE)


def topics() -> tuple[str, ...]:
    """Return the topics of the shipped questions, in the order of their first question."""
    return tuple(dict.fromkeys(question.topic for question in load_questions()))


def read_questions(path: Path) -> tuple[Question, ...]:
    """Read a JSONL file of questions, one object with "id", "topic" and "question" a line.

    Raises DataError naming file, line and cause if the file is missing or
    empty, a line is malformed, or an id or question (ignoring case) comes
    twice.
    """
    lines = read_utf8(path, f"The list of questions {path}", DataError, "Restore the file.").split("\n")
    questions: list[Question] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        question = _parse(line, f"{path}, line {number}")
        for name, value in (("id", question.id), ("question", question.question.casefold())):
            first = seen.setdefault(f"{name} {value}", number)
            if first != number:
                raise DataError(f"{path}, line {number}: the {name} {value!r} is in line {first} too; change one.")
        questions.append(question)
    if not questions:
        raise DataError(f"{path} holds no questions; give at least one.")
    return tuple(questions)


def _parse(line: str, where: str) -> Question:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: not valid JSON ({error}).") from error
    if not isinstance(fields, dict) or sorted(fields) != sorted(_FIELDS):
        raise DataError(f"{where}: an object with exactly {', '.join(_FIELDS)} is needed, not {line.strip()[:80]!r}.")
    for name in _FIELDS:
        value = fields[name]
        if not isinstance(value, str) or not value.strip() or value != value.strip():
            raise DataError(f"{where}: {name}={value!r} can't be used; give text without spaces around it.")
    if not _ID.fullmatch(fields["id"]):
        raise DataError(f"{where}: id={fields['id']!r} can't be used; use a-z, 0-9 and hyphens, as in heart-01.")
    return Question(**fields)
