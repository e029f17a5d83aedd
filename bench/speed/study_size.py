"""A random model of the study's size, to measure speed with: `python -m bench.speed.study_size FOLDER`.

SmolLM2-1.7B's shape, five adapters as the study's (rank 8 and 16 on q and v) and a profile, all random: the
answers are noise, and take as long as others. Then:

    python -m bench.speed --profile FOLDER/profile.yaml --workload one-model,six-models --peers int4,llamacpp-q4_0
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from eval.command import run_command
from medilite.cli.terminal import chosen, say
from medilite.errors import ConfigError
from medilite.models import PROFILES_DIR
from medilite.weights import ensure_base

SHAPES: dict[str, dict[str, Any]] = {
    "1.7b": {
        "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 24, "num_attention_heads": 32,
        "num_key_value_heads": 32, "max_position_embeddings": 8192, "rope_theta": 130000.0,
    },
    "tiny": {
        "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "max_position_embeddings": 2048, "rope_theta": 10000.0,
    },
}  # fmt: skip
"""Shapes by name; all have the vocabulary of SmolLM2 and a tied head."""

_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json")


def write(folder: Path, shape: str, tokenizer: Path) -> Path:
    """Write base, adapters and profile to `folder` and return the profile's file; `tokenizer` is a base's folder."""
    import shutil

    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152,
        head_dim=64,
        tie_word_embeddings=True,
        rms_norm_eps=1e-5,
        dtype=torch.bfloat16,
        **SHAPES[shape],
    )
    model: Any = LlamaForCausalLM(config)
    model = model.to(torch.bfloat16)
    model.save_pretrained(folder / "base")
    for name in _TOKENIZER:
        if (tokenizer / name).exists():
            shutil.copy(tokenizer / name, folder / "base")
    raw = yaml.safe_load((PROFILES_DIR / "lite.yaml").read_text(encoding="utf-8"))
    raw["name"], raw["title"] = f"random-{shape}", f"Random weights, {shape}"
    raw["base"] = {"source": "folder", "model": f"random-{shape}", "path": str((folder / "base").resolve())}
    raw["models"] = [spec for spec in raw["models"] if not spec.get("optional")]
    for number, spec in enumerate(spec for spec in raw["models"] if "adapter" in spec):
        lora = LoraConfig(
            r=16 if "r16" in spec["id"] else 8, lora_alpha=16, target_modules=["q_proj", "v_proj"],
            init_lora_weights=False, task_type="CAUSAL_LM",
        )  # fmt: skip
        name = f"a{number}"
        wrapped = get_peft_model(model, lora, adapter_name=name)
        wrapped.save_pretrained(str(folder / "adapters"), selected_adapters=[name])
        spec["adapter"] = str((folder / "adapters" / name).resolve())
        spec.pop("adapter_sha256", None)
        wrapped.unload()
    profile = folder / "profile.yaml"
    profile.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    return profile


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.speed.study_size", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where base, adapters and profile go")
    parser.add_argument("--shape", default="1.7b", metavar="NAME", help=f"{', '.join(SHAPES)} (default: %(default)s)")
    parser.add_argument("--profile", metavar="NAME|PATH", help="profile whose tokenizer is taken (default: lite)")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    if options.shape not in SHAPES:
        raise ConfigError(f"--shape {options.shape!r}: there is no such shape. Known: {', '.join(SHAPES)}.")
    settings, profile = chosen(options)
    say(f"Wrote {write(options.folder, options.shape, ensure_base(profile, settings))}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
