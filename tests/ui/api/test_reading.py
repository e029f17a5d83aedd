"""`readability` and `leaderboard`: every figure with its n, interval and origin."""

from __future__ import annotations

import json
import shutil

import pytest

from medilite.errors import ArgumentError, DataError, RateLimitError
from medilite.leaderboard import FOLDER, load_board
from medilite.readability import measure
from medilite.settings import load_settings
from medilite.ui.api.reading import Reading
from medilite.ui.guard import VisitorLimits
from medilite.ui.guard.bodies import TEXT_CHARS, body_limit
from medilite.ui.guard.limits import Admission


def made(lite, boards=FOLDER, **given) -> Reading:
    limits = VisitorLimits(load_settings(**given), who=lambda: "1.2.3.4")
    return Reading(lite, Admission(5, limits), boards, who=lambda: "1.2.3.4")


@pytest.fixture(scope="module")
def reading(lite):
    return made(lite, readings_per_address="off")


def test_a_text_is_measured(reading):
    told = reading.readability(" Wash your hands.\x00 Drink water. ")
    assert told["scores"] == measure("Wash your hands. Drink water.").as_dict()
    assert told["recommended_grades"] == [6, 8]
    assert told["grade"]
    assert "formulas" in told["notice"]


def test_a_text_without_words_has_no_grade(reading):
    told = reading.readability("1 2 3")
    assert (told["scores"]["flesch_kincaid_grade"], told["grade"]) == (None, "No grade")


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "text=None can't be used"), (["a"], r"text=\['a'\]"), ("", "nothing to read"), ("\x00 \n", "nothing"),
     ("a" * (TEXT_CHARS + 1), "8,001 characters; at most 8,000")],
)  # fmt: skip
def test_what_can_t_be_measured_is_said(reading, text, said):
    with pytest.raises(ArgumentError, match=said):
        reading.readability(text)


def test_the_longest_text_fits_into_a_body():
    body = json.dumps({"text": "ж" * TEXT_CHARS}).encode()
    assert len(body) <= body_limit(load_settings().max_question_chars)
    assert len(body) <= body_limit(1)


def test_figures_are_those_of_the_board(reading, lite):
    told = reading.leaderboard()
    board = load_board(FOLDER / "lite")
    split = board.about["splits"][0]
    rows = [row for row in board.tables["means"]
            if (row["metric"], row["split"]) == ("flesch_kincaid_grade", split["name"])]  # fmt: skip
    assert [figure["model"] for figure in told["figures"]] == [row["model"] for row in rows] == list(lite.ids)
    for figure, row in zip(told["figures"], rows, strict=True):
        assert [figure[key] for key in ("value", "low", "high", "n", "of", "rank")] == [
            row[key] for key in ("mean", "low", "high", "n", "of", "rank")
        ]
        assert (figure["origin"], figure["reported"]) == ("measured", None)
        assert figure["low"] <= figure["value"] <= figure["high"]
        # Answers that loop have no part in a grade.
        assert 0 < figure["n"] <= figure["of"] == split["questions"]
    assert told["provenance"]["setup"]["seed"] == 42
    assert told["metric"]["better"] is None, "easier is not better"


def test_every_metric_split_and_board_that_it_lists_can_be_asked_for(reading):
    listed = reading.leaderboard()
    for board in listed["boards"]:
        for split in reading.leaderboard(listed["metric"]["metric"], board=board)["splits"]:
            for metric in reading.leaderboard(board=board)["metrics"]:
                assert reading.leaderboard(metric, split, board)["figures"] is not None
    assert len(reading.leaderboard("bleu_study")["figures"]) == 6


def test_what_others_reported_says_so_and_has_no_interval(reading):
    told = reading.leaderboard("bleu_study", board="paper")
    assert (told["origin"], told["provenance"]) == ("reported", None)
    assert "authors" in told["by"]
    figure = told["figures"][0]
    assert (figure["low"], figure["n"], figure["rank"], figure["origin"]) == (None, None, None, "reported")
    assert figure["reported"] == "0.04900"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"metric": "flesch_kincaid"}, "metric='flesch_kincaid' can't be used.*Did you mean 'flesch_kincaid_grade'"),
        ({"metric": None}, "metric=None"),
        ({"metric": ["words"]}, "metric="),
        ({"split": "../../etc"}, r"split='../../etc' can't be used: it is not one of clean/known, clean/new"),
        ({"board": "../lite"}, r"board='../lite' can't be used: it is not one of lite, paper"),
        ({"board": {"a": 1}}, "board="),
    ],
)
def test_what_isn_t_there_is_said(reading, given, said):
    with pytest.raises(ArgumentError, match=said):
        reading.leaderboard(**given)


def test_without_boards_it_says_how_to_make_one(lite, tmp_path):
    with pytest.raises(DataError, match="make leaderboard"):
        made(lite, tmp_path).leaderboard()


def test_both_are_counted_by_address(lite):
    reading = made(lite, readings_per_address="2/minute")
    reading.readability("One word.")
    reading.leaderboard()
    with pytest.raises(
        RateLimitError, match=r"had texts measured, or read the leaderboard or its votes 2 times within a minute"
    ):
        reading.readability("One word.")


def test_a_board_that_was_made_anew_is_read_anew(lite, tmp_path):
    """It was read once and for all, so programs got other figures than the page."""
    shutil.copytree(FOLDER / "lite", tmp_path / "lite")
    reading = made(lite, tmp_path, readings_per_address="off")
    before = reading.leaderboard()
    told = json.loads((tmp_path / "lite" / "board.json").read_text(encoding="utf-8"))
    (tmp_path / "lite" / "board.json").write_text(json.dumps(told | {"title": "Made anew"}), encoding="utf-8")
    assert (before["title"], reading.leaderboard()["title"]) == (told["title"], "Made anew")
