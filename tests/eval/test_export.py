"""A board in other harnesses' formats: whole, without MedQuAD's text, and readable by their own readers.

inspect-ai 0.3.285 and lm-eval 0.4.13 bring some eighty packages, so they are no
dependency of the tests: where they are installed, their readers are asked too.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import pytest

from eval.export import Source, export, harness_files, inspect_log, main
from eval.metrics.catalogue import WITHOUT_LOOPS
from medilite.errors import DataError
from medilite.leaderboard import FOLDER, load_board

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def source(made_boards):
    folder, _ = made_boards
    return Source.read(load_board(folder / "lite"), "study/test", None)


def test_an_inspect_log_has_every_answer_its_scores_and_the_boards_intervals(source):
    log = inspect_log(source, "grpo", NOW)
    rows = source.rows("grpo")
    assert (log["version"], log["status"]) == (2, "success")
    assert log["eval"]["model"] == "medilite/grpo"
    assert log["eval"]["dataset"]["samples"] == len(log["samples"]) == len(rows) > 0
    for sample, (qid, answer, known) in zip(log["samples"], rows, strict=True):
        assert sample["id"] == qid
        assert sample["output"]["completion"] == answer["text"]
        assert {name: one["value"] for name, one in sample["scores"].items()} == known
        assert qid in sample["input"], "the text is MedQuAD's, so there is its id"
        assert sample["target"] == []
    means = source.means("grpo")
    for score in log["results"]["scores"]:
        parts = score["metrics"]
        for key in ("mean", "low", "high", "n"):
            told = means[score["name"]].get(key)
            assert (key in parts) == (told is not None), "null is left out, never 0"
            assert told is None or parts[key]["value"] == told


def test_harness_files_are_one_results_and_one_samples_file_a_model(source):
    files = harness_files(source, "grpo", NOW)
    (results,), (samples,) = ([t for n, t in files.items() if f"/{kind}_" in n] for kind in ("results", "samples"))
    whole = json.loads(results)
    (task,) = whole["results"]
    lines = [json.loads(line) for line in samples.splitlines()]
    assert whole["n-samples"][task] == {"original": len(lines), "effective": len(lines)}
    fixed = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash",
             "prompt_hash", "target_hash"}  # fmt: skip
    for number, (line, (_, answer, known)) in enumerate(zip(lines, source.rows("grpo"), strict=True)):
        assert fixed <= set(line)
        assert line["doc_id"] == number
        assert line["filtered_resps"] == [answer["text"]]
        assert {name: line[name] for name in line["metrics"]} == known
    assert not set(whole["higher_is_better"][task]) & set(WITHOUT_LOOPS), "easier is not better"


def test_the_committed_board_is_exported_and_an_unknown_split_refused(tmp_path, capsys):
    assert (
        main(["--to", "harness", "--split", "clean/known", "--data", str(tmp_path / "none"), "--out", str(tmp_path)])
        == 0
    )
    assert len(list(tmp_path.glob("*/results_*.json"))) == len(list(tmp_path.glob("*/samples_*.jsonl"))) == 6
    assert capsys.readouterr().out.count("\n") == 12
    with pytest.raises(DataError, match="no split 'x'"):
        Source.read(load_board(FOLDER / "lite"), "x", None)


@pytest.mark.parametrize("model", ["base", "grpo"])
def test_the_mean_of_the_samples_is_the_boards(model):
    """Answers that loop have no grade on the board, so they have none in the samples."""
    board = load_board(FOLDER / "lite")
    source = Source.read(board, "clean/known", None)
    rows = source.rows(model)
    assert any(known["loops"] for _, _, known in rows)
    for name, row in source.means(model).items():
        values = [known[name] for _, _, known in rows if name in known]
        assert len(values) == row["n"], name
        if values:
            assert fmean(values) == pytest.approx(row["mean"], abs=1e-5), name


def test_inspects_own_reader_reads_it(source, tmp_path: Path):
    read_eval_log = pytest.importorskip("inspect_ai.log").read_eval_log
    path = next(path for path in export(source, "inspect", tmp_path, NOW) if "grpo" in path.name)
    log = read_eval_log(str(path))
    assert [sample.output.completion for sample in log.samples] == [a["text"] for _, a, _ in source.rows("grpo")]


def test_the_harness_own_readers_read_it(source, tmp_path: Path):
    utils = pytest.importorskip("lm_eval.utils")
    names = [str(path) for path in export(source, "harness", tmp_path, NOW) if "grpo" in str(path)]
    results = utils.get_latest_filename(utils.get_results_filenames(names))
    samples = utils.get_latest_filename(utils.get_sample_results_filenames(names))
    assert utils.get_file_task_name(samples).startswith("medilite")
    assert "flesch_kincaid_grade" in utils.make_table(json.loads(Path(results).read_text()))
