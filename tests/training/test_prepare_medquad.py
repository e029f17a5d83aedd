"""The command as a person runs it: files, words on the screen, exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from medilite.models import ROOT
from tests.training.data_fixtures import MALFORMED, SMALL_CSV, SMALL_XML
from training.data.manifest import load_manifest, load_split
from training.data.splits import SPLITS
from training.prepare_medquad import main


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.mark.parametrize("source", [SMALL_XML, SMALL_CSV])
def test_both_importers_give_the_counts_of_the_small_collection(source, tmp_path, capsys):
    assert run("--source", source, "--out", tmp_path) == 0

    manifest = load_manifest(tmp_path)
    expected = {
        "with_answer": 31,
        "focus_area_missing": 2,
        "distinct_questions": 27,
        "distinct_questions_case_folded": 26,
        "dropped_answer_too_long": 0,
        "dropped_focus_area_too_small": 1,
        "kept": 30,
        "focus_areas": 8,
        "malformed_items": 0,
    }
    assert {key: manifest["counts"][key] for key in expected} == expected
    assert manifest["with_answer_by_source"] == {"Library": 15, "Clinic": 10, "Ward": 6}
    rows = {name: entry["rows"] for name, entry in manifest["sets"]["study"]["splits"].items()}
    assert rows == {"train": 23, "val": 3, "test": 4, "grpo": 23}
    assert manifest["fingerprint"] in capsys.readouterr().out


def test_both_importers_give_the_same_fingerprint(tmp_path):
    for name, source in {"xml": SMALL_XML, "csv": SMALL_CSV}.items():
        assert run("--source", source, "--out", tmp_path / name) == 0

    assert load_manifest(tmp_path / "xml")["fingerprint"] == load_manifest(tmp_path / "csv")["fingerprint"]


def test_a_second_run_writes_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        assert run("--source", SMALL_XML, "--out", tmp_path / name, "--seed", 7) == 0

    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert [str(path) for path in files] == [
        "collection.csv.gz",
        "distinct/grpo.jsonl",
        "distinct/test.jsonl",
        "distinct/train.jsonl",
        "distinct/val.jsonl",
        "grpo.jsonl",
        "manifest.json",
        "test.jsonl",
        "train.jsonl",
        "val.jsonl",
    ]
    assert all((tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes() for path in files)


def test_ids_are_unique_over_the_whole_collection(tmp_path):
    run("--source", SMALL_XML, "--out", tmp_path)

    ids = [row.qid for split in SPLITS[:3] for row in load_split(tmp_path, split)]
    assert len(set(ids)) == len(ids) == 30
    assert sum("~" in qid for qid in ids) == 4


def test_malformed_items_are_named_on_the_screen_and_in_the_manifest(tmp_path, capsys):
    shutil.copytree(SMALL_XML, tmp_path / "xml")
    shutil.copytree(MALFORMED, tmp_path / "xml" / "9_Broken")

    assert run("--source", tmp_path / "xml", "--out", tmp_path / "out") == 0

    manifest = load_manifest(tmp_path / "out")
    where = {problem["where"] for problem in manifest["malformed"]}
    assert where == {
        "9_Broken/cut.xml",
        "9_Broken/entities.xml",
        "9_Broken/older.xml",
        "9_Broken/questionless.xml, pair 1",
    }
    assert manifest["counts"]["malformed_items"] == 4
    assert manifest["counts"]["with_answer"] == 32
    screen = capsys.readouterr().err
    assert "4 items of xml are malformed" in screen
    assert all(name in screen for name in where)


def test_a_long_list_of_malformed_rows_is_cut_on_the_screen_only(tmp_path, capsys):
    path = tmp_path / "pairs.csv"
    path.write_text(SMALL_CSV.read_text() + "too,few\n" * 25)

    assert run("--source", path, "--out", tmp_path / "out") == 0

    assert len(load_manifest(tmp_path / "out")["malformed"]) == 25
    screen = capsys.readouterr().err
    assert screen.count("2 fields where 7 are expected") == 10
    assert "and 15 more" in screen


def test_a_table_of_ones_own_needs_no_more_than_questions_and_answers(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("Frage,Antwort\n" + "".join(f"Warum {i} ?,Darum {i}.\n" for i in range(40)))

    assert (
        run("--source", path, "--out", tmp_path / "out", "--question-column", "frage", "--answer-column", "Antwort")
        == 0
    )

    manifest = load_manifest(tmp_path / "out")
    assert manifest["counts"]["kept"] == 40
    assert [entry["rows"] for entry in manifest["sets"]["study"]["splits"].values()] == [32, 4, 4, 32]
    assert load_split(tmp_path / "out", "train")[0].focus_area == "Others"
    assert manifest["source"] == {"name": "mine.csv", "kind": "csv", "credit": None, "licence": None}


def test_filter_and_seed_can_be_set_and_stand_in_the_manifest(tmp_path):
    assert run("--source", SMALL_CSV, "--out", tmp_path, "--max-words", 12, "--min-per-focus", 1, "--seed", 3) == 0

    manifest = load_manifest(tmp_path)
    assert manifest["filter"] == {
        "max_answer_words": 12,
        "min_rows_per_focus_area": 1,
        "focus_area_if_missing": "Others",
    }
    assert manifest["seed"] == 3
    assert manifest["counts"]["dropped_answer_too_long"] == 5
    assert manifest["counts"]["dropped_focus_area_too_small"] == 0


def test_the_manifest_says_how_each_set_was_made_and_what_it_shares(tmp_path):
    run("--source", SMALL_CSV, "--out", tmp_path)

    study, distinct = (load_manifest(tmp_path)["sets"][name] for name in ("study", "distinct"))
    assert study["overlap_in_words"] == "2 of 4 test rows ask a question also in train (2 if case is ignored)"
    assert study["made"]["grpo_share_of_train"] == 1.0
    assert study["grpo"]["train_rows"] + study["grpo"]["eval_rows"] == 23
    assert all(row["question_folded"] == 0 for row in distinct["overlap"])
    assert distinct["made"]["made_from"] == "study"
    assert set(load_manifest(tmp_path)["versions"]) == {"python", "scikit-learn", "numpy"}


def test_the_manifest_tells_nothing_of_the_machine(tmp_path):
    run("--source", SMALL_XML, "--out", tmp_path)

    assert str(ROOT) not in (tmp_path / "manifest.json").read_text()
    assert str(tmp_path) not in (tmp_path / "manifest.json").read_text()


def test_a_report_is_written_beside_the_splits_when_asked_for(tmp_path, capsys):
    assert run("--source", SMALL_CSV, "--out", tmp_path, "--report") == 0

    assert (tmp_path / "report.html").is_file()
    assert f"Report: {tmp_path / 'report.html'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source", "nowhere", "--out", "OUT"], "error: There is no 'nowhere'"),
        (["--source", str(MALFORMED), "--out", "OUT"], "error: No pair is left after the filter"),
        (["--source", str(SMALL_CSV), "--out", "OUT", "--max-words", "1"], "error: No pair is left"),
        (["--source", str(SMALL_CSV), "--out", "OUT", "--answer-column", "reply"], "has no column 'reply'"),
        (["--source", str(SMALL_CSV), "--out", str(SMALL_CSV)], "can't be written"),
    ],
)
def test_errors_are_a_line_on_stderr_and_exit_code_2(arguments, message, tmp_path, capsys):
    assert run(*(str(tmp_path / "out") if argument == "OUT" else argument for argument in arguments)) == 2

    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_flags_out_of_range_are_refused(value, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run("--source", SMALL_CSV, "--out", tmp_path, "--max-words", value)
    assert stopped.value.code == 2
    assert "--max-words" in capsys.readouterr().err


def test_the_module_runs_as_a_command_and_loads_nothing_heavy_to_say_so():
    code = (
        "import sys, training.prepare_medquad as command\n"
        "heavy = {'torch', 'sklearn', 'pandas', 'plotly', 'datasets', 'kagglehub', 'textstat', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"

    shown = subprocess.run(
        [sys.executable, "-m", "training.prepare_medquad", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "kaggle or hub" in shown.stdout


def test_the_small_collections_files_are_valid_json_lines(tmp_path):
    run("--source", SMALL_CSV, "--out", tmp_path)

    for path in tmp_path.rglob("*.jsonl"):
        assert all(json.loads(line)["answer"] for line in path.read_text(encoding="utf-8").splitlines())
