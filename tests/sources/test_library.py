"""Building, opening and searching; and what is done about a library that is not whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from medilite.errors import DataError
from medilite.sources.build import build_library, library_name
from medilite.sources.layout import DATABASE, MANIFEST, MEANING
from medilite.sources.query import name_key, take_apart
from medilite.sources.ranking import Candidate, Signs, clashes, confidence, fits, order
from tests.support.libraries import WordEncoder


@pytest.mark.parametrize(
    ("question", "topic", "kind"),
    [
        ("Which treatments are there for hay fever?", "Hay Fever", "treatment"),
        ("tell me about HAY FEEVER", "Hay Fever", "information"),
        ("my aunt has had gout since 2009. what are the treatments for it?", "Gout", "treatment"),
        ("BWS", "Baraitser-Winter syndrome", "information"),
    ],
)
def test_what_is_asked_about_comes_first(built, opened, question, topic, kind):
    found = opened(built).search(question)
    first = found.hits[0].passage
    assert (first.topic, first.kind) == (topic, kind)
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)


def test_a_word_of_a_rare_diseases_name_does_not_name_it():
    common = Candidate(
        0, words=0.6, likeness=0.4, name=0, name_share=0, covered=0, unnamed=0, kind="", is_overview=False
    )
    rare = replace(common, number=1, words=0.8, likeness=0.4, covered=0.4, unnamed=0.6)
    assert [number.number for _, number in order([rare, common], take_apart("down every winter"))] == [0, 1]


def test_a_passage_says_where_it_comes_from(built, opened):
    library = opened(built)
    passage = library.search("What is a heart attack?").hits[0].passage
    assert passage.text == "A heart attack is when blood can't reach the heart."
    assert passage.institute == "National Heart, Lung, and Blood Institute"
    assert passage.address == "https://example.gov/4"
    assert library.passage(passage.id) == passage
    assert library.passage("NHLBI/4-1#2").text == "What helps at once? Call 911 now."
    assert [library.passage(id) for id in ("NHLBI/4-1#9", "x#1", "", "NHLBI/4-1#0", "NHLBI/4-1#-1")] == [None] * 5


@pytest.mark.parametrize(
    "question", ["", "?", "the", '"', "asthma " * 300, "x" * 2000, "糖尿病的症状是什么", '" OR 1=1 --', "a\x00b*^(:"]
)
def test_whatever_is_asked_has_an_answer_or_none(built, opened, question):
    found = opened(built).search(question)
    assert len(found.hits) <= 5
    assert not found.fits


SURE = Signs(likeness=0.8, topical=1.0, named=True, qualified=0.0, clash=False, unnamed=False)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, True),
        ({"likeness": 0.45}, True),
        ({"likeness": 0.3, "topical": 0.3, "named": False}, False),
        ({"likeness": 0.45, "topical": 0.6, "qualified": 0.9}, False),
        ({"likeness": 0.6, "topical": 0.6, "named": False, "clash": True}, False),
        ({"likeness": 0.6, "topical": 0.6, "named": False, "unnamed": True}, False),
    ],
)
def test_what_speaks_against_a_passage_hides_it(change, shown):
    signs = replace(SURE, **change)
    assert fits(confidence(signs)) is shown
    assert confidence(signs) <= confidence(SURE)


@pytest.mark.parametrize(
    ("asked", "names", "clash"),
    [
        ("spastic paraplegia type 15", "spastic paraplegia type 4", True),
        ("spastic paraplegia type 4", "spastic paraplegia 4 type", False),
        ("i am 45 and have gout", "gout", False),
        ("adult hodgkin lymphoma", "childhood hodgkin lymphoma", True),
        ("lymphoma in a child", "adult lymphoma", True),
        ("autosomal recessive night blindness", "autosomal dominant night blindness", True),
        ("hodgkin lymphoma", "childhood hodgkin lymphoma", False),
    ],
)
def test_contradictions(asked, names, clash):
    assert clashes(set(asked.split()), set(names.split())) is clash


@pytest.mark.parametrize(
    ("question", "qualified", "named"),
    [("What is gout?", False, True), ("What is visual gout?", True, True), ("What is gouty?", False, False)],
)
def test_a_word_beside_a_name_makes_it_another(built, opened, question, qualified, named):
    topic, signs = opened(built).signs(question)
    assert topic == "Gout" or not named
    assert (signs.qualified > 0, signs.named) == (qualified, named)


def test_nothing_has_no_signs(built, opened):
    assert opened(built).signs("?") is None


def test_what_no_entry_is_about_does_not_fit(built, opened):
    library = opened(built)
    assert library.search("What is hay fever?").fits
    assert not library.search("Who won the world cup in 1998?").fits


def test_a_build_that_was_stopped_goes_on(tmp_path, entries, about, monkeypatch):
    monkeypatch.setattr("medilite.sources.build.PART", 2)
    with pytest.raises(DataError, match=r"No space left.*Make room"):
        build_library(entries, about, tmp_path, WordEncoder(limit=3))
    assert not (tmp_path / library_name(about)).exists()
    encoder = WordEncoder()
    told = []
    folder = build_library(entries, about, tmp_path, encoder, lambda progress: told.append(progress.share))
    assert encoder.calls == len(entries) / 2 - 3
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert sorted(path.name for path in folder.iterdir()) == sorted((DATABASE, MEANING, MANIFEST))
    assert build_library(entries, about, tmp_path, WordEncoder(limit=0)) == folder


def _cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def _other_format(path):
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))


@pytest.mark.parametrize(
    ("name", "harm", "said"),
    [
        (DATABASE, _cut, "damaged"),
        (MEANING, _cut, "damaged"),
        (MEANING, lambda path: path.unlink(), "damaged"),
        (MANIFEST, _cut, "can't be read"),
        (MANIFEST, lambda path: path.unlink(), "finished"),
        (MANIFEST, _other_format, "format 99"),
        (MANIFEST, lambda path: path.write_text("[]"), "can't be read"),
    ],
)
def test_a_damaged_library_is_refused_and_made_again(built, opened, entries, about, name, harm, said):
    harm(built / name)
    with pytest.raises(DataError, match=rf"(?s){said}.*sources build"):
        opened(built)
    assert build_library(entries, about, built.parent, WordEncoder()) == built
    assert opened(built).search("gout").hits


def test_a_library_that_is_removed_meanwhile_still_answers(built, opened):
    library = opened(built)
    shutil.rmtree(built)
    assert library.search("What is gout?").hits
    library.close()
    with pytest.raises(DataError, match="no longer"):
        library.search("What is gout?")


def test_names_and_kinds():
    assert name_key("The Diseases of Crohn's") == "disease crohn"
    assert name_key("a b c d e f g h i j k") == ""
    assert take_apart("Does it run in families, and what are the SIGNS?").kinds == {"inheritance", "symptoms"}
