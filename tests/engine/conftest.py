"""A profile of random adapters on the real base: strong enough to change every answer, made in seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from medilite.engine.local.engine import LocalEngine
from medilite.models import PROFILES_DIR, Profile, load_profile
from medilite.settings import load_settings

RANKS = {"sft-r8-low": 8, "sft-r8-high": 8, "sft-r16-low": 16, "sft-r16-high": 16, "grpo": 8}


def write_adapter(folder: Path, rank: int, seed: int, *, layers: int = 30, hidden: int = 576) -> Path:
    """Write a PEFT LoRA folder with random values on q and v of the 135M base, or of one shaped like it."""
    strength = 0.06
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for layer in range(layers):
        for module, out in (("q", hidden), ("v", hidden // 3)):
            at = f"base_model.model.model.layers.{layer}.self_attn.{module}_proj"
            tensors[f"{at}.lora_A.weight"] = torch.randn(rank, hidden, generator=generator) * strength
            tensors[f"{at}.lora_B.weight"] = torch.randn(out, rank, generator=generator) * strength
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": rank,
        "lora_alpha": 16,
        "lora_dropout": 0.1,
        "bias": "none",
        "target_modules": ["q_proj", "v_proj"],
        "base_model_name_or_path": "SmolLM2-135M-Instruct",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def write_profile(folder: Path, weights: Path) -> Path:
    """Write a profile like lite, with adapters in `folder` and the base in `weights`."""
    raw = yaml.safe_load((PROFILES_DIR / "lite.yaml").read_text())
    raw["base"] = {"source": "folder", "model": "SmolLM2-135M-Instruct", "path": str(weights)}
    for model in raw["models"]:
        if "adapter" in model:
            model["adapter"] = f"adapters/{model['id']}"
    path = folder / "profile.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


@pytest.fixture(scope="session")
def random_profile(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """The six models with random adapters."""
    folder = tmp_path_factory.mktemp("profile")
    for seed, (model, rank) in enumerate(RANKS.items()):
        write_adapter(folder / "adapters" / model, rank, seed)
    return load_profile(str(write_profile(folder, weights)))


@pytest.fixture(scope="session")
def random_engine(random_profile: Profile) -> LocalEngine:
    """An engine that has loaded them, in float32."""
    engine = LocalEngine(random_profile, load_settings(precision="float32"))
    engine.load()
    return engine
