"""Write the profile's adapters as a model server takes them: one LoRA folder a model, chains made one.

    .venv/bin/python scripts/served_adapters.py --out runs/served

vLLM adds one LoRA to a request, and `grpo` is one that is stacked on another.
LoRA adds, so a chain is one adapter of the summed rank, exactly: the A's one
above the other, the B's side by side with their scales in them.

The base too is served as an adapter, one of zeros: vLLM's CPU build gives a row
without an adapter that of the last one when they share a batch
(vllm-project/vllm#48421). At the end it prints the command that starts vLLM
with all of them under their model ids.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from medilite.checkpoints import CONFIG_FILE, WEIGHTS_FILE
from medilite.errors import MediLiteError
from medilite.models import Profile, load_profile
from medilite.settings import load_settings
from medilite.weights import ensure_adapter, ensure_base

if TYPE_CHECKING:
    from medilite.engine.local.adapters import Adapter


def write_adapters(profile: Profile, base: Path, out: Path) -> dict[str, tuple[Path, int]]:
    """Write a folder for each model, the base as an adapter without effect; return folder and rank by model id.

    Raises ModelUnavailableError if an adapter is missing or does not fit the base.
    """
    from medilite.engine.local.adapters import read_adapter
    from medilite.engine.shape import LlamaShape

    shape = LlamaShape.read(base)
    chains = {
        spec.id: [read_adapter(ensure_adapter(profile, link), shape, link.id) for link in profile.chain(spec.id)]
        for spec in profile.every
    }
    narrowest = min((chain for chain in chains.values() if chain), key=lambda chain: sum(map(rank_of, chain)))
    zeros = [without_effect(adapter) for adapter in narrowest]
    return {
        model: (out / model, write_whole(chain or zeros, out / model, profile.base.model))
        for model, chain in chains.items()
    }


def rank_of(adapter: Adapter) -> int:
    """Return the largest rank of its modules."""
    return max(a.shape[0] for a, _ in adapter.pairs.values())


def without_effect(adapter: Adapter) -> Adapter:
    """Return an adapter of the same shape that adds nothing."""
    import torch

    return replace(adapter, pairs={place: (a, torch.zeros_like(b)) for place, (a, b) in adapter.pairs.items()})


def write_whole(chain: Sequence[Adapter], folder: Path, base_name: str) -> int:
    """Write a chain of adapters as one in PEFT's layout and return its rank, the sum of theirs.

    Where one of them leaves a module alone its part is zeros, so that every
    module has the one rank that a server takes.
    """
    import torch
    from safetensors.torch import save_file

    ranks = [rank_of(adapter) for adapter in chain]
    places = sorted({place for adapter in chain for place in adapter.pairs})
    tensors = {}
    for layer, module in places:
        pairs = [adapter.pairs.get((layer, module)) for adapter in chain]
        width = next(pair[0].shape[1] for pair in pairs if pair)
        height = next(pair[1].shape[0] for pair in pairs if pair)
        a, b = torch.zeros(sum(ranks), width), torch.zeros(height, sum(ranks))
        for pair, start in zip(pairs, [sum(ranks[:i]) for i in range(len(ranks))], strict=True):
            if pair:
                a[start : start + pair[0].shape[0]], b[:, start : start + pair[1].shape[1]] = pair
        block = "mlp" if module in ("gate", "up", "down") else "self_attn"
        at = f"base_model.model.model.layers.{layer}.{block}.{module}_proj"
        tensors[f"{at}.lora_A.weight"], tensors[f"{at}.lora_B.weight"] = a, b
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / WEIGHTS_FILE)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_name,
        "r": sum(ranks),
        "lora_alpha": sum(ranks),  # over the rank: 1, for each scale is in its B
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": True,
        "target_modules": sorted({f"{module}_proj" for _, module in places}),
    }
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return sum(ranks)


def start_command(base: Path, served: dict[str, tuple[Path, int]], name: str, dtype: str) -> list[str]:
    """Return the words of vLLM's start command; `name` is what the bare weights are called, which nobody asks for."""
    # The ranks that vLLM has kernels for.
    most = next(rank for rank in (8, 16, 32, 64, 128, 256, 512) if rank >= max(rank for _, rank in served.values()))
    return [
        *("python", "-m", "vllm.entrypoints.openai.api_server", "--model", str(base), "--served-model-name", name),
        *("--dtype", dtype, "--enable-lora", "--max-loras", str(len(served)), "--max-lora-rank", str(most)),
        *("--lora-modules", *(f"{model}={folder.resolve()}" for model, (folder, _) in served.items())),
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the folders and print the start command; 2 for an error that a user can fix."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--out", type=Path, default=Path("runs/served"), help="where the folders go (default: %(default)s)"
    )
    parser.add_argument("--dtype", default="auto", help="numbers that vLLM computes in (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings()
        profile = load_profile(settings.profile)
        base = ensure_base(profile, settings)
        served = write_adapters(profile, base, options.out)
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(shlex.join(start_command(base, served, f"{profile.base.model}-bare", options.dtype)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
