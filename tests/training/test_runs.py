"""Whole runs on a tiny random base: SFT, GRPO on top of it, and the app's engine on what they give."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from medilite.models import ROOT, load_profile
from medilite.settings import load_settings

pytestmark = [pytest.mark.model, pytest.mark.slow]

KEYS = {
    "model", "base", "stacked_on", "rank", "learning_rate", "steps", "test_loss", "base_test_loss", "test_pairs",
    "data_fingerprint", "commit", "versions", "seed", "device", "duration_s",
}  # fmt: skip


def sft_config(profile: Path, **optim: object) -> dict:
    """Return a small SFT run."""
    return {
        "model": "sft-r8-high",
        "loss_on": "answer",
        "base": {"profile": str(profile)},
        "lora": {"rank": 8},
        "data": {"max_tokens": 96},
        "optim": {
            "learning_rate": 0.01, "epochs": 2, "batch_size": 4, "accumulation_steps": 1, "warmup_steps": 2,
            "eval_every": 3, "save_every": 3, **optim,
        },
    }  # fmt: skip


def run_stage(stage: str, config: dict, folder: Path, data: Path, out: Path) -> subprocess.Popen[str]:
    """Start `python -m training.STAGE` as a person would."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{config['model']}.yaml"
    path.write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", f"training.{stage}", "--config", str(path), "--data", str(data)]
    command += ["--runs", str(folder / "runs"), "--out", str(out)]
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    """Return what a stage printed, once it has ended well."""
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output[-3000:]
    return output


@pytest.fixture(scope="module")
def sft_adapter(tiny_profile: Path, tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The adapter of an undisturbed SFT run, and what the run printed."""
    out = tiny_profile.parent / "adapters" / "sft-r8-high"
    printed = finish(run_stage("sft", sft_config(tiny_profile), tmp_path_factory.mktemp("sft"), tiny_data, out))
    return out, printed


def test_sft_learns_shows_progress_and_tells_what_it_did(sft_adapter: tuple[Path, str]) -> None:
    out, printed = sft_adapter
    record = json.loads((out / "training.json").read_text())
    assert record.keys() >= KEYS
    assert record["test_loss"] < record["base_test_loss"]
    assert record["test_loss_minus_base_interval"][1] < 0
    assert (record["rank"], record["steps"], record["test_pairs"]) == (8, 12, 8)
    assert record["curves"]["eval_loss"][-1][1] < record["curves"]["eval_loss"][0][1]
    assert "s left, ends" in printed
    assert json.loads((out / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"


def test_a_killed_run_goes_on_and_ends_as_the_undisturbed_one(
    sft_adapter: tuple[Path, str], tiny_profile: Path, tiny_data: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    out = tmp_path / "adapter"
    process = run_stage("sft", sft_config(tiny_profile), tmp_path / "work", tiny_data, out)
    checkpoints = tmp_path / "work" / "runs"
    deadline = time.monotonic() + 120
    while not list(checkpoints.rglob("checkpoint-*/trainer_state.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (out / "training.json").exists()
    printed = finish(run_stage("sft", sft_config(tiny_profile), tmp_path / "work", tiny_data, out))
    assert "going on from step" in printed
    undisturbed, resumed = (load_file(folder / "adapter_model.safetensors") for folder in (sft_adapter[0], out))
    for name, tensor in undisturbed.items():
        torch.testing.assert_close(resumed[name], tensor, rtol=1e-4, atol=1e-6)


def test_grpo_trains_on_top_of_sft_and_the_engine_stacks_it(
    sft_adapter: tuple[Path, str], tiny_profile: Path, tiny_data: Path, tmp_path: Path
) -> None:
    from medilite.engine.local import LocalEngine

    out = tiny_profile.parent / "adapters" / "grpo"
    config = {
        "model": "grpo",
        "stacked_on": "sft-r8-high",
        "base": {"profile": str(tiny_profile)},
        "lora": {"rank": 8},
        "data": {"max_tokens": 96},
        "optim": {
            "learning_rate": 0.01, "epochs": 1, "batch_size": 8, "accumulation_steps": 1, "warmup_steps": 1,
            "eval_every": 2, "save_every": 2,
        },
        "generation": {"num_generations": 4, "max_new_tokens": 12},
        "rewards": {"closeness": 1, "key_terms": 1, "echo": 1, "ending": 1},
    }  # fmt: skip
    printed = finish(run_stage("grpo", config, tmp_path / "work", tiny_data, out))
    record = json.loads((out / "training.json").read_text())
    assert record.keys() >= KEYS
    assert record["stacked_on"] == "sft-r8-high"
    assert record["steps"] == 6
    assert {"reward", "kl", "rewards/readability/mean", "rewards/length/mean"} <= record["curves"].keys()
    # The references and the question reached the rewards that read them.
    assert len(record["curves"]["rewards/closeness/mean"]) == record["steps"]
    assert "reward" in printed
    availability = LocalEngine(load_profile(str(tiny_profile)), load_settings()).availability()
    assert availability["grpo"].available
    assert not availability["sft-r16-low"].available


def test_missing_data_is_said_with_the_command_to_run(tiny_profile: Path, tmp_path: Path) -> None:
    process = run_stage("sft", sft_config(tiny_profile), tmp_path, tmp_path / "nowhere", tmp_path / "out")
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "prepare_medquad" in printed
    assert "Traceback" not in printed
