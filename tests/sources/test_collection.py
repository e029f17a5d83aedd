"""Tables of one's own: found by column names, refused with a reason."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from medilite.errors import DataError
from medilite.sources.collection import read_collection, save_collection
from medilite.sources.fetch import fetch_collection
from medilite.sources.records import Entry


def test_medquad_is_known_by_its_sources(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text(
        "Question,answer,source,focus_area,qtype,qid,url\nWhat?,This.,GHR,Gout,Causes,7-1,https://a.gov/x\n"
    )
    entries, about = read_collection(path)
    assert entries == [Entry("GHR/7-1", "What?", "This.", "GHR", "https://a.gov/x", "Gout", "causes")]
    assert (about.title, about.licence, about.date) == ("MedQuAD", "CC BY 4.0", "2017")


def test_a_table_of_ones_own(tmp_path):
    path = tmp_path / "mine.csv.gz"
    rows = "answer;question;address;synonyms\nRest.;Why?;javascript:alert(1);a|b\n;No answer?;;\nRest.;Why?;;\n"
    path.write_bytes(gzip.compress(rows.encode("utf-8-sig")))
    entries, about = read_collection(path)
    assert [(e.question, e.answer, e.address, e.names) for e in entries] == [
        ("Why?", "Rest.", "", ("a", "b")), ("Why?", "Rest.", "", ()),
    ]  # fmt: skip
    assert len({e.id for e in entries}) == 2
    assert (about.title, about.licence) == ("mine", "")


def _zipped(name):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, "<Document/>")
    return made.getvalue()


def _tarred(name):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "no column question and no column answer"),
        (b"question,answer\n", "no pair"),
        (b"question,answer\n\xff\xfe,x\n", "not UTF-8"),
        (b"", "no pair"),
        (_zipped("MedQuAD/1_Cancer/0001.xml"), r"an archive \(zip\), not a table.*make data SOURCE=.*x\.csv.*=auto"),
        (_tarred("MedQuAD/1.xml"), r"an archive \(tar\), not a table"),
        (lzma.compress(b"question,answer\na,b\n"), r"an archive \(xz\)"),
        (bz2.compress(b"question,answer\na,b\n"), r"an archive \(bzip2\).*make data SOURCE="),
        (gzip.compress(b"question,answer\na,b\n", mtime=0), r"an archive \(gzip\).*unpack it"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", r"an archive \(7z\).*unpack it"),
        (b"Rar!\x1a\x07\x01\0", r"an archive \(rar\).*unpack it"),
        (b"Rar!\x1a\x07\0", r"an archive \(rar\)"),
        (b"\x28\xb5\x2f\xfd\x24", r"an archive \(zstd\)"),
        (b"PK\x05\x06" + bytes(18), r"an archive \(zip\)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "a workbook, not a table"),
        (b"%PDF-1.7\n1 obj\n", "is not text. Name a table"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is not text. Name a table"),
        ("question,answer\n".encode("utf-16"), "not UTF-8.*Save it as UTF-8"),
    ],
    # Not by their bytes: an archive holds the time, which differs from worker to worker.
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_what_is_no_table_is_refused(tmp_path, content, said):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_collection(path)


def test_half_a_gzip_and_no_file_are_refused(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"question,answer\n" * 99)[:-9])
    for bad in (path, tmp_path / "none.csv"):
        with pytest.raises(DataError, match=str(bad)):
            read_collection(bad)


def test_a_packed_tar_and_a_workbook_are_refused_as_what_they_are(tmp_path):
    packed, book = tmp_path / "medquad.tar.gz", tmp_path / "mine.xlsx"
    packed.write_bytes(gzip.compress(_tarred("MedQuAD/1.xml")))
    book.write_bytes(_zipped("xl/workbook.xml"))
    for path, said in (
        (packed, f"make data SOURCE={packed}"),
        (book, "a workbook, not a table. Save its sheet as CSV"),
    ):
        with pytest.raises(DataError, match=said):
            read_collection(path)


def test_a_collection_is_saved_as_it_is_read(tmp_path, entries):
    save_collection(tmp_path / "c.csv.gz", entries)
    assert read_collection(tmp_path / "c.csv.gz")[0] == entries


def test_medquad_comes_from_the_hub_once(tmp_path, monkeypatch):
    import huggingface_hub
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "document_source": ["GHR", "ADAM"], "document_url": ["https://a.gov", ""], "synonyms": ["x|y", None],
        "question_id": ["1-1", "2-1"], "question_focus": ["Gout", "Z"], "question_type": ["causes", ""],
        "question": ["What causes Gout ?", "Z ?"], "answer": ["Uric acid.", None],
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "train.parquet")
    asked = []
    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_files", lambda *a, **k: ["README.md", "data/train.parquet"])
    monkeypatch.setattr(
        huggingface_hub, "hf_hub_download", lambda *a, **k: asked.append(a) or str(tmp_path / "train.parquet")
    )
    for _ in range(2):
        entries, _ = read_collection(fetch_collection(tmp_path / "cache"))
    assert len(asked) == 1
    assert entries == [
        Entry("GHR/1-1", "What causes Gout ?", "Uric acid.", "GHR", "https://a.gov", "Gout", "causes", ("x", "y"))
    ]


def test_without_the_hub_it_is_said_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"make data SOURCE=PATH"):
        fetch_collection(tmp_path)
