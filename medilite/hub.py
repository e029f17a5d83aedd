"""Files from the Hugging Face Hub, with revision and download progress."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medilite.errors import WeightsUnavailableError
from medilite.progress import LoadProgress, ProgressCallback

PREFIX = "hub:"
"""Begins the address of an adapter that is on the Hub: `hub:owner/name`, or `hub:owner/name@revision`."""

PLACE = re.compile(r"hub:([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
"""Such an address: the repository and, where there is one, the revision."""


def place_of(address: str) -> tuple[str, str | None]:
    """Return repository and revision of an address; the revision is None if the newest is meant."""
    found = PLACE.fullmatch(address)
    if found is None:
        raise ValueError(f"{address!r} is no hub:owner/name or hub:owner/name@revision")
    return found[1], found[2]


def fetch(repo: str, revision: str | None, files: Sequence[str], report: ProgressCallback | None = None) -> Path:
    """Return the folder of a repository's files that match patterns, from the Hub's cache or the Hub.

    Raises WeightsUnavailableError if they are not available.
    """
    from huggingface_hub import snapshot_download

    more = {"tqdm_class": _reporting_bar(f"Getting {repo} from the Hugging Face Hub", report)} if report else {}
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=list(files), **more))
    except Exception as error:  # the Hub's client raises many unrelated types when it can't be reached
        at, pinned = (f"@{revision}", f" --revision {revision}") if revision else ("", "")
        raise WeightsUnavailableError(
            f"{repo}{at} can't be had from the Hugging Face Hub ({type(error).__name__})"
            f" and is not in its cache. Connect to the internet, or run `hf download {repo}{pinned}` where there is one"
            " and copy the Hub's cache here."
        ) from error


def find(repo: str, revision: str | None, file: str) -> Path | None:
    """Return a repository's file where it is in the Hub's cache."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, file, revision=revision)
    return Path(found) if isinstance(found, str) else None


def progress(message: str, done: float, total: float, seconds: float) -> LoadProgress:
    """Return the progress of a download: `done` of `total` bytes after some seconds."""
    if not total:
        return LoadProgress(message)
    said = f"{message}: {done / 1e6:.0f} of {total / 1e6:.0f} MB"
    if 0 < done < total and seconds >= 2:
        left = (total - done) / (done / seconds)
        about = f"{left:.0f} seconds" if left < 90 else f"{left / 60:.0f} minutes"
        said = f"{said}, about {about} left"
    return LoadProgress(said, min(done / total, 1.0))


def _reporting_bar(message: str, report: ProgressCallback) -> Any:
    """Return a tqdm class that reports the bytes written instead of drawing a bar."""
    from tqdm import tqdm

    class Telling(tqdm):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*arguments, **{**options, "file": io.StringIO(), "disable": False})

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            if self.unit == "B" and (self.desc or "").startswith("Reconstruct"):
                report(progress(message, self.n, self.total or 0, self.format_dict["elapsed"]))

    return Telling
