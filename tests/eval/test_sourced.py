"""Answers from the source: what is counted, by hand, and the whole command with a scripted engine."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from eval import sourced
from eval.questions import Question, group
from medilite.content.repetition import longest_copied
from medilite.records import Example, Message
from medilite.sources.build import build_library
from medilite.sources.library import Library
from tests.support.fakes import ScriptedEngine
from tests.support.libraries import ABOUT, WordEncoder, encode, made_entries

PASSAGE = "Borders syndrome is caused by mutations in the TTN gene. It affects 1 in 10,000 people."
ASKED = Question("q", "What causes Borders syndrome?", (PASSAGE,), ("q",), "GHR", "genetic changes", PASSAGE)
OF = sourced.Sourced(ASKED, (PASSAGE,), True)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (PASSAGE, {"unsupported": 0, "gene_named": 1, "gene_other": 0, "recall": 1, "copied": 17, "terms": 0}),
        ("Mutations in the BRCA2 gene cause it.", {"unsupported": 1, "at_odds": 1, "gene_named": 0, "gene_other": 1}),
        ("It affects 1 in 500 people.", {"unsupported": 1, "gene_named": 0, "copied": 4, "not_found": 1}),
        ("", {"unsupported": 0, "not_found": None, "copied": 0, "grade_8": None, "words": 0}),
        ("It is bad. " * 20, {"loops": 1, "grade_8": None, "flesch_kincaid_grade": None}),
    ],
)
def test_an_answer_is_measured_by_hand(answer, wanted):
    assert {key: sourced.measured(OF, None, answer)[key] for key in wanted} == wanted


def test_support_is_counted_by_all_sources_and_by_the_own_reference():
    """One sentence of the reference, one that only the passage found beside it has, one of neither."""
    other = "Doctors treat the swelling of the ankles with compression stockings."
    own = "Laboratories measure creatinine in blood and urine."
    question = replace(ASKED, references=(own,))
    of = sourced.Sourced(question, (own, other), False)
    answer = f"{own} {other} Astronauts of Jupiter drink fluorescent lemonade yesterday."
    found = sourced.measured(of, None, answer)
    assert {key: found[key] for key in ("sentences", "found", "found_own")} == {
        "sentences": 3, "found": 2, "found_own": 1,
    }  # fmt: skip
    assert found["not_found"] == pytest.approx(1 / 3)


def test_genes_count_only_where_the_passage_has_one():
    text = "It is caused by uric acid."
    of = sourced.Sourced(Question("g", "What is gout?", (text,), ("g",), "NIDDK", "causes", text), (text,), True)
    found = sourced.measured(of, None, "Mutations in the TTN gene cause it.")
    assert (found["gene_named"], found["gene_other"], found["unsupported"]) == (None, None, 1)


def test_the_longest_copied_run_ignores_case_and_punctuation():
    assert longest_copied("one two three four", "Two, three. Five one two") == 2
    assert longest_copied("", "a") == longest_copied("a", "") == 0


def test_a_ratio_is_of_sums_and_null_where_nothing_was_made_up():
    rows = {"without": [{"x": 3.0}, {"x": 1.0}], "with": [{"x": 1.0}, {"x": 0.0}]}
    assert sourced.ratio(rows, "x", None)["ratio"] == 0.25
    assert sourced.ratio({way: [{"x": 0.0}] * 2 for way in sourced.WAYS}, "x", None)["ratio"] is None


def test_the_whole_command(lite, tmp_path, monkeypatch, capsys):
    entries = made_entries()
    folder = build_library(entries, ABOUT, tmp_path / "library", WordEncoder())
    rows = group([Example(e.id, e.question, e.answer, e.source, e.topic, e.kind) for e in entries], fold_case=True)
    engines = []

    def split(data, name):
        assert name == "clean/val", "sealed questions are not for choosing"
        return rows

    def engine(profile, settings):
        engines.append(ScriptedEngine(profile, scripts={"grpo": "Pollen makes the nose run."}))
        return engines[-1]

    monkeypatch.setattr(sourced, "load_questions", split)
    monkeypatch.setattr(sourced, "open_engine", engine)
    monkeypatch.setattr(sourced, "make_library", lambda settings, tell: folder)
    monkeypatch.setattr(sourced, "open_library", lambda folder, settings: Library(folder, encode))
    for module in ("eval.sourced", "eval.generate"):
        monkeypatch.setattr(f"{module}.fingerprint_of", lambda data, splits: "f" * 64)
    out = tmp_path / "answers.json"
    command = ["--models", "base,grpo", "--run", str(tmp_path / "run"), "--json", str(out)]
    assert sourced.main(command) == 0
    found = json.loads(out.read_text())
    assert 0 < found["fitting"] <= found["drawn"] == len(rows)
    assert found["of_own_reference"] == found["fitting"]
    assert set(found["models"]) == {"base", "grpo"}
    with_source = found["models"]["grpo"]["ways"]["with"]
    assert with_source["words"] == {"mean": 5, "low": 5, "high": 5, "median": 5, "n": found["fitting"]}
    assert found["passage"]["copied"]["n"] == found["fitting"]
    prompts = {call[0].messages[0].content for call in engines[-1].requests}
    assert sum(prompt.startswith("Passage: ") for prompt in prompts) == found["fitting"] == len(prompts) / 2
    assert "unsupported claims with the source" in capsys.readouterr().out
    # What was asked before can be left out.
    assert sourced.main([*command[:2], "--run", str(tmp_path / "other"), "--after", "1", "--json", str(out)]) == 0
    assert json.loads(out.read_text())["drawn"] == len(rows) - 1
    # A question that was asked in the other draw, on genes, was asked too.
    monkeypatch.setattr(sourced, "GENETIC", kind := rows[0].qtype)
    others = sum(row.qtype != kind for row in rows)
    assert 0 < others < len(rows)
    assert sourced.main([*command[:2], "--run", str(tmp_path / "more"), "--genes-after", "50", "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert (found["drawn"], found["on_genes"]) == (others, 0)
    assert sourced.main([*command[:2], "--run", str(tmp_path / "none"), "--after", "500"]) == 2
    assert "lower --after" in capsys.readouterr().err
    # A second run asks nothing; one whose passages are others is refused.
    assert sourced.main(command) == 0
    assert engines[-1].requests == []
    monkeypatch.setattr("eval.questions.sourced_messages", lambda question, passage: (Message("user", "Other."),))
    assert sourced.main(command) == 2
    assert "from another passage" in capsys.readouterr().err
