"""What a blind reader gets: questions with their references and answers without names, in random order."""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.answers import SavedAnswer
from eval.questions import Question
from medilite.claims import sentences
from medilite.errors import DataError
from medilite.files import split_lines

LETTERS = string.ascii_lowercase
"""Of the ids: one an answer to a question."""

SEED = 17
"""Of the order of questions and answers on the sheets; not that of the sample, so that neither reveals the other."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer on a sheet: its opaque id, and what the reader is not shown."""

    id: str
    qid: str
    model: str


def entries(questions: Sequence[Question], models: Sequence[str], seed: int = SEED) -> list[Entry]:
    """Return every answer to be read, in the order of the sheets: questions shuffled, and the models of each.

    Raises DataError for more models than there are letters.
    """
    if len(models) > len(LETTERS):
        raise DataError(
            f"There are answers of {len(models)} models, and letters for {len(LETTERS)}: {', '.join(models)}. Have "
            "fewer read: `python -m eval.generate --models` names those that answer a run."
        )
    rng = random.Random(seed)
    shuffled = rng.sample(list(questions), len(questions))
    return [
        Entry(f"q{number:02}-{LETTERS[place]}", question.qid, model)
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
    """Yield the lines of a sheet, Markdown. Raises DataError naming an answer that isn't there."""
    shown = ""
    for entry in some:
        question = questions[entry.qid]
        if entry.qid != shown:
            shown = entry.qid
            yield f"\n# {entry.id.partition('-')[0]}: {question.text}\n"
            for number, reference in enumerate(question.references, 1):
                yield f"Reference {number}: {reference}\n"
        check_answered(entry, answers)
        answer = answers[entry.qid, entry.model]
        cut = "" if answer.stopped == "end" else " (cut off at the token limit)"
        yield f"## {entry.id}{cut}\n"
        for number, (said, count) in enumerate(distinct_sentences(answer.text).items(), 1):
            yield f"{number}. {said}" + (f" (said {count} times)" if count > 1 else "")
        yield ""


def check_answered(entry: Entry, answers: Mapping[tuple[str, str], SavedAnswer]) -> None:
    """Raise DataError where the run has no answer of a model to a question."""
    if (entry.qid, entry.model) not in answers:
        raise DataError(
            f"{entry.model} has no answer to {entry.qid} in this run. `python -m eval.generate` with the same --run, "
            "--split, --sample and --models asks what is missing."
        )


def key_lines(some: Sequence[Entry]) -> str:
    """Return the key that joins ids to questions and models, a line of JSON each. Not for readers."""
    return "".join(json.dumps({"id": entry.id, "qid": entry.qid, "model": entry.model}) + "\n" for entry in some)


def read_key(path: Path) -> list[Entry]:
    """Return what `key_lines` wrote. Raises DataError where the file is missing or a line isn't one of the key."""
    try:
        return [Entry(**json.loads(line)) for line in split_lines(path.read_bytes())[0]]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{path} can't be read ({error}). `python -m eval.reading sheets` writes it beside the sheets; --sheets "
            "names their folder."
        ) from error


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
