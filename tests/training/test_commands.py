"""Stages side by side as processes: in order, with their output, and gone when the one that started them is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from medilite.errors import ConfigError, TrainingError
from medilite.models import ROOT
from training import reproduce
from training.recipe.commands import Command, run_side_by_side, threads_each

STAGE = """
import os, sys, time
from training.command import end_with_stdin

end_with_stdin()
name, seconds, code = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
print(name, "begins, threads", os.environ["OMP_NUM_THREADS"])
print("." * int(sys.argv[5]))
open(sys.argv[4] + ".pid", "w").write(str(os.getpid()))
time.sleep(seconds)
print(name, "ends")
sys.exit(code)
"""

MORE_THAN_A_PIPE = 200_000
"""Characters; a stage that prints so many waits for its reader."""


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make a stage that waits for so many seconds and ends with a code."""
    (tmp_path / "waiting_stage.py").write_text(STAGE)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def made(name: str, seconds: float, code: int = 0, printed: int = 0) -> Command:
        arguments = (name, str(seconds), str(code), str(tmp_path / name), str(printed))
        return Command(name, "waiting_stage", arguments, tmp_path / name)

    return made


def test_so_many_run_at_a_time(stage, tmp_path: Path) -> None:
    said: list[str] = []
    running: list[list[str]] = []
    run_side_by_side([stage("a", 0.5), stage("b", 0), stage("c", 0)], 2, said.append, running.append)
    assert running[:2] == [["a"], ["a", "b"]]
    assert max(map(len, running)) == 2
    assert running[-1] == []
    assert {f"{name} ends" for name in "abc"} <= set(said)
    assert f"a begins, threads {threads_each(2)}" in said
    assert (tmp_path / "a").read_text().splitlines()[-1] == "a ends"


def test_a_failure_is_told_and_nothing_new_starts(stage) -> None:
    said: list[str] = []
    with pytest.raises(TrainingError, match=r"b failed with exit code 3\..*resumes from its last checkpoint") as error:
        run_side_by_side([stage("a", 1.0), stage("b", 0, 3), stage("c", 0)], 2, said.append, lambda names: None)
    assert "b: failed (exit code 3)" in said
    assert "a ends" in said
    assert "c ends" not in said
    assert "    b ends" in str(error.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_output_that_cannot_be_kept_holds_no_stage_up(stage) -> None:
    said: list[str] = []
    command = replace(stage("a", 0, printed=MORE_THAN_A_PIPE), log=Path("/dev/full"))
    run_side_by_side([command, stage("b", 0)], 1, said.append, lambda names: None)
    assert {"a ends", "b ends"} <= set(said)
    assert "a: some of its output was not passed on ([Errno 28] No space left on device)" in said


def test_a_line_that_cannot_be_passed_on_holds_no_stage_up(stage, tmp_path: Path) -> None:
    said: list[str] = []

    def say(line: str) -> None:
        if line.startswith("a begins"):
            raise ConfigError("The profile is being edited.")
        said.append(line)

    run_side_by_side([stage("a", 0, printed=MORE_THAN_A_PIPE)], 1, say, lambda names: None)
    assert said[1:] == ["a ends", "a: some of its output was not passed on (The profile is being edited.)"]
    assert "a begins" in (tmp_path / "a").read_text()


def test_nobody_who_reads_is_an_error_and_no_endless_wait(stage) -> None:
    def say(line: str) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        run_side_by_side([stage("a", 0, printed=MORE_THAN_A_PIPE)], 1, say, lambda names: None)


@pytest.mark.parametrize("jobs", ["0", "-1"])
def test_no_stage_at_a_time_is_refused(jobs: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        reproduce.parse_arguments(["--profile", "lite", "--jobs", jobs])
    assert f"{jobs} is below 1" in capsys.readouterr().err


def test_a_stage_ends_with_the_process_that_started_it(stage, tmp_path: Path) -> None:
    command = stage("a", 60)
    code = (
        "from pathlib import Path\nfrom training.recipe.commands import Command, run_side_by_side\n"
        f"run_side_by_side([Command('a', 'waiting_stage', {command.arguments!r}, Path({str(command.log)!r}))], 1, "
        "lambda line: None, lambda names: None)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    pid_file = tmp_path / "a.pid"
    _wait(lambda: pid_file.is_file() and pid_file.read_text() != "")
    parent.kill()
    parent.wait()
    _wait(lambda: not _runs(int(pid_file.read_text())))


def _wait(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # In a container nobody may collect an orphan that has ended.
        stat = Path(f"/proc/{pid}/stat")
        return not Path("/proc/self").exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
