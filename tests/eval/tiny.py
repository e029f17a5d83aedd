"""A profile like lite, but tiny: two random layers with the real tokenizer, and adapters that change every answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from medilite.models import PROFILES_DIR

WANTED = ("base", "sft-r16-high", "grpo")
"""The profile's models; the last is stacked on the second."""


def write_tiny(folder: Path, weights: Path) -> Path:
    """Write base, adapters and profile into `folder`; return the profile's path.

    The tokenizer is that of the base in `weights`; the widths suit the int8 engine.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152, hidden_size=128, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=512, tie_word_embeddings=True,
        bos_token_id=1, eos_token_id=2, pad_token_id=2, initializer_range=0.2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder / "base")
    for file in [*weights.glob("*token*"), *weights.glob("chat_template*")]:
        shutil.copy(file, folder / "base")
    raw = yaml.safe_load((PROFILES_DIR / "lite.yaml").read_text())
    raw |= {"name": "tiny", "base": {"source": "folder", "model": "tiny", "path": str(folder / "base")}}
    raw["models"] = [model for model in raw["models"] if model["id"] in WANTED]
    (stacked,) = (model for model in raw["models"] if "stacked_on" in model)
    stacked["stacked_on"] = WANTED[1]  # whichever it is that lite's stands on
    lora = LoraConfig(
        r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM", init_lora_weights=False
    )
    for model in raw["models"]:
        if "adapter" in model:
            model["adapter"] = f"adapters/{model['id']}"
            base = LlamaForCausalLM.from_pretrained(folder / "base")
            get_peft_model(base, lora).save_pretrained(folder / "adapters" / model["id"])
    path = folder / "profile.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path
