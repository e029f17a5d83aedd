"""The app's log, without secrets and visitors' words.

Every line passes one formatter, tracebacks included: secrets of the settings are blacked out, and an exception's
message is left out if it may quote a visitor (the type and the lines of code stay). Lines that belong to one event of
the page carry its id, `request`. Nothing is set up by importing this.
"""

from __future__ import annotations

import copy
import io
import json
import logging
import re
import secrets
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO
from urllib.parse import quote, unquote

from medilite.settings import Settings

BLACK = "[redacted]"

SHORTEST_SECRET = 4
"""Shorter ones occur in words by chance; in a URL they are blacked out too."""

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_CHATTY = ("httpx", "httpx2", "uvicorn.access", "alembic")
"""These log the address of every request they make or get, or each of their plugins at every start."""

_OWN_HANDLERS = ("uvicorn", "uvicorn.error", "uvicorn.access")
"""These bring handlers of their own, which this log's formatter doesn't see."""

_IN_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+(?=@)", re.IGNORECASE)
_HUB_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{16,}")

_request: ContextVar[str] = ContextVar("medilite_request", default="")


def request_id() -> str:
    """Return the id of the event that this code runs for; "" outside of any."""
    return _request.get()


def begin_request() -> str:
    """Give the event that begins in this context an id; return it."""
    made = secrets.token_hex(4)
    _request.set(made)
    return made


class Redactor:
    """Blacks secrets out: the given ones, in all forms that occur in texts, and anything that looks like one."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        forms = {
            form
            for secret in known
            if len(secret) >= SHORTEST_SECRET
            for form in (secret, unquote(secret), quote(secret, safe=""), repr(secret)[1:-1], json.dumps(secret)[1:-1])
        }
        # The longest first: one may be the beginning of another.
        either = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        self._known = re.compile(either) if either else None

    def __call__(self, text: str) -> str:
        """Return the text without its secrets."""
        if self._known:
            text = self._known.sub(BLACK, text)
        return _HUB_TOKEN.sub(BLACK, _IN_URL.sub(rf"\1{BLACK}", text))


def without_words(error: BaseException) -> str:
    """Return a traceback in which exceptions have a type and lines of code, but not their own words."""
    parts = [
        f"Traceback (most recent call last):\n{''.join(traceback.format_tb(one.__traceback__))}{type(one).__name__}"
        for one in _chain(error)
    ]
    return "\n\nThe exception before it:\n\n".join(parts)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those that it came from, the latest first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _message_and_traceback(record: logging.LogRecord) -> tuple[str, str | None]:
    """Return message and traceback of a record, with an exception's words only if they can't quote a visitor."""
    message = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return message, None
    ours = record.name == "medilite" or record.name.startswith("medilite.")
    if ours and not request_id():
        return message, "".join(traceback.format_exception(error)).rstrip("\n")
    for one in _chain(error):
        # asyncio has the exception in its message as well.
        for words in (repr(one), str(one)):
            if len(words) >= SHORTEST_SECRET:
                message = message.replace(words, type(one).__name__)
    return message, without_words(error)


class TextFormatter(logging.Formatter):
    """Lines for people."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__(TEXT_FORMAT)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line or lines."""
        shown = copy.copy(record)
        # Another handler may have left its own, whole traceback here.
        shown.exc_info, shown.args = None, None
        shown.msg, shown.exc_text = _message_and_traceback(record)
        if request_id():
            shown.name = f"{record.name} [{request_id()}]"
        return self._redact(super().format(shown))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message and, where there are any, request, data and traceback."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        message, traces = _message_and_traceback(record)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._redact(message),
        }
        if request_id():
            line["request"] = request_id()
        for name, value in getattr(record, "data", {}).items():
            line[name] = self._redact(value) if isinstance(value, str) else value
        if traces:
            line["traceback"] = self._redact(traces)
        return json.dumps(line, default=lambda value: self._redact(str(value)))


class _Lines(io.TextIOBase):
    """Replaces stderr if the log is JSON: what libraries write to stderr becomes lines of the log."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._rest = ""
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Log every whole line; keep the rest for later."""
        with self._lock:
            *lines, self._rest = (self._rest + text).replace("\r", "\n").split("\n")
        for line in lines:
            if line.strip():
                self._log.info("%s", line)
        return len(text)

    def writable(self) -> bool:
        """Yes."""
        return True


def set_up_logging(settings: Settings, stream: TextIO | None = None) -> Callable[[], None]:
    """Set up logging by the settings, to `stream` (stderr by default); return a function that undoes it.

    Exceptions that would be printed with their words are logged too: uncaught ones, those of threads, and those that
    Gradio prints.
    """
    out, root = stream or sys.stderr, logging.getLogger()
    formatter = JsonFormatter if settings.log == "json" else TextFormatter
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter(Redactor(settings.secrets)))
    before = (
        root.level, sys.excepthook, threading.excepthook, traceback.print_exc, sys.stderr, logging.raiseExceptions,
    )  # fmt: skip
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    say_again = withhold_words()
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # A faulty log call would print its arguments.
    logging.raiseExceptions = False
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    traceback.print_exc = _log_printed
    if settings.log == "json":
        sys.stderr = _Lines(logging.getLogger("stderr"))

    def undo() -> None:
        say_again()
        root.removeHandler(handler)
        level, sys.excepthook, threading.excepthook, traceback.print_exc, sys.stderr, raises = before
        logging.raiseExceptions = raises
        root.setLevel(level)

    return undo


def take_over() -> None:
    """Redirect loggers with handlers of their own into this log; call it once the server runs."""
    for name in _OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


_PLAIN = ("medilite", "alembic", "huggingface_hub", "stderr", "printed", "uncaught", "py.warnings")
"""Loggers whose messages are ours, or can't quote a visitor."""


def withhold_words() -> Callable[[], None]:
    """Replace the words that other libraries log by their place in the code; return a function that undoes it.

    They may quote a request: an SDK writes bodies that it can't read to the
    root logger. Done to the record itself, so that no handler has the words.
    """
    before = logging.getLogRecordFactory()

    def made(*given: Any, **named: Any) -> logging.LogRecord:
        record = before(*given, **named)
        if not any(record.name == name or record.name.startswith(f"{name}.") for name in _PLAIN):
            record.msg, record.args = f"{record.module}.{record.funcName}, line {record.lineno} (words withheld)", ()
        return record

    logging.setLogRecordFactory(made)
    return lambda: logging.setLogRecordFactory(before)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    # The main thread has no visitor's words.
    logging.getLogger("medilite").critical("%s ended the process.", kind.__name__, exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or issubclass(args.exc_type, SystemExit):
        return
    name = args.thread.name if args.thread else "?"
    known = (args.exc_type, args.exc_value, args.exc_traceback)
    logging.getLogger("uncaught").error("%s ended thread %s.", args.exc_type.__name__, name, exc_info=known)


def _log_printed(limit: int | None = None, file: Any = None, chain: bool = True) -> None:
    """Log the exception that is being handled, where a library would print it with its words."""
    if file is not None:
        traceback.print_exception(sys.exception(), limit=limit, file=file, chain=chain)
        return
    logging.getLogger("printed").error("A library met an exception.", exc_info=True)
