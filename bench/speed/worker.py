"""A peer's own process: `python -m bench.speed.worker`, started by `bench.speed`.

It reads one JSON object a line from standard input, first what to load, then
runs, and answers each with one line. Whatever libraries print goes to stderr.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.speed.runs import Measured, measure
from bench.speed.workloads import Ask, Prompt, Visitor
from medilite.errors import EngineError
from medilite.models import ROOT


class Worker:
    """The process as its starter sees it; use it in a `with`. It runs the code of a checkout in `code`."""

    def __init__(self, peer: str, profile: str, threads: int, rows: int, tokens: int, gguf: str | None,
                 vllm: str | None, log: Path, code: Path = ROOT, packages: str | None = None) -> None:  # fmt: skip
        self.peer = peer
        self._log = log.open("w", encoding="utf-8")
        # Before any library of the process counts the cores.
        env = {**os.environ, "OMP_NUM_THREADS": str(threads), "MEDILITE_PROFILE": profile}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.speed.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._log, text=True, encoding="utf-8", env=env, cwd=code,
        )  # fmt: skip
        self._load = {
            "peer": "int8" if peer == "before" else peer,
            "profile": profile, "threads": threads, "rows": rows, "tokens": tokens, "gguf": gguf,
            "vllm": vllm, "packages": packages,
        }  # fmt: skip

    def __enter__(self) -> Worker:
        self.bytes_a_step: int | None = self._talk(self._load).get("bytes_a_step")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def run(self, visitors: list[Visitor]) -> tuple[Measured, int | None]:
        """Return a run's numbers and the process's memory after it in bytes; None if it is another process's."""
        answer = self._talk({"visitors": [dataclasses.asdict(visitor) for visitor in visitors]})
        return Measured(**answer["measured"]), answer["memory"]

    def _talk(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # its last words are below
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"its process ended ({self._process.wait()})"}
        if "error" in answer:
            raise EngineError(
                f"{self.peer} can't be measured: {answer['error']}. What it printed is in {self._log.name}."
            )
        return dict(answer)


def serve() -> None:
    """Answer the parent process until it closes the pipe."""
    # By file descriptor, so that output of C libraries doesn't get between the lines.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    generator: Any = None
    load: dict[str, Any] = {}
    for line in sys.stdin:
        message = json.loads(line)
        try:
            if generator is None:
                load = message
                generator = _load(message)
                answer: dict[str, Any] = {"ready": True, "bytes_a_step": getattr(generator, "bytes_a_step", None)}
            else:
                measured = measure(generator, [_visitor(one) for one in message["visitors"]])
                memory = None if load["peer"] == "vllm" else _memory()
                answer = {"measured": dataclasses.asdict(measured), "memory": memory}
        except Exception as error:  # report any error of a peer's library to the parent process
            answer = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(answer) + "\n")
    # Libraries' threads may still be in C code, for which a normal exit would wait.
    os._exit(0)


def _load(message: dict[str, Any]) -> Any:
    from bench.speed.generators import Setting, open_generator
    from medilite.models import load_profile
    from medilite.settings import load_settings

    settings = load_settings(profile=message["profile"])
    gguf = Path(message["gguf"]) if message["gguf"] else None
    setting = Setting(
        load_profile(settings.profile), settings, message["threads"], message["rows"], message["tokens"], gguf,
        message["vllm"], Path(message["packages"]) if message["packages"] else None,
    )  # fmt: skip
    return open_generator(message["peer"], setting)


def _visitor(raw: dict[str, Any]) -> Visitor:
    asks = [
        Ask(one["model"], Prompt(one["prompt"]["question"], tuple(one["prompt"]["ids"])), one["new_tokens"])
        for one in raw["asks"]
    ]
    return Visitor(raw["arrives_s"], tuple(asks))


def _memory() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    serve()
