"""Stages as processes, one or several side by side, which end with the process that started them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from medilite.errors import TrainingError
from medilite.machine import usable_cpus
from medilite.models import ROOT

KEPT_LINES = 15
"""Number of a failed stage's last lines in its error."""


@dataclass(frozen=True)
class Command:
    """A stage's module with its arguments, paths absolute; `log` gets all that it prints."""

    name: str
    module: str
    arguments: tuple[str, ...]
    log: Path


@dataclass
class _Running:
    command: Command
    process: subprocess.Popen[str]
    last_lines: list[str] = field(default_factory=list)
    lost: Exception | None = None  # why the latest line that was not passed on was not


def run_side_by_side(
    commands: Sequence[Command], jobs: int, say: Callable[[str], None], on_change: Callable[[list[str]], None]
) -> None:
    """Run commands, at most `jobs` at a time, in order; `on_change` gets the names of those running at each change.

    Their output goes to `say`, line by line, and to their logs; a line that can't be passed on holds no command up. A
    failed command doesn't stop the running ones, but no new one starts; then raises TrainingError with the last lines
    of each that failed.
    """
    waiting, running, failed = list(commands), dict[str, _Running](), list[str]()
    ended: SimpleQueue[str] = SimpleQueue()
    threads = threads_each(min(jobs, len(commands)))
    try:
        while running or (waiting and not failed):
            while waiting and not failed and len(running) < jobs:
                command = waiting.pop(0)
                running[command.name] = _start(command, threads, say, ended)
                on_change(list(running))
            one = running.pop(ended.get())
            code = one.process.wait()
            if one.lost:
                say(f"{one.command.name}: some of its output was not passed on ({one.lost})")
            if code:
                say(f"{one.command.name}: failed (exit code {code})")
                failed.append(_explain(one, code))
            on_change(list(running))
    finally:
        for left in running.values():  # stopped by Ctrl-C or an error: end the stages at once, they resume later
            left.process.kill()
            left.process.wait()
    if failed:
        raise TrainingError("\n".join(failed))


def threads_each(side_by_side: int) -> int:
    """Return how many CPU threads each of several processes should use."""
    return max(1, usable_cpus() // max(1, side_by_side))


def _start(command: Command, threads: int, say: Callable[[str], None], ended: SimpleQueue[str]) -> _Running:
    command.log.parent.mkdir(parents=True, exist_ok=True)
    # A number set by the user stays.
    env = {"OMP_NUM_THREADS": str(threads), **os.environ, "PYTHONUNBUFFERED": "1"}
    log = command.log.open("ab", buffering=0)
    # A session of its own: Ctrl-C reaches this process alone, which then ends the stages.
    process = subprocess.Popen(
        [sys.executable, "-m", command.module, *command.arguments, "--end-with-stdin"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", env=env, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
    one = _Running(command, process)
    threading.Thread(target=_relay, args=(one, log, say, ended), daemon=True).start()
    return one


def _relay(one: _Running, log: IO[bytes], say: Callable[[str], None], ended: SimpleQueue[str]) -> None:
    """Pass on what a stage prints, and note that it has ended, whatever becomes of its lines."""
    stdout: IO[str] = one.process.stdout  # type: ignore[assignment]
    try:
        with log:
            for line in stdout:
                one.last_lines = [*one.last_lines, line.rstrip()][-KEPT_LINES:]
                # A full disk or a terminal that is gone must not end this: the stage waits until its lines are read.
                try:
                    log.write(line.encode())
                except OSError as error:
                    one.lost = error
                try:
                    if line.strip():
                        say(line.rstrip())
                except Exception as error:
                    one.lost = error
    finally:
        ended.put(one.command.name)


def _explain(one: _Running, code: int) -> str:
    last = "\n".join(f"    {line}" for line in one.last_lines)
    killed = " (killed: out of memory, perhaps)" if code == -9 else ""
    return (
        f"{one.command.name} failed with exit code {code}{killed}. Fix the cause in its last lines and start again: it "
        f"resumes from its last checkpoint. All of its output: {one.command.log}\n{last}"
    )
