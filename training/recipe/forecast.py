"""Forecast of a recipe's end, from the pace of its runs on this machine."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from training.config import AnyRun, GRPORun, SFTRun
from training.record import RunProgress

FORWARD_SHARE = 1 / 3
"""Cost of measuring a pair relative to training on it: a forward pass against forward and backward."""


@dataclass(frozen=True)
class Task:
    """One run of a recipe as a forecast sees it.

    `units` and `test_units` are tokens at most, to train on and to measure. `progress` is the run's last progress if it
    ran on this machine; `duration_s` what its training took, if it ended here.
    """

    model: str
    method: str
    units: float
    test_units: float
    trained: bool = False
    measured: bool = False
    progress: RunProgress | None = None
    duration_s: float | None = None


def units(run: AnyRun, rows: Mapping[str, int]) -> float:
    """Return how many tokens at most a run trains on, over all epochs; `rows` are the splits' sizes."""
    if isinstance(run, GRPORun):
        prompts = min(run.data.train_pairs or rows["grpo"], rows["grpo"])
        return prompts * run.optim.epochs * run.generation.num_generations * run.generation.max_new_tokens
    ending = run.ending.pairs * run.ending.max_tokens if isinstance(run, SFTRun) and run.ending else 0
    return min(run.data.train_pairs or rows["train"], rows["train"]) * run.optim.epochs * run.data.max_tokens + ending


def measured_units(run: AnyRun, rows: Mapping[str, int]) -> float:
    """Return how many tokens at most a run's test losses are measured on."""
    return min(run.data.test_pairs or rows["test"], rows["test"]) * run.data.max_tokens


def seconds_left(tasks: Sequence[Task], side_by_side: int) -> tuple[float, list[str]]:
    """Return the seconds left, and the models whose time isn't known yet (they count as none)."""
    total, unknown = 0.0, []
    for task in tasks:
        left = _left(task, tasks)
        if left is None:
            unknown.append(task.model)
        else:
            # SFT runs share the machine; GRPO comes after them, alone.
            total += left / side_by_side if task.method == "sft" else left
    return total, unknown


def _left(task: Task, tasks: Sequence[Task]) -> float | None:
    measuring_pace = _pace("sft", tasks)
    if task.trained and task.measured:
        return 0.0
    if measuring_pace is None:
        return None
    measuring = 0.0 if task.measured else task.test_units * measuring_pace * FORWARD_SHARE
    if task.trained:
        return measuring
    if task.progress:
        return task.progress.left_s + measuring
    pace = _pace(task.method, tasks)
    return None if pace is None else task.units * pace + measuring


def _pace(method: str, tasks: Iterable[Task]) -> float | None:
    """Return seconds a unit: of runs that ended here, else of running ones."""
    same = [task for task in tasks if task.method == method]
    ended = [(task.duration_s, task.units) for task in same if task.trained and task.progress and task.duration_s]
    begun = [
        (task.progress.spent_s, task.units * task.progress.share)
        for task in same
        if task.progress and task.progress.share
    ]
    found = ended or begun
    return sum(seconds for seconds, _ in found) / sum(done for _, done in found) if found else None


def say_end(left_s: float, unknown: Sequence[str], now: datetime.datetime) -> str:
    """Return the expected end in words, with the day where it isn't today."""
    if not left_s and unknown:
        return "expected end: known once the first steps are done"
    end = now + datetime.timedelta(seconds=left_s)
    clock = f"{end:%H:%M}" if end.date() == now.date() else f"{end:%a %d %b, %H:%M}"
    aside = f", without {', '.join(unknown)}, whose pace isn't known yet" if unknown else ""
    return f"expected end about {clock} (in {_duration(left_s)}){aside}"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{max(1, minutes)} min"
