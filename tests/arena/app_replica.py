"""The app itself (its page, its booth, its guards) as a process that can be killed and started again.

The engine is a scripted one and the answers to vote on are ready-made, so that
what is tried is the way of a vote and not a model's speed. Each start is forked
from a process that has everything imported.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.arena.replica import PRELOADED

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        *(*PRELOADED, __name__, "app", "tests.support.scripted_app", "medilite.ui.page.app", "medilite.arena.store"),
        *("medilite.arena.mirror.mirror", "medilite.arena.retention", "medilite.arena.database"),
        *("uvicorn.protocols.http.auto", "uvicorn.loops.auto", "uvicorn.lifespan.on"),
    ]
)


class AppReplica:
    """One app on an address of its own choice; `database` is a file named votes.db, or PostgreSQL's URL."""

    def __init__(self, database: str, bank: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        votes = {"VOTES_URL": database} if "://" in database else {"DATA_DIR": str(Path(database).parent)}
        told = {"PORT": str(port), "HOST": "127.0.0.1", "TRUSTED_PROXIES": "127.0.0.1", **votes}
        # The bank that these answers come from is made up: no other is made beside the tests.
        told["PRIVATE_BANK"] = "0"
        self._env = {f"MEDILITE_{name}": value for name, value in told.items()}
        self._bank = bank
        self._process: ForkServerProcess | None = None

    def start(self) -> None:
        self._process = _FORKS.Process(target=serve, args=(self._env, self._bank), daemon=True)
        self._process.start()

    def kill(self) -> None:
        """End it as a power cut would: kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.join()


def serve(env: dict[str, str], bank: Path) -> None:
    """Run `app.py` until killed, with these settings and no others."""
    from tests.support import scripted_app

    for name in [name for name in os.environ if name.startswith("MEDILITE_")]:
        del os.environ[name]
    os.environ.update(env)
    scripted_app.main(0.01, bank)
