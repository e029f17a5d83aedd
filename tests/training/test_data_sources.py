"""What --source may be, and what is said where it can't be had."""

from __future__ import annotations

import gzip
import shutil
import zipfile
from pathlib import Path

import datasets
import kagglehub
import pytest

from medilite.errors import DataError
from tests.training.data_fixtures import SMALL_CSV, SMALL_XML
from training.data.sources import read_source


def test_every_form_of_the_small_collection_gives_the_same_pairs(tmp_path):
    shutil.make_archive(str(tmp_path / "xml"), "xztar", SMALL_XML)
    (tmp_path / "pairs.csv.gz").write_bytes(gzip.compress(SMALL_CSV.read_bytes()))
    (tmp_path / "no-ending").write_bytes(gzip.compress(SMALL_CSV.read_bytes()))
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.write(SMALL_CSV, "inside/medquad.csv")

    paths = [SMALL_XML, SMALL_CSV, *sorted(tmp_path.iterdir())]
    read = {path.name: [pair for pair in read_source(str(path)).pairs if pair.answer] for path in paths}

    assert set(read) == {"xml", "pairs.csv", "xml.tar.xz", "pairs.csv.gz", "no-ending", "archive.zip"}
    assert all(pairs == read["xml"] for pairs in read.values())


def test_a_folder_with_one_table_means_the_table(tmp_path):
    shutil.copy(SMALL_CSV, tmp_path / "any.csv")
    shutil.make_archive(str(tmp_path / "other"), "zip", SMALL_XML)

    collection = read_source(str(tmp_path))

    assert (collection.name, collection.kind, len(collection.pairs)) == ("any.csv", "csv", 31)


def test_a_folder_with_one_archive_means_the_archive(tmp_path):
    shutil.make_archive(str(tmp_path / "other"), "zip", SMALL_XML)

    assert read_source(str(tmp_path)).kind == "xml"


def test_a_folder_with_two_tables_is_an_error_that_names_them(tmp_path):
    shutil.copy(SMALL_CSV, tmp_path / "one.csv")
    shutil.copy(SMALL_CSV, tmp_path / "two.csv")

    with pytest.raises(DataError, match=r"one\.csv, two\.csv\. Name one as --source"):
        read_source(str(tmp_path))


def test_what_is_no_source_is_an_error_that_says_what_is(tmp_path):
    with pytest.raises(DataError, match=r"There is no 'nowhere'.*the word kaggle or hub"):
        read_source("nowhere")
    with pytest.raises(DataError, match="holds no XML document, table or archive"):
        read_source(str(tmp_path))
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a.jpg", "x")
    with pytest.raises(DataError, match="no XML document and no table"):
        read_source(str(tmp_path / "photos.zip"))
    (tmp_path / "empty.csv").write_text("question,answer\n")
    with pytest.raises(DataError, match=r"empty\.csv holds no question-answer pair"):
        read_source(str(tmp_path / "empty.csv"))


def test_a_source_of_nothing_but_malformed_items_says_what_is_wrong_with_the_first(tmp_path):
    (tmp_path / "a.xml").write_text("<worksheet/>")

    with pytest.raises(
        DataError, match=r"items malformed: 1; the first: a\.xml: it has no <QAPairs> under <worksheet>"
    ):
        read_source(str(tmp_path))


def test_a_gzipped_table_cut_short_is_an_error(tmp_path):
    path = tmp_path / "pairs.csv.gz"
    path.write_bytes(gzip.compress(SMALL_CSV.read_bytes())[:-200])

    with pytest.raises(DataError, match=r"pairs\.csv\.gz can't be read to its end"):
        read_source(str(path))


def test_kaggle_is_asked_for_the_one_file(monkeypatch, tmp_path):
    asked = []
    table = tmp_path / "medquad.csv"
    table.write_text("question,answer,source,focus_area\nWhy ?,Because.,CDC,\nHow ?,,CDC,Gout\n")

    def download(handle, path=None):
        asked.append((handle, path))
        return str(table)

    monkeypatch.setattr(kagglehub, "dataset_download", download)

    collection = read_source("kaggle")

    assert asked == [("jpmiller/layoutlm", "medquad.csv")]
    assert (collection.name, collection.kind) == ("kaggle:jpmiller/layoutlm/medquad.csv", "kaggle")
    assert [(pair.question, pair.answer, pair.focus_area) for pair in collection.pairs] == [
        ("Why ?", "Because.", ""),
        ("How ?", "", "Gout"),
    ]


def test_kaggle_out_of_reach_says_what_to_do(monkeypatch):
    def download(handle, path=None):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(kagglehub, "dataset_download", download)

    with pytest.raises(
        DataError, match=r"ConnectionError: no route to host.*in a browser and give its path as --source"
    ):
        read_source("kaggle")


def test_the_hub_is_read_whatever_its_splits_and_empty_cells(monkeypatch):
    rows = {
        "document_source": ["CDC", None],
        "question_id": ["1-1", "1-2"],
        "question_focus": ["Gout", None],
        "question_type": ["causes", None],
        "question": ["Why ?", "How  many ?"],
        "answer": ["Because.", None],
    }
    asked = []

    def load(path):
        asked.append(path)
        part = datasets.Dataset.from_dict(rows)
        return datasets.DatasetDict({"train": part, "test": part})

    monkeypatch.setattr(datasets, "load_dataset", load)

    collection = read_source("hub")

    assert asked == ["lavita/MedQuAD"]
    assert (collection.kind, collection.counts["rows_read"]) == ("hub", 4)
    assert [pair.question for pair in collection.pairs] == ["Why ?", "How many ?"] * 2
    assert (collection.pairs[0].source, collection.pairs[0].qid, collection.pairs[1].answer) == ("CDC", "1-1", "")


def test_the_hub_with_other_columns_lists_them(monkeypatch):
    monkeypatch.setattr(datasets, "load_dataset", lambda path: datasets.Dataset.from_dict({"text": ["x"]}))

    with pytest.raises(DataError, match="Columns found: 'text'"):
        read_source("hub")


def test_the_hub_out_of_reach_or_a_missing_package_says_what_to_do(monkeypatch):
    def load(path):
        raise OSError("offline")

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(DataError, match=r"OSError: offline.*huggingface\.co/datasets/lavita/MedQuAD"):
        read_source("hub")

    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(DataError, match=r"needs the package 'datasets': pip install -r requirements-train\.txt"):
        read_source("hub")


def test_the_home_folder_can_be_written_as_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copy(SMALL_CSV, tmp_path / "mine.csv")

    assert Path(read_source("~/mine.csv").name).name == "mine.csv"
