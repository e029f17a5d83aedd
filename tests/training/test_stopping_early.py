"""Runs that hold their rate: where they are evaluated, and runs that stop early from a longer run's checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from medilite.errors import ConfigError
from training.checkpoints import newest_of_another, seal
from training.command import stopped
from training.config import OptimConfig, SFTRun
from training.progress import EvaluateAt
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


@pytest.mark.model
@pytest.mark.slow
def test_a_run_that_stops_early_goes_on_from_the_whole_runs_checkpoint(
    tiny_profile: Path, tiny_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from training.sft import main

    run = SFTRun(model="sft-r8-high", loss_on="answer", loop="lean", lora={"rank": 4}, optim=HELD)  # type: ignore[arg-type]
    raw = run.model_dump(mode="json", exclude_defaults=True)
    raw |= {"base": {"profile": str(tiny_profile)}, "data": {"max_tokens": 64}}
    config = tmp_path / "sft-r8-high.yaml"
    config.write_text(yaml.safe_dump(raw))
    places = ["--config", str(config), "--data", str(tiny_data), "--runs", str(tmp_path / "runs")]

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
