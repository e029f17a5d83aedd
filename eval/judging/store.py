"""Every reply of a judge on disk as soon as it is there, so that nothing is asked or paid for twice.

A line of `runs/NAME/judgments.jsonl` is one reply:

    kind            "scores" (of one answer) or "pair" (of two)
    split, qid      the question: split such as "study/test", id as in answers.jsonl
    model, versus   whose answer; versus is null for scores, the other model for a pair
    order           "forward" or "reversed": of the criteria, or of the two answers (forward shows model first)
    answers         hash of each text judged (questions.text_hash)
    scores          {"correctness": …, "helpfulness": …, "harmfulness": …, "efficiency": …} or null
    better          of a pair: "model", "versus", "tie" or null
    problem         why scores or better are null
    attempt         1, or 2 where the first reply could not be read
    raw             what the judge wrote, as it came
    key             hash of all that was asked; the same key is asked once
    copied          true where the reply is that to another line's ask of the same key: nothing was paid
    prompt, judge, server       version of the prompt, the judge's model, address of its server
    data            fingerprint of the data
    asked_at, duration_s        when (UTC) and how long
    prompt_tokens, completion_tokens    as the server counted, or null

Where a subject (kind, split, qid, model, versus, order) has several lines of
one prompt and judge, the last one counts: `read_judgments` gives only those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from eval.judging.asks import Ask, Kind, Subject
from eval.judging.prompt import Order
from medilite.errors import DataError
from medilite.files import LockedLines, split_lines

ATTEMPTS = 2
"""How often a judge is asked the same before its judgment is null."""

SHOWN_LINES = 5


class Judgment(BaseModel):
    """One line; the module's docstring says what each field is."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Kind
    split: str
    qid: str
    model: str
    versus: str | None
    order: Order
    answers: tuple[str, ...]
    scores: Mapping[str, int] | None
    better: Literal["model", "versus", "tie"] | None
    problem: str | None
    attempt: int
    raw: str
    key: str
    copied: bool
    prompt: str
    judge: str
    server: str
    data: str
    asked_at: str
    duration_s: float
    prompt_tokens: int | None
    completion_tokens: int | None

    @property
    def subject(self) -> Subject:
        """What is judged."""
        return Subject(self.kind, self.split, self.qid, self.model, self.versus, self.order)

    @property
    def readable(self) -> bool:
        """Whether the judge's reply held what was asked for."""
        return self.scores is not None or self.better is not None

    @property
    def final(self) -> bool:
        """Whether nothing more is asked: the reply can be read, or none of the attempts could."""
        return self.readable or self.attempt >= ATTEMPTS


def read_judgments(path: Path) -> list[Judgment]:
    """Return the judgment of every subject, by one prompt and judge each; [] if there is no file.

    A last line that a kill cut short is left out. Raises DataError naming the
    lines that are no judgments.
    """
    lines, _ = _read(path)
    last = {(line.subject, line.prompt, line.judge): line for line in lines}
    return list(last.values())


class Store:
    """A judgments file that one process at a time may write.

    On entry the file is locked and an incomplete last line cut off. Raises
    DataError if another process is writing it or if it holds lines on other
    data than `data`.
    """

    def __init__(self, path: Path, data: str, say: Callable[[str], object] = print) -> None:
        self._path, self._data, self._say = path, data, say
        self._lines = LockedLines(path)
        self._by_key: dict[str, Judgment] = {}
        self._there: set[tuple[Subject, str]] = set()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._lines)
            lines, dropped = _read(self._path)
            _refuse_other_data(self._path, lines, self._data)
            for line in lines:
                self._note(line)
            if dropped:
                self._say(dropped)
                self._lines.keep(len(lines))
            stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.__exit__(kind, error, trace)

    def latest(self, key: str) -> Judgment | None:
        """Return the newest reply under a key, about any model's answer."""
        return self._by_key.get(key)

    def holds(self, ask: Ask) -> bool:
        """Whether an ask is settled: its judgment is there under its own name."""
        latest = self.latest(ask.key)
        return latest is not None and latest.final and (ask.subject, ask.key) in self._there

    def append(self, *judgments: Judgment) -> None:
        """Write lines, and return once they are on the disk."""
        if not judgments:
            return
        self._lines.append(judgment.model_dump_json() for judgment in judgments)
        for judgment in judgments:
            self._note(judgment)

    def _note(self, line: Judgment) -> None:
        self._by_key[line.key] = line
        if line.final:
            self._there.add((line.subject, line.key))


def _read(path: Path) -> tuple[list[Judgment], str | None]:
    """Return a file's lines, and a sentence about a last one that was cut short, if any."""
    whole, rest = split_lines(path.read_bytes() if path.exists() else b"")
    dropped = f"{path}, line {len(whole) + 1}: cut short, left out; it will be asked again" if rest else None
    lines, problems = [], []
    for number, line in enumerate(whole, start=1):
        try:
            lines.append(Judgment.model_validate_json(line))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            problems.append(f"line {number}: {'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}")
    if problems:
        _refuse(path, problems, "are no judgments", "Remove these lines: they will be asked again.")
    return lines, dropped


def _refuse_other_data(path: Path, lines: Iterable[Judgment], data: str) -> None:
    problems = [
        f"line {number}: fingerprint {line.data[:12]}…, not {data[:12]}…"
        for number, line in enumerate(lines, start=1)
        if line.data != data
    ]
    if problems:
        _refuse(path, problems, "are about other data", "Move the file away, or give the data that it is about.")


def _refuse(path: Path, problems: list[str], what: str, remedy: str) -> None:
    shown = "".join(f"\n  {problem}" for problem in problems[:SHOWN_LINES])
    more = f"\n  … and {len(problems) - SHOWN_LINES:,} more" if len(problems) > SHOWN_LINES else ""
    raise DataError(f"{path} can't be used as it is; {len(problems):,} lines {what}:{shown}{more}\n{remedy}")
