"""The question bank: whole, varied, ours, and refused by line where it is broken."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from medilite.errors import DataError
from medilite.questions import QUESTIONS_FILE, Question, load_questions, read_questions, topics
from medilite.readability import measure
from medilite.safety import emergency_notice
from medilite.settings import load_settings

MEDQUAD = Path(__file__).resolve().parent.parent.parent / "shared" / "medquad" / "medquad.csv.gz"
ON_PURPOSE = {"heart-10": "heart", "mind-10": "self-harm", "nerves-10": "stroke"}
"""Questions that speak of an emergency, so that visitors can see the notice."""


def test_there_are_enough_on_enough_topics():
    questions = load_questions()
    assert len(questions) >= 108
    assert len(topics()) >= 9
    counts = Counter(question.topic for question in questions)
    assert min(counts.values()) >= 8
    assert list(counts) == list(topics())
    assert load_questions() is questions


def test_ids_and_texts_are_unique_and_tidy():
    questions = load_questions()
    assert len({question.id for question in questions}) == len(questions)
    assert len({question.question.casefold() for question in questions}) == len(questions)
    for question in questions:
        assert re.fullmatch(r"[a-z]+-\d\d", question.id)
        assert re.fullmatch(r"[A-Z][^\n?]{9,98}\?", question.question), question
        assert "  " not in question.question
    for topic in topics():
        assert len({question.id.split("-")[0] for question in questions if question.topic == topic}) == 1


def test_they_fit_the_app_and_read_easily():
    questions = load_questions()
    assert max(len(question.question) for question in questions) <= load_settings().max_question_chars
    grades = [measure(question.question).flesch_kincaid_grade for question in questions]
    assert sum(grades) / len(grades) < 6


def test_they_are_asked_in_many_ways():
    starts = Counter(question.question.split()[0] for question in load_questions())
    assert {"What", "How", "Why", "When", "Should", "Is", "Can"} <= set(starts)
    assert max(starts.values()) < len(load_questions()) / 2


def test_only_a_few_speak_of_an_emergency():
    found = {question.id: emergency_notice(question.question) for question in load_questions()}
    assert {id_: notice.kind for id_, notice in found.items() if notice} == ON_PURPOSE


def test_none_is_taken_from_medquad():
    if not MEDQUAD.is_file():
        pytest.skip(f"MedQuAD is not here ({MEDQUAD.name}); nothing to compare with")
    csv.field_size_limit(10**9)

    def key(text: str) -> str:
        return re.sub(r"\W+", " ", text.casefold()).strip()

    with gzip.open(MEDQUAD, "rt", encoding="utf-8", newline="") as file:
        theirs = {key(row["question"]) for row in csv.DictReader(file)}
    assert len(theirs) > 10_000
    assert [question.id for question in load_questions() if key(question.question) in theirs] == []


def line(**fields: object) -> str:
    return json.dumps({"id": "heart-01", "topic": "Heart", "question": "What is a pulse?"} | fields)


def written(folder: Path, *lines: str) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_reading_a_file(tmp_path):
    path = written(tmp_path, line(), "", line(id="heart-02", question="Wie geht’s?"))
    assert read_questions(path) == (
        Question("heart-01", "Heart", "What is a pulse?"),
        Question("heart-02", "Heart", "Wie geht’s?"),
    )


@pytest.mark.parametrize(
    ("second", "cause"),
    [
        (line(id="heart-02"), "question 'what is a pulse\\?' is in line 1 too"),
        (line(id="heart-02", question="WHAT IS A PULSE?"), "is in line 1 too"),
        (line(question="Another?"), "id 'heart-01' is in line 1 too"),
        ("{", "not valid JSON"),
        ("[]", "exactly id, topic, question"),
        ('{"id": "a"}', "exactly id, topic, question"),
        (line(extra=1), "exactly id, topic, question"),
        (line(id="heart-02", question=""), "question='' can't be used"),
        (line(id="heart-02", question=" Why?"), "can't be used"),
        (line(id="heart-02", question=7), "question=7 can't be used"),
        (line(id="heart-02", topic=None), "topic=None can't be used"),
        (line(id="Heart 2", question="Why?"), "id='Heart 2' can't be used"),
    ],
)
def test_a_broken_line_is_named(tmp_path, second, cause):
    path = written(tmp_path, line(), second)
    with pytest.raises(DataError, match=cause) as caught:
        read_questions(path)
    assert f"{path}, line 2" in str(caught.value)


def test_a_missing_empty_or_unreadable_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"absent\.jsonl can't be read"):
        read_questions(tmp_path / "absent.jsonl")
    with pytest.raises(DataError, match="holds no questions"):
        read_questions(written(tmp_path, "", " "))
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"broken\.jsonl is not UTF-8 text \(byte 0\)"):
        read_questions(broken)


def test_the_shipped_file_is_where_the_app_expects_it():
    assert QUESTIONS_FILE.is_file()
    assert QUESTIONS_FILE.read_bytes().endswith(b"\n")
