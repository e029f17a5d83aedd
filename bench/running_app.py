"""Start `python app.py` as a person would, on a free port, and stop it afterwards."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_S = 300.0
_ADDRESS = re.compile(r"runs on (http://\S+)")


@dataclass
class RunningApp:
    """The app's address, its process, and what it has written so far."""

    url: str
    pid: int
    output: list[str] = field(default_factory=list)


@contextmanager
def running_app(
    command: Sequence[str] | None = None,
    folder: Path = ROOT,
    surroundings: Mapping[str, str] | None = None,
    *,
    apart: bool = False,
    **env: str,
) -> Iterator[RunningApp]:
    """Run the app for the length of a `with`; `env` goes on top of the environment.

    `command`, `folder` and `surroundings` (a whole environment) are for an app in another place. `apart` keeps a Ctrl+C
    at the terminal from it, for a caller that stops it when it is done. Raises RuntimeError with the app's output if it
    ends, or prints no address within START_S.
    """
    if surroundings is None:
        surroundings = {**os.environ, "MEDILITE_PORT": "0", "MEDILITE_OPEN_BROWSER": "0"}
    started = list(command) if command else [sys.executable, "-u", str(ROOT / "app.py")]
    process = subprocess.Popen(
        started, cwd=folder, env={**surroundings, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=apart,
    )  # fmt: skip
    output: list[str] = []
    addresses: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, output, addresses), daemon=True)
    reader.start()
    try:
        try:
            url = addresses.get(timeout=START_S)
        except queue.Empty:
            url = None
        if url is None:
            raise RuntimeError(f"The app did not start. It said:\n{''.join(output)}")
        yield RunningApp(url, process.pid, output)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(timeout=10)


def _read(process: subprocess.Popen[str], output: list[str], addresses: queue.SimpleQueue[str | None]) -> None:
    """Collect what the app writes (a full pipe would stop it) and pass its address on, or None when it ends."""
    assert process.stdout is not None
    for line in process.stdout:
        output.append(line)
        if match := _ADDRESS.search(line):
            addresses.put(match[1])
    addresses.put(None)
