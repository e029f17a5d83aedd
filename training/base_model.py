"""The base for training: tokenizer and model, with parent adapters merged in where the recipe stacks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medilite.models import Profile
from medilite.progress import LoadProgress
from medilite.settings import Settings
from medilite.weights import ensure_base
from training.config import BaseConfig


def load_tokenizer(folder: Path) -> Any:
    """Return the base's tokenizer."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def base_folder(profile: Profile, settings: Settings) -> Path:
    """Return the folder of the base's weights, reporting downloads on stderr."""
    import sys

    def report(progress: LoadProgress) -> None:
        print(progress.message, file=sys.stderr)

    return ensure_base(profile, settings, report)


def load_base(folder: Path, config: BaseConfig) -> Any:
    """Return the base, in 4 bits through bitsandbytes where the configuration says so (QLoRA)."""
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    kwargs: dict[str, Any] = {"dtype": getattr(torch, config.dtype)}
    if config.quantize_4bit:
        kwargs["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16, bnb_4bit_quant_type="nf4"
        )
        kwargs["device_map"] = {"": 0 if torch.cuda.is_available() else "cpu"}
    return AutoModelForCausalLM.from_pretrained(folder, **kwargs)


def set_products(model: Any, config: BaseConfig) -> str:
    """Convert the frozen base's products as configured, and return the type in which they are computed.

    Call it after parents were merged in and before PEFT wraps the model.
    """
    from training.lean.products import bfloat16_is_fast, freeze_in_bfloat16

    if config.products == "bfloat16" or (config.products == "auto" and bfloat16_is_fast()):
        freeze_in_bfloat16(model)
        return "bfloat16"
    return "float32"


def merge_parents(model: Any, parents: Sequence[Path]) -> Any:
    """Return the model with the parent adapters (lowest first) added into its weights, in memory only.

    Training an adapter on the merged model and stacking it on the adapters at
    inference are the same function; no merged copy is kept.
    """
    from peft import PeftModel

    for folder in parents:
        model = PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
    return model
