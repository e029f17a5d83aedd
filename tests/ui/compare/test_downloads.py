"""Downloads: everything that belongs to a comparison, and nothing that a spreadsheet would run."""

from __future__ import annotations

import base64
import codecs
import csv
import io
import json

import pytest

import medilite
from medilite.safety import NOT_MEDICAL_ADVICE
from medilite.ui.compare.downloads import as_csv, as_json, data_uri

SCORES = {
    "flesch_kincaid_grade", "flesch_reading_ease", "smog_index", "gunning_fog", "coleman_liau_index",
    "automated_readability_index", "dale_chall_score", "words", "sentences", "long_words", "difficult_words",
    "reading_time_s",
}  # fmt: skip


def rows(comparison) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(comparison).removeprefix("\ufeff"), newline="")))


def test_json_holds_everything(compare, lite):
    record = json.loads(as_json(compare("What is <b>asthma</b>?")))
    assert record["question"] == "What is <b>asthma</b>?"
    assert (record["profile"], record["base"]) == ("lite", "SmolLM2-135M-Instruct")
    assert record["decoding"] == {"max_new_tokens": 24, "temperature": 0.0, "top_p": 1.0, "repetition_penalty": 1.1}
    assert (record["seed"], record["version"], record["notice"]) == (0, medilite.__version__, NOT_MEDICAL_ADVICE)
    assert [a["model"] for a in record["answers"]] == list(lite.ids)
    for answer in record["answers"]:
        assert answer["answer"]
        assert answer["tokens"] == 24
        assert (answer["stopped"], answer["error"]) == ("length", None)
        assert set(answer["readability"]) == SCORES


def test_a_failed_answer_is_null_not_zero(compare):
    comparison = compare(broken={"grpo": "The adapter is missing."}, models="base,grpo")
    failed = json.loads(as_json(comparison))["answers"][1]
    assert failed["answer"] is None
    assert failed["readability"] is None
    assert (failed["stopped"], failed["error"]) == ("error", "The adapter is missing.")
    row = rows(comparison)[1]
    assert all(row[score] == "" for score in SCORES)
    assert (row["answer"], row["error"]) == ("", "The adapter is missing.")


def test_what_was_written_before_a_failure_is_kept(compare):
    failed = json.loads(as_json(compare(fail_after={"grpo": 5}, models="grpo")))["answers"][0]
    assert failed["stopped"] == "error"
    assert len(failed["answer"].split()) == 5


def test_an_answer_without_words_has_null_scores(compare):
    answer = json.loads(as_json(compare(scripts={"base": "12 34."}, models="base")))["answers"][0]
    assert answer["answer"] == "12 34."
    assert answer["readability"]["flesch_kincaid_grade"] is None
    assert rows(compare(scripts={"base": "12 34."}, models="base"))[0]["flesch_kincaid_grade"] == ""


def test_csv_has_one_line_a_model_with_everything_on_it(compare, lite):
    comparison = compare('With "quotes", commas\nand a line break?')
    table = rows(comparison)
    assert [row["model"] for row in table] == list(lite.ids)
    for row, pane in zip(table, comparison.panes, strict=True):
        assert row["question"] == 'With "quotes", commas\nand a line break?'
        assert row["answer"] == pane.text
        assert float(row["flesch_kincaid_grade"]) == pytest.approx(pane.scores.flesch_kincaid_grade)
        assert row["max_new_tokens"] == "24"
        assert row["seed"] == "0"
        assert row["notice"] == NOT_MEDICAL_ADVICE
        assert set(row) >= SCORES


def test_csv_says_to_a_spreadsheet_on_windows_which_encoding_it_has(compare):
    assert as_csv(compare("“How” – naïve?")).encode()[:3] == codecs.BOM_UTF8


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_holds_no_formula(compare, start):
    question = f"{start}HYPERLINK(1) what is it"
    row = rows(compare(question, scripts={"base": '=cmd|"/c calc"!A1 is an answer'}, models="base"))[0]
    assert row["question"] == "'" + question
    assert row["answer"].startswith("'=cmd")
    # Numbers stay numbers, negative ones too.
    assert all(not row[score].startswith("'") for score in SCORES)


def test_a_data_address_gives_the_text_back():
    text = "ünïcode ½ 日本\n"
    head, payload = data_uri(text, "text/csv").split(",", 1)
    assert head == "data:text/csv;charset=utf-8;base64"
    assert base64.b64decode(payload).decode("utf-8") == text
