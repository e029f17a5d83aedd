"""Files that are never incomplete: written at once, or line by line by one process at a time; and safe CSV cells."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from filelock import FileLock, Timeout

from medilite.errors import DataError, MediLiteError

_FORMULA = re.compile(
    r"(^|[;\t\r\n])((?:[^\S\r\n]|[\u200b-\u200f\u2060\ufeff])*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212])"
)
"""Where a spreadsheet may begin a formula: at the start of a cell, which a semicolon or a tab may begin as well. The
signs = + - @ count in their full-width and small forms too, also behind characters that nobody sees."""


def csv_cell(value: object) -> object:
    """Return a value as a CSV cell: a text that a spreadsheet would run gets an apostrophe in front (OWASP)."""
    if not isinstance(value, str):
        return value
    if value.startswith(("\t", "\r", "\n")):
        value = "'" + value
    return _FORMULA.sub(r"\1\2'", value)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: its name never has partial content; raises DataError if the disk refuses."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise DataError(
            f"{path} can't be written ({error.strerror or error}). Give another folder with --out, or make room."
        ) from error
    finally:
        if temporary.exists():
            temporary.unlink()


def read_utf8(path: Path, what: str, error: type[MediLiteError], remedy: str = "") -> str:
    """Return a text file's content, without a byte-order mark.

    Raises `error`, which calls the file `what` and ends with the `remedy` where it can't be read at all.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as failed:
        raise error(f"{what} can't be read ({failed.strerror or failed}). {remedy}".rstrip()) from failed
    except UnicodeDecodeError as failed:
        raise error(f"{what} is not UTF-8 text (byte {failed.start}). Save it as UTF-8.") from failed


def read_yaml(path: Path, what: str, error: type[MediLiteError]) -> Any:
    """Return what a YAML file holds. Raises `error`, which calls the file `what`."""
    import yaml

    text = read_utf8(path, what, error)
    try:
        return yaml.safe_load(text)
    except RecursionError as failed:
        raise error(f"{what} is nested too deeply.") from failed
    except (yaml.YAMLError, ValueError) as failed:  # ValueError: an impossible date
        raise error(f"{what} is not valid YAML: {failed}") from failed


def split_lines(content: bytes) -> tuple[list[bytes], bytes]:
    """Return (the whole lines, the rest of a line cut by a kill); splitlines() would break at other characters too."""
    *lines, rest = content.split(b"\n")
    return lines, rest


def whole_lines(path: Path) -> list[bytes]:
    """Return the lines of a file, [] if there is none; a last one that a kill cut short is removed from the file."""
    content = path.read_bytes() if path.exists() else b""
    lines, rest = split_lines(content)
    if rest:
        # Otherwise the next line would be appended to it.
        os.truncate(path, len(content) - len(rest))
    return lines


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Append lines to a file, which is made with its folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


class LockedLines:
    """A file of lines that one process at a time appends to, each call's lines on the disk when it returns.

    On entry the file is locked and `content` holds what is in it. Raises
    DataError, ending with the `remedy`, if another process is writing it or the
    disk refuses.
    """

    def __init__(self, path: Path, remedy: str = "") -> None:
        self._path, self._remedy = path, f" {remedy}" if remedy else ""
        self._lock = FileLock(f"{path}.lock")
        self._file: BinaryIO | None = None
        self.content = b""

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DataError(f"{self._path} is being written by another process: wait for it.{self._remedy}") from None
        except OSError as error:
            raise DataError(f"{self._path} can't be written ({error.strerror or error}).{self._remedy}") from error
        self.content = self._path.read_bytes() if self._path.exists() else b""
        return self

    def keep(self, count: int) -> None:
        """Shorten the file to its first `count` lines."""
        kept = sum(len(line) + 1 for line in split_lines(self.content)[0][:count])
        if kept < len(self.content):
            os.truncate(self._path, kept)
            self.content = self.content[:kept]

    def append(self, lines: Iterable[str]) -> None:
        """Write the lines as one, and return once they are on the disk."""
        if self._file is None:
            self._file = self._path.open("ab")
        self._file.write("".join(f"{line}\n" for line in lines).encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        self._lock.release()
