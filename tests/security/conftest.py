"""A server as a process of its own, and what has to hold after each attack on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bench.running_app import ROOT, running_app
from tests.security.visitor import Visitor

NO_LIMITS = {f"MEDILITE_{what}_PER_{who}": "off" for what in ("ANSWERS", "PAIRS") for who in ("VISITOR", "ADDRESS")}
NO_LIMITS |= {f"MEDILITE_{what}_PER_ADDRESS": "off" for what in ("READINGS", "EVENTS", "SESSIONS")}
LOOKED_AFTER_EACH = 10
"""After so many attacks somebody else's ordinary question is answered: a server that is harmed stays so."""

SECRET = "Zebrafinch4711"
"""A word that one visitor has asked about; nobody else may ever see it."""


@dataclass
class Server:
    """A running server: its address, its folder, and what it has written to its log."""

    url: str
    folder: Path
    log: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    attacks: int = 0

    @property
    def leaks(self) -> tuple[str, ...]:
        """What no answer may contain."""
        return (SECRET, "Traceback", "site-packages", str(ROOT), str(self.folder), "root:x:", "votes.db", '.py"')


@contextmanager
def serving(folder: Path, **env: str) -> Iterator[Server]:
    """Run a server for the length of a `with`."""
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("MEDILITE_")}
    surroundings |= {"MEDILITE_PORT": "0", "MEDILITE_HOST": "127.0.0.1", "HOME": str(folder), **env}
    surroundings |= {"GRADIO_TEMP_DIR": str(folder / "gradio"), "MEDILITE_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, "-u", "-m", "tests.security.server", str(folder)]
    with running_app(command, ROOT, surroundings) as app:
        yield Server(app.url.rstrip("/"), folder, app.output)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server under attack, without limits on how often one asks; somebody has asked about SECRET before."""
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, **NO_LIMITS) as started:
        somebody = Visitor(started.url)
        for tab in ("compare", "chat", "vote"):
            assert SECRET in str(somebody.ask(f"What is {SECRET}?", tab))
        started.config = somebody.config
        yield started
        assert "asthma" in str(somebody.ask("What is asthma?"))
        somebody.close()
    said = "".join(started.log)
    words = [word for word in (SECRET, "etc/passwd", "window.ran", "im_start", "gpt-9") if word in said]
    assert words == [], "visitors' words are in the log"


@pytest.fixture
def visitor(server: Server) -> Iterator[Callable[..., Visitor]]:
    """Return a function that opens a page; each tenth test ends with somebody else's ordinary question."""
    opened: list[Visitor] = []

    def open_page(**options: object) -> Visitor:
        opened.append(Visitor(server.url, known=server.config, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_page
    server.attacks += 1
    if server.attacks % LOOKED_AFTER_EACH == 0:
        assert "asthma" in str(open_page().ask("What is asthma?"))
    for one in opened:
        one.close()
