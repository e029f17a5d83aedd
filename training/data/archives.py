"""Bytes out of plain, compressed and archived files, read as a stream; nothing is ever extracted to disk."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from medilite.errors import DataError

MAX_MEMBER_BYTES = 64 * 2**20
"""The largest file taken out of an archive: far over any document or table here, far under a decompression bomb."""

DAMAGE = (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a folder or archive: its path inside, and its bytes or why they can't be had."""

    path: PurePosixPath
    content: bytes = b""
    error: str | None = None

    @property
    def label(self) -> str:
        """The path for people: one line, even if the name has line breaks."""
        return "".join(character if character.isprintable() else "\ufffd" for character in str(self.path))


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn the errors of damaged files into a DataError that names the file."""
    try:
        yield
    except DAMAGE as error:
        raise DataError(
            f"{name} can't be read to its end ({str(error) or type(error).__name__}): it is damaged or cut short. "
            "Download it again."
        ) from error


def open_decompressed(path: Path) -> io.BufferedReader:
    """Open a file, decompressing gzip, bzip2 or xz by what it begins with, not by its name."""
    try:
        with path.open("rb") as file:
            head = file.read(6)
        if head[:2] == b"\x1f\x8b":
            return io.BufferedReader(gzip.open(path, "rb"))  # type: ignore[arg-type]
        if head[:3] == b"BZh":
            return io.BufferedReader(bz2.open(path, "rb"))  # type: ignore[arg-type]
        if head == b"\xfd7zXZ\x00":
            return io.BufferedReader(lzma.open(path, "rb"))  # type: ignore[arg-type]
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}.") from error


def archive_kind(path: Path) -> str | None:
    """Return "zip", "tar" (compressed or not), or None for any other file."""
    with open_decompressed(path) as stream, reading(path.name):
        head = stream.peek(512)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "zip"
    if head[257:262] == b"ustar" or ".tar" in path.name.lower() or path.suffix.lower() in (".tgz", ".txz", ".tbz2"):
        return "tar"
    return None


def members(path: Path, suffixes: tuple[str, ...]) -> Iterator[Member]:
    """Yield the files of a folder or archive with these endings, in any order.

    What macOS adds to archives ("._x", "__MACOSX") is passed over, as are links
    and devices. Raises DataError if an archive is damaged: a part of it never
    passes for the whole.
    """
    if path.is_dir():
        yield from _in_folder(path, suffixes)
        return
    with reading(path.name):
        yield from _in_zip(path, suffixes) if archive_kind(path) == "zip" else _in_tar(path, suffixes)


def _in_folder(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Member]:
    for file in folder.rglob("*"):
        inside = PurePosixPath(file.relative_to(folder).as_posix())
        if not _wanted(inside, suffixes) or file.is_dir():
            continue
        try:
            yield Member(inside, file.read_bytes())
        except OSError as error:
            yield Member(inside, error=f"can't be read: {error.strerror or error}")


def _in_zip(path: Path, suffixes: tuple[str, ...]) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            inside = PurePosixPath(info.filename)
            if info.is_dir() or not _wanted(inside, suffixes):
                continue
            if info.flag_bits & 1:
                yield Member(inside, error="is encrypted")
                continue
            with archive.open(info) as file:
                yield _limited(inside, file)


def _in_tar(path: Path, suffixes: tuple[str, ...]) -> Iterator[Member]:
    with (
        open_decompressed(path) as stream,
        tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictTarInfo) as archive,
    ):
        for info in archive:
            inside = PurePosixPath(info.name)
            file = archive.extractfile(info) if info.isfile() and _wanted(inside, suffixes) else None
            if file is not None:
                yield _limited(inside, file)


class _StrictTarInfo(tarfile.TarInfo):
    """Makes tarfile raise where it would take a damaged header, or a missing end, for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _StrictTarInfo:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # the proper end: a block of zeros
            raise tarfile.ReadError(str(error)) from error


def _limited(inside: PurePosixPath, file: IO[bytes]) -> Member:
    content = file.read(MAX_MEMBER_BYTES + 1)
    if len(content) > MAX_MEMBER_BYTES:
        return Member(inside, error=f"is larger than {MAX_MEMBER_BYTES // 2**20} MiB")
    return Member(inside, content)


def _wanted(inside: PurePosixPath, suffixes: tuple[str, ...]) -> bool:
    litter = inside.name.startswith("._") or "__MACOSX" in inside.parts
    return inside.name.lower().endswith(suffixes) and not litter
