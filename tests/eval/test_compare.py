"""Models compared question by question, by slice, and in the quarters of ease against content."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from eval import between
from eval.compare import compare, main, pairs_of
from eval.metrics.catalogue import FORMULAS
from eval.run import Run
from eval.scores import About, Row, SplitScores, arrange, questions_as_columns, write_lines
from eval.slices import slices
from eval.statements import over_seeds
from eval.trade import QUARTERS, trade
from medilite.models import PROFILES_DIR, ROOT

MODELS = ("base", "sft", "grpo")
STACKED = {"base": None, "sft": None, "grpo": "sft", "empty": None}


def abouts(count: int) -> list[About]:
    return [About(f"q{i}", "AB"[i >= 25], ("symptoms", "causes")[i % 2], 1, 10.0 * i) for i in range(count)]


def scores_of(values: dict[str, np.ndarray], count: int, models=MODELS) -> SplitScores:
    """Return scores from (questions, models) arrays; every BLEU count is the same for all."""
    counts = np.tile(np.array([10.0, 12, 6, 4, 3, 2, 10, 9, 8, 7]), (count, len(models), 1))
    return SplitScores("study/test", tuple(abouts(count)), models, values, {"bleu": counts, "bleu_study": counts})


def row_of(rows, **wanted):
    (found,) = [row for row in rows if wanted.items() <= row.items()]
    return found


@pytest.fixture(scope="module")
def tables():
    random = np.random.default_rng(0)
    base = random.normal(12, 2, 60)
    grade = np.column_stack([base, base - 1 + random.normal(0, 0.5, 60), base - 3 + random.normal(0, 0.5, 60)])
    close = np.column_stack([random.normal(0.5, 0.1, 60)] * 3)
    words = np.column_stack([random.normal(100, 5, 60)] * 2 + [np.full(60, np.nan)])
    values = dict.fromkeys(FORMULAS[:4], grade) | {"gunning_fog": -grade, "loops": np.zeros((60, 3))}
    values |= {"topic_similarity": close, "content_recall": close + np.array([0, 0, 0.2]), "content_precision": close}
    found = scores_of(values | {"words": words}, 60)
    for counts in found.bleu.values():
        counts[:, MODELS.index("grpo"), 2:6] = [8, 6, 5, 4]  # n-grams matched: 6, 4, 3, 2 of the others
    return compare(found, pairs_of(STACKED, MODELS), 2000)


def test_every_model_against_the_base_and_a_stacked_one_against_its_parent():
    assert pairs_of(STACKED, MODELS) == [("sft", "base"), ("grpo", "base"), ("grpo", "sft")]
    more = {"base": None, "other": None, "sft": None, "grpo": "sft"}
    assert pairs_of(more, tuple(more))[-2:] == [("grpo", "sft"), ("grpo", "other")]
    assert pairs_of(STACKED, ("base", "grpo")) == [("grpo", "base")]
    assert pairs_of(STACKED, ("grpo",)) == []


def test_a_difference_is_found_with_its_sign(tables):
    row = row_of(tables["comparisons"], model="grpo", against="sft", metric="flesch_kincaid_grade")
    assert row["difference"] == pytest.approx(-2, abs=0.25)
    assert row["low"] < row["difference"] < row["high"] < -1.7
    # A lower grade is better.
    assert (row["probability_better"], row["n"], row["of"]) == (1.0, 60, 60)
    assert row["median"] == pytest.approx(-2, abs=0.4)
    assert row["median_low"] < row["median"] < row["median_high"] < -1.5
    assert row["trimmed_low"] < row["trimmed"] < row["trimmed_high"] < -1.5
    assert 0 < row["p_value"] < row["p_holm"] < 0.05


@pytest.mark.parametrize(("metric", "difference"), [("content_recall", 0.2), ("bleu", 20.43), ("bleu_study", 20.43)])
def test_what_is_higher_is_better_where_more_is(tables, metric, difference):
    # BLEU by hand: 100 exp(1 - 12/10) (8·6·5·4 / 10·9·8·7)^(1/4), less the same with 6·4·3·2.
    row = row_of(tables["comparisons"], model="grpo", against="sft", metric=metric)
    assert row["difference"] == pytest.approx(difference, abs=0.01)
    assert 0 < row["low"] <= row["difference"] <= row["high"]
    assert row["probability_better"] == 1.0


def test_easier_is_said_by_how_many_formulas(tables):
    row = row_of(tables["formulas"], model="sft", against="base")
    assert (row["formulas"], row["easier"], row["harder"], row["verdict"]) == (5, 4, 1, "easier")
    assert row["harder_by"] == "gunning_fog"
    assert (row["n"], row["loops_left_out"]) == (60, 0)


def test_answers_that_loop_have_no_grade_and_keep_their_content():
    rows = [
        Row(
            "study/test",
            f"q{i}",
            "base",
            "h",
            {"loops": float(i == 1), "flesch_kincaid_grade": 9.0, "rouge_l": 0.5},
            {},
        )
        for i in range(3)
    ]
    found = arrange("study/test", abouts(3), ("base",), ("loops", "flesch_kincaid_grade", "rouge_l"), rows)
    assert np.isnan(found.column("flesch_kincaid_grade", "base")).tolist() == [False, True, False]
    assert found.column("rouge_l", "base").tolist() == [0.5, 0.5, 0.5]


def test_equal_answers_differ_by_nothing(tables):
    for metric in ("topic_similarity", "bleu", "bleu_study"):
        row = row_of(tables["comparisons"], model="sft", against="base", metric=metric)
        assert (row["difference"], row["low"], row["high"]) == (0, 0, 0)
        assert (row["probability_better"], row["p_value"], row["p_holm"]) == (0.5, 1, 1)


def test_a_metric_without_a_better_way_and_one_without_values(tables):
    row = row_of(tables["comparisons"], model="sft", against="base", metric="words")
    assert row["difference"] == 0
    assert row["probability_better"] is None
    row = row_of(tables["comparisons"], model="grpo", against="base", metric="words")
    assert (row["n"], row["difference"], row["low"], row["p_holm"]) == (0, None, None, None)


def test_slices_are_named_and_complete(tables):
    found = {(row["dimension"], row["slice"]): row["of"] for row in tables["slices"]}
    assert found == {
        ("source", "A"): 25,
        ("source", "B"): 35,
        ("qtype", "causes"): 30,
        ("qtype", "symptoms"): 30,
    }
    row = row_of(tables["slices"], slice="A", model="grpo", against="base", metric="flesch_kincaid_grade")
    assert row["difference"] == pytest.approx(-3, abs=0.4)


def test_quarters_of_reference_length_are_about_equal():
    found = {name: int(which.sum()) for dimension, name, which in slices(abouts(90)) if dimension == "reference_words"}
    assert found == {"0–220 words": 23, "230–440 words": 22, "450–670 words": 23, "680–890 words": 22}


def test_parts_of_ease_and_content_by_hand():
    nan = np.nan
    grade = np.array([9.0, 9, 9, 11, 12, 10, nan, 9])
    recall = np.array([0.5, 0.4, 0.1, 0.5, 0.2, 0.4, 0.5, nan])
    values = {
        "flesch_kincaid_grade": np.column_stack([np.full(8, 10.0), grade]),
        "content_recall": np.column_stack([np.full(8, 0.4), recall]),
        "content_precision": np.full((8, 2), nan),
        "words": np.full((8, 2), 5.0),
    }
    quarters, easier = trade(scores_of(values, 8, ("base", "sft")), "sft", "base", 2000)
    # Six can be compared: easier with more, as much, less; harder with more and with less; no easier with as much.
    assert {row["quarter"]: row["share"] for row in quarters} == pytest.approx(dict.fromkeys(QUARTERS, 1 / 6), abs=1e-6)
    assert {(row["n"], row["left_out"], row["measure"]) for row in quarters} == {(6, 2, "content_recall")}
    assert all(0 <= row["low"] <= row["share"] <= row["high"] <= 1 for row in quarters)
    (row,) = easier
    assert row["easier"] == 3
    assert (row["grade_change"], row["change"]) == pytest.approx((-1, (0.1 + 0.0 - 0.3) / 3), abs=1e-6)


def test_the_command_compares_what_was_scored(tmp_path, lite, capsys):
    run = Run(tmp_path)
    questions = abouts(30)
    bleu = {kind: [10, 12, 6, 4, 3, 2, 10, 9, 8, 7] for kind in ("bleu", "bleu_study")}
    rows = [
        Row("study/test", about.qid, model, "h", {"flesch_kincaid_grade": grade + i / 10, "words": 5.0}, bleu)
        for i, about in enumerate(questions)
        for model, grade in (("base", 12.0), ("grpo", 9.0))
    ]
    run.scores.write_bytes(write_lines(rows))
    (tmp_path / "questions.json").write_text(json.dumps(questions_as_columns({"study/test": questions})))
    (tmp_path / "scoring.json").write_text("{}")
    assert main(["--run", str(tmp_path), "--resamples", "2000"]) == 0
    assert "grpo against base" in capsys.readouterr().out
    tables = json.loads(run.comparisons.read_text())["splits"]["study/test"]
    row = row_of(tables["comparisons"], model="grpo", metric="flesch_kincaid_grade")
    assert (row["against"], row["difference"], row["low"], row["high"]) == ("base", -3, -3, -3)

    again = arrange("study/test", questions, ("base", "grpo"), ("words", "flesch_kincaid_grade"), rows)
    assert again.column("flesch_kincaid_grade", "grpo")[:2].tolist() == [9.0, 9.1]


def test_a_broken_line_of_scores_is_named(tmp_path, capsys):
    (tmp_path / "scores.jsonl").write_text('{"split": "study/test"}\n')
    assert main(["--run", str(tmp_path)]) == 2
    assert "line 1: not a line of scores" in capsys.readouterr().err
    assert main(["--run", str(tmp_path / "none")]) == 2
    assert "Run `python -m eval.score` again" in capsys.readouterr().err


def test_too_few_resamples_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--resamples", "100"])
    assert "give 2000 or more" in capsys.readouterr().err


def write_seeds(tmp_path, splits):
    """Write a run of three seeds of two models, scored on `splits`, of which each is a grade easier than the last."""
    raw = yaml.safe_load((PROFILES_DIR / "lite.yaml").read_text())
    own = {m["id"]: m | {"adapter": m.get("adapter") and str(ROOT / m["adapter"])} for m in raw["models"]}
    models = [own["base"]]
    for mark in ("", ".seed-43", ".seed-44"):
        models.append(own["sft-r16-high"] | {"id": f"sft-r16-high{mark}"})
        models.append(own["grpo"] | {"id": f"grpo{mark}", "stacked_on": f"sft-r16-high{mark}"})
    profile = tmp_path / "seeds.yaml"
    profile.write_text(yaml.safe_dump(raw | {"name": "seeds", "models": models}))
    questions = abouts(30)
    grades = {"": (11.0, 9.0), ".seed-43": (12.0, 11.0), ".seed-44": (11.0, 8.0)}
    bleu = {kind: [10, 12, 6, 4, 3, 2, 10, 9, 8, 7] for kind in ("bleu", "bleu_study")}
    scored = {"base": 13.0} | {
        f"{model}{mark}": grade
        for mark, both in grades.items()
        for model, grade in zip(("sft-r16-high", "grpo"), both, strict=True)
    }
    rows = [
        Row(split, about.qid, model, "h", {"flesch_kincaid_grade": grade + i / 10 - down * ("grpo" in model)}, bleu)
        for down, split in enumerate(splits)
        for i, about in enumerate(questions)
        for model, grade in scored.items()
    ]
    run = Run(tmp_path)
    run.scores.write_bytes(write_lines(rows))
    (tmp_path / "questions.json").write_text(json.dumps(questions_as_columns(dict.fromkeys(splits, questions))))
    (tmp_path / "scoring.json").write_text("{}")
    return profile, raw


def test_runs_from_several_seeds_are_compared_with_their_own_parents(tmp_path, capsys, monkeypatch):
    profile, raw = write_seeds(tmp_path, ["clean/val"])
    command = ["--profile", str(profile), "--run", str(tmp_path), "--resamples", "2000"]
    assert between.main(command) == 0
    assert "grpo − sft-r16-high" in capsys.readouterr().out
    made = json.loads((tmp_path / "between.json").read_text())
    assert set(made["adapters"]) == {"grpo", "grpo.seed-43", "grpo.seed-44"} | {
        f"sft-r16-high{mark}" for mark in ("", ".seed-43", ".seed-44")
    }
    assert made["statements"]["grpo"] == (
        "From other seeds the same training gives other results: its median grade differs from SFT r16 high’s by −2.0, "
        "theirs by −1.0 and −3.0 (30 validation questions on which none of them loops). Over questions and runs that "
        "is −2.0 (−3.0 to −1.0), which a change of seed alone does not explain; this one was chosen for its result."
    )
    assert made["statements"]["sft-r16-high"].endswith("a change of seed alone does not explain."), "it was not chosen"
    by_chance = {
        "each": [-2.0, 0.04, -0.5],
        "difference": -0.82,
        "low": -2.0,
        "high": 0.0,
        "n": 9,
        "split": "clean/val",
    }
    assert "−2.0, theirs by 0.0 and −0.5 (9 validation questions" in (said := over_seeds(by_chance, "SFT", chosen=True))
    assert "(−2.0 to 0.0), which a change of seed alone may explain" in said
    rows = made["rows"]
    row = row_of(rows, model="grpo", metric="flesch_kincaid_grade")
    assert (row["each"], row["difference"], row["sd"]) == ([-2, -1, -3], -2, 1)
    # All three runs the same one of them, at the ends: 1 in 27 resamples each.
    assert (row["low"], row["high"], row["n"], row["runs"]) == (-3, -1, 30, 3)
    monkeypatch.setattr(between, "FOLDER", tmp_path / "boards")
    assert between.main([*command, "--board", "light"]) == 2
    assert "no board has that name. There are: lite" in capsys.readouterr().err
    (tmp_path / "boards" / "lite").mkdir(parents=True)
    (tmp_path / "boards" / "lite" / "board.json").write_text("{}")
    assert between.main([*command, "--board", "lite"]) == 0
    assert json.loads((tmp_path / "boards" / "lite" / "between.json").read_text())["rows"] == rows
    profile.write_text(yaml.safe_dump(raw))
    assert between.main(command) == 2
    assert "--seeds 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("splits", "said"),
    [(["clean/val", "clean/new"], "−2.0"), (["clean/new", "clean/known"], "−3.0")],
)
def test_what_other_seeds_gave_is_said_of_the_split_that_statements_are_of(tmp_path, splits, said):
    profile, _ = write_seeds(tmp_path, splits)
    assert between.main(["--profile", str(profile), "--run", str(tmp_path), "--resamples", "2000"]) == 0
    made = json.loads((tmp_path / "between.json").read_text())
    assert {row["split"] for row in made["rows"]} == set(splits)
    assert f"differs from SFT r16 high’s by {said}," in made["statements"]["grpo"]
