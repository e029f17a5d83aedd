"""Rows of a split become questions, each with all its references."""

from __future__ import annotations

import json

import pytest
import yaml

from eval.questions import SEALED, TESTS, evaluated_splits, group, load_questions
from medilite.checkpoints import RECORD_FILE
from medilite.errors import DataError
from medilite.models import PROFILES_DIR, load_profile
from medilite.records import Example


def row(qid, question, answer, source="A"):
    return Example(qid, question, answer, source, "Gout", "symptoms")


ROWS = [
    row("1", "What is gout ?", "A disease."),
    row("2", "what is  GOUT ?", "Of joints.", "B"),
    row("3", "What is gout ?", "Painful."),
    row("4", "What is gout ?", "A disease."),
]


def test_the_study_groups_by_exact_text():
    first, second = group(ROWS, fold_case=False)
    assert (first.qid, first.qids, first.references) == ("1", ("1", "3", "4"), ("A disease.", "Painful."))
    assert (second.qid, second.text, second.source) == ("2", "what is  GOUT ?", "B")


def test_spellings_of_one_question_are_one_where_no_question_is_shared():
    (only,) = group(ROWS, fold_case=True)
    assert (only.qid, only.text) == ("1", "What is gout ?")
    assert only.qids == ("1", "2", "3", "4")
    assert only.references == ("A disease.", "Of joints.", "Painful.")


def test_a_limit_takes_the_first(data):
    questions = load_questions(data, "study/test")
    assert load_questions(data, "study/test", 3) == questions[:3]
    assert len(load_questions(data, "distinct/test")) < len(questions)


def test_an_unknown_split_is_named(data):
    with pytest.raises(DataError, match=r"no split 'study/tset'.*Did you mean 'study/test'"):
        load_questions(data, "study/tset")


@pytest.mark.parametrize(("trained_on", "splits"), [("clean", SEALED), ("distinct", TESTS), (None, TESTS)])
def test_adapters_are_evaluated_on_what_their_training_left_out(tmp_path, monkeypatch, trained_on, splits):
    monkeypatch.setattr("eval.questions.SEALED", SEALED)
    profile = yaml.safe_load((PROFILES_DIR / "lite.yaml").read_text())
    for model in profile["models"][1:]:
        model["adapter"] = str(tmp_path / model["id"])
    (tmp_path / "grpo").mkdir()
    if trained_on:
        (tmp_path / "grpo" / RECORD_FILE).write_text(json.dumps({"config": {"data": {"splits": trained_on}}}))
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(profile))
    assert evaluated_splits(load_profile(str(tmp_path / "own.yaml"), with_absent=True)) == splits
