"""XML documents: from folders and archives, in the collection's order, with every fault named."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import PurePosixPath

import pytest

from medilite.errors import DataError
from tests.training.data_fixtures import MALFORMED, SMALL_CSV, SMALL_XML, read_text, reasons
from training.data import archives
from training.data.archives import Member, members
from training.data.readers_xml import read_xml


def read_folder(folder):
    return read_xml(members(folder, (".xml",)), folder.name)


def pack_tar(path, files, mode="w:xz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def small_files():
    return [(str(file.relative_to(SMALL_XML)), file.read_bytes()) for file in sorted(SMALL_XML.rglob("*.xml"))]


def test_documents_become_pairs_in_the_order_of_folder_file_and_pair():
    collection = read_folder(SMALL_XML)

    answered = [pair for pair in collection.pairs if pair.answer]
    assert len(answered) == 31
    assert [pair.source for pair in answered] == ["Clinic"] * 10 + ["Library"] * 15 + ["Ward"] * 6
    assert answered[0].question == "What is (are) Common Cold ?"
    assert (
        answered[0].answer
        == "A cold is an infection of nose and throat by a virus. Most people are well again in a week."
    )
    assert (answered[0].focus_area, answered[0].qtype, answered[0].qid) == ("Common Cold", "information", "0000001-1")
    assert "foods & drinks" in answered[4].answer


def test_documents_without_answers_are_counted_apart():
    counts = read_folder(SMALL_XML).counts

    assert counts == {
        "documents_read": 15,
        "documents_malformed": 0,
        "documents_without_pairs": 1,
        "documents_without_answer": 1,
    }


def test_xml_and_csv_give_the_same_pairs():
    from_csv = read_text(SMALL_CSV.read_bytes())

    assert [pair for pair in read_folder(SMALL_XML).pairs if pair.answer] == from_csv.pairs


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"])
def test_archives_give_what_the_folder_gives_whatever_their_order(kind, tmp_path):
    path = tmp_path / f"pairs.{kind}"
    files = list(reversed(small_files()))
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                archive.writestr(f"top/{name}", content)
    else:
        pack_tar(path, files, {"tar": "w", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}[kind])

    collection = read_folder(path)

    assert collection.pairs == read_folder(SMALL_XML).pairs
    assert collection.counts == read_folder(SMALL_XML).counts


def test_malformed_documents_are_named_with_the_reason():
    collection = read_folder(MALFORMED)

    found = reasons(collection)
    assert set(found) == {"cut.xml", "entities.xml", "older.xml", "questionless.xml, pair 1"}
    assert "no well-formed XML" in found["cut.xml"]
    assert "entities" in found["entities.xml"]
    assert "no <QAPairs> under <doc>" in found["older.xml"]
    assert found["questionless.xml, pair 1"] == "it has no question"
    assert collection.counts["documents_malformed"] == 4


def test_a_fault_in_one_pair_leaves_the_documents_others_and_markup_inside_text_is_read_through():
    pairs = read_folder(MALFORMED).pairs

    assert [(pair.question, pair.answer) for pair in pairs] == [("What is gout ?", "A painful swelling.")]


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"<a/>\xff", b'<?xml version="1.0" encoding="no-such"?><a/>'])
def test_no_bytes_whatever_end_the_reading(content):
    collection = read_xml([Member(PurePosixPath("x/y.xml"), content)], "x")

    assert list(reasons(collection)) == ["x/y.xml"]
    assert collection.counts["documents_malformed"] == 1


def test_an_archive_writes_nothing_and_follows_no_path_out_of_it(tmp_path):
    content = small_files()[0][1]
    path = tmp_path / "deep" / "evil.tar"
    path.parent.mkdir()
    pack_tar(path, [("../../escaped.xml", content), (f"{tmp_path}/absolute.xml", content)], "w")
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("link.xml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)

    collection = read_folder(path)

    assert collection.counts["documents_read"] == 2
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["deep", "evil.tar"]


def test_what_macos_adds_is_no_document(tmp_path):
    path = pack_tar(tmp_path / "a.tar", [("a/._b.xml", b"\x00"), ("__MACOSX/a/b.xml", b"\x00"), *small_files()], "w")

    assert read_folder(path).problems == []


def test_a_name_with_control_characters_is_shown_on_one_line(tmp_path):
    path = pack_tar(tmp_path / "a.tar", [("a\n\x1b[31m.xml", b"<a/>")], "w")

    assert list(reasons(read_folder(path))) == ["a\ufffd\ufffd[31m.xml"]


def test_a_document_over_the_limit_is_reported_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 1000)
    path = pack_tar(tmp_path / "a.tar.gz", [("big.xml", b" " * 5000), small_files()[2]], "w:gz")

    assert "is larger than" in reasons(read_folder(path))["big.xml"]


@pytest.mark.parametrize("kind", ["w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_cut_short_is_an_error_wherever_the_cut_is(kind, tmp_path):
    whole = pack_tar(tmp_path / "whole.tar", small_files(), kind).read_bytes().rstrip(b"\0")
    for share in (0.3, 0.5, 0.8):
        path = tmp_path / "cut.tar"
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(DataError, match=r"cut\.tar can't be read to its end"):
            read_folder(path)


def test_a_tar_cut_between_two_documents_is_an_error_too(tmp_path):
    content = b"<a/>".ljust(512)
    whole = pack_tar(tmp_path / "whole.tar", [("a.xml", content), ("b.xml", content)], "w").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:1024])

    with pytest.raises(DataError, match="damaged or cut short"):
        read_folder(tmp_path / "cut.tar")


def test_a_tar_with_a_damaged_header_is_an_error_not_a_shorter_collection(tmp_path):
    content = b"<a/>".ljust(512)
    whole = bytearray(pack_tar(tmp_path / "whole.tar", [("a.xml", content), ("b.xml", content)], "w").read_bytes())
    whole[1024 + 5] ^= 0xFF
    (tmp_path / "bad.tar").write_bytes(whole)

    with pytest.raises(DataError, match="bad checksum"):
        read_folder(tmp_path / "bad.tar")


def test_a_damaged_zip_is_an_error(tmp_path):
    path = tmp_path / "pairs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in small_files():
            archive.writestr(name, content)
    broken = bytearray(path.read_bytes())
    broken[200] ^= 0xFF
    path.write_bytes(broken)

    with pytest.raises(DataError, match="damaged or cut short"):
        read_folder(path)
