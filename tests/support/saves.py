"""Saves of a run that never was: GRPO's own adapter in growing strength, for tests alone."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from medilite.checkpoints import ADAPTER_FILES, CONFIG_FILE, WEIGHTS_FILE
from medilite.models import ROOT, Profile

GRPO = ROOT / "assets/adapters/lite/grpo"


def with_saves(
    lite: Profile, folder: Path, steps: Sequence[int] = (5, 10, 15), of: str = "grpo", numbers: str = "float16"
) -> Profile:
    """Return the profile with a model whose adapter's folder holds such saves; `folder` is made."""
    from safetensors.numpy import load_file, save_file

    tensors = load_file(GRPO / WEIGHTS_FILE)
    for step in steps:
        save = folder / "saves" / f"step-{step:03d}"
        save.mkdir(parents=True)
        shutil.copy(GRPO / CONFIG_FILE, save)
        grown = {k: v * (step / max(steps)) if "lora_B" in k else v for k, v in tensors.items()}
        save_file({name: tensor.astype(numbers) for name, tensor in grown.items()}, save / WEIGHTS_FILE)
    for name in ADAPTER_FILES:
        shutil.copy(GRPO / name, folder)
    models = [spec.model_copy(update={"adapter": str(folder)}) if spec.id == of else spec for spec in lite.models]
    return lite.model_copy(update={"models": tuple(models)})
