"""A run that starts from a committed board: takes over what is unchanged, and asks anew who has another adapter."""

from __future__ import annotations

import dataclasses

import pytest

from eval.answers import read_answers
from eval.committed import take_over
from eval.generate import Plan, generate
from eval.leaderboard import main
from eval.questions import load_questions
from eval.run import Run
from medilite.errors import DataError
from medilite.leaderboard import FOLDER
from medilite.provenance import adapter_sha256, base_name, precision_name
from medilite.settings import load_settings
from tests.eval.boards import MODELS, WordEncoder, answers, setup_for, write_answers
from tests.support.fakes import ScriptedEngine

SESSION = {"commit": "c0ffee", "answers": 90, "duration_s": 1.0}


@pytest.fixture(scope="module")
def setup(lite, data):
    settings = load_settings()
    return setup_for(data, base=base_name(lite, settings.weights), precision=precision_name(settings))


@pytest.fixture(scope="module")
def adapters(lite):
    return {model: adapter_sha256(lite, model) for model in MODELS}


@pytest.fixture(scope="module")
def board(data, setup, adapters, tmp_path_factory):
    """The folder of a board whose answers are those of this checkout's adapters, but for GRPO's."""
    home = tmp_path_factory.mktemp("committed")
    run = Run(home / "run")
    lines = answers(load_questions(data, "study/test"), setup)
    lines = [
        line if line.model == "grpo" else dataclasses.replace(line, adapter=adapters[line.model]) for line in lines
    ]
    write_answers(run, lines)
    run.write_sessions([SESSION])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medilite.content.embeddings.sentence_encoder", WordEncoder)
        where = ["--run", str(run.folder), "--data", str(data), "--out", str(home / "out"), "--resamples", "2000"]
        assert main(where) == 0
    return home / "out" / "lite"


def test_a_run_asks_only_the_model_whose_adapter_is_another(lite, data, setup, adapters, board, tmp_path, capsys):
    run, engine = Run(tmp_path / "run"), ScriptedEngine(lite, scripts={"grpo": "Rest."})
    count = len(load_questions(data, "study/test"))
    plan = Plan(lite, data, ("study/test",), MODELS, run, setup.decoding, board=board)
    assert generate(plan, load_settings(), engine) == (count * len(MODELS), 0)
    assert {request.model for call in engine.requests for request in call} == {"grpo"}
    said = capsys.readouterr().err
    assert f"{2 * count} answers taken over" in said
    assert "answered again, by other adapters: grpo" in said
    lines = read_answers(run.answers).answers
    assert {line.adapter for line in lines} == set(adapters.values())
    assert {line.commit for line in lines if line.model != "grpo"} == {"c0ffee"}
    first, second = run.sessions()
    assert first == {**SESSION, "kept": 2 * count}
    assert (second["answers"], second.get("kept")) == (count, None)

    # Asked once more, there is nothing left to take over or to answer.
    assert generate(plan, load_settings(), ScriptedEngine(lite)) == (count * len(MODELS), 0)
    assert len(run.sessions()) == 2


def test_nothing_is_taken_over_from_another_precision(setup, adapters, board):
    with pytest.raises(DataError, match=r"another precision \([\w, ]+, not bfloat16\).*without --from-board"):
        take_over(board, dataclasses.replace(setup, precision="bfloat16"), adapters, [])


def test_nothing_is_taken_over_from_what_others_reported(setup, adapters):
    with pytest.raises(DataError, match="others reported"):
        take_over(FOLDER / "paper", setup, adapters, [])
