"""The study's filter on cases small enough to count by hand, and ids that stay."""

from __future__ import annotations

import random

import pytest

from medilite.data import fold, question_key
from medilite.errors import DataError
from training.data.collection import RawPair, is_medquad, with_ids
from training.data.filtering import Filter, apply_filter


def test_each_step_is_counted():
    pairs = [
        RawPair("a ?", "short", "S", "Gout"),
        RawPair("A  ?", "short", "S", "Gout"),
        RawPair("b ?", "one two three four", "S", "Gout"),
        RawPair("c ?", "short", "S", "Rare"),
        RawPair("d ?", "short", "S", ""),
        RawPair("e ?", "short", "S", ""),
        RawPair("e ?", "short", "S", ""),
        RawPair("", "no question", "S", "Gout"),
        RawPair("f ?", "", "S", "Gout"),
        RawPair("", "", "S", "Gout"),
    ]

    filtered = apply_filter(pairs, Filter(max_answer_words=3))

    assert filtered.counts == {
        "pairs_read": 10,
        "without_question": 2,
        "without_answer": 1,
        "with_answer": 7,
        "focus_area_missing": 3,
        "distinct_questions": 6,
        "distinct_questions_case_folded": 5,
        "repeated_pairs": 1,
        "dropped_answer_too_long": 1,
        "dropped_focus_area_too_small": 1,
        "kept": 5,
        "focus_areas": 2,
    }
    assert [example.question for example in filtered.kept] == ["a ?", "A  ?", "d ?", "e ?", "e ?"]
    assert [example.focus_area for example in filtered.kept] == ["Gout", "Gout", "Others", "Others", "Others"]


def test_an_answer_of_just_the_limit_is_kept():
    at, over = " ".join(["w"] * 1500), " ".join(["w"] * 1501)

    filtered = apply_filter([RawPair("a ?", at), RawPair("b ?", at), RawPair("c ?", over)], Filter())

    assert [example.question for example in filtered.kept] == ["a ?", "b ?"]


def test_long_answers_go_before_focus_areas_are_counted():
    pairs = [
        RawPair("a ?", "w", "", "Gout"),
        RawPair("b ?", "w w w", "", "Gout"),
        RawPair("c ?", "w"),
        RawPair("d ?", "w"),
    ]

    assert [example.question for example in apply_filter(pairs, Filter(max_answer_words=2)).kept] == ["c ?", "d ?"]


def test_nothing_left_is_an_error_that_counts_and_says_how_to_loosen_it():
    pairs = [RawPair(f"{i} ?", "w", "", f"Focus {i}") for i in range(3)]

    with pytest.raises(DataError, match=r"dropped_focus_area_too_small 3.*--min-per-focus"):
        apply_filter(pairs, Filter())
    assert len(apply_filter(pairs, Filter(min_rows_per_focus_area=1)).kept) == 3


def test_folding_is_for_all_white_space_and_for_keys_case_too():
    assert fold("  a\t\nb\u00a0 c ") == "a b c"
    assert fold(None) == ""
    assert question_key(" What IS\tit ?") == question_key("what is it ?")


def test_ids_are_the_sources_own_and_told_apart_by_content_where_they_clash():
    pairs = [
        RawPair("a ?", "x", "GHR", "", "", "1-1"),
        RawPair("b ?", "x", "CDC", "", "", "1-1"),
        RawPair("c ?", "x", "CDC", "", "", "1-2"),
        RawPair("d ?", "x", "CDC", "", "", "1-2"),
        RawPair("e ?", "x", "", "", "", "7"),
        RawPair("f ?", "x"),
        RawPair("f ?", "x"),
    ]

    ids = [example.qid for example in with_ids(pairs, "Others")]

    assert ids[:2] == ["GHR/1-1", "CDC/1-1"]
    assert ids[2].startswith("CDC/1-2~")
    assert ids[3].startswith("CDC/1-2~")
    assert ids[4] == "7"
    assert ids[5].startswith("pair-")
    assert ids[6] == f"{ids[5]}#2"
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("seed", range(5))
def test_ids_do_not_depend_on_the_order_of_the_rows(seed):
    dice = random.Random(seed)
    pairs = [
        RawPair(
            f"question {i} ?", f"answer {i % 7}", dice.choice(["A", "B", ""]), "", "", dice.choice(["", "1", "2", "3"])
        )
        for i in range(60)
    ]
    ids = {(e.question, e.answer): e.qid for e in with_ids(pairs, "Others")}
    dice.shuffle(pairs)

    again = {(e.question, e.answer): e.qid for e in with_ids(pairs, "Others")}

    assert again == ids
    assert len(set(ids.values())) == 60


def test_medquads_credit_goes_with_medquads_sources():
    ghr, other = with_ids([RawPair("a ?", "x", "GHR"), RawPair("b ?", "x", "My own")], "Others")

    assert is_medquad([ghr])
    assert not is_medquad([ghr, other])
    assert not is_medquad([])
