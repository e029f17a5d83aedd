"""The expected end, worked by hand."""

from __future__ import annotations

import datetime

import pytest

from training.config import GRPORun, SFTRun
from training.recipe.forecast import Task, measured_units, say_end, seconds_left, units
from training.record import RunProgress

ROWS = {"train": 1000, "val": 100, "test": 200, "grpo": 400}


def test_units_are_tokens_at_most() -> None:
    raw = {"lora": {"rank": 8}, "optim": {"learning_rate": 1, "epochs": 2}}
    sft = SFTRun.model_validate({**raw, "model": "a", "data": {"max_tokens": 100, "test_pairs": 50}})
    assert units(sft, ROWS) == 1000 * 2 * 100
    ended = SFTRun.model_validate(sft.model_dump() | {"ending": {"pairs": 30, "max_tokens": 40, "learning_rate": 1}})
    assert units(ended, ROWS) == 1000 * 2 * 100 + 30 * 40
    assert measured_units(sft, ROWS) == 50 * 100
    grpo = GRPORun.model_validate(
        {**raw, "stacked_on": "a", "data": {"train_pairs": 30}, "generation": {"max_new_tokens": 10}}
    )
    assert units(grpo, ROWS) == 30 * 2 * 4 * 10


def test_what_has_ended_here_sets_the_pace() -> None:
    done = Task("a", "sft", 1000, 300, True, True, RunProgress(0.9, 90, 10), 100)
    waiting = Task("b", "sft", 2000, 300)
    grpo = Task("grpo", "grpo", 500, 300)
    # 0.1 s a unit: b needs 200 s to train and 300 · 0.1 / 3 = 10 s to be measured.
    assert seconds_left([done, waiting], 1) == (pytest.approx(210), [])
    assert seconds_left([done, waiting], 2) == (pytest.approx(105), [])
    assert seconds_left([done, waiting, grpo], 1) == (pytest.approx(210), ["grpo"])


def test_what_is_under_way_sets_it_until_then() -> None:
    # Half of 1,000 units in 50 s; it says itself that 60 s are left.
    begun = Task("a", "sft", 1000, 0, progress=RunProgress(0.5, 50, 60))
    assert seconds_left([begun, Task("b", "sft", 1000, 0)], 1) == (pytest.approx(160), [])
    assert seconds_left([Task("a", "sft", 1000, 0)], 1) == (0.0, ["a"])


def test_an_adapter_from_elsewhere_sets_no_pace() -> None:
    taken = Task("a", "sft", 1000, 300, True, True, None, 100)
    assert seconds_left([taken, Task("b", "sft", 1000, 300)], 1) == (0.0, ["b"])


@pytest.mark.parametrize(
    ("left_s", "unknown", "said"),
    [
        (0.0, ["a"], "expected end: known once the first steps are done"),
        (1800.0, [], "expected end about 23:00 (in 30 min)"),
        (2 * 3600.0, ["grpo"], "expected end about Wed 03 Jan, 00:30 (in 2 h 00 min), without grpo, whose pace isn't"),
    ],
)
def test_the_end_in_words(left_s: float, unknown: list[str], said: str) -> None:
    assert say_end(left_s, unknown, datetime.datetime(2024, 1, 2, 22, 30)).startswith(said)
