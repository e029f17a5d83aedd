"""Pairs from Kaggle and from the Hugging Face Hub, by their own clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medilite.data import fold
from medilite.errors import DataError
from training.data.archives import open_decompressed, reading
from training.data.collection import Collection, RawPair
from training.data.columns import find_columns
from training.data.progress import watched
from training.data.readers_csv import read_csv

KAGGLE_DATASET = "jpmiller/layoutlm"
KAGGLE_FILE = "medquad.csv"
HUB_DATASET = "lavita/MedQuAD"


def read_kaggle(question_column: str | None = None, answer_column: str | None = None) -> Collection:
    """Download MedQuAD's table from Kaggle (once: the client keeps it) and read it.

    Raises DataError, with what to try, if it can't be had.
    """
    try:
        import kagglehub

        path = Path(kagglehub.dataset_download(KAGGLE_DATASET, path=KAGGLE_FILE))
    except Exception as error:  # the client raises its own, requests' and urllib's errors
        raise _unavailable(
            f"Kaggle ({KAGGLE_DATASET})",
            error,
            f"download {KAGGLE_FILE} from https://www.kaggle.com/datasets/{KAGGLE_DATASET} in a browser and give its "
            "path as --source",
        ) from error
    if path.is_dir():
        path = path / KAGGLE_FILE
    name = f"kaggle:{KAGGLE_DATASET}/{KAGGLE_FILE}"
    with reading(name), open_decompressed(path) as stream:
        collection = read_csv(stream, name, question_column=question_column, answer_column=answer_column)
    collection.kind = "kaggle"
    return collection


def read_hub(question_column: str | None = None, answer_column: str | None = None) -> Collection:
    """Download MedQuAD from the Hugging Face Hub (once: the client keeps it) and read all its splits.

    Raises DataError, with what to try, if it can't be had.
    """
    name = f"hub:{HUB_DATASET}"
    try:
        import datasets

        loaded = datasets.load_dataset(HUB_DATASET)
    except Exception as error:  # the client raises its own, httpx's and fsspec's errors
        raise _unavailable(
            f"the Hugging Face Hub ({HUB_DATASET})",
            error,
            f"download the files of https://huggingface.co/datasets/{HUB_DATASET} and give a CSV's path as --source",
        ) from error
    parts: list[Any] = list(loaded.values()) if isinstance(loaded, dict) else [loaded]
    collection = Collection(name, "hub")
    rows = 0
    for part in parts:
        columns = find_columns(part.column_names, name, question_column, answer_column)
        named = {key: part.column_names[position] for key, position in columns.items()}
        for row in watched(part, f"reading {name}", "rows", total=len(part)):
            rows += 1
            collection.pairs.append(RawPair.of({key: _cell(row[column]) for key, column in named.items()}))
    collection.counts = {"rows_read": rows, "rows_malformed": 0}
    return collection


def _cell(value: object) -> str:
    return "" if value is None else fold(str(value))


def _unavailable(what: str, error: Exception, by_hand: str) -> DataError:
    if isinstance(error, ImportError):
        return DataError(f"{what} needs the package {error.name!r}: pip install -r requirements-train.txt.")
    cause = fold(str(error))[:300] or type(error).__name__
    return DataError(
        f"MedQuAD could not be had from {what}: {type(error).__name__}: {cause}. Check the network, or {by_hand}."
    )
