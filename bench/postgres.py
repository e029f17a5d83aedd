"""Find PostgreSQL's server programs, and run a server for the length of a `with`: for the load test and the tests."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEBIAN = Path("/usr/lib/postgresql")
REMEDY = (
    "PostgreSQL's server was not found, so its tests are skipped. Install it: `apt install postgresql` on Debian, "
    "`brew install postgresql` on a Mac."
)
POOL_REMEDY = "PgBouncer was not found, so its test is skipped. Install it: `apt install pgbouncer` on Debian."
START_S = 60.0
_numbers = itertools.count()


def find_postgres() -> Path | None:
    """Return the folder with `initdb` and `postgres`, the newest version's, or None."""
    versions = sorted(DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    for folder in [*versions, *([Path(on_path).parent] if on_path else [])]:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    return None


def find_pool() -> str | None:
    """Return PgBouncer's program, or None; Debian puts it where only root looks."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


class Postgres:
    """A server in a temporary folder; it listens on a socket in that folder alone and trusts all connections.

    PostgreSQL refuses to run as root, so root runs it as another user. `url` lacks a database's name: end it with one.
    Unless it is `durable` it doesn't wait for the disk, which tests of speed need.
    """

    def __init__(self, programs: Path, *, durable: bool = False) -> None:
        self._programs = programs
        self._durable = durable
        self._user = _unprivileged()
        self._who: dict[str, Any] = (
            {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}
        )
        self._name = self._user.pw_name if self._user else pwd.getpwuid(os.getuid()).pw_name
        self._folder = Path(tempfile.mkdtemp(prefix="medilite-pg-", dir="/tmp"))  # a socket's path has to be short
        self._server: subprocess.Popen[Any] | None = None
        self.url = f"postgresql://{self._name}@/?host={self._folder}"

    @property
    def pid(self) -> int:
        """Process id of the running server; those of its connections are its children."""
        assert self._server is not None
        return self._server.pid

    def make(self) -> None:
        """Make its data. Raises RuntimeError with what was said if that fails."""
        if self._user:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        init = [
            str(self._programs / "initdb"), "-D", str(self._folder / "data"), "-A", "trust", "-E", "UTF8",
            "--no-locale", "--no-sync", "-U", self._name,
        ]  # fmt: skip
        done = subprocess.run(init, cwd=self._folder, capture_output=True, text=True, check=False, **self._who)
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError with what it said if it does not."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "fsync": "on" if self._durable else "off",
            "max_connections": "90",
        }
        log = self._folder / "log"
        given = [f"--{key}={value}" for key, value in options.items()]
        start = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), *given]
        with log.open("ab") as output:
            server = subprocess.Popen(start, cwd=self._folder, stdout=output, stderr=output, **self._who)
        self._server = server
        ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self._folder), "-U", self._name]
        waited_until = time.monotonic() + START_S
        while subprocess.run(ready, check=False).returncode:
            if server.poll() is not None or time.monotonic() > waited_until:
                raise RuntimeError(f"postgres did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it at once, with open connections too; its data stay ("fast" shutdown)."""
        if self._server is None:
            return
        self._server.send_signal(how)
        try:
            self._server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None

    def remove(self) -> None:
        """Stop it and delete its data."""
        # "Immediate" shutdown: a fast one first writes all of what is then deleted.
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def running_postgres(programs: Path, *, durable: bool = False) -> Iterator[Postgres]:
    """Make a server, start it and yield it; it is gone afterwards. Raises RuntimeError as its methods do."""
    server = Postgres(programs, durable=durable)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.remove()


def new_database(server: str) -> str:
    """Make an empty database on a server (`running_postgres`) and return its URL."""
    import psycopg

    name = f"votes{next(_numbers)}"
    with psycopg.connect(server.replace("/?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/?", f"/{name}?")


def _unprivileged() -> pwd.struct_passwd | None:
    """Return the user to run the server as, or None for the current one."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as.")
