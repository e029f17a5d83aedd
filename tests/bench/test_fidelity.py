"""int8 against float32: computed right, kept whole, and near each other on a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.fidelity import LOSSES, KeptLosses, differing, lines, main, relative
from bench.fidelity_losses import Pair
from eval.questions import load_questions
from tests.eval.boards import WordEncoder, write_data
from tests.eval.tiny import WANTED, write_tiny


def test_a_relative_loss_by_hand():
    """Sums 11 + 30 against 10 + 30 over 10 tokens: 4.1 against 4.0 a token, 2.5 % more."""
    found = relative(np.array([11.0, 30.0]), np.array([10.0, 30.0]), np.array([4, 6]))
    assert found["int8"] == pytest.approx(4.1)
    assert found["float32"] == pytest.approx(4.0)
    assert found["relative"] == pytest.approx(0.025)
    assert (found["n"], found["tokens"]) == (2, 10)
    assert found["low"] <= found["relative"] <= found["high"]


def test_equal_losses_differ_by_nothing():
    sums = np.array([3.0, 8.0, 5.0])
    found = relative(sums, sums, np.array([2, 4, 3]))
    assert (found["relative"], found["low"], found["high"]) == (0.0, 0.0, 0.0)


def test_losses_are_kept_as_they_come_and_half_a_line_is_forgotten(tmp_path):
    one, other = Pair("q/1", (1, 2), (3,)), Pair("q/2", (1,), (4, 5))
    file = tmp_path / "run" / LOSSES
    kept = KeptLosses(file)
    kept.add(kept.key("grpo", "abc", "int8", one), 1.25)
    with file.open("a") as half:
        half.write('["grpo", "abc", "int8", "q/2", "2", 7')
    again = KeptLosses(file)
    assert again.found == {kept.key("grpo", "abc", "int8", one): 1.25}
    again.add(again.key("grpo", "abc", "int8", other), 2.5)
    assert len(KeptLosses(file).found) == 2
    for differs in (
        kept.key("grpo", "other", "int8", one),
        kept.key("grpo", "abc", "int8, groups of 32", one),
        kept.key("grpo", "abc", "int8", Pair("q/1", (1, 2), (4,))),
        kept.key("grpo", "abc", "int8", Pair("q/1", (1, 9), (3,))),
    ):
        assert differs not in KeptLosses(file).found


def test_answers_are_compared_question_by_question(tmp_path, monkeypatch):
    monkeypatch.setattr("medilite.content.embeddings.sentence_encoder", WordEncoder)
    questions = load_questions(write_data(tmp_path / "data", 4), "distinct/test")
    easy = ["Rest. Drink water." for _ in questions]
    hard = ["Pharmacological intervention is universally recommended." for _ in questions]
    found = differing(questions, [*hard[:1], *easy[1:]], easy)
    assert (found["n"], found["same"]) == (len(questions), len(questions) - 1)
    assert found["grade"]["difference"] > 0
    assert found["topic_similarity"]["difference"] < 0
    assert differing(questions, easy, easy)["grade"]["difference"] == 0
    # An empty answer has no grade and leaves the pair out; its topic_similarity counts.
    missing = differing(questions, ["", *easy[1:]], easy)
    assert missing["grade"]["n"] == len(questions) - 1


def test_an_error_is_a_message_and_exit_code_2(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "nothing")]) == 2
    assert "nothing" in capsys.readouterr().err


@pytest.mark.model
@pytest.mark.slow
def test_int8_is_near_float32_on_a_tiny_model(weights: Path, tmp_path, capsys):
    profile, data, out = write_tiny(tmp_path / "tiny", weights), write_data(tmp_path / "data", 6), tmp_path / "out.json"
    where = ["--profile", str(profile), "--data", str(data), "--run", str(tmp_path / "run"), "--json", str(out)]
    assert main([*where, "--questions", "5", "--only", "losses"]) == 0
    found = json.loads(out.read_text())
    assert list(found["losses"]) == list(WANTED)
    for model, one in found["losses"].items():
        assert one["n"] == 5, model
        assert one["float32"] > 1, model
        assert abs(one["relative"]) < 0.02, (model, one)
        assert one["int8"] != one["float32"], model
    # The adapters are in both: the models' losses are no more alike than their answers.
    assert len({round(one["float32"], 3) for one in found["losses"].values()}) == 3
    assert capsys.readouterr().out.splitlines() == [*lines(found)]
    written = (tmp_path / "run" / LOSSES).read_text()
    assert main([*where, "--questions", "5", "--only", "losses"]) == 0
    assert (tmp_path / "run" / LOSSES).read_text() == written, "nothing is computed twice"
