"""A small base with random weights and four models on it, for the int8 engine's tests; made in no time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

from medilite.engine.local.adapters import Adapter
from medilite.engine.local.int8_llama import Int8Llama
from medilite.engine.local.llama import Llama

HIDDEN, INTERMEDIATE, HEADS, KV, LAYERS, VOCABULARY = 192, 320, 3, 1, 2, 352
MODELS = ("base", "narrow", "everything", "chain")


def write_base(folder: Path, **changes: int) -> Path:
    """Write a small Llama with random weights, a few of its hidden numbers far larger than the rest."""
    generator = torch.Generator().manual_seed(0)
    heads = changes.get("num_attention_heads", HEADS)
    config = {
        "model_type": "llama", "num_hidden_layers": LAYERS, "hidden_size": HIDDEN, "num_attention_heads": heads,
        "num_key_value_heads": KV, "head_dim": 64, "intermediate_size": INTERMEDIATE, "vocab_size": VOCABULARY,
        "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True,
        **changes,
    }  # fmt: skip

    def random(*size: int) -> torch.Tensor:
        return torch.randn(*size, generator=generator) / size[-1] ** 0.5

    embedding = random(changes.get("vocab_size", VOCABULARY), HIDDEN) * 10
    embedding[:, [3, 77]] *= 20
    tensors = {"model.embed_tokens.weight": embedding, "model.norm.weight": torch.ones(HIDDEN)}
    for layer in range(changes.get("num_hidden_layers", LAYERS)):
        at = f"model.layers.{layer}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{at}{norm}.weight"] = 1 + 0.1 * torch.randn(HIDDEN, generator=generator)
        for name, size in {
            "self_attn.q_proj": (heads * 64, HIDDEN), "self_attn.k_proj": (KV * 64, HIDDEN),
            "self_attn.v_proj": (KV * 64, HIDDEN), "self_attn.o_proj": (HIDDEN, heads * 64),
            "mlp.gate_proj": (INTERMEDIATE, HIDDEN), "mlp.up_proj": (INTERMEDIATE, HIDDEN),
            "mlp.down_proj": (HIDDEN, INTERMEDIATE),
        }.items():  # fmt: skip
            tensors[f"{at}{name}.weight"] = random(*size)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def adapter(modules: Sequence[str], rank: int, seed: int) -> Adapter:
    """Return a random adapter, strong enough to be seen."""
    generator = torch.Generator().manual_seed(seed)
    sizes = {
        "q": (HIDDEN, HEADS * 64), "k": (HIDDEN, KV * 64), "v": (HIDDEN, KV * 64), "o": (HEADS * 64, HIDDEN),
        "gate": (HIDDEN, INTERMEDIATE), "up": (HIDDEN, INTERMEDIATE), "down": (INTERMEDIATE, HIDDEN),
    }  # fmt: skip
    pairs = {}
    for layer in range(LAYERS):
        for module in modules:
            width, out = sizes[module]
            a = torch.randn(rank, width, generator=generator) / width**0.5
            pairs[layer, module] = (a, torch.randn(out, rank, generator=generator) / rank**0.5)
    return Adapter(pairs)


def chains() -> dict[str, list[Adapter]]:
    """Four models: no adapter, two modules, all modules, one adapter stacked on another."""
    narrow = adapter(["q", "v"], 4, 1)
    everything = adapter(["q", "k", "v", "o", "gate", "up", "down"], 3, 2)
    return {"base": [], "narrow": [narrow], "everything": [everything], "chain": [narrow, adapter(["q", "v"], 2, 3)]}


def prompts(count: int, longest: int, seed: int = 5) -> list[list[int]]:
    """Return random prompts of many lengths."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (count,), generator=generator).tolist()
    return [torch.randint(0, VOCABULARY, (length,), generator=generator).tolist() for length in lengths]


def generate(llama: Int8Llama | Llama, bank, models: Sequence[str], wanted: Sequence[list[int]], steps: int):
    """Return each row's logits over prompt and some greedy steps: (rows, steps, vocabulary)."""
    rows, longest = len(wanted), max(map(len, wanted))
    ids = torch.zeros(rows, longest, dtype=torch.long)
    for row, prompt in enumerate(wanted):
        ids[row, : len(prompt)] = torch.tensor(prompt)
    lengths = torch.tensor([len(prompt) for prompt in wanted])
    cache, adapters = llama.new_cache(rows, longest + steps), bank.rows(models)
    found = [llama.forward(ids, torch.arange(longest).expand(rows, longest), cache, adapters, lengths - 1)]
    for step in range(steps - 1):
        token = found[-1].argmax(-1)
        places = (lengths + step)[:, None]
        found.append(llama.forward(token[:, None], places, cache, adapters, torch.zeros(rows, dtype=torch.long)))
    return torch.stack(found, 1)
