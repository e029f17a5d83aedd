"""A recipe without a model: files alone for profile, configurations and data, and stages that only pretend to train."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from medilite.checkpoints import WEIGHTS_FILE
from medilite.packages import sha256_of
from training.command import command_line, job_of
from training.config import load_run
from training.recipe.commands import Command

TEST_LOSSES = {
    "sft-r8-low": 2.40,
    "sft-r8-high": 2.101,
    "sft-r16-low": 2.42,
    "sft-r16-high": 2.099,
    "grpo": 2.2,
    "sourced": 2.2,
}
VAL_LOSSES = {"sft-r8-low": 2.39, "sft-r8-high": 2.05, "sft-r16-low": 2.41, "sft-r16-high": 2.06}


def write_recipe(folder: Path, lite_profile: Path, **sft: object) -> Path:
    """Write a profile with a base of made-up files and its configurations; return the configurations' folder."""
    base = folder / "base"
    base.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (base / name).write_text("{}")
    raw = yaml.safe_load(lite_profile.read_text())
    raw |= {"name": "tiny", "base": {"source": "folder", "model": "tiny", "path": "base"}}
    for model in [*raw["models"], *raw["rewriters"]]:
        if "adapter" in model:
            model["adapter"] = f"placed/{model['id']}"
    (folder / "profile.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    configs = folder / "configs"
    configs.mkdir()
    shared = {"base": {"profile": str(folder / "profile.yaml")}, "data": {"max_tokens": 64}}
    for rank in (8, 16):
        for name, rate in (("low", 0.01), ("high", 0.05)):
            run = {"model": f"sft-r{rank}-{name}", "lora": {"rank": rank}, "optim": {"learning_rate": rate}}
            (configs / f"{run['model']}.yaml").write_text(yaml.safe_dump(run | shared | sft))
    grpo = {"stacked_on": "sft-r8-high", "lora": {"rank": 8}, "optim": {"learning_rate": 0.01}, **shared}
    (configs / "grpo.yaml").write_text(yaml.safe_dump(grpo))
    sourced = grpo | {"model": "sourced", "stacked_on": None, "data": shared["data"] | {"passages": True}}
    (configs / "grpo-sourced.yaml").write_text(yaml.safe_dump(sourced))
    return configs


class Pretence:
    """Launches stages that write an adapter and a record, and remembers which."""

    def __init__(self) -> None:
        self.launched: list[str] = []
        self.fail: str | None = None

    def __call__(
        self,
        commands: Sequence[Command],
        jobs: int,
        say: Callable[[str], None],
        on_change: Callable[[list[str]], None],
    ) -> None:
        for command in commands:
            on_change([command.name])
            if command.name == self.fail:
                raise KeyboardInterrupt
            self.launched.append(command.name)
            if command.name != "base":
                pretend(command)
        on_change([])


def pretend(command: Command) -> None:
    """Write what a stage would."""
    options = command_line(command.module, None).parse_args(list(command.arguments))
    job = job_of(load_run(options.config), options)
    job.out.mkdir(parents=True, exist_ok=True)
    weights = job.out / WEIGHTS_FILE
    weights.write_text(json.dumps(job.inputs))
    (job.out / "adapter_config.json").write_text("{}")
    record = make_record(job.run.model, stacked_on=getattr(job.run, "stacked_on", None)) | {
        "config": job.run.model_dump(mode="json"),
        "inputs": job.inputs,
        "adapter_sha256": sha256_of(weights),
        "tested_on": job.test_key,
        "data_fingerprint": job.data,
    }
    (job.out / "training.json").write_text(json.dumps(record))


def make_record(model: str, stacked_on: str | None = None) -> dict[str, Any]:
    """Return a record as training writes it, its numbers made up."""
    loss, method = TEST_LOSSES[model], "grpo" if stacked_on or model == "sourced" else "sft"
    interval = {"test_loss": loss, "base_test_loss": 2.5, "test_loss_minus_base": loss - 2.5}
    interval |= {"test_conversation_loss": loss + 0.3, "base_test_conversation_loss": 2.9}
    record: dict[str, Any] = {
        "model": model, "base": "tiny", "stacked_on": stacked_on, "method": method,
        "rank": 16 if "r16" in model else 8, "learning_rate": 0.01, "steps": 40, "test_pairs": 8, "test_tokens": 99,
        **interval, **{f"{key}_interval": [value - 0.05, value + 0.05] for key, value in interval.items()},
        "duration_s": 90.0, "data_fingerprint": "f" * 64, "commit": "c" * 40, "commit_dirty": False,
        "versions": {"torch": "2.13.0"}, "seed": 42, "device": "cpu",
    }  # fmt: skip
    steps = range(1, 41)
    if method == "grpo":
        curves = {"reward": [[s, s / 40] for s in steps], "rewards/length/mean": [[s, 1.0] for s in steps]}
        return record | {"train_prompts": 24, "curves": {**curves, "kl": [[s, s / 1000] for s in steps]}}
    curves = {"loss": [[s, 3 - s / 100] for s in steps], "eval_loss": [[20, 2.3], [40, 2.2]]}
    return record | {"train_pairs": 24, "val_pairs": 8, "best_val_loss": VAL_LOSSES[model], "curves": curves}
