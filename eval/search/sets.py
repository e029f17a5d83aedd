"""Questions that are kept in files: the project's example questions, what is none about health, and LiveQA's."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from medilite.errors import DataError
from medilite.files import split_lines
from medilite.questions import load_questions

FOLDER = Path(__file__).parent
LIVEQA = Path("../shared/liveqa/questions.jsonl")

RIGHT_FROM = 3
"""LiveQA's grades from which an answer counts: 3 incomplete, 4 excellent."""


@dataclass(frozen=True, slots=True)
class Example:
    """One of the project's example questions, and a pattern of the topics that are about it ("" where none is)."""

    question: str
    topics: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A consumer's question of LiveQA 2017 with the grades (1 to 4) of MedQuAD's answers by their ids."""

    id: int
    message: str
    with_subject: str
    paraphrase: str
    grades: dict[str, int]

    @property
    def has_answer(self) -> bool:
        """Whether any judged answer is right or partly so."""
        return max(self.grades.values(), default=0) >= RIGHT_FROM


@dataclass(frozen=True, slots=True)
class Consumer:
    """A message to the National Library of Medicine, and the diseases or medicines that its readers say it is about."""

    message: str
    foci: tuple[str, ...]


def examples() -> list[Example]:
    """Return the example questions, with the topics that were accepted after their first results had been seen."""
    lines = (FOLDER / "bank.tsv").read_text("utf-8").splitlines()
    topics = dict(line.split("\t") for line in lines if line)
    return [Example(question.question, topics.get(question.id, "")) for question in load_questions()]


def is_about(topic: str, example: Example) -> bool:
    """Return whether a topic is among those accepted for an example question."""
    return bool(example.topics and re.search(example.topics, topic.casefold()))


def off_topic() -> list[str]:
    """Return questions that are none about health, or in other languages."""
    return (FOLDER / "off_topic.txt").read_text("utf-8").splitlines()


def liveqa(path: Path) -> list[Judged]:
    """Return LiveQA's questions; raises DataError if the file can't be read."""
    try:
        found = []
        for line in split_lines(path.read_bytes())[0]:
            row = json.loads(line)
            grades: dict[str, int] = {}
            for one in row["judged"]:
                id = f"{one['source']}/{one['qid']}"
                grades[id] = max(one["grade"], grades.get(id, 0))
            message = row["message"]
            with_subject = f"{row['subject']}. {message}"
            found.append(Judged(row["id"], message, with_subject, row["paraphrase"] or message, grades))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"LiveQA's questions can't be read from {path} ({error}).") from error
    return found


def consumers(paths: Iterable[Path], without: Collection[str]) -> list[Consumer]:
    """Return the messages of LiveQA's XML files (training or test), each once, but for those in `without`.

    Raises DataError if a file can't be read.
    """
    found: dict[str, Consumer] = {}
    for path in paths:
        try:
            questions = list(ElementTree.fromstring(path.read_text("utf-8-sig")).iter("NLM-QUESTION"))
        except (OSError, ValueError, ElementTree.ParseError) as error:
            raise DataError(f"LiveQA's questions can't be read from {path} ({error}).") from error
        for question in questions:
            message = (question.findtext(".//MESSAGE") or question.findtext(".//SUBJECT") or "").strip()
            foci = tuple(dict.fromkeys(focus.text.strip() for focus in question.iter("FOCUS") if focus.text))
            if message and message not in without:
                found.setdefault(message, Consumer(message, foci))
    return list(found.values())
