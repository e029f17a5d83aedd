"""A process that has the app imported and runs it in forks of itself: a start costs no imports.

`python -m tests.faults.forks FOLDER` makes ready-made answers in FOLDER, then
reads one JSON list a line and answers each with one line: ["app", options] and
["models", options] start a fork and give its process id, ["wait", pid] gives
the exit status (below 0 for the signal that ended it). When its standard input
closes, whatever still runs is killed.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from medilite.models import ROOT

PATIENCE_S = 400.0


class Running:
    """A fork that runs; what it writes stands in the file `log`."""

    def __init__(self, forks: Forks, pid: int, log: Path, port: int) -> None:
        self._forks, self.pid, self.log, self.port = forks, pid, log, port
        self.url = f"http://127.0.0.1:{port}"
        self.ended: int | None = None

    def until_ready(self, path: str = "/readyz") -> Running:
        """Wait until an address answers 200."""
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                if httpx.get(self.url + path, trust_env=False, timeout=PATIENCE_S).status_code == 200:
                    return self
            except httpx.HTTPError:
                pass
            os.kill(self.pid, 0)
            assert time.monotonic() < end, f"It did not start: {self.said()}"
            time.sleep(0.05)

    def said(self) -> str:
        """Return what it has written."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def end(self) -> int:
        """Wait until it has ended and return its exit status."""
        if self.ended is None:
            self.ended = int(self._forks.ask("wait", self.pid))
        return self.ended

    def kill(self) -> None:
        """kill -9, unless it has ended."""
        if self.ended is None:
            self.send(signal.SIGKILL)
            self.end()

    def limit_files(self, size: int) -> None:
        """Let no file grow beyond `size` bytes, as on a full disk; RLIM_INFINITY lifts it."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class Forks:
    """Starts apps and model servers in forks of one process."""

    def __init__(self, folder: Path) -> None:
        env = {key: value for key, value in os.environ.items() if not key.startswith("MEDILITE_")}
        env |= {"HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "tests.faults.forks", str(folder)]
        self._server = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *command: object) -> str:
        """Send a command and return the answer to it."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(command) + "\n")
        self._server.stdin.flush()
        return self._server.stdout.readline().strip()

    def app(self, log: Path, port: int, *, step_s: float = 0.02, timeout_s: float = 10.0, **env: str) -> Running:
        """Start the app: around a scripted engine, unless the settings in `env` say remote; see `run_app`."""
        env = {"MEDILITE_PORT": str(port), **env}
        pid = self.ask("app", {"log": str(log), "step_s": step_s, "timeout_s": timeout_s, "env": env})
        return Running(self, int(pid), log, port)

    def models(self, log: Path, port: int, *, step_s: float) -> Running:
        """Start a model server that answers with WORDS, a token every `step_s` seconds."""
        return Running(self, int(self.ask("models", {"log": str(log), "port": port, "step_s": step_s})), log, port)

    def close(self) -> None:
        """End the process and all its forks."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(timeout=PATIENCE_S)


# --- in the process --------------------------------------------------------------------------


def run_app(folder: Path, *, step_s: float, timeout_s: float) -> int:
    """Run `app.py` with a bank of ready-made answers; the database may take `timeout_s`, tests have little time."""
    import app
    import medilite.engine
    from medilite.arena import votes
    from medilite.engine.remote import engine as remote
    from medilite.ui.page import app as page
    from medilite.ui.page import stopping
    from tests.support.fakes import ScriptedEngine

    if os.environ.get("MEDILITE_ENGINE") != "remote":
        medilite.engine.open_engine = lambda profile, settings: ScriptedEngine(profile, step_s=step_s)
    elif timeout_s < 10:
        # A circuit rests 15 s: as it ships, where there is time for it.
        remote.Limits = functools.partial(remote.Limits, backoff_s=0.05, rest_s=0.5)  # type: ignore[misc,assignment]
    page.Booth = functools.partial(page.Booth, folder=folder / "bank")  # type: ignore[misc,assignment]
    votes.Votes = functools.partial(votes.Votes, timeout_s=timeout_s)  # type: ignore[misc,assignment]
    # What ends early ends early; a busy machine gets the time that it needs.
    stopping.LAST_WORDS_S = 120.0
    return app.main()


def run_models(port: int, step_s: float) -> int:
    """Serve all models of the profile until killed."""
    # One token a byte, in the order of the small tokenizer's alphabet.
    from tokenizers import pre_tokenizers

    from medilite.models import load_profile
    from tests.support.fakes import WORDS
    from tests.support.model_servers import Reply, model_server
    from tests.support.small_tokenizer import CONTROL

    alphabet = {char: i for i, char in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()), len(CONTROL))}
    ids = [alphabet["Ġ" if char == " " else char] for char in WORDS]

    def script(_: int, told: dict[str, Any]) -> Reply:
        return Reply(ids[: told["max_tokens"]], then="length", step_s=step_s)

    with model_server(script, load_profile("lite").ids, port=port):
        while True:
            time.sleep(60)


def _fork(log: str, env: dict[str, str], act: Callable[[], int]) -> int:
    if (pid := os.fork()) != 0:
        return pid
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code = 1
    try:
        os.environ.update(env)
        code = act()
    except BaseException:
        traceback.print_exc()
    finally:
        # What can't be flushed, for the disk is full, is no failure of the app's.
        os._exit(code)


def main(folder: Path) -> None:
    """Serve until standard input closes."""
    import alembic.command
    import psycopg
    import starlette.applications
    import uvicorn

    import app
    import medilite.arena.mirror.mirror
    import medilite.arena.store
    import medilite.engine.remote.engine
    import medilite.ui.page.app
    import tests.support.model_servers
    from medilite.models import load_profile
    from medilite.readability import warm_up
    from tests.support.banks import write_bank

    parts = (alembic, psycopg, starlette, uvicorn, app, medilite.arena.mirror.mirror, medilite.arena.store)
    assert all((*parts, medilite.engine.remote.engine, medilite.ui.page.app, tests.support.model_servers))
    warm_up()
    write_bank(folder / "bank", load_profile("lite"))
    running: set[int] = set()
    for line in sys.stdin:
        kind, told = json.loads(line)
        if kind == "wait":
            _, status = os.waitpid(told, 0)
            running.discard(told)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        act = (
            functools.partial(run_app, folder, step_s=told["step_s"], timeout_s=told["timeout_s"])
            if kind == "app"
            else functools.partial(run_models, told["port"], told["step_s"])
        )
        pid = _fork(told["log"], told.get("env", {}), act)
        running.add(pid)
        print(pid, flush=True)
    for pid in running:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    os._exit(0)  # libraries' threads would hold up a usual end


if __name__ == "__main__":
    main(Path(sys.argv[1]))
