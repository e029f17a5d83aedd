"""The time to the first token beside a bare import: what is timed, what is told, and what goes wrong."""

from __future__ import annotations

import json
import math

import pytest

from bench import coldstart
from bench.coldstart import in_numbers, main
from medilite.errors import EngineError
from medilite.provenance import precision_name
from medilite.settings import load_settings


def test_over_what_is_allowed_by_hand():
    """Imports of 2 and 4 s allow 4 and 7 s; 1 s and 7 s are a quarter and all of that, half by the geometric mean."""
    found = in_numbers([1.0, 7.0], [2.0, 4.0])
    assert found["n"] == 2
    assert found["over_allowed"]["mean"] == pytest.approx(0.5)
    assert found["first_token_s"]["median"] == 4.0
    assert (found["import_s"]["min"], found["import_s"]["max"]) == (2.0, 4.0)
    assert in_numbers([math.pi], [2.0])["over_allowed"]["low"] is None


def test_a_question_that_gets_no_token_is_an_error_that_says_why(monkeypatch):
    monkeypatch.setattr(coldstart, "QUESTION", "?")
    with pytest.raises(EngineError, match=r"ended without a token.*question"):
        coldstart.first_token_s("base", None)


def test_an_error_is_a_message_and_exit_code_2(capsys):
    # One model is timed: "all" and two of them are no model's name.
    for wrong in ("nobody", "all", "base,grpo"):
        assert main(["--model", wrong]) == 2
        assert wrong in capsys.readouterr().err


@pytest.mark.model
def test_a_real_first_token(weights, tmp_path, capsys):
    file = tmp_path / "cold.json"
    assert main(["--model", "base", "--runs", "1", "--json", str(file)]) == 0
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["n"] == 1
    assert found["first_token_s"]["median"] > 0
    assert found["over_allowed"]["mean"] == pytest.approx(
        found["first_token_s"]["median"] / (1.5 * found["import_s"]["median"] + 1)
    )
    assert found["precision"] == precision_name(load_settings())
    assert "n = 1" in capsys.readouterr().out
