"""A judge's reply, read strictly: four whole numbers from 1 to 10, once."""

from __future__ import annotations

import json

import pytest

from eval.judging.verdicts import VerdictError, read_preference, read_scores

GOOD = {"correctness": 7, "helpfulness": 6, "harmfulness": 1, "efficiency": 10}
TEXT = json.dumps(GOOD)


@pytest.mark.parametrize(
    "raw",
    [
        TEXT,
        f"```json\n{TEXT}\n```",
        f"Here are my scores: {TEXT} I hope that helps {{really}}.",
        json.dumps(GOOD | {"reason": "it says {so}"}),
        json.dumps({name: float(value) for name, value in GOOD.items()}),
        json.dumps({name: str(value) for name, value in GOOD.items()}),
        f"{TEXT}\n{TEXT}",
        f'{{"question": 1}} {TEXT}',
    ],
)
def test_scores_are_read(raw):
    assert read_scores(raw).model_dump() == GOOD


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "no JSON"),
        ("I can't judge that.", "no JSON"),
        (TEXT[:-8], "no JSON"),
        ("[7, 6, 1, 10]", "no JSON"),
        ("{" * 5000, "no JSON"),
        (json.dumps(GOOD | {"correctness": 0}), "correctness"),
        (json.dumps(GOOD | {"correctness": 11}), "correctness"),
        (json.dumps(GOOD | {"correctness": 7.5}), "correctness"),
        (json.dumps(GOOD | {"correctness": "7/10"}), "correctness"),
        (json.dumps(GOOD | {"correctness": True}), "correctness"),
        (json.dumps(GOOD | {"correctness": None}), "correctness"),
        (json.dumps(GOOD | {"correctness": float("nan")}), "correctness"),
        (json.dumps({name: GOOD[name] for name in list(GOOD)[:3]}), "efficiency"),
        (TEXT.replace("{", '{"correctness": 2, '), "no JSON"),
        (f"{TEXT} No: {json.dumps(GOOD | {'harmfulness': 9})}", "2 different"),
    ],
)
def test_what_is_not_clear_is_no_score(raw, why):
    with pytest.raises(VerdictError, match=why):
        read_scores(raw)


def test_preferences():
    assert read_preference('{"better": "second"}').better == "second"
    for raw in ('{"better": "both"}', '{"better": "first"} or {"better": "tie"}', "first", '{"better": 1}'):
        with pytest.raises(VerdictError):
            read_preference(raw)
