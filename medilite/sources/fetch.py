"""Download MedQuAD from the Hugging Face Hub into the cache, as the table that `collection` reads."""

from __future__ import annotations

import logging
from pathlib import Path

from medilite.errors import DataError
from medilite.sources.collection import entries_of, read_rows, save_collection

log = logging.getLogger(__name__)

HUB_DATASET = "lavita/MedQuAD"
FETCHED = "medquad-hub.csv.gz"


def fetch_collection(folder: Path) -> Path:
    """Return MedQuAD's table in `folder`, downloaded if it isn't there.

    Raises DataError, with what to do, if the Hub can't be reached.
    """
    path = folder / FETCHED
    if path.is_file():
        return path
    try:
        from huggingface_hub import HfApi, hf_hub_download

        names = HfApi().list_repo_files(HUB_DATASET, repo_type="dataset")
        tables = sorted(name for name in names if name.endswith((".parquet", ".csv")))
        files = [Path(hf_hub_download(HUB_DATASET, name, repo_type="dataset")) for name in tables]
    except Exception as error:  # the client raises its own, httpx's and the disk's errors
        log.warning("%s can't be fetched: %s", HUB_DATASET, error)
        raise DataError(
            f"The library's collection ({HUB_DATASET}) can't be downloaded from the Hugging Face Hub. "
            "Run `make data SOURCE=PATH` with a copy of MedQuAD, or set MEDILITE_SOURCES to one."
        ) from error
    rows = (row for file in files for row in read_rows(file))
    save_collection(path, entries_of(rows, HUB_DATASET))
    return path
