"""The published reading: which answers were read, what two readers said of each, and how far they agree.

`assets/reading/PROFILE/` has the reading of validation answers, which says what metrics agree with readers, and its
folder `sealed` that of the answers to sealed questions of the board, which is what is reported. Each holds

answers.jsonl.gz  the answers as eval.generate wrote them
reading.jsonl     a line an answer: id on the sheets, qid, model, answer (hash), sentences (as numbered on the
                  sheets), and by reader: label, false, unsupported (numbers of sentences)
agreement.json    what `python -m eval.reading` computes from them
guide.md          the readers' instructions: eval/reading/guide.md
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.answers import SavedAnswer, Setup
from eval.questions import SEALED, text_hash
from eval.reading.sheets import Entry, check_answered
from medilite.errors import DataError
from medilite.files import split_lines, write_whole
from medilite.models import ROOT
from medilite.records import Decoding

FOLDER = ROOT / "assets" / "reading"
LABELS = ("right", "partly", "none", "wrong", "harmful")
GOOD = frozenset({"right", "partly"})
READERS = ("1", "2")


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader's label of one answer; numbers are those of the sheet's sentences."""

    label: str
    false: tuple[int, ...]
    unsupported: tuple[int, ...]

    @property
    def good(self) -> bool:
        """Whether the answer is right or partly right."""
        return self.label in GOOD


@dataclass(frozen=True, slots=True)
class Read:
    """One answer that was read, and what each reader said."""

    id: str
    qid: str
    model: str
    answer: str
    sentences: tuple[str, ...]
    readers: Mapping[str, Reading]

    def to_json(self) -> str:
        """Return the line, without its line break."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))


def read_labels(path: Path, ids: Sequence[str]) -> dict[str, Reading]:
    """Return a reader's labels by id. Raises DataError where a line is none, or an id is missing or read twice."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} can't be read ({error}). It holds what one reader said, a line an answer, as guide.md shows."
        ) from error
    found: dict[str, Reading] = {}
    for number, line in enumerate(_lines(content), 1):
        try:
            row = json.loads(line)
            own = Reading(row["label"], tuple(map(int, row["false"])), tuple(map(int, row["unsupported"])))
            unique = row["id"] not in found and not set(own.false) & set(own.unsupported)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path}, line {number}: not a label ({error}). eval/reading/guide.md shows one."
            ) from error
        if own.label not in LABELS or not unique:
            raise DataError(
                f"{path}, line {number}: {row['id']} has the label {own.label!r}, is read twice, or has a sentence "
                f"in both lists. Labels: {', '.join(LABELS)}."
            )
        found[row["id"]] = own
    if set(found) != set(ids):
        raise DataError(
            f"{path}: {len(set(ids) - set(found))} answers lack a label, {len(set(found) - set(ids))} are strange."
        )
    return found


def _lines(content: bytes) -> list[bytes]:
    """Return a file's lines, a last one without its line break included."""
    lines, rest = split_lines(content)
    return [*lines, rest] if rest else lines


def joined(
    entries: Iterable[Entry],
    answers: Mapping[tuple[str, str], SavedAnswer],
    said: Mapping[str, tuple[str, ...]],
    readers: Mapping[str, Mapping[str, Reading]],
) -> list[Read]:
    """Return what was read, in the order of the sheets; `said` are the sentences as the sheets number them.

    Raises DataError naming the answer that isn't in the run or on a sheet.
    """
    entries = list(entries)
    for entry in entries:
        check_answered(entry, answers)
        if entry.id not in said:
            raise DataError(
                f"No sheet has the answer {entry.id} (of {entry.model} to {entry.qid}), which is in the key. Give the "
                "folder with all sheets and their key, as `python -m eval.reading sheets` wrote them."
            )
    return [
        Read(
            entry.id,
            entry.qid,
            entry.model,
            text_hash(answers[entry.qid, entry.model].text),
            said[entry.id],
            {reader: labels[entry.id] for reader, labels in readers.items()},
        )
        for entry in entries
    ]


def write(folder: Path, read: Sequence[Read], answers: Sequence[SavedAnswer]) -> None:
    """Write answers and labels."""
    lines = "".join(f"{answer.to_json()}\n" for answer in answers).encode()
    write_whole(folder / "answers.jsonl.gz", gzip.compress(lines, mtime=0))
    write_whole(folder / "reading.jsonl", "".join(f"{one.to_json()}\n" for one in read).encode())


def load(folder: Path) -> tuple[list[Read], dict[tuple[str, str], SavedAnswer]]:
    """Return what was read and the answers by (qid, model). Raises DataError where a file is missing or broken."""
    try:
        rows = [json.loads(line) for line in _lines((folder / "reading.jsonl").read_bytes())]
        read = [
            Read(
                **{**row, "sentences": tuple(row["sentences"])}
                | {"readers": {name: _reading(own) for name, own in row["readers"].items()}}
            )
            for row in rows
        ]
        lines = _lines(gzip.decompress((folder / "answers.jsonl.gz").read_bytes()))
        answers = [_answer(json.loads(line)) for line in lines]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder} can't be read ({error}). Restore it from the repository.") from error
    return read, {(answer.qid, answer.model): answer for answer in answers}


def _reading(row: Mapping[str, Any]) -> Reading:
    return Reading(row["label"], tuple(row["false"]), tuple(row["unsupported"]))


def _answer(row: dict[str, Any]) -> SavedAnswer:
    shared = ("profile", "base", "precision", "data", "decoding", "seed")
    fields = {name: row.pop(name) for name in shared}
    return SavedAnswer(**row, setup=Setup(**{**fields, "decoding": Decoding(**fields["decoding"])}))


def folder_of(profile: str, split: str, folder: Path = FOLDER) -> Path:
    """Return where the reading of a profile's answers to a split's questions is."""
    return folder / profile / "sealed" if split in SEALED else folder / profile


def published_reading(profile: str, folder: Path = FOLDER) -> dict[str, Any] | None:
    """Return what the board says of readers: of the models by the sealed reading, where there is one.

    Which metrics agree with readers (`auc`) is always of the validation reading, described in
    `metrics_read`: it decides which are shown as measures of truth, and what decides isn't what is
    reported. None where nothing was read.
    """
    chose = _agreement(folder / profile)
    reported = _agreement(folder / profile / "sealed") or chose
    if not chose or not reported:
        return reported
    about = {key: chose[key] for key in ("split", "answers", "questions", "kappa")}
    return {**reported, "auc": chose["auc"], "metrics_read": about}


def reading_of(
    profile: str, answers: Mapping[tuple[str, str], str], folder: Path = FOLDER
) -> tuple[dict[str, Any] | None, list[str]]:
    """Return `published_reading` for a board with these answers, and sentences on what is left out of it.

    `answers` are the hashes of the board's answers by (qid, model). A model of whose answers that were read one is
    not the board's is left out, and each difference from it: readers said nothing of what the board shows.
    """
    reading = published_reading(profile, folder)
    if not reading:
        return reading, []
    read, _ = load(folder_of(profile, reading["split"], folder))
    others = sorted({one.model for one in read if answers.get((one.qid, one.model)) != one.answer})
    if not others:
        return reading, []
    kept = {
        "models": {model: row for model, row in reading["models"].items() if model not in others},
        "differences": [
            row for row in reading.get("differences", ()) if not {row["model"], row["against"]}.intersection(others)
        ],
    }
    return {**reading, **kept}, [
        f"What blind readers said of {', '.join(others)}: other answers were read than those of this board."
    ]


def _agreement(folder: Path) -> dict[str, Any] | None:
    path = folder / "agreement.json"
    if not path.exists():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path} can't be read ({error}). Make it: python -m eval.reading agreement") from error
    return content
