"""The blind reading: sheets without names, labels joined, agreement by hand, and what is published."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest

from eval.answers import SavedAnswer
from eval.intervals import mean_intervals
from eval.questions import Question, load_questions, text_hash
from eval.reading.__main__ import main
from eval.reading.agreement import LEAST_AUC, agreement, auc, auc_rows, aucs, by_model, clusters, differences, kappa
from eval.reading.labels import (
    FOLDER,
    LABELS,
    READERS,
    Read,
    Reading,
    folder_of,
    joined,
    load,
    published_reading,
    read_labels,
    reading_of,
    write,
)
from eval.reading.marks import source_mark_rows
from eval.reading.sheets import distinct_sentences, entries, key_lines, sheet, sheet_sentences
from eval.run import Run
from medilite.errors import DataError
from tests.eval.boards import answers as made_answers
from tests.eval.boards import setup_for, write_answers

QUESTIONS = [
    Question(f"q/{i}", f"What is disease {i} ?", (f"Disease {i} hurts.",), (f"q/{i}",), "GHR", "information")
    for i in range(5)
]
MODELS = ("base", "grpo", "sft-r16-low")


@pytest.fixture
def answers(data) -> dict[tuple[str, str], SavedAnswer]:
    setup = setup_for(data)
    return {
        (q.qid, model): SavedAnswer(
            q.qid, "h", model, f"It hurts {i}. It hurts {i}. See Dr. Who.", 9, "end", setup, None
        )
        for q in QUESTIONS
        for i, model in enumerate(MODELS)
    }


def test_sheets_have_everything_but_names_in_an_order_of_their_own(answers):
    some = entries(QUESTIONS, MODELS)
    assert sorted((one.qid, one.model) for one in some) == sorted(answers)
    text = "\n".join(sheet(some, {q.qid: q for q in QUESTIONS}, answers))
    assert not any(model in text for model in MODELS)
    assert "1. It hurts 0. (said 2 times)" in text
    assert "Reference 1: Disease 3 hurts." in text
    orders = {tuple(one.model for one in some if one.qid == q.qid) for q in QUESTIONS}
    assert len(orders) > 1
    assert [json.loads(line)["id"] for line in key_lines(some).splitlines()] == [one.id for one in some]
    said = sheet_sentences(text)
    assert set(said) == {one.id for one in some}
    for one in some:
        assert said[one.id] == tuple(distinct_sentences(answers[one.qid, one.model].text))


def test_the_apps_marks_are_counted_by_hand(data):
    gene, vision = "Mutations in the MYO7A gene cause Usher syndrome.", "It affects hearing and vision in childhood."
    invented = "Acupuncture sessions and wolfsbane ointment quickly relieve swollen ankles."
    wrong = "Mutations in the BRCA1 gene cause it."
    question = Question("q", "What is Usher syndrome?", (f"{gene} {vision}",), ("q",), "GHR", "information")
    text = f"{wrong} {invented} {vision} {invented}"
    saved = SavedAnswer("q", "h", "base", text, 9, "end", setup_for(data), None)
    readers = {"1": Reading("wrong", (1,), (2,)), "2": Reading("wrong", (1,), ())}
    read = [Read("q01-a", "q", "base", "h", (wrong, invented, vision), readers)]
    found = source_mark_rows(read, {("q", "base"): saved}, {"q": question})
    counts = {
        verdict: [(row[key]["hits"], row[key]["n"]) for key in ("by_both", "by_one", "recall")]
        for verdict, row in found["all"].items()
    }
    assert counts == {
        "at_odds": [(1, 1), (1, 1), (1, 1)],
        "not_found": [(0, 1), (1, 1), (0, 1)],
        "found": [(1, 1), (1, 1), (1, 1)],
    }
    assert found["choosing"]["found"]["sentences"] + found["reporting"]["found"]["sentences"] == 3


def test_labels_are_read_strictly(tmp_path):
    path = tmp_path / "labels.jsonl"
    good = {"id": "a", "label": "partly", "false": [1], "unsupported": [2]}

    def written(*rows: dict) -> dict:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return read_labels(path, ["a"])

    assert written(good) == {"a": Reading("partly", (1,), (2,))}
    for bad in ({"label": "fine"}, {"unsupported": [1]}, {"false": ["x"]}):
        with pytest.raises(DataError, match="line 1"):
            written(good | bad)
    with pytest.raises(DataError, match="read twice"):
        written(good, good)
    written(good)
    with pytest.raises(DataError, match="lack a label"):
        read_labels(path, ["a", "b"])


def test_what_is_published_comes_back(answers, tmp_path):
    some = entries(QUESTIONS, MODELS)
    labels = {one.id: Reading("right", (), (1,)) for one in some}
    said = {one.id: ("It hurts.",) for one in some}
    read = joined(some, answers, said, dict.fromkeys(READERS, labels))
    write(tmp_path, read, list(answers.values()))
    again, back = load(tmp_path)
    assert (again, back) == (read, answers)
    assert not any(q.references[0] in (tmp_path / "reading.jsonl").read_text() for q in QUESTIONS)


@pytest.fixture
def sheets_of(data, tmp_path, monkeypatch, capsys):
    """A function that runs a command of eval.reading on a small run; it returns the exit code and what was said."""
    run = Run(tmp_path / "run")
    questions = load_questions(data, "study/test")
    write_answers(run, made_answers(questions, setup_for(data)))
    folder = tmp_path / "sheets"

    def called(command: str, *more: str) -> tuple[int, str]:
        options = ["--data", str(data), "--split", "study/test", "--run", str(run.folder)]
        options += ["--out", str(folder)] if command == "sheets" else ["--out", str(tmp_path / "published")]
        options += ["--sheets", str(folder)] if command == "join" else []
        return main([command, *options, *more]), capsys.readouterr().err

    return run, folder, called


def test_what_is_missing_for_a_reading_is_named_with_its_remedy(sheets_of):
    _, folder, called = sheets_of
    code, said = called("join")
    assert (code, "key.jsonl" in said, "eval.reading sheets" in said) == (2, True, True)
    assert called("sheets")[0] == 0
    code, said = called("join")
    assert (code, "labels-1.jsonl" in said, "guide.md" in said) == (2, True, True)
    ids = [json.loads(line)["id"] for line in (folder / "key.jsonl").read_text().splitlines()]
    label = {"label": "right", "false": [], "unsupported": []}
    for reader in READERS:
        lines = "".join(json.dumps({"id": name, **label}) + "\n" for name in ids)
        (folder / f"labels-{reader}.jsonl").write_text(lines)
    assert called("join") == (0, "")
    code, said = called("agreement", "--split", "study/val")
    assert (code, "study/val lacks" in said, "--split" in said) == (2, True, True)
    (folder / "sheet-1.md").unlink()
    code, said = called("join")
    assert (code, "No sheet has the answer q01-" in said) == (2, True)
    (folder / "key.jsonl").write_text('{"id": 1}\n')
    assert called("join")[0] == 2


def test_a_run_that_lacks_answers_makes_no_sheets(sheets_of):
    run, _, called = sheets_of
    lines = run.answers.read_text().splitlines(keepends=True)
    missing = json.loads(lines.pop(1))
    run.answers.write_text("".join(lines))
    code, said = called("sheets")
    assert code == 2
    assert f"{missing['model']} has no answer to {missing['qid']}" in said
    assert "eval.generate" in said
    code, said = called("sheets", "--split", "study/val")
    assert (code, "study/val lacks" in said) == (2, True)
    run.answers.unlink()
    code, said = called("sheets")
    assert (code, "has no answers" in said) == (2, True)


def test_as_many_models_are_read_as_there_are_letters():
    models = [f"model-{i}" for i in range(27)]
    assert len({one.id for one in entries(QUESTIONS, models[:26])}) == 26 * len(QUESTIONS)
    with pytest.raises(DataError, match="27 models, and letters for 26"):
        entries(QUESTIONS, models)


def test_kappa_by_hand():
    # 6 of 10 the same; by chance 0.5·0.5 + 0.5·0.5.
    assert kappa(list("aaaaabbbbb"), list("aaabbaabbb")) == pytest.approx((0.6 - 0.5) / 0.5)
    assert kappa(list("abc"), list("abc")) == 1
    assert all(np.isnan(kappa(["a"] * n, ["a"] * n)) for n in (1, 7, 100, 240)), "unanimous, with one label alone"


def test_kappa_and_auc_are_scikit_learns():
    from sklearn.metrics import cohen_kappa_score, roc_auc_score

    rng = np.random.default_rng(1)
    one, other = (list(rng.choice(LABELS, 50, p=(0.5, 0.2, 0.1, 0.1, 0.1))) for _ in READERS)
    assert kappa(one, other) == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)
    assert kappa(one, [LABELS[0]] * 50) == cohen_kappa_score(one, [LABELS[0]] * 50) == 0
    scores, good, weights = rng.integers(0, 9, 50).astype(float), rng.random(50) < 0.4, rng.integers(0, 4, (3, 50))
    assert auc(scores, good) == pytest.approx(roc_auc_score(good, scores), abs=1e-12)
    expected = [roc_auc_score(good, scores, sample_weight=row) for row in weights]
    assert aucs(scores, good, weights.astype(float)) == pytest.approx(expected, abs=1e-12)


def test_auc_by_hand():
    good = np.array([True, True, False, False])
    # Of four pairs three are in order, one is a tie.
    assert auc(np.array([3.0, 2.0, 2.0, 1.0]), good) == (3 + 0.5) / 4
    assert auc(np.array([1.0, 1.0, 1.0, 1.0]), good) == 0.5
    assert np.isnan(auc(np.array([1.0]), np.array([True])))


def read_of(labels: str) -> list[Read]:
    names = {"r": "right", "w": "wrong"}
    return [
        Read(f"q{i}", f"q/{i}", "base", "h", (), dict.fromkeys(READERS, Reading(names[label], (), ())))
        for i, label in enumerate(labels)
    ]


def test_a_metric_below_the_bar_is_no_measure_of_truth():
    read = read_of("rrrrwwww")
    values = {"up": list(range(8)), "down": list(range(8)), "flat": [1.0] * 8, "some": [9, None, 9, 9, 1, 1, 1, None]}
    alone = {one.qid: i for i, one in enumerate(read)}
    rows = {row["metric"]: row for row in auc_rows(read, values, {"up": "higher", "down": "lower"}, alone)}
    assert {name: row["value"] for name, row in rows.items()} == {"up": 0, "down": 1, "flat": 0.5, "some": 1}
    assert [rows[name]["measures_truth"] for name in ("down", "flat")] == [True, False]
    assert rows["some"]["n"] == 6
    assert agreement(read, alone)["kappa"]["value"] == 1


def test_questions_of_one_source_and_kind_go_together_in_every_interval():
    """Intervals are those of eval.intervals, to the digit, and where all of a cluster say the same they are wider."""
    read = read_of("rrrrwwww" * 6)
    clustered = {one.qid: i // 4 for i, one in enumerate(read)}
    expected = mean_intervals(np.array([float(i % 8 < 4) for i in range(48)])[:, None], clusters=np.arange(48) // 4)
    found = by_model(read, clustered)["base"]["right_or_partly"]
    assert found == pytest.approx({"value": 0.5, "low": expected.low[0], "high": expected.high[0]}, abs=1e-4)
    wrong = [dataclasses.replace(one, model="grpo", readers=read_of("w")[0].readers) for one in read]
    share = next(r for r in differences([*read, *wrong], [("grpo", "base")], clustered) if r["share"] == "right")
    assert (share["low"], share["high"]) == (-found["high"], -found["low"])
    assert share["p_value"] == pytest.approx(expected.p_value[0], abs=1e-4)
    alone = {one.qid: i for i, one in enumerate(read)}
    scores = {"up": [float(i // 4 % 5) for i in range(48)]}

    def widths(of):
        rows = (by_model(read, of)["base"]["right_or_partly"], auc_rows(read, scores, {}, of)[0])
        return [row["high"] - row["low"] for row in rows]

    assert all(wide > 1.2 * narrow for wide, narrow in zip(widths(clustered), widths(alone), strict=True))


def test_where_nothing_can_be_told_there_is_no_number():
    read = read_of("rrrr")
    of = {one.qid: i for i, one in enumerate(read)}
    none = {"value": None, "low": None, "high": None}
    assert agreement(read, of)["kappa"] == agreement(read, of)["kappa_right_or_partly"] == none
    assert auc_rows(read, {"words": [1.0, 2.0, 3.0, 4.0]}, {}, of) == []


def test_too_few_clusters_are_questions():
    same = [Question(f"q{i}", "?", ("a",), (f"q{i}",), "GHR", "causes") for i in range(12)]
    assert len(set(clusters(same).values())) == 12, "one cluster is too few"
    other = [Question(f"q{i}", "?", ("a",), (f"q{i}",), f"S{i // 2}", "causes") for i in range(24)]
    assert len(set(clusters(other).values())) == 12


PUBLISHED = [("lite", 60, 4), ("lite/sealed", 100, 3)]


@pytest.mark.parametrize(("name", "questions", "models"), PUBLISHED)
def test_the_published_reading_is_whole_and_its_agreement_is_that_of_its_labels(name, questions, models):
    read, answers = load(FOLDER / name)
    published = json.loads((FOLDER / name / "agreement.json").read_text(encoding="utf-8"))
    assert len(read) == questions * models
    assert len({one.qid for one in read}) == questions
    assert {(one.qid, one.model) for one in read} == set(answers)
    assert all(one.readers[reader].label in LABELS for one in read for reader in READERS)
    for one in read:
        for own in one.readers.values():
            assert set(own.false) | set(own.unsupported) <= set(range(1, len(one.sentences) + 1)), one.id
    first, second = ([one.readers[reader].label for one in read] for reader in READERS)
    assert published["kappa"]["value"] == pytest.approx(kappa(first, second), abs=1e-4)
    for model, row in published["models"].items():
        own = [one for one in read if one.model == model]
        right = np.mean([one.readers[reader].label == "right" for one in own for reader in READERS])
        assert row["right"] == pytest.approx(right, abs=1e-4)
    for row in published["auc"]:
        assert row["measures_truth"] is (row["value"] >= LEAST_AUC)
    assert "language models" in published["readers"]
    assert not re.search(r"\bhuman|\bdoctor", published["readers"])


def test_what_chooses_the_measures_of_truth_is_not_what_is_reported(tmp_path):
    def put(folder, split, right, truth):
        content = {"split": split, "answers": 1, "questions": 1, "kappa": {}, "models": {"grpo": right}, "auc": truth}
        folder.mkdir(parents=True)
        (folder / "agreement.json").write_text(json.dumps(content))

    assert published_reading("lite", tmp_path) is None
    put(tmp_path / "lite", "distinct/val", "chosen on", "decides")
    assert published_reading("lite", tmp_path)["models"] == {"grpo": "chosen on"}
    put(tmp_path / "lite" / "sealed", "clean/known", "reported", "does not decide")
    both = published_reading("lite", tmp_path)
    assert (both["models"], both["auc"]) == ({"grpo": "reported"}, "decides")
    assert (both["split"], both["metrics_read"]["split"]) == ("clean/known", "distinct/val")
    assert folder_of("lite", "clean/new", tmp_path) == tmp_path / "lite" / "sealed"
    assert folder_of("lite", "distinct/val", tmp_path) == tmp_path / "lite"


def test_a_reading_of_other_answers_is_not_said_of_a_board(tmp_path):
    read, answers = load(FOLDER / "lite/sealed")
    hashes = {key: text_hash(answer.text) for key, answer in answers.items()}
    whole = published_reading("lite")
    assert reading_of("lite", hashes) == (whole, [])
    key = next(key for key in hashes if key[1] == "grpo")
    for changed in ({**hashes, key: "another"}, {k: v for k, v in hashes.items() if k != key}):
        left, (said,) = reading_of("lite", changed)
        assert set(left["models"]) == {"base", "sft-r16-high"}
        assert left["differences"] == [], "all are GRPO's"
        assert left["auc"] == whole["auc"], "which metrics agree with readers is of the validation reading"
        assert "said of grpo: other answers were read" in said
    assert reading_of("lite", hashes, tmp_path) == (None, [])
    assert len(read) == len(hashes)


def test_the_boards_statement_on_grpo_agrees_with_the_reading():
    from medilite.leaderboard import FOLDER as BOARDS
    from medilite.leaderboard import load_board

    board = load_board(BOARDS / "lite")
    said = board.about["statements"]["grpo"]
    read = published_reading("lite")
    parent = next(model["stacked_on"] for model in board.about["models"] if model["id"] == "grpo")
    assert board.about["reading"] == read
    for model in ("grpo", parent):
        row = read["models"][model]
        assert f"{100 * row['right_or_partly']['value']:.1f} %" in said
        assert f"{100 * (row['wrong'] + row['harmful']):.1f} %" in said
    (worse,) = (row for row in read["differences"] if (row["against"], row["share"]) == (parent, "wrong_or_harmful"))
    assert f"(wrong or harmful {100 * worse['value']:+.1f} points" in said.replace("−", "-")
    assert "+0.0" not in said, "nought has no sign"
    assert "language models" in said
