"""Stages side by side as processes: in order, with their output, and gone when the one that started them is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medilite.errors import TrainingError
from medilite.models import ROOT
from training.recipe.commands import Command, run_side_by_side, threads_each

STAGE = """
import os, sys, time
from training.command import end_with_stdin

end_with_stdin()
name, seconds, code = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
print(name, "begins, threads", os.environ["OMP_NUM_THREADS"])
open(sys.argv[4] + ".pid", "w").write(str(os.getpid()))
time.sleep(seconds)
print(name, "ends")
sys.exit(code)
"""


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make a stage that waits for so many seconds and ends with a code."""
    (tmp_path / "waiting_stage.py").write_text(STAGE)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def made(name: str, seconds: float, code: int = 0) -> Command:
        return Command(name, "waiting_stage", (name, str(seconds), str(code), str(tmp_path / name)), tmp_path / name)

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
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
