"""Find PostgreSQL's server programs for the tests of the votes' store, or install them; run a server for a while.

    .venv/bin/python scripts/postgres.py

Run as a script it installs Debian's package as root (or by a sudo that asks no
password). Where that can't be done it says what to do; that is an error only in CI.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.system import apt_install, is_root

DEBIAN = Path("/usr/lib/postgresql")
REMEDY = (
    "PostgreSQL's server was not found, so its tests are skipped. Install it: `apt install postgresql` on Debian, "
    "`brew install postgresql` on a Mac."
)
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


def install_postgres() -> Path | None:
    """Install PostgreSQL if it isn't here; return the folder of its programs, or None where that can't be done."""
    if found := find_postgres():
        return found
    apt_install("the tests of the votes' store", "postgresql")
    return find_postgres()


@contextmanager
def running_postgres(programs: Path, *, durable: bool = False) -> Iterator[str]:
    """Run a server in a temporary folder and yield a URL without a database's name (end it with one).

    The server listens on a socket in that folder alone and trusts whoever can
    reach it. Unless it is `durable` it doesn't wait for the disk, which tests of its speed must not do without. It
    refuses to run as root, so root runs it as another user. Raises
    RuntimeError with what it said if it does not start.
    """
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="medilite-pg-", dir="/tmp"))  # a socket's path has to be short
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    name = user.pw_name if user else pwd.getpwuid(os.getuid()).pw_name
    server = None
    try:
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data, log = folder / "data", folder / "log"
        init = [programs / "initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "-U", name]
        done = subprocess.run(init, cwd=folder, capture_output=True, text=True, check=False, **who)  # type: ignore[call-overload]
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": "on" if durable else "off",
            "max_connections": "90",
        }
        start = [programs / "postgres", "-D", data, *(f"--{key}={value}" for key, value in options.items())]
        with log.open("wb") as output:
            server = subprocess.Popen(start, cwd=folder, stdout=output, stderr=output, **who)  # type: ignore[call-overload]
        ready = [str(programs / "pg_isready"), "-q", "-h", str(folder), "-U", name]
        waited_until = time.monotonic() + START_S
        while subprocess.run(ready, check=False).returncode:
            if server.poll() is not None or time.monotonic() > waited_until:
                raise RuntimeError(f"postgres did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        yield f"postgresql://{name}@/?host={folder}"
    finally:
        if server is not None:
            server.send_signal(2)  # SIGINT: fast shutdown, whoever is connected
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str) -> str:
    """Make an empty database on a server (`running_postgres`) and return its URL."""
    import psycopg

    name = f"votes{next(_numbers)}"
    with psycopg.connect(server.replace("/?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/?", f"/{name}?")


def _unprivileged() -> pwd.struct_passwd | None:
    """Return the user to run the server as, or None for whoever runs this."""
    if not is_root():
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as.")


def main() -> int:
    """Install PostgreSQL if need be; return 1 where a missing one is an error (CI), else 0."""
    if install_postgres():
        return 0
    print(REMEDY, file=sys.stderr)
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
