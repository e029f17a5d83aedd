"""The app as a process of its own on a fresh database, and its use of memory and processor."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx

from bench.postgres import REMEDY, find_postgres, new_database, running_postgres
from bench.running_app import RunningApp, running_app
from medilite.errors import ConfigError, EngineError
from medilite.processor import computed_in
from medilite.settings import load_settings

READY_S = 900.0
"""Seconds that models may take to load: the first time they are fetched, converted and compiled."""

EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Served:
    """The app as it runs, and where its votes are."""

    app: RunningApp
    votes: str
    precision: str


@contextmanager
def served(
    votes: Literal["sqlite", "postgresql"], command: Sequence[str] = (), sources: str | None = None
) -> Iterator[Served]:
    """Run `app.py` as a person would, on a fresh database, its models loaded; votes go nowhere else.

    A proxy in front of it is declared, so that visitors can send their addresses; everything else is as in a
    deployment. `command` starts another app than `app.py`, for instance one without models; `sources` is the app's
    MEDILITE_SOURCES. Raises ConfigError and EngineError.
    """
    with ExitStack() as stack:
        # Its own temporary folder: the app's processes may run a moment longer than its files exist.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        url = ""
        if votes == "postgresql":
            programs = find_postgres()
            if programs is None:
                raise ConfigError(f"--votes postgresql can't be used. {REMEDY}")
            url = new_database(stack.enter_context(running_postgres(programs, durable=True)).url)
        precision = computed_in(load_settings())
        env = os.environ | {
            "MEDILITE_PORT": "0", "MEDILITE_HOST": "127.0.0.1", "MEDILITE_OPEN_BROWSER": "0",
            "MEDILITE_DATA_DIR": str(folder), "MEDILITE_VOTES_URL": url, "MEDILITE_MIRROR": "",
            "MEDILITE_TRUSTED_PROXIES": "127.0.0.1", "GRADIO_ANALYTICS_ENABLED": "False",
        }  # fmt: skip
        if sources:
            env["MEDILITE_SOURCES"] = sources
        try:
            app = stack.enter_context(running_app(command or None, surroundings=env, apart=True))
        except RuntimeError as error:
            raise EngineError(f"{error}\nMend what it says, or try `python app.py` by itself.") from error
        _wait_ready(app)
        yield Served(app, url or str(folder / "votes.db"), "none" if command else precision)


def _wait_ready(app: RunningApp) -> None:
    """Wait until the app is ready: earlier visitors would wait for the models, not in the queue."""
    until = time.monotonic() + READY_S
    problem = ""
    while time.monotonic() < until:
        try:
            reply = httpx.get(f"{app.url.rstrip('/')}/readyz", timeout=60, trust_env=False)
            problem = reply.text
            if reply.status_code == 200:
                return
        except httpx.HTTPError as error:
            problem = str(error)
        time.sleep(0.2)
    raise EngineError(f"The app was not ready within {READY_S:.0f} seconds: {problem}\n{''.join(app.output[-40:])}")


@dataclass
class Watch:
    """A process's resident memory (bytes) and processor time (s) since the watch began, once a second.

    `own` is the resident memory without what it shares with files: weights that
    are mapped count as resident from when they are first read.
    """

    pid: int
    at_s: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    own: list[int] = field(default_factory=list)
    cpu_s: float = 0.0
    late_s: list[float] = field(default_factory=list)
    """Seconds by which this process itself woke up too late: late visitors would measure themselves."""

    async def look(self) -> None:
        """Look until cancelled, or until the process is gone."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            before = sum(process.cpu_times()[:2])
            began = time.monotonic()
            while True:
                self.at_s.append(time.monotonic() - began)
                memory = process.memory_info()
                self.rss.append(memory.rss)
                self.own.append(memory.rss - getattr(memory, "shared", 0))
                self.cpu_s = sum(process.cpu_times()[:2]) - before
                due = time.monotonic() + EVERY_S
                await asyncio.sleep(EVERY_S)
                self.late_s.append(time.monotonic() - due)
        except psutil.NoSuchProcess:
            return
