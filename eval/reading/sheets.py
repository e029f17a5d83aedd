"""What a blind reader gets: questions with their references and answers without names, in random order."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eval.answers import SavedAnswer
from eval.questions import Question
from medilite.claims import sentences

SEED = 17
"""Of the order of questions and answers on the sheets; not that of the sample, so that neither reveals the other."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer on a sheet: its opaque id, and what the reader is not shown."""

    id: str
    qid: str
    model: str


def entries(questions: Sequence[Question], models: Sequence[str], seed: int = SEED) -> list[Entry]:
    """Return every answer to be read, in the order of the sheets: questions shuffled, and the models of each."""
    rng = random.Random(seed)
    shuffled = rng.sample(list(questions), len(questions))
    return [
        Entry(f"q{number:02}-{'abcdefgh'[place]}", question.qid, model)
        for number, question in enumerate(shuffled, 1)
        for place, model in enumerate(rng.sample(list(models), len(models)))
    ]


def distinct_sentences(text: str) -> dict[str, int]:
    """Return the different sentences of an answer, in order, each with how often it is said."""
    counts: dict[str, int] = {}
    for sentence in sentences(text):
        said = " ".join(sentence.text.split())
        counts[said] = counts.get(said, 0) + 1
    return counts


def sheet(
    some: Sequence[Entry], questions: Mapping[str, Question], answers: Mapping[tuple[str, str], SavedAnswer]
) -> Iterator[str]:
    """Yield the lines of a sheet, Markdown."""
    shown = ""
    for entry in some:
        question = questions[entry.qid]
        if entry.qid != shown:
            shown = entry.qid
            yield f"\n# {entry.id.partition('-')[0]}: {question.text}\n"
            for number, reference in enumerate(question.references, 1):
                yield f"Reference {number}: {reference}\n"
        answer = answers[entry.qid, entry.model]
        cut = "" if answer.stopped == "end" else " (cut off at the token limit)"
        yield f"## {entry.id}{cut}\n"
        for number, (said, count) in enumerate(distinct_sentences(answer.text).items(), 1):
            yield f"{number}. {said}" + (f" (said {count} times)" if count > 1 else "")
        yield ""


def key_lines(some: Sequence[Entry]) -> str:
    """Return the key that joins ids to questions and models, a line of JSON each. Not for readers."""
    return "".join(json.dumps({"id": entry.id, "qid": entry.qid, "model": entry.model}) + "\n" for entry in some)


def sheet_sentences(text: str) -> dict[str, tuple[str, ...]]:
    """Return, by id, the numbered sentences of a sheet's answers: what the readers' numbers mean."""
    found: dict[str, list[str]] = {}
    shown: list[str] = []
    for line in text.split("\n"):
        if match := re.match(r"## (\S+)", line):
            shown = found.setdefault(match[1], [])
        elif line.startswith("# "):
            shown = []
        elif match := re.match(r"\d+\. (.*)", line):
            shown.append(re.sub(r" \(said \d+ times\)$", "", match[1]))
    return {name: tuple(said) for name, said in found.items()}
