"""Runs that hold their rate, runs that stop early from a longer one's checkpoints, and runs with an ending."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from medilite.checkpoints import WEIGHTS_FILE
from medilite.errors import ConfigError
from training.checkpoints import newest_of_another, seal
from training.command import stopped
from training.config import OptimConfig, SFTRun, load_config
from training.progress import EvaluateAt
from training.record import Stopwatch
from training.stage import schedule_arguments

HELD = OptimConfig(
    learning_rate=0.01, epochs=1, batch_size=4, accumulation_steps=1, warmup_steps=1,
    schedule="warmup_stable_decay", eval_at_pairs=(8,), save_every=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("pairs", "stop", "epochs", "steps", "falling"),
    [(100, None, 1, 25, 5), (101, None, 1, 26, 5), (100, None, 2, 50, 10), (100, 40, 1, 10, 2), (100, 41, 1, 11, 2)],
)
def test_steps_of_a_run(pairs: int, stop: int | None, epochs: int, steps: int, falling: int) -> None:
    optim = HELD.model_copy(update={"stop_at_pairs": stop, "epochs": epochs})
    assert (optim.steps(pairs), optim.decay_steps(pairs)) == (steps, falling)
    given = schedule_arguments(optim, pairs)
    assert given["max_steps"] == steps
    assert given["lr_scheduler_kwargs"] == {"num_decay_steps": falling, "decay_type": "linear"}


def test_other_schedules_get_no_arguments_and_cannot_stop_early() -> None:
    linear = OptimConfig(learning_rate=0.01)
    assert schedule_arguments(linear, 100) == {}
    with pytest.raises(
        ConfigError, match=r"--stop-at-pairs 40: .*needs schedule: warmup_stable_decay \(got 'linear'\)"
    ):
        stopped(linear, 40)
    assert stopped(HELD, 40).stop_at_pairs == 40


def test_evaluations_are_asked_for_after_so_many_pairs_and_at_the_end() -> None:
    callback = EvaluateAt((1000, 2000), pairs_a_step=16, save_every=50)
    asked = []
    for step in range(1, 151):
        control = SimpleNamespace(should_evaluate=False, should_save=False)
        callback.on_step_end(None, SimpleNamespace(global_step=step, max_steps=150), control)
        asked += [(step, control.should_evaluate)] if control.should_save else []
    assert asked == [(50, False), (63, True), (100, False), (125, True), (150, True)]


def test_another_runs_checkpoints_are_read_and_never_deleted(tmp_path: Path) -> None:
    for step, whole in ((10, True), (20, True), (25, False), (30, True)):
        checkpoint = tmp_path / f"checkpoint-{step}"
        checkpoint.mkdir()
        (checkpoint / "optimizer.pt").write_text("x")
        if whole:
            seal(checkpoint)
    assert newest_of_another(tmp_path, 29) == tmp_path / "checkpoint-20"
    assert newest_of_another(tmp_path, 9) is None
    assert (tmp_path / "checkpoint-25").is_dir()


def places_of(tmp_path: Path, tiny_profile: Path, tiny_data: Path, **more: object) -> list[str]:
    """Write a run's configuration and return the command line that names it."""
    run = SFTRun(model="sft-r8-high", loss_on="answer", loop="lean", lora={"rank": 4}, optim=HELD)  # type: ignore[arg-type]
    raw = run.model_dump(mode="json", exclude_defaults=True)
    raw |= {"base": {"profile": str(tiny_profile)}, "data": {"max_tokens": 64}, **more}
    config = tmp_path / "sft-r8-high.yaml"
    config.write_text(yaml.safe_dump(raw))
    return ["--config", str(config), "--data", str(tiny_data), "--runs", str(tmp_path / "runs")]


@pytest.mark.model
@pytest.mark.slow
def test_a_run_that_stops_early_goes_on_from_the_whole_runs_checkpoint(
    tiny_profile: Path, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from training.sft import main

    places = places_of(tmp_path, tiny_profile, tiny_data)
    assert main([*places, "--out", str(tmp_path / "whole")]) == 0
    capsys.readouterr()
    assert main([*places, "--out", str(tmp_path / "early"), "--stop-at-pairs", "16"]) == 0

    assert "resuming from step 3" in capsys.readouterr().err  # of four steps, the rate falls over the last
    whole, early = (json.loads((tmp_path / name / "training.json").read_text()) for name in ("whole", "early"))
    assert (whole["steps"], early["steps"]) == (6, 4)
    assert [step for step, _ in whole["curves"]["eval_loss"]] == [2, 6]
    assert [step for step, _ in early["curves"]["eval_loss"]] == [2, 4]
    assert whole["curves"]["eval_loss"][0] == early["curves"]["eval_loss"][0]
    assert whole["adapter_sha256"] != early["adapter_sha256"]


@pytest.mark.parametrize("pairs", ["0", "-1"])
def test_no_pairs_are_no_whole_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], pairs: str) -> None:
    from training.sft import main

    places = places_of(tmp_path, tmp_path / "none.yaml", tmp_path / "none")
    assert main([*places, "--stop-at-pairs", pairs]) == 2
    assert f"--stop-at-pairs {pairs}: Input should be greater than or equal to 1" in capsys.readouterr().err


@pytest.mark.model
@pytest.mark.slow
def test_a_kill_while_an_adapter_is_kept_leaves_no_gap_among_the_saves(
    tiny_profile: Path, tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file

    from training import progress
    from training.sft import main

    optim = HELD.model_copy(update={"keep_saves": True}).model_dump(mode="json", exclude_defaults=True)
    places = [*places_of(tmp_path, tiny_profile, tiny_data, optim=optim), "--out", str(tmp_path / "out")]
    keep = progress.keep_adapter

    def killed(checkpoint: Path) -> None:
        keep(checkpoint)
        if checkpoint.name == "checkpoint-3":
            (checkpoint.parent / "saves" / "step-003" / WEIGHTS_FILE).write_bytes(b"cut")
            raise KeyboardInterrupt

    monkeypatch.setattr(progress, "keep_adapter", killed)
    with pytest.raises(KeyboardInterrupt):
        main(places)
    monkeypatch.setattr(progress, "keep_adapter", keep)
    assert main(places) == 0
    assert json.loads((tmp_path / "out" / "training.json").read_text())["saves"] == [1, 2, 3, 4, 5, 6]
    weights = [load_file(folder / WEIGHTS_FILE) for folder in sorted((tmp_path / "out" / "saves").iterdir())]
    assert len(weights) == 6


@pytest.mark.model
@pytest.mark.slow
def test_an_ending_goes_on_from_the_first_stage_which_is_trained_once(
    tiny_profile: Path,
    tiny_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from training.sft import main

    begun = []

    class Noted(Stopwatch):
        def __init__(self, folder: Path) -> None:
            begun.append(any(tmp_path.glob("runs/tiny/sft-r8-high/*/adapter/training.json")))
            super().__init__(folder)

    monkeypatch.setattr("training.sft.Stopwatch", Noted)

    def ended(out: str, **ending: float) -> dict[str, Any]:
        places = places_of(
            tmp_path, tiny_profile, tiny_data, ending={"max_tokens": 64, "learning_rate": 0.002, **ending}
        )
        assert main([*places, "--out", str(tmp_path / out)]) == 0
        return json.loads((tmp_path / out / "training.json").read_text())

    one = ended("one", pairs=8)
    first = json.loads(next(tmp_path.glob("runs/tiny/sft-r8-high/*/adapter/training.json")).read_text())
    assert (first["steps"], one["steps"], one["train_pairs"]) == (6, 8, first["train_pairs"])
    assert one["before_ending"]["adapter_sha256"] == first["adapter_sha256"] != one["adapter_sha256"]
    assert one["ending"]["pairs"] == 8
    assert one["ending"]["tokens"] <= 8 * 64
    # The curve goes on, and its last point is what the record calls the loss of this adapter.
    losses = one["curves"]["eval_loss"]
    assert losses[:-1] == first["curves"]["eval_loss"]
    assert losses[-1] == [8, pytest.approx(one["best_val_loss"], abs=1e-5)]
    assert "ending" not in first
    assert one["duration_s"] > first["duration_s"]
    assert begun == [True], "its clock starts when the first stage is done, whose time is added"
    capsys.readouterr()

    other = ended("other", pairs=4)
    # Nothing of the first stage, whose six steps are numbered so.
    assert " of 6 " not in capsys.readouterr().err
    assert other["before_ending"] == one["before_ending"]
    assert other["steps"] == 7
    # Too short for any pair; and a run that stops early has no ending.
    none = places_of(tmp_path, tiny_profile, tiny_data, ending={"pairs": 8, "max_tokens": 32, "learning_rate": 0.002})
    assert main([*none, "--out", str(tmp_path / "none")]) == 2
    assert "no training pair whose answer is prose has at most 32 tokens" in capsys.readouterr().err
    places = places_of(tmp_path, tiny_profile, tiny_data, ending={"pairs": 8, "max_tokens": 64, "learning_rate": 0.002})
    assert main([*places, "--out", str(tmp_path / "early"), "--stop-at-pairs", "16"]) == 0
    assert json.loads((tmp_path / "early" / "training.json").read_text())["steps"] == 4


def test_what_an_ending_cannot_be_is_said(tmp_path: Path) -> None:
    raw = {"model": "sft-a", "lora": {"rank": 4}, "optim": {"learning_rate": 1}}
    ending = {"pairs": 8, "max_tokens": 48, "learning_rate": 1}
    config = tmp_path / "sft-a.yaml"
    for told, said in (
        ({**raw, "ending": {**ending, "warmup_step": 3}}, "unknown key 'ending.warmup_step'.*warmup_steps"),
        ({**raw, "ending": ending, "optim": {"learning_rate": 1, "keep_saves": True}}, "keep_saves can't be used"),
    ):
        config.write_text(yaml.safe_dump(told))
        with pytest.raises(ConfigError, match=said):
            load_config(config, SFTRun)
