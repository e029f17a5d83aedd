"""The library that the app uses: found, or built in the background while the page is already in use.

MEDILITE_SOURCES says which: *auto* takes the collection that `make data`
prepared, else a library in the cache, else MedQuAD from the Hub; a path is that
of a built library, of a folder of prepared data or of a table of your own;
*off* means no library. After any error `find` returns None, and `state` says why.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medilite.errors import DataError, MediLiteError, without_folders
from medilite.models import ROOT
from medilite.progress import LoadProgress, ProgressCallback
from medilite.settings import Settings
from medilite.sources.build import build_library, library_name
from medilite.sources.collection import COLLECTION, read_collection
from medilite.sources.fetch import FETCHED, fetch_collection
from medilite.sources.layout import MANIFEST, is_whole, read_manifest
from medilite.sources.library import Library
from medilite.sources.records import About, Found, Passage

log = logging.getLogger(__name__)

PREPARED = ROOT / "data" / "medquad"
SEEKERS = 2
"""Questions looked up at the same time; a search takes about 10 ms (docs/sources.md)."""

MOST_EARLIER = 3
"""Questions before a follow-up that are searched for its topic, one search each."""

HOW = "`python -m medilite sources build` makes it"

Kind = Literal["off", "preparing", "ready", "missing"]


@dataclass(frozen=True, slots=True)
class ShelfState:
    """Whether there is a library, and a sentence that says so; `fraction` of it is built (None: unknown)."""

    kind: Kind
    message: str
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Sought:
    """The result of looking a question up; without a library it is empty, and `state` says why.

    `references` are the whole answers that the fitting passages come from; answers are compared with these.
    """

    state: ShelfState
    found: Found | None = None
    about: About | None = None
    references: tuple[str, ...] = ()


class Shelf:
    """Holds the app's library; every method may be called from any thread and raises nothing."""

    def __init__(self, settings: Settings, prepared: Path = PREPARED) -> None:
        self._settings = settings
        self._prepared = prepared
        self._library: Library | None = None
        self._builder: subprocess.Popen[str] | None = None
        self._closed = threading.Event()
        self._seekers = ThreadPoolExecutor(SEEKERS, "medilite-seek")
        self._lock = threading.Lock()
        self._state = ShelfState("off", "")

    @property
    def state(self) -> ShelfState:
        """Whether there is a library now."""
        return self._state

    @property
    def library(self) -> Library | None:
        """The open library; None while there is none."""
        return self._library

    def start(self) -> None:
        """Open the library in a thread of its own; one that is not built yet is built by a process of its own."""
        if self._settings.sources != "off" and not self._closed.is_set():
            self._state = ShelfState("preparing", "The library is being opened.")
            threading.Thread(target=self._open, name="medilite-sources", daemon=True).start()

    def find(self, question: str, count: int = 5) -> Found | None:
        """Return what the library has for a question; None without a library, whatever the reason."""
        library = self._library
        if library is None:
            return None
        try:
            return library.search(question, count)
        except DataError as error:
            self._lose(library, str(error))
        except Exception:
            log.exception("A search of the library failed.")
        return None

    def passage(self, id: str) -> Passage | None:
        """Return the passage of an id; None if the library has no such passage, or there is no library."""
        library = self._library
        if library is None:
            return None
        try:
            return library.passage(id)
        except DataError as error:
            self._lose(library, str(error))
        return None

    def seek(self, question: str, count: int = 5, earlier: Sequence[str] = ()) -> Future[Sought]:
        """Look a question up in a thread of the shelf's own, so that no answer waits for it.

        `earlier` are the questions that it follows up on, the last one last.
        """
        try:
            return self._seekers.submit(self._seek, question, count, earlier)
        except RuntimeError:  # closed
            done: Future[Sought] = Future()
            done.set_result(Sought(self._state))
            return done

    def _seek(self, question: str, count: int, earlier: Sequence[str]) -> Sought:
        library = self._library
        if library is None:
            return Sought(self._state)
        try:
            found = self.find(with_topic(library, question, earlier), count)
            if found is None:
                return Sought(self._state)
            return Sought(self._state, found, library.about, library.references(found))
        except DataError as error:
            self._lose(library, str(error))
            return Sought(self._state)

    def close(self) -> None:
        """Close the library, and stop its build, which resumes next time."""
        self._closed.set()
        self._seekers.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            library, self._library = self._library, None
            builder = self._builder
        if builder and builder.poll() is None:
            builder.terminate()
            builder.wait(10)
        if library:
            library.close()

    def _lose(self, library: Library, why: str) -> None:
        with self._lock:
            if self._library is not library:
                return
            self._library = None
            self._state = self._missing(f"{why} {HOW} again.")
        log.error("%s", why)

    def _missing(self, why: str) -> ShelfState:
        """Return the state without a library, in words for visitors; the log has the paths."""
        paths = (self._prepared, shelf_folder(self._settings), Path(self._settings.sources).expanduser())
        return ShelfState("missing", without_folders(why, *paths))

    def _open(self) -> None:
        try:
            folder = ready_library(self._settings, self._prepared)
            if folder is None:
                self._build()
                folder = ready_library(self._settings, self._prepared)
            if folder is None:
                raise DataError(f"There is no library of passages. {HOW}.")
            library = open_library(folder, self._settings)
            library.search("What is asthma?")  # the first search loads pages that later ones find in memory
        except MediLiteError as error:
            self._state = self._missing(str(error))
            log.warning("No library: %s", error)
        except Exception:
            self._state = ShelfState("missing", "The library can't be opened: the app's log says why.")
            log.exception("The library can't be opened.")
        else:
            self._keep(library)

    def _keep(self, library: Library) -> None:
        with self._lock:
            if not self._closed.is_set():
                self._library = library
                self._state = ShelfState("ready", f"{library.counts['entries']:,} answers of {library.about.title}.")
                return
        library.close()

    def _build(self) -> None:
        """Build the library in a process of low priority; raises DataError with its message if it fails."""
        command = [sys.executable, "-m", "medilite", "sources", "build", "--background", str(self._prepared)]
        environment = os.environ | {
            "MEDILITE_SOURCES": self._settings.sources,
            "MEDILITE_CACHE_DIR": str(self._settings.cache_dir),
            "PYTHONPATH": str(ROOT),
        }
        pipe = subprocess.PIPE
        with self._lock:
            if self._closed.is_set():
                return
            self._builder = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, cwd=ROOT)
        assert self._builder.stdout
        assert self._builder.stderr
        for line in self._builder.stdout:
            share, _, message = line.rstrip("\n").partition("\t")
            fraction = float(share) if share.replace(".", "", 1).isdigit() else None
            self._state = ShelfState("preparing", f"{message}.", fraction)
        if self._builder.wait() and not self._closed.is_set():
            said = [line for line in self._builder.stderr.read().splitlines() if line.strip()]
            raise DataError(said[-1].removeprefix("error: ") if said else "The library could not be built.")


def with_topic(library: Library, question: str, earlier: Sequence[str]) -> str:
    """Return a follow-up with the last of the `earlier` questions if it names no topic itself ("How is it treated?").

    If that one names none either, those before it are tried, MOST_EARLIER in all. Raises DataError as
    Library.search.
    """
    if not earlier:
        return question
    whole = [question, *(f"{before} {question}" for before in reversed(earlier[-MOST_EARLIER:]))]
    named = (one for one in whole if (signs := library.signs(one)) and signs[1].named)
    return next(named, whole[1])


def ready_library(settings: Settings, prepared: Path = PREPARED) -> Path | None:
    """Return the folder of the library that the settings name, if it is complete; None if it has to be built.

    Raises DataError if a path is set at which there is neither a library nor a collection.
    """
    shelf = shelf_folder(settings)
    if settings.sources not in ("auto", "off") and (Path(settings.sources).expanduser() / MANIFEST).exists():
        folder = Path(settings.sources).expanduser()
        read_manifest(folder)
        return folder
    path = _collection_path(settings, prepared)
    if path is None:
        made = [folder for folder in shelf.glob("medquad-*") if is_whole(folder)]
        return max(made, key=lambda folder: folder.stat().st_mtime, default=None)
    folder = shelf / library_name(read_collection(path)[1])
    return folder if is_whole(folder) else None


def make_library(settings: Settings, on_progress: ProgressCallback, prepared: Path = PREPARED) -> Path:
    """Return the folder of the library that the settings name; build it if need be, reporting to `on_progress`.

    Raises DataError without a collection or without room on the disk, WeightsError
    if the sentence encoder is not available.
    """
    from medilite.content.embeddings import sentence_encoder

    if (ready := ready_library(settings, prepared)) is not None:
        return ready
    shelf = shelf_folder(settings)
    path = _collection_path(settings, prepared)
    if path is None:
        on_progress(LoadProgress("Downloading MedQuAD", None))
        path = fetch_collection(shelf)
    on_progress(LoadProgress("Reading the collection", None))
    entries, about = read_collection(path)
    return build_library(entries, about, shelf, sentence_encoder(), on_progress)


def open_library(folder: Path, settings: Settings) -> Library:
    """Open a built library for searching; raises DataError as Library, WeightsError without the sentence encoder."""
    from medilite.content.embeddings import ensure_encoder
    from medilite.content.light_encoder import LightEncoder

    encoder: Callable[[str], object] = LightEncoder(ensure_encoder(settings)).encode_one
    return Library(folder, encoder)  # type: ignore[arg-type]


def shelf_folder(settings: Settings) -> Path:
    """Return where built libraries are kept."""
    return settings.cache_dir.expanduser() / "sources"


def _collection_path(settings: Settings, prepared: Path) -> Path | None:
    """Return the table to build the library from; None if *auto* finds none on this machine."""
    if settings.sources in ("auto", "off"):
        path = prepared / COLLECTION
        fetched = shelf_folder(settings) / FETCHED
        return path if path.is_file() else fetched if fetched.is_file() else None
    path = Path(settings.sources).expanduser()
    if path.is_dir():
        path = path / COLLECTION
    if not path.is_file():
        raise DataError(
            f"MEDILITE_SOURCES={settings.sources!r} can't be used: there is neither a library ({MANIFEST}), nor "
            f"prepared data ({COLLECTION}), nor a table (.csv, .csv.gz, .parquet). Name one, or set it to auto."
        )
    return path
