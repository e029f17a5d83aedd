"""The study's split and the one without shared questions: sizes, strata, and what may not happen."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from medilite.data import question_key
from medilite.errors import DataError
from tests.training.data_fixtures import make_examples
from training.data.overlap import measure_overlap, overlap_sentence
from training.data.splits import SPLITS, divide, split_as_study, without_shared_questions


def random_examples(seed):
    dice = random.Random(seed)
    n = dice.randint(20, 400)
    focus_areas = [f"F{int(dice.paretovariate(0.7)) % 60}" for _ in range(n)]
    questions = [dice.choice([f"Why {dice.randrange(n // 2)} ?", f"why  {dice.randrange(n // 2)} ?"]) for _ in range(n)]
    return make_examples(focus_areas, questions)


def test_even_strata_divide_80_10_10_exactly():
    splits = split_as_study(make_examples([f"F{i % 10}" for i in range(1000)]), 42)

    assert {name: len(rows) for name, rows in splits.named().items()} == {
        "train": 800,
        "val": 100,
        "test": 100,
        "grpo": 800,
    }
    for rows in (splits.train, splits.val, splits.test):
        assert set(Counter(row.focus_area for row in rows).values()) == {len(rows) // 10}
    assert splits.notes["rows_by_division"]["rest_from_train"] == {"stratified": 1000, "at_random": 0}


def test_grpo_takes_the_rounded_share_of_a_large_training_split():
    splits = split_as_study(make_examples([f"F{i % 50}" for i in range(12_500)]), 42)

    assert len(splits.train) == 10_000
    assert splits.notes["grpo_share_of_train"] == 0.5
    assert (len(splits.grpo), splits.grpo_eval_rows) == (5_000, 100)
    assert set(Counter(row.focus_area for row in splits.grpo).values()) == {100}


@pytest.mark.parametrize("seed", range(12))
def test_splits_hold_every_row_once_and_repeat_themselves(seed):
    examples = random_examples(seed)

    study = split_as_study(examples, 42)

    assert Counter(row.qid for row in study.train + study.val + study.test) == Counter(row.qid for row in examples)
    assert {row.qid for row in study.grpo} <= {row.qid for row in study.train}
    assert len({row.qid for row in study.grpo}) == len(study.grpo)
    assert all(study.named().values())
    assert split_as_study(examples, 42) == study
    assert split_as_study(examples, 43) != study


@pytest.mark.parametrize("seed", range(12))
def test_no_question_stands_in_two_splits_of_the_distinct_set(seed):
    examples = random_examples(seed)
    study = split_as_study(examples, 42)

    distinct = without_shared_questions(study)

    asked = {name: {question_key(row.question) for row in getattr(distinct, name)} for name in SPLITS}
    assert not asked["train"] & asked["val"]
    assert not asked["train"] & asked["test"]
    assert not asked["val"] & asked["test"]
    assert asked["grpo"] <= asked["train"]
    assert Counter(row.qid for row in distinct.train + distinct.val + distinct.test) == Counter(
        row.qid for row in examples
    )


@pytest.mark.parametrize("seed", range(12))
def test_the_distinct_set_grows_from_the_studys_test_split_and_keeps_its_training_clean(seed):
    study = split_as_study(random_examples(seed), 42)

    distinct = without_shared_questions(study)

    assert distinct.test[: len(study.test)] == study.test
    assert [row for row in study.train if row in distinct.train] == distinct.train
    assert [row for row in study.grpo if row in distinct.train] == distinct.grpo
    evaluating = study.grpo[len(study.grpo) - study.grpo_eval_rows :]
    kept = [row for row in evaluating if row in distinct.train]
    assert distinct.grpo[len(distinct.grpo) - distinct.grpo_eval_rows :] == kept
    tested = {question_key(row.question) for row in study.test}
    assert not tested & {question_key(row.question) for row in distinct.train + distinct.val}


def test_a_question_goes_to_test_before_val_before_train_by_hand():
    study = split_as_study(make_examples(["F"] * 20), 42)
    shared_by_all = [study.train[0], study.val[0], study.test[0]]
    shared_with_val = [study.train[1], study.val[1]]
    renamed = {row.qid: "All ?" for row in shared_by_all} | {row.qid: "VAL  ?" for row in shared_with_val[:1]}
    renamed |= {row.qid: "val ?" for row in shared_with_val[1:]}
    examples = [
        type(row)(row.qid, renamed.get(row.qid, row.question), row.answer, row.source, row.focus_area, row.qtype)
        for row in make_examples(["F"] * 20)
    ]

    distinct = without_shared_questions(split_as_study(examples, 42))

    assert {row.qid for row in distinct.test} >= {row.qid for row in shared_by_all}
    assert {row.qid for row in distinct.val} >= {row.qid for row in shared_with_val}
    assert (len(distinct.train), len(distinct.val), len(distinct.test)) == (14, 2, 4)
    assert distinct.notes["rows_moved"] == {
        "train_to_test": 1,
        "val_to_test": 1,
        "train_to_val": 1,
        "dropped_from_grpo": 2,
    }


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.45, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(6))
def test_divide_loses_nothing_and_keeps_to_the_share(seed, share):
    dice = random.Random(seed)
    labels = [f"F{int(dice.paretovariate(0.5)) % 40}" for _ in range(dice.randint(1, 300))]

    left, taken, how = divide(range(len(labels)), labels, share, seed)

    assert sorted(left + taken) == list(range(len(labels)))
    assert how["stratified"] + how["at_random"] == len(labels)
    assert abs(len(taken) - share * len(labels)) < 2


def test_divide_puts_every_stratified_class_on_both_sides():
    labels = [label for label in "ABCDEF" for _ in range(7)] + ["alone"]

    left, taken, how = divide(range(43), labels, 0.2, 1)

    assert how == {"stratified": 42, "at_random": 1}
    assert {labels[i] for i in left} >= set("ABCDEF")
    assert {labels[i] for i in taken} >= set("ABCDEF")


def test_divide_halves_at_random_what_stands_alone():
    labels = ["pair"] * 10 + [f"alone {i}" for i in range(10)]

    _, taken, how = divide(range(20), labels, 0.5, 42)

    assert how == {"stratified": 10, "at_random": 10}
    assert sum(labels[i] == "pair" for i in taken) == 5
    assert len(taken) == 10


def test_too_few_pairs_are_an_error():
    with pytest.raises(DataError, match="19 pairs are too few"):
        split_as_study(make_examples(["F"] * 19), 42)


def test_overlap_is_counted_by_hand():
    study = split_as_study(make_examples(["F"] * 20), 42)
    first, second = study.train[0], study.test[0]
    study.test[0] = type(second)(second.qid, first.question, first.answer, "", "F", "")
    third = study.test[1]
    study.test[1] = type(third)(third.qid, study.train[1].question.upper(), third.answer, "", "F", "")

    overlap = measure_overlap(study)

    assert overlap[1] == {
        "rows_of": "test",
        "also_in": "train",
        "rows": 2,
        "question_exact": 1,
        "question_folded": 2,
        "answer_exact": 1,
    }
    assert overlap_sentence(overlap) == "1 of 2 test rows ask a question also in train (2 if case is ignored)"
