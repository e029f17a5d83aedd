"""What the commands share: the chosen profile, progress on stderr, JSON on stdout."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from medilite.models import Profile, load_profile
from medilite.progress import LoadProgress
from medilite.settings import Settings, load_settings

QUIET_S = 5.0
"""Seconds between two lines of progress if stderr is not a terminal."""

_ERASE = "\r\x1b[2K"
"""Return to the start of the line and erase it."""

Say = Callable[[str], None]


def chosen(options: argparse.Namespace) -> tuple[Settings, Profile]:
    """Return settings and profile; `--profile` wins over MEDILITE_PROFILE."""
    settings = load_settings(**({"profile": options.profile} if options.profile else {}))
    return settings, load_profile(settings.profile)


def say(message: str) -> None:
    """Report progress on stderr; stdout is for results."""
    print(message, file=sys.stderr, flush=True)


def positive_int(text: str) -> int:
    """Return a whole number of at least 1, for argparse."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def load_line(progress: LoadProgress) -> str:
    """Return one line about the loading progress."""
    return progress.message if progress.share is None else f"{progress.message} ({progress.share:.0%})"


@contextmanager
def progress_line(out: TextIO | None = None) -> Iterator[Say]:
    """Yield a function that shows the progress.

    On a terminal one line is rewritten and cleared at the end; elsewhere a line is printed now and then.
    """
    stream = out or sys.stderr
    on_terminal = stream.isatty()
    last, shown_s = "", float("-inf")

    def say(message: str) -> None:
        nonlocal last, shown_s
        if message == last or (not on_terminal and time.monotonic() - shown_s < QUIET_S):
            return
        last, shown_s = message, time.monotonic()
        if on_terminal:
            # A line that wraps could not be rewritten.
            message = f"{_ERASE}{message[: shutil.get_terminal_size().columns - 1]}"
        print(message, end="" if on_terminal else "\n", file=stream, flush=True)

    try:
        yield say
    finally:
        if on_terminal and last:
            print(_ERASE, end="", file=stream, flush=True)


def print_json(value: Any) -> None:
    """Print a value as JSON: readable if stdout is UTF-8, escaped if it could not be written otherwise."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, indent=2, ensure_ascii=not utf8, allow_nan=False))
