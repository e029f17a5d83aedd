"""Ready-made answers, so that a vote needs no waiting, read from the file that `votes prepare` writes."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from medilite.arena.drawing import Opponents, Place
from medilite.arena.records import PUBLIC_BANK, Candidate, Contestant, text_key
from medilite.errors import DataError, DecodingError
from medilite.models import ROOT, Profile
from medilite.records import Decoding
from medilite.textdiff import similarity

ANSWERS_FILE, PROVENANCE_FILE = "answers.jsonl.gz", "provenance.json"

_FIELDS: dict[str, tuple[type, ...]] = {
    "question_id": (str,), "question": (str,), "model": (str,), "contestant": (str,), "seed": (int,), "text": (str,),
    "tokens": (int,), "stopped": (str,), "words": (int,), "grade": (float, int, type(None)),
}  # fmt: skip


def bank_folder(profile: Profile) -> Path:
    """Return the folder of a profile's ready-made answers."""
    return ROOT / "assets" / "arena" / profile.name


def private_folder(data_dir: Path, profile: Profile) -> Path:
    """Return the folder of a deployment's own answers, whose models nobody can look up."""
    return data_dir.expanduser() / "bank" / profile.name


def private_names(data_dir: Path) -> set[str]:
    """Return the names of the private banks in this folder, which are in use; `Store.private_banks` has others."""
    names = set()
    for path in (data_dir.expanduser() / "bank").glob(f"*/{PROVENANCE_FILE}"):
        try:
            names.add(_provenance(path)[1])
        except DataError:
            continue
    return names


@dataclass(frozen=True)
class Bank:
    """Ready-made answers: one a contestant for each question and seed.

    `questions` maps ids to texts. `answers` maps (question id, seed) to the
    candidates by contestant.
    """

    questions: Mapping[str, str]
    answers: Mapping[tuple[str, int], Mapping[Contestant, Candidate]]
    decoding: Decoding
    name: str = PUBLIC_BANK
    stale: tuple[str, ...] = field(default=())
    """Models that were retrained since their answers here were made; these are left out."""

    @cached_property
    def contestants(self) -> tuple[Contestant, ...]:
        """The contestants with answers here."""
        return tuple(dict.fromkeys(c for row in self.answers.values() for c in row))

    def of(self, contestants: Mapping[str, Contestant]) -> Bank:
        """Return the answers of these contestants (by model id) alone, and note the models whose answers are stale."""
        current = set(contestants.values())
        kept = {place: {c: a for c, a in row.items() if c in current} for place, row in self.answers.items()}
        present = {c.model for row in kept.values() for c in row}
        stale = tuple(dict.fromkeys(c.model for c in self.contestants if c.model not in present))
        return Bank(self.questions, {place: row for place, row in kept.items() if row}, self.decoding, self.name, stale)

    @cached_property
    def places(self) -> dict[Opponents, list[Place]]:
        """By pair of contestants, where both have an answer with words and the two answers differ."""
        found: dict[Opponents, list[Place]] = {frozenset(two): [] for two in combinations(self.contestants, 2)}
        for (question, seed), row in self.answers.items():
            for first, second in combinations([c for c in row if row[c].words], 2):
                one, other = row[first].text or "", row[second].text or ""
                if one != other:
                    found[frozenset((first, second))].append(Place(question, seed, similarity(one, other) or 0.0))
        return found


def read_bank(folder: Path) -> Bank | None:
    """Return the answers in a folder, None if there are none. Raises DataError naming file, line and cause."""
    path = folder / ANSWERS_FILE
    if not path.is_file():
        return None
    decoding, name = _provenance(folder / PROVENANCE_FILE)
    questions: dict[str, str] = {}
    answers: dict[tuple[str, int], dict[Contestant, Candidate]] = {}
    for number, record in _records(path):
        where = f"{path}, line {number}"
        check_answer(record, where)
        if questions.setdefault(record["question_id"], record["question"]) != record["question"]:
            raise DataError(f"{where}: question {record['question_id']!r} has a different text here than before.")
        contestant = Contestant(record["model"], record["contestant"])
        row = answers.setdefault((record["question_id"], record["seed"]), {})
        if contestant in row:
            raise DataError(f"{where}: {record['model']} answers {record['question_id']!r} twice with one seed.")
        row[contestant] = as_candidate(record)
    if not answers:
        raise DataError(f"{path} holds no answers; make new ones with `python -m medilite votes prepare`.")
    return Bank(questions, answers, decoding, name)


def check_answer(record: Any, where: str) -> None:
    """Raise DataError unless a line's object has every field of an answer, of the right type."""
    if not isinstance(record, dict) or record.keys() < _FIELDS.keys():
        raise DataError(f"{where}: an object with {', '.join(_FIELDS)} is needed.")
    for name, kinds in _FIELDS.items():
        if not isinstance(record[name], kinds) or isinstance(record[name], bool):
            raise DataError(f"{where}: {name}={str(record[name])[:40]!r} can't be used.")


def as_candidate(record: Mapping[str, Any]) -> Candidate:
    """Return the candidate that a checked line describes."""
    return Candidate(
        Contestant(record["model"], record["contestant"]), record["text"], text_key(record["text"]), record["seed"],
        record["words"], record["grade"],
    )  # fmt: skip


def _records(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield number, json.loads(line)
                except json.JSONDecodeError as error:
                    raise DataError(f"{path}, line {number}: not valid JSON ({error}).") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} can't be read: {error}. Restore the file or make it again.") from error


def _provenance(path: Path) -> tuple[Decoding, str]:
    """Return how answers were decoded and their bank's name; the repository's bank has none of its own."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return Decoding(**record["decoding"]), str(record.get("name", PUBLIC_BANK))
    except (OSError, ValueError, KeyError, TypeError, DecodingError) as error:
        raise DataError(f"{path} doesn't say how the answers were decoded: {error}. Restore the file.") from error
