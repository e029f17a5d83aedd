"""Work in several processes: the same results, and nothing left running when the one that asked is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from eval.processes import mapped

ROOT = Path(__file__).resolve().parents[2]

ASKING = """
import time
from eval.processes import mapped

if __name__ == "__main__":
    list(mapped(time.sleep, [600.0] * 8, workers=2, chunksize=1))
"""


def test_one_process_is_this_one():
    assert list(mapped(str, [1, 2], workers=1)) == ["1", "2"]


@pytest.mark.slow
def test_results_come_in_order():
    assert list(mapped(abs, list(range(-20, 0)), workers=2, chunksize=3)) == list(range(20, 0, -1))


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "kill"])
def test_workers_end_with_the_one_that_started_them(tmp_path, how):
    script = tmp_path / "asking.py"
    script.write_text(ASKING, encoding="utf-8")
    asking = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        workers = wait_for(lambda: sleeping(asking.pid), "two workers at work")
    finally:
        asking.send_signal(how)
        asking.wait(30)
    wait_for(lambda: not any(worker.is_running() for worker in workers), "their end")


def sleeping(pid: int) -> list[psutil.Process]:
    """Return the two workers of a process once they are asleep in their task."""
    found = [one for one in psutil.Process(pid).children() if "spawn_main" in " ".join(one.cmdline())]
    return found if len(found) == 2 and all(one.num_threads() > 1 for one in found) else []


def wait_for(what, name: str, seconds: float = 120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := what():
            return result
        time.sleep(0.1)
    raise AssertionError(f"no {name} within {seconds:g} s")
