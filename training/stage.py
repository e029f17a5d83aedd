"""What SFT and GRPO share: the command line, what a run starts from, and the adapter's shape."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medilite.errors import MediLiteError
from medilite.models import ROOT, Profile, load_profile
from medilite.records import Example
from medilite.settings import load_settings
from training.config import GRPORun, LoraConfig, Run, SFTRun, load_config
from training.data.manifest import load_manifest, load_split
from training.pairs import TokenPair, choose, draw_whole, tokenise
from training.record import Stopwatch
from training.results import provenance


@dataclass(frozen=True, slots=True)
class Start:
    """What a run starts from: profile, the base's folder and tokenizer, the splits, and where its checkpoints go."""

    profile: Profile
    base_folder: Path
    tokenizer: Any
    splits: Path
    work_dir: Path
    came_from: dict[str, Any]
    stopwatch: Stopwatch

    @classmethod
    def of(cls, run: SFTRun | GRPORun, data_dir: Path, work_dir: Path) -> Start:
        """Gather it all; raises WeightsError or DataError where something is missing."""
        from training.base_model import base_folder, load_tokenizer

        manifest = load_manifest(data_dir)
        # Now, not at the end: the checkout may move on while the run is under way.
        came_from = provenance(run, manifest["fingerprint"])
        profile = load_profile(run.base.profile)
        folder = base_folder(profile, load_settings())
        work_dir.mkdir(parents=True, exist_ok=True)
        return cls(
            profile=profile,
            base_folder=folder,
            tokenizer=load_tokenizer(folder),
            splits=data_dir / "distinct" if run.data.splits == "distinct" else data_dir,
            work_dir=work_dir,
            came_from=came_from,
            stopwatch=Stopwatch(work_dir),
        )

    def examples(self, split: str) -> list[Example]:
        """Return a split's examples."""
        return load_split(self.splits, split)

    def pairs(self, split: str, count: int | None, run: SFTRun | GRPORun) -> list[TokenPair]:
        """Return `count` pairs of a split (all if None) as token ids, the same draw for the same seed."""
        examples, limit = self.examples(split), run.data.max_tokens
        if split == "train" and run.data.long_pairs == "drop":
            return draw_whole(self.tokenizer, examples, limit, count, run.seed)
        return tokenise(self.tokenizer, choose(examples, count, run.seed), limit)

    def last_checkpoint(self) -> str | None:
        """Return the folder of the newest checkpoint that an earlier start left, or None."""
        from transformers.trainer_utils import get_last_checkpoint

        return get_last_checkpoint(str(self.work_dir))


def peft_config(lora: LoraConfig) -> Any:
    """Return PEFT's configuration of an adapter."""
    import peft

    return peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules),
        bias="none",
        task_type="CAUSAL_LM",
    )


def shared_arguments(run: SFTRun | GRPORun, work_dir: Path) -> dict[str, Any]:
    """Return the trainer's arguments that do not depend on the stage (transformers' TrainingArguments)."""
    import torch

    optim, on_gpu = run.optim, torch.cuda.is_available()
    return {
        "output_dir": str(work_dir),
        "seed": run.seed,
        "data_seed": run.seed,
        "learning_rate": optim.learning_rate,
        "num_train_epochs": optim.epochs,
        "per_device_train_batch_size": optim.batch_size,
        "gradient_accumulation_steps": optim.accumulation_steps,
        "warmup_steps": optim.warmup_steps,
        "weight_decay": optim.weight_decay,
        "lr_scheduler_type": optim.schedule,
        "save_strategy": "steps",
        "save_steps": optim.save_every,
        "save_total_limit": 2,
        "disable_tqdm": True,
        "report_to": "none",
        "bf16": False,
        "use_cpu": not on_gpu,
        "gradient_checkpointing": False,
        "dataloader_pin_memory": on_gpu,
    }


def run_stage(
    stage: str,
    about: str | None,
    kind: type[Run],
    train: Callable[[Run, Path, Path, Path], dict[str, Any]],
    arguments: list[str] | None,
) -> tuple[int, dict[str, Any] | None]:
    """Run a stage's command line; return (0, the record), or (2, None) for an error that a user can mend."""
    parser = argparse.ArgumentParser(prog=f"python -m training.{stage}", description=(about or "").partition(":")[0])
    parser.add_argument("--config", type=Path, required=True, help="the run's YAML file")
    parser.add_argument("--data", type=Path, help="folder of the splits, instead of the configuration's")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where checkpoints go (default: runs)")
    parser.add_argument("--out", type=Path, help="the adapter's folder (default: assets/adapters/PROFILE/MODEL)")
    options = parser.parse_args(arguments)
    try:
        run = load_config(options.config, kind)
        profile = load_profile(run.base.profile).name  # the configuration may give a path
        out = options.out or ROOT / "assets" / "adapters" / profile / run.model
        record = train(run, options.data or run.data.dir, options.runs / profile / run.model, out)
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2, None
    print(f"Adapter and training.json written to {out}")
    return 0, record
