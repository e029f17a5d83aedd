"""The benchmark against the study's way: the same answers by both, and a ratio that is computed right."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from bench.pace import build_parser, lines, main
from bench.speed.report import ratio, spread
from medilite.models import load_profile
from tests.eval.tiny import WANTED, write_tiny


def test_a_ratio_by_hand():
    """Twice and eight times as fast: 4 times by the geometric mean; t(1) at 97.5 % is 12.706."""
    found = ratio([2.0, 8.0], [1.0, 1.0])
    assert (found["median"], found["min"], found["max"]) == (5.0, 2.0, 8.0)
    assert found["mean"] == pytest.approx(4.0)
    reach = 12.7062 * math.log(4) / math.sqrt(2) / math.sqrt(2)
    assert math.log(found["high"]) == pytest.approx(math.log(4) + reach, rel=1e-4)
    assert math.log(found["low"]) == pytest.approx(math.log(4) - reach, rel=1e-4)
    once = ratio([7.0], [2.0])
    assert (once["mean"], once["low"], once["high"]) == (pytest.approx(3.5), None, None)
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0}


def test_the_default_is_the_studys():
    options = build_parser().parse_args([])
    assert (options.questions, options.max_new_tokens, options.split, options.rounds) == (32, 256, "study/test", 3)


def test_an_error_is_a_message_and_exit_code_2(tmp_path, capsys):
    assert main(["--models", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err


@pytest.fixture(scope="module")
def tiny(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile like lite, but tiny."""
    return write_tiny(tmp_path_factory.mktemp("tiny"), weights)


@pytest.mark.model
@pytest.mark.slow
def test_both_ways_give_the_same_answers(tiny, data, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MEDILITE_PRECISION", "float32")
    out = tmp_path / "pace.json"
    where = ["--profile", str(tiny), "--data", str(data), "--json", str(out)]
    assert main([*where, "--questions", "3", "--rounds", "2", "--max-new-tokens", "8"]) == 0
    found = json.loads(out.read_text())
    assert (found["questions"], found["answers"], found["rounds"]) == (3, 9, 2)
    assert found["models"] == list(load_profile(str(tiny)).ids) == list(WANTED)
    assert found["precision"] == {"ours": "float32", "study": "float32"}
    # Greedy in float32, adapters stacked and merged: the two ways are one function.
    assert found["same_answers"] == 1.0
    assert found["tokens"]["ours"] == found["tokens"]["study"] > 9
    assert [len(each) for each in found["seconds"].values()] == [2, 2]
    assert found["ratio"]["low"] < found["ratio"]["mean"] < found["ratio"]["high"]
    shown = capsys.readouterr().out
    assert "n = 2 rounds of 9 answers; 100% of the answers are the same" in shown
    assert shown.splitlines() == lines(found)
