"""Building, opening and searching; and what is done about a library that is not whole."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from medilite.errors import DataError
from medilite.sources.build import build_library, library_name
from medilite.sources.layout import DATABASE, MANIFEST, MEANING
from medilite.sources.names import names_of
from medilite.sources.postings import FIELD_WEIGHTS, TOKENIZER, Stemmer, add_up
from medilite.sources.query import name_key, take_apart
from medilite.sources.ranking import Candidates, Signs, clashes, confidence, fits, order
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


def candidates(**signs):
    """Two entries, 7 and 8, alike but for these signs."""
    alike = dict.fromkeys(("words", "likeness", "name", "name_share", "covered", "unnamed"), (0.5, 0.5))
    alike |= dict.fromkeys(("asked_kind", "is_overview"), (False, False))
    return Candidates(np.array([7, 8]), **{name: np.array(values) for name, values in (alike | signs).items()})


@pytest.mark.parametrize(
    ("signs", "asks_kind", "first"),
    [
        ({}, True, 7),
        ({"words": (0.8, 0.6), "covered": (0.4, 0.0), "unnamed": (0.6, 0.0)}, True, 8),
        ({"name": (0.2, 1.0), "likeness": (0.55, 0.5)}, True, 8),
        ({"asked_kind": (False, True), "likeness": (0.55, 0.5)}, True, 8),
        ({"is_overview": (False, True)}, False, 8),
        ({"is_overview": (False, True)}, True, 7),
    ],
    ids=["ties keep their order", "a word of a rare name is no name", "a name", "kind", "overview", "no overview"],
)
def test_what_speaks_for_an_entry_puts_it_first(signs, asks_kind, first):
    ordered = order(candidates(**signs), 2, asks_kind=asks_kind)
    assert [one.number for one in ordered] == [first, 15 - first]
    assert ordered[0].score >= ordered[1].score
    assert order(candidates(**signs), 1, asks_kind=asks_kind) == ordered[:1]


def test_the_index_of_words_scores_as_fts5_does(built, opened, entries):
    """BM25 by SQLite itself, over the same fields, for words with one stem, two, a possessive and none."""
    library = opened(built)
    database = sqlite3.connect(":memory:")
    database.execute(f"create virtual table indexed using fts5 (question, names, answer, tokenize='{TOKENIZER}')")
    names: dict[str, set[str]] = {}
    for one in entries:
        names.setdefault(one.topic, set()).update(names_of(one.topic, one.answer, one.names))
    for number, one in enumerate(entries):
        fields = (one.question, " ; ".join([one.topic, " ; ".join(sorted(names[one.topic]))]), one.answer)
        database.execute("insert into indexed (rowid, question, names, answer) values (?,?,?,?)", (number, *fields))
    for some in (["gout"], ["treating", "fever", "joint"], ["medicine", "nobody"], ["bws", "wintered"], ["nobody"]):
        wanted = np.zeros(len(entries))
        for number, score in database.execute(
            "select rowid, -bm25(indexed, ?, ?, ?) from indexed where indexed match ?",
            (*FIELD_WEIGHTS, " OR ".join(some)),
        ):
            wanted[number] = score
        found = add_up(library._database, map(library._stem, some), len(entries))
        assert np.allclose(found, wanted, rtol=1e-5), some
    database.close()


def test_a_stem_is_that_of_fts5():
    stemmer = Stemmer()
    assert stemmer(["diseases", "Ménière", "alzheimer's", "", "?"]) == ["diseas", "menier", "alzheim", "", ""]
    assert stemmer(["treating"]) == stemmer(["treated"]) == ["treat"]
    stemmer.close()


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


def test_of_a_long_message_the_question_and_the_rarest_words_are_encoded():
    asked = take_apart("I am 45 and work nights. My wife is worried. What helps against gout? We have two kids.")
    assert asked.asking == ("what", "helps", "against", "gout")
    weights = {word: 5.0 if word in ("gout", "nights") else 1.0 for word in asked.content}
    assert asked.gist(weights, 99) == " ".join(asked.words)
    assert asked.gist(weights, 5) == "nights what helps against gout"
    assert asked.gist(weights, 2) == "nights gout"
    no_question = take_apart("gout " * 300)
    assert no_question.gist({"gout": 1.0}, 20) == "gout"


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("Does it run in families, and what are the SIGNS?", {"inheritance", "symptoms"}),
        ("My son was just diagnosed with gout", set()),
        ("I am diagnosed with gout. Which foods are bad?", {"considerations"}),
        ("How is gout diagnosed?", {"exams and tests"}),
        ("Can gout be diagnosed early", {"exams and tests"}),
        ("My son was recently diagnosed. Is gout common?", {"frequency"}),
        ("The tests were bad. How can gout be cured?", {"treatment"}),
        ("It spread last year, he had surgery. Will he recover?", {"outlook"}),
        ("he had surgery and tests", {"treatment", "exams and tests"}),
    ],
)
def test_kinds_are_those_of_the_sentences_that_ask(question, kinds):
    asked = take_apart(question)
    assert asked.kinds == kinds
    assert ("gout" in asked.about) == ("gout" in asked.words), "a phrase that asks swallowed the name"


def test_who_names_a_disease_does_not_ask_about_surgery(tmp_path, opened, entries, about):
    more = [replace(entries[0], id="x/1", question="What is Surgery ?", answer="Surgery mends.", topic="Surgery")]
    library = opened(build_library([*entries, *more], about, tmp_path, WordEncoder()))
    assert library.search("surgery for gout").hits[0].passage.topic == "Gout"
    assert library.search("what is surgery").hits[0].passage.topic == "Surgery"


@pytest.mark.parametrize("word", ["illness", "illnesses", "condition", "problems", "disorder", "diseases"])
def test_another_word_for_disease_names_it_too(tmp_path, opened, entries, about, word):
    more = [
        replace(entries[0], id=f"x/{topic}", question=f"What are {topic} ?", answer=f"{topic} are.", topic=topic)
        for topic in ("Mental Hepatitis", "Mental Disorders", "Mental Syndromes")
    ]
    library = opened(build_library([*entries, *more], about, tmp_path, WordEncoder()))
    question = f"who treats a mental {word}"
    assert library.search(question).hits[0].passage.topic == "Mental Disorders"
    assert library.signs(question)[1].named


def test_names():
    assert name_key("The Diseases of Crohn's") == name_key("Crohn's disease") == "crohn disease"
    assert name_key("Lewy body dementia") == name_key("Dementia with Lewy Bodies")
    assert name_key("diabetes, type 2") == name_key("type 2 diabetes") != name_key("type 1 diabetes")
    assert name_key("Scabies") == name_key("scabies")
    assert name_key("a b c d e f g h i j k") == ""
