"""Connections to the votes' database: SQLite in a file, or PostgreSQL by URL.

For both: `write` returns only after the data is durable, writers don't overtake each other, and every failure is a
StoreError that says what to do. The schema is brought up to date when the database is first used.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from medilite.arena.turns import Turns
from medilite.errors import SettingsError, StoreError, suggestion
from medilite.settings import ambiguous_address

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).resolve().parent / "migrations"

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON")
"""How SQLite writes: committed data is on the disk, and deleted data is overwritten, so that a withdrawn text is not in
the file either."""

_made: set[Path] = set()
"""Files that this process has opened: one that has vanished since must not be created again by any part of the app."""

_lines: dict[Path, Turns] = {}
"""One queue of writers for each file, shared by every part of the app that opens it."""

_WRITES = "medilite_writes"
_MIGRATION_LOCK = 0x6D656469
"""PostgreSQL's advisory lock while the schema changes; any number, the same for every replica."""

_one_migration = threading.Lock()
"""Alembic keeps the migration that runs in globals of its own: one at a time, of whatever database."""


class Database:
    """A pool of connections; safe to use from several threads.

    `target` is a file's path or a URL (`postgresql://…`, `sqlite:///…`). `timeout_s` is how long a writer waits for
    others before StoreError, and how long a server may be silent at first: half of it for an open connection, half for
    a new one. While it is silent one caller at a time tries again; the others get StoreError at once. Nothing is opened
    before it is needed. Raises SettingsError for a URL of another kind.
    """

    def __init__(self, target: str | Path, timeout_s: float = 10.0) -> None:
        self._url = database_url(target)
        self._timeout_s = timeout_s
        self._path = Path(self._url.database or "") if self._url.get_backend_name() == "sqlite" else None
        self.engine = self._make_engine()
        self._turns = _turns_of(self._path)
        self._preparing = threading.Lock()
        self._ready = False
        self._silent: str | None = None
        """The message about a server that did not answer the last time."""
        self._trying = threading.Lock()

    @property
    def name(self) -> str:
        """The database's name in the log and for the operator: without user, password and options."""
        if self._path:
            return str(self._path)
        return self._url._replace(username=None, password=None, query=sa.util.immutabledict()).render_as_string()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a file rather than a server."""
        return self._path is not None

    @property
    def is_there(self) -> bool:
        """Whether there is something to read without creating it: a file may not exist yet, a server does."""
        return self._path is None or self._path.is_file()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Yield a connection for reading; raises StoreError."""
        self._prepare()
        with self._connection(writes=False) as connection:
            yield connection

    @contextmanager
    def write(self, lock: str = "") -> Iterator[sa.Connection]:
        """Yield a connection in a transaction that is durable once this returns.

        Two writers with the same `lock` run one after another (in SQLite all do). Raises StoreError when it isn't
        known whether it was stored: trying again with the same keys is safe.
        """
        self._prepare()
        with self._connection(writes=True) as connection:
            if not self._path:
                connection.execute(sa.text("SET LOCAL synchronous_commit = on"))
            if lock:
                self.lock(connection, lock)
            yield connection

    def lock(self, connection: sa.Connection, *names: str) -> None:
        """Hold locks until the transaction of `write` ends; nothing in SQLite, where writers run one by one anyway.

        They are taken in one order, so that two transactions that each take theirs at once don't wait for each other.
        """
        if names and not self._path:
            taken = (
                "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(CAST(:names AS text[])) AS name"
            )
            connection.execute(sa.text(taken), {"names": sorted(set(names))})

    def forget(self) -> None:
        """Remove deleted data from the disk: SQLite's write-ahead log holds it until it is overwritten.

        As far as readers allow it now; what fails is tried again the next time.
        """
        if self._path is None:
            return
        try:
            with closing(
                sqlite3.connect(f"file:{quote(str(self._path.absolute()))}?mode=rw", uri=True, timeout=0.2)
            ) as it:
                it.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            log.info("The votes' database could not be tidied up at once: %s", type(error).__name__)

    def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        self.engine.dispose()

    # --- connections ---------------------------------------------------------------------

    @contextmanager
    def _connection(self, *, writes: bool) -> Iterator[sa.Connection]:
        with self._one_at_a_time_if_silent(), self._transaction(writes=writes) as connection:
            yield connection

    @contextmanager
    def _one_at_a_time_if_silent(self) -> Iterator[None]:
        """Let one caller test whether a silent server is back; raises StoreError for the others at once."""
        if not self._silent:
            yield
            return
        if not self._trying.acquire(blocking=False):
            raise StoreError(self._silent)
        try:
            yield
        finally:
            self._trying.release()

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[sa.Connection]:
        silent = None
        # Before a connection is taken: waiting threads hold none.
        turn = self._turns.turn(self._timeout_s) if writes and self._path else nullcontext()
        try:
            with turn, self._connect().execution_options(**{_WRITES: writes}) as connection:
                opened = connection.info.get("file")
                self._check_file(opened)
                with connection.begin():
                    yield connection
                if writes:
                    # Writes to a file that was deleted meanwhile would be lost.
                    self._check_file(opened)
        # The last two are Python's own, for texts that no encoding has and numbers that don't fit.
        except (
            sa.exc.SQLAlchemyError, sqlite3.Error, TimeoutError, _ConnectError, UnicodeError, OverflowError,
        ) as error:  # fmt: skip
            failure = self._what_failed(error)
            if self._path is None and _is_silence(error):
                silent = str(failure)
            raise failure from error
        finally:
            self._silent = silent

    def _connect(self) -> sa.Connection:
        try:
            return self.engine.connect()
        except (sa.exc.SQLAlchemyError, sqlite3.Error, TimeoutError, StoreError):
            raise
        except Exception as error:
            # Drivers raise any exception for an option that they can't use, or an address that can't be resolved.
            raise _ConnectError(f"{type(error).__name__}: {error}") from error

    def _make_engine(self) -> sa.Engine:
        if self._path is None:
            return self._make_server_engine()
        engine = sa.create_engine(
            "sqlite://",
            creator=self._connect_file,
            hide_parameters=True,
            poolclass=sa.QueuePool,
            max_overflow=30,
            pool_timeout=self._timeout_s,
        )

        @sa.event.listens_for(engine, "connect")
        def on_connect(connection: Any, record: Any) -> None:
            # The driver's own transactions begin too late: a reader that becomes a writer can't wait for its turn.
            connection.isolation_level = None
            for pragma in PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            record.info["file"] = _identity(self._path)

        @sa.event.listens_for(engine, "begin")
        def on_begin(connection: sa.Connection) -> None:
            writes = connection.get_execution_options().get(_WRITES)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        return engine

    def _make_server_engine(self) -> sa.Engine:
        from medilite.arena.silence import patient_connection

        options = server_options(self._url)
        engine = sa.create_engine(
            self._url.set(query={}),
            # Its exceptions would quote visitors' texts.
            hide_parameters=True,
            pool_pre_ping=True,
            pool_timeout=self._timeout_s,
            connect_args={
                # Whole seconds; the driver raises less than two to two.
                "connect_timeout": max(2, round(self._timeout_s / 2)),
                # A pooler such as PgBouncer gives each transaction another connection, which doesn't know statements
                # that were prepared on the last one.
                "prepare_threshold": None,
                # Else that of the database: of one in SQL_ASCII texts would come back as bytes.
                "client_encoding": "utf8",
                **options,
            },
        )
        connection_class = patient_connection(self._timeout_s / 2)

        @sa.event.listens_for(engine, "do_connect")
        def connect(dialect: Any, record: Any, given: list[Any], named: dict[str, Any]) -> Any:
            return connection_class.connect(*given, **named)

        return engine

    def _connect_file(self) -> sqlite3.Connection:
        assert self._path is not None
        # Created once; a database that has vanished since must not become a new, empty one.
        path = self._path.absolute()
        mode = "rw" if path in _made else "rwc"
        address = f"file:{quote(str(path))}?mode={mode}"
        return sqlite3.connect(address, uri=True, timeout=self._timeout_s, check_same_thread=False)

    def _check_file(self, opened: tuple[int, int] | None) -> None:
        if self._path is None or (opened is not None and opened == _identity(self._path)):
            return
        self.engine.dispose()
        self._ready = False
        raise StoreError(
            f"The votes' database {self._path} has vanished or was replaced while it was open, so nothing could be "
            "stored. Put the file back; then try again."
        )

    # --- the schema ----------------------------------------------------------------------

    def _prepare(self) -> None:
        """Bring the schema up to date, once."""
        if self._ready:
            return
        with self._turn_to_prepare():
            if self._ready:
                return
            if self._path and self._path.absolute() not in _made:
                try:
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise StoreError(
                        f"The folder {self._path.parent} for the votes can't be made: {error.strerror}. "
                        "Set MEDILITE_DATA_DIR to one that can be written."
                    ) from error
            with self._connection(writes=True) as connection:
                if not self._path:
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
                self._migrate(connection)
            if self._path:
                _made.add(self._path.absolute())
            self._ready = True

    @contextmanager
    def _turn_to_prepare(self) -> Iterator[None]:
        """Let one caller prepare; the others wait, and get StoreError when that takes too long."""
        if not self._preparing.acquire(timeout=0 if self._silent else self._timeout_s):
            raise StoreError(self._silent or "The votes' database can't be used at the moment. Try again in a moment.")
        try:
            yield
        finally:
            self._preparing.release()

    def _migrate(self, connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        try:
            with _one_migration:
                command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                "The votes' database was made by a newer MediLite. Update MediLite, or use another database."
            ) from error

    # --- errors --------------------------------------------------------------------------

    def _what_failed(self, error: Exception) -> StoreError:
        """Return a public message; the driver's own, which may quote addresses, goes only to log and operator."""
        cause = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
        plain = {
            "locked": "is held by another program",
            "no turn came": "has more to write than it can at the moment",
            "database or disk is full": "can't grow: the disk is full",
            "No space left": "can't grow: the disk is full",
            "readonly": "can't be written",
            "unable to open": "can't be opened",
            "no such table": "has lost its tables",
            "disk I/O error": "can't be written: the disk is full, or broken",
        }
        said = next((words for sign, words in plain.items() if sign in cause), "can't be used at the moment")
        cause = type(error).__name__ if isinstance(error, UnicodeError | OverflowError) else self._masked(cause)
        log.warning("The votes' database %s %s: %s", self.name, said, cause)
        return StoreError(f"The votes' database {said}. Try again; nothing is counted twice.", cause)

    def _masked(self, words: str) -> str:
        """Return a driver's message without the address's user, password and options, as written and as decoded."""
        hidden = {str(self._url.password or ""), str(self._url.username or "")}
        hidden |= {str(value) for value in self._url.query.values()}
        hidden |= {quote(value, safe="") for value in hidden} | {quote(value) for value in hidden}
        longest_first = map(re.escape, sorted(filter(None, hidden), key=len, reverse=True))
        # %2F may be written %2f.
        return re.sub("|".join(longest_first), "…", words, flags=re.IGNORECASE) if any(hidden) else words


class _ConnectError(Exception):
    """Any exception of a driver while it connects."""


_CHOICES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    "client_encoding": ("utf8", "UTF8", "utf-8", "UTF-8"),
}
"""What the driver would refuse at each connection, or what can't hold every vote's text."""

_WHOLE_NUMBERS = (
    "port", "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
    "tcp_user_timeout",
)  # fmt: skip


def _turns_of(path: Path | None) -> Turns:
    """Return the queue of writers of a file, one for the whole process; a server has a queue of its own."""
    return Turns() if path is None else _lines.setdefault(path.absolute(), Turns())


def database_url(target: str | Path) -> sa.URL:
    """Return the URL of a configured path or URL; raises SettingsError if it can't store votes, or is ambiguous.

    No message quotes the address: if it can't be parsed, any part may be the
    password.
    """
    text = str(target)
    if isinstance(target, Path) or "://" not in text:
        return sa.URL.create("sqlite", database=str(Path(text).expanduser()))
    backend, _, driver = text.partition("://")[0].lower().partition("+")
    # Another driver of SQLite, such as an encrypting one, would not be used.
    if backend not in ("postgres", "postgresql", "sqlite") or (backend == "sqlite" and driver not in ("", "pysqlite")):
        raise SettingsError(
            "MEDILITE_VOTES_URL can't be used: only PostgreSQL and SQLite keep votes. "
            "Give postgresql://user:password@host/name or sqlite:///path."
        )
    if backend != "sqlite" and (wrong := ambiguous_address(text)):
        raise SettingsError(f"MEDILITE_VOTES_URL can't be used: {wrong}")
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise SettingsError("MEDILITE_VOTES_URL can't be used: it is no database URL.") from error
    if backend != "sqlite":
        if url.port is not None and not 0 < url.port < 65_536:
            raise SettingsError("MEDILITE_VOTES_URL can't be used: its port is none from 1 to 65535.")
        url = url.set(drivername="postgresql+psycopg")
        server_options(url)
        return url
    if not url.database or url.database == ":memory:" or url.query or url.host:
        raise SettingsError(
            "MEDILITE_VOTES_URL can't be used: for SQLite give sqlite:///path, a file and without options."
        )
    return url.set(drivername="sqlite")


def server_options(url: sa.URL) -> dict[str, Any]:
    """Return the options of a server's URL as the driver takes them; raises SettingsError for invalid ones."""
    if not url.query:
        return {}
    from psycopg import pq

    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    options: dict[str, Any] = {}
    for name, value in url.query.items():
        if not isinstance(value, str):
            raise SettingsError(f"MEDILITE_VOTES_URL can't be used: it has {name} more than once. Give it once.")
        if name == "prepare_threshold":
            if not (value.isdecimal() or value.lower() == "none"):
                raise SettingsError(
                    "MEDILITE_VOTES_URL can't be used: prepare_threshold is a whole number, or none (the default, "
                    "which pools in between such as PgBouncer need)."
                )
            options[name] = int(value) if value.isdecimal() else None
        elif name not in known:
            near = suggestion(name, known | {"prepare_threshold"})
            raise SettingsError(
                f"MEDILITE_VOTES_URL can't be used: {name!r} is no option of PostgreSQL's connections.{near}"
            )
        elif name in _CHOICES and value not in _CHOICES[name]:
            raise SettingsError(f"MEDILITE_VOTES_URL can't be used: its {name} is none of {', '.join(_CHOICES[name])}.")
        elif name in _WHOLE_NUMBERS and not value.isdecimal():
            raise SettingsError(f"MEDILITE_VOTES_URL can't be used: its {name} is no whole number.")
        else:
            options[name] = int(value) if name in _WHOLE_NUMBERS else value
    return options


def _is_silence(error: Exception) -> bool:
    """Whether the server was silent, rather than refusing."""
    from medilite.arena.silence import is_silence

    return is_silence(getattr(error, "orig", None))


def _identity(path: Path | None) -> tuple[int, int] | None:
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None
