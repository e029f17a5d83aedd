"""The answers file: one JSONL line an answer, appended whole, safe against kills, never mixed.

A line of `runs/NAME/answers.jsonl`:

    qid        the question's id: the qid of its first row in the split
    question   hash of what was asked (questions.text_hash): the question's text; with a passage the whole turn, and
               how words were weighed
    model      id in the profile
    text       the answer
    tokens     how many tokens it has, the closing one not counted
    stopped    "end" (by itself) or "length" (at max_new_tokens)
    seed       seed of the random numbers, the same for all
    decoding   the fields of records.Decoding
    profile, base, data, adapter    name; which weights; fingerprint of the data; SHA-256 of the adapter files or null
    precision    numbers that the engine computed in: see provenance.precision_name; null or missing: not noted
    commit, version                 of the code that wrote it

An answer belongs to a question, not to a split: the test questions of the study's set and of the set without shared
questions are the same ones with other references, so one answer serves both. A question that a model failed to answer
has no line; the next run asks it again.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from medilite.errors import DataError, MediLiteError
from medilite.files import LockedLines, split_lines
from medilite.records import Decoding

SHOWN_LINES = 5

_SHARED = ("profile", "base", "precision", "data", "decoding", "seed")
"""What all answers of one file have in common; those of one model also have one adapter."""

NO_PRECISION = "In which numbers these answers were computed (float32, int8) was not noted when they were made."

EARLIER_INT8 = (
    "These answers were computed by an earlier int8 engine (one scale an output), not by today's: answered again, some "
    "would differ."
)

_STOPPED = ("end", "length")


@dataclass(frozen=True, slots=True)
class Setup:
    """What makes answers comparable: answers of different setups are never mixed.

    `precision` is None for answers of an earlier version, which did not note it.
    """

    profile: str
    base: str
    data: str
    decoding: Decoding
    seed: int
    precision: str | None = None


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """One line of an answers file; the module's docstring says what each field is."""

    qid: str
    question: str
    model: str
    text: str
    tokens: int
    stopped: str
    setup: Setup
    adapter: str | None
    commit: str | None = None
    version: str | None = None

    def to_json(self) -> str:
        """Return the line, without its line break."""
        fields = {name: getattr(self, name) for name in ("qid", "question", "model", "text", "tokens", "stopped")}
        fields |= dataclasses.asdict(self.setup)
        fields |= {"adapter": self.adapter, "commit": self.commit, "version": self.version}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """A file's content: its answers, their line numbers, and what was dropped (None, or a sentence)."""

    answers: tuple[SavedAnswer, ...]
    lines: tuple[int, ...]
    dropped: str | None = None


def read_answers(path: Path) -> AnswerFile:
    """Read an answers file; no answers if there is no file.

    A last line that a kill cut short is left out, and `dropped` says so. Raises
    DataError naming the lines that are malformed, answer one question twice, or
    come from another setup or adapter than the first.
    """
    answers, numbers, problems = [], [], []
    lines, rest = split_lines(path.read_bytes() if path.exists() else b"")
    dropped = f"{path}, line {len(lines) + 1}: cut short, left out" if rest else None
    for number, line in enumerate(lines, 1):
        try:
            answers.append(_parse(line))
            numbers.append(number)
        except (ValueError, KeyError, TypeError, MediLiteError) as error:
            if number == len(lines) and dropped is None:
                dropped = f"{path}, line {number}: no answer ({type(error).__name__}), left out"
            else:
                problems.append((number, f"it is no answer ({type(error).__name__}: {error})"))
    problems += _foreign(answers, numbers)
    _refuse(path, sorted(problems))
    return AnswerFile(tuple(answers), tuple(numbers), dropped)


def check_fits(path: Path, file: AnswerFile, setup: Setup, adapters: dict[str, str | None]) -> None:
    """Raise DataError naming the lines whose setup or adapter is not this one, so that a run never mixes two."""
    problems = []
    for answer, number in zip(file.answers, file.lines, strict=True):
        if differs := _difference(answer.setup, setup):
            problems.append((number, differs))
        elif answer.model in adapters and answer.adapter != adapters[answer.model]:
            problems.append((number, _of_another_adapter(answer, adapters[answer.model])))
    _refuse(path, problems, "Give another --run, or move this file away.")


class AnswerWriter:
    """Appends answers to a file that one process at a time may write.

    On entry the file is locked and an incomplete last line cut off. Raises
    DataError if another process is writing it.
    """

    def __init__(self, path: Path, say: Callable[[str], None] = print) -> None:
        self._path, self._say = path, say
        self._lines = LockedLines(path, "Or give another --run.")

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._lines)
            self.existing = read_answers(self._path)
            if self.existing.dropped:
                self._say(self.existing.dropped)
                self._lines.keep(self.existing.lines[-1] if self.existing.lines else 0)
            stack.pop_all()
        return self

    def append(self, answers: Iterable[SavedAnswer]) -> None:
        """Write the lines as one, and return once they are on the disk."""
        self._lines.append(answer.to_json() for answer in answers)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.__exit__(kind, error, trace)


def _parse(line: bytes) -> SavedAnswer:
    fields: dict[str, Any] = json.loads(line)
    for name, kind in (("qid", str), ("question", str), ("model", str), ("text", str), ("tokens", int), ("seed", int)):
        if not isinstance(fields[name], kind):
            raise ValueError(f"{name} is {fields[name]!r}")
    if fields["stopped"] not in _STOPPED:
        raise ValueError(f"stopped is {fields['stopped']!r}, not one of {', '.join(_STOPPED)}")
    if not isinstance(precision := fields.get("precision"), str | None):
        raise ValueError(f"precision is {precision!r}")
    setup = Setup(
        profile=fields["profile"],
        base=fields["base"],
        data=fields["data"],
        decoding=Decoding(**fields["decoding"]),
        seed=fields["seed"],
        precision=precision,
    )
    own = {name: fields[name] for name in ("qid", "question", "model", "text", "tokens", "stopped", "adapter")}
    return SavedAnswer(**own, setup=setup, commit=fields.get("commit"), version=fields.get("version"))


def _foreign(answers: Sequence[SavedAnswer], lines: Sequence[int]) -> list[tuple[int, str]]:
    """Return (line, reason) for every answer that doesn't fit into one file with those before it.

    The most frequent setup counts as the file's own, so that one stray line is named and not all the others.
    """
    if not answers:
        return []
    own = Counter(answer.setup for answer in answers).most_common(1)[0][0]
    adapters: dict[str, Counter[str | None]] = {}
    for answer in answers:
        adapters.setdefault(answer.model, Counter())[answer.adapter] += 1
    usual = {model: counted.most_common(1)[0][0] for model, counted in adapters.items()}
    found: list[tuple[int, str]] = []
    first: dict[tuple[str, str], int] = {}
    for answer, number in zip(answers, lines, strict=True):
        if differs := _difference(answer.setup, own):
            found.append((number, differs))
        elif answer.adapter != usual[answer.model]:
            found.append((number, _of_another_adapter(answer, usual[answer.model])))
        elif (before := first.setdefault((answer.qid, answer.model), number)) != number:
            found.append((number, f"{answer.model} answers {answer.qid} in line {before} already"))
    return found


def _difference(setup: Setup, own: Setup) -> str | None:
    for name in _SHARED:
        if (theirs := getattr(setup, name)) != (ours := getattr(own, name)):
            return f"another {name} ({_short(theirs, 'none noted')}, not {_short(ours, 'none noted')})"
    return None


def _of_another_adapter(answer: SavedAnswer, own: str | None) -> str:
    return f"another adapter of {answer.model} ({_short(answer.adapter)}, not {_short(own)})"


def _short(value: Any, nothing: str = "none") -> str:
    if isinstance(value, Decoding):
        return ", ".join(f"{name}={number:g}" for name, number in dataclasses.asdict(value).items())
    if value is None:
        return nothing
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 else text


def _refuse(
    path: Path, problems: Sequence[tuple[int, str]], remedy: str = "Remove these lines, or start again."
) -> None:
    if not problems:
        return
    shown = "".join(f"\n  line {number}: {reason}" for number, reason in problems[:SHOWN_LINES])
    more = f"\n  … and {len(problems) - SHOWN_LINES:,} more" if len(problems) > SHOWN_LINES else ""
    raise DataError(f"{path} can't be used as it is; {len(problems):,} lines don't belong:{shown}{more}\n{remedy}")
