"""Which library the app uses, and that nothing that goes wrong with one reaches an answer."""

from __future__ import annotations

import shutil
import time

import pytest

from medilite.errors import DataError
from medilite.settings import load_settings
from medilite.sources.collection import COLLECTION, save_collection
from medilite.sources.shelf import Shelf, make_library, ready_library, shelf_folder
from tests.support.libraries import WordEncoder, encode, small_shelf


@pytest.fixture(autouse=True)
def _no_model(monkeypatch):
    monkeypatch.setattr("medilite.content.embeddings.sentence_encoder", WordEncoder)
    monkeypatch.setattr("medilite.content.embeddings.ensure_encoder", lambda settings: None)
    monkeypatch.setattr(
        "medilite.content.light_encoder.LightEncoder",
        lambda folder: type("E", (), {"encode_one": staticmethod(encode)}),
    )


@pytest.fixture
def prepared(tmp_path, entries):
    folder = tmp_path / "data"
    save_collection(folder / COLLECTION, entries)
    return folder


def settings(tmp_path, sources="auto"):
    return load_settings(cache_dir=tmp_path / "cache", sources=sources)


def until(shelf, kind):
    # Nothing but pytest's own limit ends this: a process that makes a library may wait long for a core.
    while shelf.state.kind == "preparing":
        time.sleep(0.01)
    assert shelf.state.kind == kind, shelf.state
    return shelf


def test_auto_takes_prepared_data_then_a_built_library(tmp_path, prepared):
    chosen = settings(tmp_path)
    assert ready_library(chosen, prepared) is None
    folder = make_library(chosen, lambda _: None, prepared)
    assert folder.parent == shelf_folder(chosen)
    assert ready_library(chosen, prepared) == ready_library(chosen, tmp_path / "none") == folder


def test_a_path_is_a_library_prepared_data_or_a_table(tmp_path, prepared):
    folder = make_library(settings(tmp_path, str(prepared)), lambda _: None)
    for path in (folder, prepared / COLLECTION):
        assert make_library(settings(tmp_path, str(path)), lambda _: None) == folder
    with pytest.raises(DataError, match=r"MEDILITE_SOURCES='/no'.*neither a library"):
        ready_library(settings(tmp_path, "/no"))


def test_a_shelf_opens_what_is_built_and_outlives_its_loss(tmp_path, prepared):
    folder = make_library(settings(tmp_path), lambda _: None, prepared)
    shelf = Shelf(settings(tmp_path), prepared)
    assert (shelf.state.kind, shelf.seek("gout").result().found) == ("off", None)
    shelf.start()
    until(shelf, "ready")
    assert "10 answers of MedQuAD" in shelf.state.message
    sought = shelf.seek("What is gout?").result()
    assert sought.found.fits
    assert sought.about.title == "MedQuAD"
    assert sought.references[0].startswith("Gout is a painful swelling")
    shutil.rmtree(folder)
    shelf.library.close()
    assert shelf.find("What is gout?") is None
    assert (shelf.state.kind, shelf.library) == ("missing", None)
    assert "sources build" in shelf.state.message
    shelf.close()
    assert shelf.seek("gout").result().found is None


@pytest.mark.parametrize(
    ("earlier", "question", "topic"),
    [
        (["What is gout?"], "How is it treated?", "Gout"),
        (["What is gout?", "Who gets it?"], "How is it treated?", "Gout"),
        (["What is gout?", "And hay fever?"], "How is it treated?", "Hay Fever"),
        (["What is gout?"], "And what helps against hay fever?", "Hay Fever"),
    ],
)
def test_a_follow_up_is_looked_up_under_the_last_topic_that_was_named(tmp_path, earlier, question, topic):
    shelf = small_shelf(tmp_path)
    assert shelf.seek(question, earlier=earlier).result().found.hits[0].passage.topic == topic
    shelf.close()


def test_the_page_is_not_told_where_files_are_on_the_server(tmp_path, caplog):
    folder = tmp_path / "Jane Doe"
    folder.mkdir()
    archive, broken = folder / "medquad.zip", folder / "library"
    archive.write_bytes(b"PK\x03\x04")
    broken.mkdir()
    (broken / "library.json").write_text("{}")
    for path, said in ((archive, "medquad.zip is an archive (zip)"), (broken, "The library in library can't be read")):
        shelf = Shelf(load_settings(cache_dir=folder / "cache", sources=str(path)))
        shelf._open()
        assert said in shelf.state.message
        assert str(tmp_path) not in shelf.state.message
        assert "Jane" not in shelf.state.message
        assert str(path) in caplog.text, "the log has it"
        shelf.close()


def test_off_is_off(tmp_path):
    off = Shelf(settings(tmp_path, "off"))
    off.start()
    assert (off.state.kind, off.find("gout")) == ("off", None)


@pytest.mark.slow
def test_it_is_said_that_nothing_is_at_hand(tmp_path):
    shelf = Shelf(settings(tmp_path), tmp_path / "none")
    shelf.start()
    until(shelf, "missing")
    assert "make data SOURCE=PATH" in shelf.state.message
    shelf.close()


@pytest.mark.slow
def test_a_library_is_made_behind_the_page(tmp_path, prepared, monkeypatch):
    """In a process of its own, with the real command; its encoder is the real one, as its search's."""
    monkeypatch.undo()
    chosen = load_settings(sources=str(prepared))
    shelf = Shelf(chosen)
    shelf.start()
    try:
        until(shelf, "ready")
        assert shelf.find("Which spray helps when pollen makes my nose run?").hits[0].passage.topic == "Hay Fever"
    finally:
        shelf.close()
        for folder in shelf_folder(chosen).glob("medquad-*"):
            if folder.is_dir() and len(list(folder.iterdir())) == 3 and (folder / "library.db").stat().st_size < 10**6:
                shutil.rmtree(folder)


def test_the_command_builds_and_searches(tmp_path, prepared, monkeypatch, capsys):
    from medilite.__main__ import main

    monkeypatch.setenv("MEDILITE_CACHE_DIR", str(tmp_path / "cache"))
    assert main(["sources", "build", "--library", str(prepared)]) == 0
    assert capsys.readouterr().out.strip() == str(ready_library(settings(tmp_path, str(prepared))))
    assert main(["sources", "search", "--library", str(prepared), "what is gout?", "--count", "1"]) == 0
    assert "Gout is a painful swelling of joints." in capsys.readouterr().out
    assert main(["sources", "search", "--library", str(prepared), "who wins?", "--json"]) == 1
    assert '"fits": false' in capsys.readouterr().out
    assert main(["sources", "search", "--library", str(prepared), "x", "--count", "0"]) == 2
