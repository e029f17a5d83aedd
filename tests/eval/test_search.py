"""The measurement of the search: its questions, its counts by hand, and all of it on a small library."""

from __future__ import annotations

import json
from string import Formatter
from typing import get_args

import pytest

from eval.search import __main__ as search
from eval.search import nothing_fits
from eval.search.nothing_fits import Akin, Case, rates, take_out
from eval.search.questions import Half, Reworded, halves, read_wordings, reworded
from eval.search.sets import Consumer, Judged, consumers, liveqa
from medilite.errors import DataError
from medilite.sources.build import build_library
from medilite.sources.library import Library
from medilite.sources.ranking import Signs
from medilite.sources.records import Entry
from tests.support.libraries import ABOUT, WordEncoder, encode, made_entries

SURE = Signs(likeness=1.0, topical=1.0, named=True, qualified=0.0, clash=False, unnamed=False)
UNSURE = Signs(likeness=0.0, topical=0.0, named=False, qualified=1.0, clash=True, unnamed=True)


def entry(number: int, topic: str, kind: str = "information") -> Entry:
    return Entry(f"NIH/{number}", f"What is {topic}?", f"{topic} is known.", "NIH", "", topic, kind)


def test_the_halves_share_no_topic_and_no_wording():
    topics = halves(made_entries())
    assert not set(topics["choosing"]) & set(topics["reporting"])
    assert {one.topic for one in made_entries()} == set(topics["choosing"]) | set(topics["reporting"])
    wordings = read_wordings()
    assert set(wordings["choosing"]) == set(wordings["reporting"])
    said = {half: {text for some in wordings[half].values() for text in some} for half in get_args(Half)}
    assert not said["choosing"] & said["reporting"]
    for kinds in wordings.values():
        for kind, some in kinds.items():
            for text in some:
                fields = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
                assert {"q"} <= fields <= {"n", "q"} if kind == "story" else fields == {""}, text


@pytest.mark.parametrize("half", get_args(Half))
def test_questions_are_of_the_topics_and_the_same_again(half):
    questions = reworded(made_entries(), ["Gout", "Hay Fever"], half, 40, 3)
    assert len(questions) == 40
    assert {one.topic for one in questions} == {"Gout", "Hay Fever"}
    assert questions == reworded(made_entries(), ["Gout", "Hay Fever"], half, 40, 3)


def test_with_a_topic_goes_whatever_is_a_part_of_it():
    akin = Akin([entry(1, "Breast Cancer"), entry(2, "Male Breast Cancer"), entry(3, "Gout")])
    assert akin.to("Breast Cancer") == akin.to("Male Breast Cancer") == {"Breast Cancer", "Male Breast Cancer"}
    assert akin.to("Gout") == {"Gout"}
    taken = take_out(made_entries())
    left = {one.topic for one in taken.entries}
    for half in get_args(Half):
        assert {one.topic for one in taken.gone[half]}.isdisjoint(left)
        assert {one.topic for one in taken.kept[half]} <= left


def test_errors_are_counted_by_hand():
    cases = [
        Case("kept", True, SURE), Case("kept", True, UNSURE), Case("kept", False, SURE), Case("kept", False, None),
        Case("off topic", False, SURE),
    ]  # fmt: skip
    assert rates(cases) == {
        "kept": {"right": 2, "right_hidden": 1, "wrong": 2, "wrong_shown": 1},
        "off topic": {"right": 0, "right_hidden": 0, "wrong": 1, "wrong_shown": 1},
    }
    assert search.share(0, 0) == {"count": 0, "n": 0, "share": None, "low": None, "high": None}


def test_hits_are_counted_by_hand():
    gout, cancer, treated = entry(1, "Gout"), entry(2, "Cancer"), entry(3, "Gout", "treatment")
    answers = {"a": [gout, cancer], "b": [cancer, gout], "c": [treated], "d": []}
    questions = [Reworded(text, "gout", "information", how) for text, how in zip("abcd", ["plain"] * 3 + ["typo"])]  # noqa: B905
    found = search.reworded_figures(answers.__getitem__, questions)
    assert [found["all"][what]["count"] for what in ("first", "first_five", "first_with_kind")] == [2, 3, 1]
    assert (found["plain"]["first"]["n"], found["typo"]["first"]["count"]) == (3, 0)
    judged = [
        Judged(1, "a", "b", "c", {"NIH/1": 4, "NIH/2": 2}),
        Judged(2, "b", "a", "d", {"NIH/1": 3}),
        Judged(3, "a", "a", "a", {"NIH/1": 2}),
    ]
    live = search.live_figures(answers.__getitem__, judged)
    assert {way: (row["first"]["count"], row["first_five"]["count"]) for way, row in live.items()} == {
        "message": (1, 2), "subject and message": (1, 2), "paraphrase": (0, 0),
    }  # fmt: skip
    assert live["message"]["first"]["n"] == 2, "a question without a right answer can't be answered"


def live_row(message: str) -> str:
    judged = [{"source": "NIDDK", "qid": "1-1", "grade": grade} for grade in (2, 4)]
    row = {"id": 1, "subject": "Gout", "message": message, "paraphrase": None, "judged": judged}
    return json.dumps(row, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("end", ["\u2028", "\x85"])
def test_a_message_may_have_any_character(tmp_path, end):
    """Such characters end a line for str.splitlines, and not in JSON."""
    path = tmp_path / "questions.jsonl"
    path.write_text(live_row(f"What is{end}gout?"), "utf-8")
    (one,) = liveqa(path)
    assert (one.message, one.paraphrase, one.grades) == (f"What is{end}gout?", f"What is{end}gout?", {"NIDDK/1-1": 4})
    path.write_text("{}\n")
    with pytest.raises(DataError, match="LiveQA's questions can't be read"):
        liveqa(path)


CONSUMERS = """<?xml version="1.0"?>
<NLM-QUESTIONS>
<NLM-QUESTION><SUBJECT>x</SUBJECT><MESSAGE>What helps against the gout?</MESSAGE><FOCUS>gout</FOCUS></NLM-QUESTION>
<NLM-QUESTION><SUBJECT>heart attack</SUBJECT><MESSAGE></MESSAGE><FOCUS>Attack, heart</FOCUS></NLM-QUESTION>
<NLM-QUESTION><MESSAGE>Is aspirin safe?</MESSAGE><FOCUS>aspirin</FOCUS><FOCUS/></NLM-QUESTION>
<NLM-QUESTION><MESSAGE>Is aspirin safe?</MESSAGE><FOCUS>aspirin</FOCUS></NLM-QUESTION>
<NLM-QUESTION><MESSAGE>seen</MESSAGE><FOCUS>gout</FOCUS></NLM-QUESTION>
</NLM-QUESTIONS>"""


def test_consumers_messages_are_read_and_counted_by_hand(tmp_path):
    path = tmp_path / "messages.xml"
    path.write_text(CONSUMERS)
    found = consumers([path, path], {"seen"})
    assert found == [
        Consumer("What helps against the gout?", ("gout",)),
        Consumer("heart attack", ("Attack, heart",)),
        Consumer("Is aspirin safe?", ("aspirin",)),
    ]
    library = Library(build_library(made_entries(), ABOUT, tmp_path / "library", WordEncoder()), encode)
    wrong = Consumer("hay fever", ("Gout",))
    figures = search.consumer_figures(library, [*found, wrong], Akin(made_entries()))
    library.close()
    counts = {name: (of["count"], of["n"]) for name, of in figures.items() if name != "messages"}
    assert figures["messages"] == 4
    assert (counts["first"], counts["right_of_shown"], counts["shown_though_not_a_name"]) == ((2, 3), (2, 3), (0, 1))
    assert counts["first_five"] == (3, 3), "five of this library's ten entries are shown"
    path.write_text("<NLM-QUESTIONS>")
    with pytest.raises(DataError, match="can't be read"):
        consumers([path], ())


def test_every_figure_of_a_small_library(tmp_path, monkeypatch, capsys):
    library = Library(build_library(made_entries(), ABOUT, tmp_path / "library", WordEncoder()), encode)
    monkeypatch.setattr(search, "opened", lambda data: (made_entries(), library, encode))
    monkeypatch.setattr(search, "REWORDED", 20)
    monkeypatch.setattr(search, "TIMED", 5)
    monkeypatch.setattr(nothing_fits, "QUESTIONS", 6)
    live, out = tmp_path / "questions.jsonl", tmp_path / "search.json"
    live.write_text(live_row("What is gout?"))
    messages = tmp_path / "messages.xml"
    messages.write_text(CONSUMERS)
    command = ["--liveqa", str(live), "--json", str(out), "--consumers", str(messages)]
    assert search.main(command) == 0
    found = json.loads(out.read_text())
    assert found["reworded"]["all"]["first"]["n"] == found["reworded_again"]["all"]["first"]["n"] == 20
    assert found["consumers"]["messages"] == 4
    assert found["liveqa"]["message"]["first"] == found["words_alone"]["fts5"]["liveqa"]["message"]["first"]
    assert found["liveqa"]["message"]["first"]["count"] == 1
    assert found["liveqa"]["shown"] == {"counts": {"with an answer: shown, grade 4": 1}, "shown_without_a_judgment": []}
    for half in get_args(Half):
        assert found["nothing_fits"][half]["taken out"]["wrong_shown"]["n"] == 6
        assert found["nothing_fits"][half]["off topic"]["right_hidden"]["n"] == 0
    assert "liveqa / message / first: 1 of 1, 100.0 %" in capsys.readouterr().out
    assert search.main(["--liveqa", str(tmp_path / "none"), "--json", str(out)]) == 0
    assert json.loads(out.read_text())["liveqa"] is None
