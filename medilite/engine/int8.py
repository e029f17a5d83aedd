"""The base in int8 and the adapters beside it, as arrays for the compiled forward pass.

Weights have one scale an output (symmetric, 127 steps either side); inputs are
made int8 as they come, in groups of 64. The adapters stay in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from medilite.engine.adapters import Adapter, fused_modules, stack_pair
from medilite.engine.llama import LlamaShape, read_tensors
from medilite.engine.native.arrays import Lora, Weights
from medilite.engine.native.intrinsics import BLOCK, GROUP


def unfit(shape: LlamaShape) -> str | None:
    """Return why a base can't run in int8, or None where it can."""
    widths = {
        "hidden_size": shape.hidden, "intermediate_size": shape.intermediate, "head_dim": shape.head_dim,
        "vocab_size": shape.vocabulary,
    }  # fmt: skip
    odd = {name: value for name, value in widths.items() if value % (BLOCK if name == "vocab_size" else GROUP)}
    return f"{', '.join(f'{k}={v}' for k, v in odd.items())} is no multiple of {GROUP}" if odd else None


def quantise(weight: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix (N, width) packed as (N / 32, width / 4, 32, 4) uint8, and its scales (N,) float32."""
    weight = weight.float()
    scale = weight.abs().amax(1).clamp(min=1e-20) / 127
    rounded = ((weight / scale[:, None]).round() + 128).to(torch.uint8)
    outputs, width = weight.shape
    packed = rounded.view(outputs // BLOCK, BLOCK, width // 4, 4).transpose(1, 2).contiguous()
    return aligned(packed.numpy()), scale.numpy()


def aligned(array: np.ndarray) -> np.ndarray:
    """Return a copy whose first number stands at a multiple of 64 bytes, as a vector of weights is loaded."""
    room = np.empty(array.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def read_weights(folder: Path, shape: LlamaShape) -> Weights:
    """Read a base's folder and make it int8; raises WeightsError where a tensor is missing."""
    take = read_tensors(folder)

    def layers(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        made = [
            quantise(_interleaved([take(f"model.layers.{i}.{name}.weight") for name in names]))
            for i in range(shape.layers)
        ]
        return aligned(np.stack([packed for packed, _ in made])), np.stack([scale for _, scale in made])

    def norms(name: str) -> np.ndarray:
        return np.stack([take(f"model.layers.{i}.{name}.weight").float().numpy() for i in range(shape.layers)])

    embedding, embedding_scale = quantise(take("model.embed_tokens.weight"))
    head, head_scale = (embedding, embedding_scale) if shape.tied_head else quantise(take("lm_head.weight"))
    qkv, qkv_scale = layers(["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"])
    out, out_scale = layers(["self_attn.o_proj"])
    gate_up, gate_up_scale = layers(["mlp.gate_proj", "mlp.up_proj"])
    down, down_scale = layers(["mlp.down_proj"])
    frequencies = shape.rope_theta ** -(np.arange(0, shape.head_dim, 2) / shape.head_dim)
    angles = np.arange(shape.context)[:, None] * frequencies
    return Weights(
        embedding, embedding_scale, head, head_scale,
        take("model.norm.weight").float().numpy(), norms("input_layernorm"), norms("post_attention_layernorm"),
        qkv, qkv_scale, out, out_scale, gate_up, gate_up_scale, down, down_scale,
        np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32),
    )  # fmt: skip


def _interleaved(parts: list[torch.Tensor]) -> torch.Tensor:
    """Return matrices one above the other; gate and up by turns, a group of outputs of each."""
    if len(parts) != 2:
        return torch.cat(parts)
    return torch.stack([part.view(-1, GROUP, part.shape[1]) for part in parts], 1).flatten(0, 2)


def lay_out(shape: LlamaShape, chains: Mapping[str, Sequence[Adapter]]) -> dict[str, Lora]:
    """Return all models' adapters by product; rank 0 where no model has one."""
    found = {}
    for product, (width, places) in fused_modules(shape).items():
        out = max(end for _, end in places.values())
        pairs = [[stack_pair(chain, i, places, width, out) for chain in chains.values()] for i in range(shape.layers)]
        rank = max(a.shape[1] for layer in pairs for a, _ in layer)
        size = (shape.layers, len(chains), rank)
        lora = Lora(
            np.zeros((*size, width), np.float32), np.zeros((*size, out), np.float32),
            np.zeros(len(chains), np.int32), np.zeros((*size[:2], out // BLOCK, 2), np.int32),
        )  # fmt: skip
        for layer, models in enumerate(pairs):
            for model, (a, b) in enumerate(models):
                own = a.shape[1]
                reached = (b.view(own, out // BLOCK, BLOCK) != 0).any(-1).numpy() if own else np.zeros((0, 0), bool)
                # Rows of one module together, whichever adapter of a chain they are from.
                order = np.argsort(reached.argmax(1), kind="stable") if own else np.zeros(0, int)
                lora.a[layer, model, :own], lora.b[layer, model, :own] = a.T.numpy()[order], b.numpy()[order]
                lora.ranks[model] = max(lora.ranks[model], own)
                for block in range(out // BLOCK if own else 0):
                    if len(rows := np.flatnonzero(reached[order, block])):
                        lora.reach[layer, model, block] = rows[0], rows[-1] + 1
        found[product] = lora
    return found
