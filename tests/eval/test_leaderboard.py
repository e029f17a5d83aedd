"""The committed board: complete, made again to the digit, and any changed number found."""

from __future__ import annotations

import gzip
import json
import shutil

import pytest

from eval import leaderboard
from eval.board import trained_on
from eval.board_files import read_parquet
from eval.check import check
from eval.intervals import METHOD
from eval.leaderboard import main
from eval.published import published_board
from eval.questions import load_questions
from eval.reading.labels import published_reading
from eval.run import Run
from eval.statements import committed_figures, figures_without, main_split
from medilite.errors import DataError
from medilite.leaderboard import FOLDER, TABLES, boards, load_board
from medilite.models import ROOT, load_profile
from medilite.provenance import adapter_sha256
from tests.eval.boards import MODELS, WordEncoder, answers, setup_for, write_answers, write_data


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data set and the boards that `eval.leaderboard` made of answers to it: (data, folder of boards)."""
    home = tmp_path_factory.mktemp("boards")
    data, run = write_data(home / "data"), Run(home / "run")
    write_answers(run, answers(load_questions(data, "study/test"), setup_for(data)))
    run.write_sessions([{"commit": "c0ffee", "duration_s": 1.0}])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medilite.content.embeddings.sentence_encoder", WordEncoder)
        arguments = ["--run", str(run.folder), "--data", str(data), "--out", str(home / "out"), "--resamples", "2000"]
        assert main(arguments) == 0
    return data, home / "out"


@pytest.fixture
def copy(made, tmp_path):
    """The measured board, to be changed."""
    shutil.copytree(made[1] / "lite", tmp_path / "lite")
    return tmp_path / "lite"


def test_the_board_tells_what_it_is(made):
    board = load_board(made[1] / "lite")
    assert set(board.tables) == set(TABLES)
    about = board.about
    assert (about["profile"], about["reported"]) == ("lite", False)
    assert [split["name"] for split in about["splits"]] == ["study/test", "distinct/test"]
    provenance = about["provenance"]
    assert provenance["setup"]["decoding"]["max_new_tokens"] == 64
    assert provenance["setup"]["precision"] == "int8"
    assert provenance["generation"] == [{"commit": "c0ffee", "duration_s": 1.0}]
    assert provenance["bootstrap"] == {"resamples": 2000, "seed": 42, "level": 0.95, "method": METHOD}
    assert len(provenance["setup"]["data"]) == 64
    models = {model["id"]: model for model in about["models"]}
    assert models["base"]["adapter"] is None
    assert len(models["grpo"]["adapter"]) == 64
    assert "flesch_reading_ease" in models["grpo"]["trained_on"]
    assert models["sft-r16-high"]["training"]["method"] == "sft"
    assert any("No answer was judged" in sentence for sentence in about["missing"])
    assert about["reading"]["models"] == {}, "these answers were never read, those of the committed board were"
    assert any("other answers were read than those of this board" in sentence for sentence in about["missing"])


def test_what_was_trained_for_comes_from_the_adapters_own_record(lite, monkeypatch):
    """Another training, other marks: rewards of weight 0 and bounds are none, and a stacked model has its parent's."""
    records = {"grpo": {"config": {"rewards": {"readability": 0, "key_terms": 1.5, "ending": 0.4, "length_low": 30}}}}
    monkeypatch.setattr("eval.board.read_training_record", lambda profile, spec: records.get(spec.id))
    assert trained_on(lite, "grpo") == ["content_recall", "ended", "key_term_recall"]
    assert trained_on(lite, "base") == trained_on(lite, "sft-r16-high") == []
    records["sft-r16-high"] = {"config": {"rewards": {"echo": 1.0}}}
    assert trained_on(lite, "grpo") == ["content_recall", "ended", "key_term_recall", "question_echo"]


def test_a_board_of_answers_without_a_noted_precision_says_so(lite, data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("medilite.content.embeddings.sentence_encoder", WordEncoder)
    run = Run(tmp_path / "run")
    write_answers(run, answers(load_questions(data, "study/test"), setup_for(data, precision=None)))
    where = ["--run", str(run.folder), "--data", str(data), "--out", str(tmp_path / "out"), "--resamples", "2000"]
    assert main(where) == 0
    assert "was not noted" in capsys.readouterr().err
    about = load_board(tmp_path / "out" / "lite").about
    assert about["provenance"]["setup"]["precision"] is None
    assert "was not noted" in about["missing"][0]
    assert main(["--check", "--out", str(tmp_path / "out"), "--data", str(data)]) == 0


def test_every_number_has_its_n_and_a_model_without_answers_shows(made):
    data, out = made
    rows = load_board(out / "lite").tables["means"]
    count = len(load_questions(data, "study/test"))
    grades = [row for row in rows if row["metric"] == "flesch_kincaid_grade"]
    found = {row["model"]: row for row in grades if row["split"] == "study/test"}
    assert [found[model]["n"] for model in MODELS] == [count, count, count - 1]  # an empty answer has no grade
    assert {row["of"] for row in found.values()} == {count}
    nobody = found["sft-r16-low"]
    assert (nobody["n"], nobody["mean"], nobody["low"], nobody["rank"]) == (0, None, None, None)
    assert found["grpo"]["low"] < found["grpo"]["mean"] < found["grpo"]["high"]
    assert found["grpo"]["rank"] == 1 < found["base"]["rank"]
    judged = [row for row in rows if row["metric"] == "correctness"]
    assert {(row["n"], row["mean"]) for row in judged} == {(0, None)}


def test_the_board_holds_no_text_of_the_data(made):
    """Questions and references are joined where the data is; what is committed goes by qid."""
    data, out = made
    texts = b"".join(
        gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        for file in (out / "lite").iterdir()
        if file.suffix != ".parquet"
    )
    texts += json.dumps([read_parquet(file) for file in (out / "lite").glob("*.parquet")]).encode()
    for split in ("study/test", "distinct/test"):
        for question in load_questions(data, split):
            for text in (question.text, *question.references):
                assert text.encode() not in texts
    assert b"q/1" in texts


def test_an_untouched_board_passes_and_says_what_was_made_again(made, monkeypatch, capsys):
    monkeypatch.setattr("medilite.content.embeddings.sentence_encoder", WordEncoder)
    data, out = made
    assert main(["--check", "--all", "--out", str(out), "--data", str(data)]) == 0
    shown = capsys.readouterr().out
    for what in ("answers by their hashes", "against references", "topic similarities", "numbers of easier"):
        assert what in shown
    assert "left out" not in shown
    assert "No difference" in shown


def test_without_the_data_the_rest_is_checked_and_the_gap_is_said(made, tmp_path, capsys):
    out = made[1]
    assert main(["--check", "--out", str(out), "--data", str(tmp_path / "none")]) == 0
    shown = capsys.readouterr().out
    assert "left out: everything that needs questions or references" in shown
    assert "make data" in shown
    assert "scores of answers alone" in shown
    other = write_data(tmp_path / "other", 20)
    assert "fingerprint" in check(out / "lite", other).left_out[0]


def test_a_board_of_other_adapters_than_those_here_is_said_to_be_one(made, copy, lite):
    """The tests' answers name hashes of no adapter; with the real ones nothing is said."""
    (note,) = check(copy, None).notes
    assert "not those that answered: sft-r16-high, grpo." in note

    def change(about):
        for model in about["models"]:
            model["adapter"] = model["adapter"] and adapter_sha256(lite, model["id"])

    change_json(copy / "board.json", change)
    report = check(copy, None)
    assert (report.notes, report.differences) == ([], [])


def test_topic_similarity_is_made_again_for_a_seeded_sample(made):
    data, out = made
    report = check(out / "lite", data, sample=10, encoder=WordEncoder())
    assert report.differences == []
    assert any(line.startswith("10 topic similarities, of ") for line in report.checked)
    assert any("seeded sample" in line for line in report.left_out)


def change_json(path, change):
    content = path.read_bytes()
    value = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    change(value)
    text = json.dumps(value).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


def test_a_changed_number_is_found_in_every_table(copy):
    keys = {"means": "mean", "bleu": "value", "quarters": "share", "easier": "change"}
    keys |= {"floors": "mean", "kinds": "value", "formulas": "n"}
    for table in TABLES:
        key = keys.get(table, "difference")

        def change(rows, key=key):
            row = next(row for row in rows if row[key] is not None)
            row[key] = round(row[key] + 1e-5, 6)

        change_json(copy / f"{table}.json", change)
    differences = check(copy, None).differences
    for table in TABLES:
        key = keys.get(table, "difference")
        assert any(line.startswith(f"{table}, row ") and f", {key}: " in line for line in differences), table


def test_a_changed_description_is_found(copy, lite):
    def change(about):
        about["statements"]["grpo"] += " It is the best."
        about["reading"]["auc"][0]["low"] += 0.01
        about["claims"]["gene"]["reliable"] = not about["claims"]["gene"]["reliable"]
        similar = next(metric for metric in about["metrics"] if metric["key"] == "topic_similarity")
        similar["explanation"] = similar["explanation"].replace(
            "the echoed question has 0.", "the echoed question has 1."
        )
        about["missing"] = [said for said in about["missing"] if "blind readers" not in said]
        model = next(model for model in about["models"] if model["id"] == "grpo")
        model["adapter"], model["trained_on"] = adapter_sha256(lite, "grpo"), []

    change_json(copy / "board.json", change)
    differences = check(copy, None).differences
    for where in ("statements, grpo", "reading, auc, 1, low", "claims, gene, reliable", "missing: What blind readers"):
        assert any(line.startswith(where) for line in differences), where
    assert any(line.startswith("metrics, ") and "echoed question has 1." in line for line in differences)
    assert any(line.startswith("trained_on of grpo") for line in differences)
    assert len(differences) == 6


def test_a_changed_p_value_is_found_however_small_it_is(copy):
    def change(rows):
        row = min((row for row in rows if row["p_value"] is not None), key=lambda row: row["p_value"])
        row["p_value"] *= 1.1

    change_json(copy / "comparisons.json", change)
    assert any(line.startswith("comparisons, row ") and "p_value" in line for line in check(copy, None).differences)


def test_a_changed_score_is_found_whatever_it_needs(copy, made):
    metrics = ("flesch_kincaid_grade", "topic_similarity", "chrf", "bleu_study", "question_echo", "ended")

    def change(scores):
        for metric in metrics:
            values = scores["distinct/test"][metric]
            values[0] = [value + 1 for value in values[0]] if isinstance(values[0], list) else values[0] + 0.01

    change_json(copy / "scores.json.gz", change)
    differences = check(copy, made[0], None, WordEncoder()).differences
    for metric in metrics:
        assert any(line.startswith(f"distinct/test, q/0, base: {metric}") for line in differences), metric


def test_a_changed_answer_and_a_differing_parquet_file_are_found(copy):
    path = copy / "answers.jsonl.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"Drink water", b"Drink tea", 1)))
    shutil.copy(copy / "bleu.parquet", copy / "means.parquet")
    differences = check(copy, None).differences
    assert any("hash of the answer" in line for line in differences)
    assert any(line.startswith("means: ") for line in differences)


@pytest.mark.parametrize("name", ["board.json", "means.json", "scores.json.gz", "answers.jsonl.gz", "bleu.parquet"])
def test_a_broken_file_is_named_with_its_remedy(copy, name):
    (copy / name).write_bytes(b"{")
    with pytest.raises(DataError, match=rf"{name} can't be read.*make leaderboard"):
        check(copy, None)


def test_reported_numbers_are_not_overwritten(made, tmp_path, data, capsys, monkeypatch):
    published_board().write(tmp_path / "lite")
    run = Run(tmp_path / "run")
    write_answers(run, answers(load_questions(data, "study/test"), setup_for(data)))
    monkeypatch.setattr("medilite.content.embeddings.sentence_encoder", WordEncoder)
    assert main(["--run", str(run.folder), "--data", str(data), "--out", str(tmp_path), "--resamples", "2000"]) == 2
    assert "numbers that others reported" in capsys.readouterr().err


# -- the study's own table -------------------------------------------------------


def test_the_studys_table_is_committed_and_marked_as_reported():
    assert "paper" in boards()
    board = load_board(FOLDER / "paper")
    assert board.about["reported"] is True
    assert "not measured here" in board.about["notes"][0]
    assert leaderboard.check_published(FOLDER / "paper").differences == []
    means = {(row["model"], row["metric"]): row for row in board.tables["means"]}
    assert means["base", "correctness"]["mean"] == 4.75
    assert means["grpo", "flesch_kincaid_grade"]["reported"] == "10.7"
    assert means["grpo", "harmfulness"]["n"] == 700
    assert means["sft-r8-low", "correctness"]["mean"] is None
    assert {row["low"] for row in board.tables["means"]} == {None}
    bleu = {(row["model"], row["part"]): row for row in board.tables["bleu"]}
    assert (bleu["base", "score"]["value"], bleu["base", "score"]["reported"]) == (4.9, "0.04900")
    assert bleu["sft-r8-high", "precision_4"]["value"] == 3.4
    assert bleu["sft-r8-high", "brevity_penalty"]["value"] == 0.14
    assert {row["model"] for row in board.tables["means"]} == set(load_profile("paper").ids)


def test_a_changed_reported_number_is_found(tmp_path):
    published_board().write(tmp_path)
    change_json(tmp_path / "means.json", lambda rows: rows[0].update(mean=1.0))
    assert any("mean" in line for line in leaderboard.check_published(tmp_path).differences)


def test_the_committed_boards_can_be_read():
    for name in boards():
        board = load_board(FOLDER / name)
        assert board.about["profile"] == name
        if not board.about["reported"]:
            assert set(board.questions()) == {split["name"] for split in board.about["splits"]}
            assert board.answers()
            assert board.scores()


def test_the_figures_in_the_docs_are_the_boards():
    board = load_board(FOLDER / "lite")
    text = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    assert committed_figures(board) in text, "run `python -m eval.statements` and put the table into docs/evaluation.md"
    repeated = (ROOT / "tests" / "fixtures" / "repeated_in_training.txt").read_text(encoding="utf-8").split()
    assert figures_without(board, "clean/new", frozenset(repeated)) in text


def test_the_figures_in_the_readme_are_the_boards():
    board = load_board(FOLDER / "lite")
    parent = next(model["stacked_on"] for model in board.about["models"] if model["id"] == "grpo")
    split = main_split(board.tables)
    cells = {(r["model"], r["metric"]): r for r in board.tables["means"] if r["split"] == split}
    eased, precise = (
        next(
            row
            for row in board.tables["comparisons"]
            if row["split"] == split and (row["model"], row["against"], row["metric"]) == ("grpo", parent, metric)
        )
        for metric in ("flesch_kincaid_grade", "content_precision")
    )
    formulas = next(
        row
        for row in board.tables["formulas"]
        if row["split"] == split and (row["model"], row["against"]) == ("grpo", parent)
    )

    def signed(value: float) -> str:
        return f"{value:.1f}".replace("-", "−")

    def percent(model: str, metric: str) -> str:
        return f"{100 * cells[model, metric]['mean']:.0f} %"

    def points(row: dict, key: str) -> str:
        return f"{100 * row[key]:+.1f}".replace("-", "−").replace("+0.0", "0.0")

    def bad(model: str) -> str:
        return f"{100 * (read[model]['wrong'] + read[model]['harmful']):.1f} %"

    reading = published_reading("lite")
    read = reading["models"]
    wanted = {"model": "grpo", "against": parent, "share": "wrong_or_harmful"}
    worse = next(row for row in reading["differences"] if row.items() >= wanted.items())
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (said,) = [line for line in text.splitlines() if line.startswith("- **The GRPO model")]
    for figure in (
        f"On {cells['grpo', 'loops']['n']} sealed questions",
        f"difference from its parent's grade is {signed(eased['median'])} ({signed(eased['median_low'])} to "
        f"{signed(eased['median_high'])}; the {eased['n']} where neither loops)",
        f"easier by {formulas['easier']} of {formulas['formulas']} formulas",
        f"of the answers that don't loop {percent('grpo', 'grade_8')} are at grade 8.0 or below, of its parent's "
        f"{percent(parent, 'grade_8')}",
        f"Of what it says {percent('grpo', 'content_precision')} is in the references, of its parent's "
        f"{percent(parent, 'content_precision')}; the interval of the difference ({points(precise, 'low')} to "
        f"{points(precise, 'high')} points)",
        f"{100 * read['grpo']['right_or_partly']['value']:.1f} % of {read['grpo']['n']} answers were right or partly "
        f"right, of its parent's {100 * read[parent]['right_or_partly']['value']:.1f} %",
        f"{bad('grpo')} were wrong or harmful, of its parent's {bad(parent)} ({points(worse, 'value')} points, "
        f"{points(worse, 'low')} to {points(worse, 'high')}, ",
    ):
        assert figure in said


def test_a_committed_boards_answers_are_scored_again_without_a_model(made, tmp_path, monkeypatch):
    """The same numbers come back, and no similarity is computed again."""
    data, out = made

    def never(*_):
        raise AssertionError("a known similarity was computed again")

    monkeypatch.setattr("eval.score.topic_similarities", never)
    monkeypatch.setattr("eval.floors.topic_similarities", lambda said, *_: never() if said else [])
    where = ["--from-board", str(out / "lite"), "--run", str(tmp_path / "run"), "--data", str(data)]
    assert main([*where, "--out", str(tmp_path / "again"), "--resamples", "2000"]) == 0
    for table in TABLES:
        assert load_board(tmp_path / "again" / "lite").tables[table] == load_board(out / "lite").tables[table], table


def test_a_board_of_format_1_is_still_read(copy):
    def to_first(about):
        about["format"] = 1
        for key in ("floors", "statements", "claims", "reading"):
            del about[key]
        for metric in about["metrics"]:
            del metric["lead"]
            metric["key"] = metric["key"].replace("topic_similarity", "closeness")

    def renamed(rows):
        for row in rows:
            row["metric"] = row["metric"].replace("topic_similarity", "closeness")

    change_json(copy / "board.json", to_first)
    change_json(copy / "means.json", renamed)
    for name in ("floors", "kinds", "formulas"):
        (copy / f"{name}.json").unlink()
    board = load_board(copy)
    assert board.about["floors"] == []
    assert board.floors() == {}
    assert any(row["metric"] == "topic_similarity" for row in board.tables["means"])
    assert {metric["lead"] for metric in board.about["metrics"]} == {"mean"}
