"""Systems that know nothing, or all, scored as models are."""

from __future__ import annotations

import pytest

from eval import floors
from eval.floors import FILLER, FLOORS, cut, floor_rows, floor_texts
from eval.questions import Question, load_questions, text_hash
from medilite.records import Example
from tests.eval.boards import WordEncoder

TRAIN = [
    Example("t/1", "What are the treatments for gout ?", "Rest helps gout.", "GHR", "gout", "treatment"),
    Example("t/2", "What are the treatments for measles ?", "Water helps measles.", "GHR", "measles", "treatment"),
    Example("t/3", "What causes asthma ?", "Smoke causes asthma.", "GHR", "asthma", "causes"),
]


def question(text: str, qtype: str = "treatment") -> Question:
    return Question("q", text, ("A reference.",), ("q",), "GHR", qtype)


def test_each_floor_is_what_it_says():
    texts = floor_texts([question("How to treat gout in children ?")], TRAIN)["q"]
    assert texts["floor-echo"] == "How to treat gout in children ?"
    assert texts["floor-filler"] == FILLER
    # Another disease, the same kind of question; the nearest shares the rarest word.
    assert texts["floor-other"] == "Water helps measles."
    assert texts["floor-nearest"] == "Rest helps gout."
    assert floor_texts([question("Zzz ?")], TRAIN)["q"]["floor-nearest"] == ""


def test_a_training_pair_that_asks_the_very_question_is_no_floor():
    texts = floor_texts([question("What are the treatments for  GOUT ?")], TRAIN)["q"]
    assert texts["floor-nearest"] == "Water helps measles."


def test_training_answers_are_those_of_the_models_that_a_split_is_for(monkeypatch, tmp_path):
    trained_on = {"distinct": TRAIN, "clean": TRAIN[1:]}
    monkeypatch.setattr(floors, "load_split", lambda folder, _: trained_on[folder.name])
    asked = [question("Which treatments for gout ?")]
    rows = floor_rows({"clean/new": asked, "distinct/test": asked, "study/test": asked}, tmp_path, similar=False)
    nearest = {row.split: row.answer for row in rows if row.model == "floor-nearest"}
    rest, water = map(text_hash, ("Rest helps gout.", "Water helps measles."))
    assert nearest == {"clean/new": water, "distinct/test": rest, "study/test": rest}


def test_long_answers_are_cut_after_a_sentence():
    text = "One two three. Four five six. Seven."
    assert cut(text, 4) == "One two three. Four five six."
    assert cut(text, 100) == text
    assert cut("") == ""


def test_every_floor_is_scored_against_every_split(data):
    questions = {split: load_questions(data, split)[:4] for split in ("study/test", "distinct/test")}
    rows = floor_rows(questions, data, WordEncoder())
    assert len(rows) == 2 * 4 * len(FLOORS)
    by_floor = {row.model: row.scores for row in rows if row.split == "distinct/test" and row.qid == "q/1"}
    assert set(by_floor) == set(FLOORS)
    reference = by_floor["ceiling-reference"]
    assert (reference["content_precision"], reference["claims_at_odds"], reference["rouge_l"]) == (1, 0, 1)
    assert by_floor["floor-echo"]["content_f1"] == 0
    assert by_floor["floor-echo"]["question_echo"] == 1
    assert by_floor["floor-echo"]["tokens"] is by_floor["floor-echo"]["ended"] is None
    assert by_floor["floor-echo"]["topic_similarity"] > 0
    assert rows == floor_rows(questions, data, WordEncoder(), workers=1)
    known = {(row.split, row.qid, row.model, row.answer): 0.25 for row in rows}
    again = floor_rows(questions, data, WordEncoder(), known=known)
    assert {row.scores["topic_similarity"] for row in again} == {0.25}


def test_what_splits_share_is_scored_once(data, monkeypatch):
    questions = {split: load_questions(data, split)[:4] for split in ("study/test", "distinct/test")}
    scored, own_scores = [], floors.own_scores
    monkeypatch.setattr(floors, "own_scores", lambda text, *rest: (scored.append(text), own_scores(text, *rest))[1])
    rows = floor_rows(questions, data, similar=False)
    assert len({row.qid for row in rows}) < sum(map(len, questions.values()))
    assert len(scored) == len({(row.qid, row.answer) for row in rows}) < len(rows)


@pytest.mark.parametrize("floor", FLOORS)
def test_floors_say_what_they_are(floor):
    label, about = FLOORS[floor]
    assert label
    assert about
