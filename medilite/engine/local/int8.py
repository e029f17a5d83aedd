"""The base in int8 and the adapters beside it, as arrays for the compiled forward pass.

Of every output 32 weights share a scale and an offset, as in GGUF's formats, so
that a base that was published in Q4_1 or Q8_0 is kept to the last bit. Inputs
become int8 as they come, 255 steps from the least of 32 to the greatest. The adapters stay in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from medilite.engine.local.adapters import Adapter, fused_modules, stack_pair
from medilite.engine.local.llama import read_tensors
from medilite.engine.native.arrays import Lora, Weights
from medilite.engine.native.intrinsics import BLOCK, WIDE
from medilite.engine.native.tiles import GROUP, NUMBERS, TILE
from medilite.engine.shape import LlamaShape


def unfit(shape: LlamaShape) -> str | None:
    """Return why a base can't run in int8, or None where it can."""
    widths = {
        "hidden_size": shape.hidden, "intermediate_size": shape.intermediate, "head_dim": shape.head_dim,
        "vocab_size": shape.vocabulary,
    }  # fmt: skip
    odd = {name: value for name, value in widths.items() if value % (BLOCK if name == "vocab_size" else WIDE)}
    return f"{', '.join(f'{k}={v}' for k, v in odd.items())} is no multiple of {WIDE}" if odd else None


def quantise(weight: torch.Tensor) -> np.ndarray:
    """Return a matrix (N, width) packed as (N / 32, width / 32, 1216) uint8: a tile for 32 outputs of 32 inputs.

    A tile is its outputs' scales and offsets (float16), the sums of their numbers
    (uint16), and the numbers as (8, 32, 4) uint8, four inputs of an output side by
    side; a weight is scale · number + offset.
    """
    outputs, width = weight.shape
    tiles = np.empty((outputs // BLOCK, width // GROUP, TILE), np.uint8)
    # In pieces, for what stands between takes several times the room of a piece.
    for first in range(0, outputs // BLOCK, 64):
        piece = tiles[first : first + 64]
        lines = weight[first * BLOCK : (first + 64) * BLOCK].float()
        groups = lines.view(len(piece), BLOCK, -1, GROUP).transpose(1, 2).contiguous()
        scale, offset, numbers = _nearest(groups)
        sums = numbers.sum(-1, dtype=torch.int16)
        for part, two_bytes in enumerate((scale, offset, sums)):
            piece[:, :, part * 2 * BLOCK : (part + 1) * 2 * BLOCK] = two_bytes.contiguous().numpy().view(np.uint8)
        packed = numbers.view(*piece.shape[:2], BLOCK, GROUP // 4, 4).transpose(2, 3)
        piece[:, :, NUMBERS:] = packed.reshape(*piece.shape[:2], BLOCK * GROUP).numpy()
    return aligned(tiles)


def _nearest(groups: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return scales and offsets (…,) float16 and numbers (…, GROUP) uint8 of the lattice that is nearest to each group.

    Tried are 15 steps from the least weight to the greatest, which is Q4_1's; 127
    steps either side of zero, which is Q8_0's; and 255 from the least to the greatest.
    """
    low, high = groups.amin(-1), groups.amax(-1)
    size = torch.maximum(low.abs(), high.abs())
    scale, offset = low.half(), low.half()
    numbers = torch.zeros_like(groups, dtype=torch.uint8)
    least = torch.full_like(low, torch.inf)
    for step, start, most in (
        ((high - low) / 15, low, 15),
        (size / 127, -128 * (size / 127).half().float(), 255),
        ((high - low) / 255, low, 255),
    ):
        # The least step that float16 has keeps the division finite where all weights are one.
        tried, base = step.clamp(min=2.0**-24).half(), start.half()
        wide, zero = tried.float()[..., None], base.float()[..., None]
        found = ((groups - zero) / wide).round_().clamp_(0, most)
        error = (found * wide).add_(zero).sub_(groups).square_().sum(-1)
        better = error < least
        scale, offset = torch.where(better, tried, scale), torch.where(better, base, offset)
        numbers = torch.where(better[..., None], found.to(torch.uint8), numbers)
        least = torch.where(better, error, least)
        if not least.any():
            break
    return scale, offset, numbers


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

    def layers(names: Sequence[str]) -> np.ndarray:
        made = [
            quantise(_interleaved([take(f"model.layers.{i}.{name}.weight") for name in names]))
            for i in range(shape.layers)
        ]
        return aligned(np.stack(made))

    def norms(name: str) -> np.ndarray:
        return np.stack([take(f"model.layers.{i}.{name}.weight").float().numpy() for i in range(shape.layers)])

    embedding = quantise(take("model.embed_tokens.weight"))
    head = embedding if shape.tied_head else quantise(take("lm_head.weight"))
    qkv = layers(["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"])
    out = layers(["self_attn.o_proj"])
    gate_up = layers(["mlp.gate_proj", "mlp.up_proj"])
    down = layers(["mlp.down_proj"])
    frequencies = shape.rope_theta ** -(np.arange(0, shape.head_dim, 2) / shape.head_dim)
    angles = np.arange(shape.context)[:, None] * frequencies
    return Weights(
        embedding, head,
        take("model.norm.weight").float().numpy(), norms("input_layernorm"), norms("post_attention_layernorm"),
        qkv, out, gate_up, down,
        np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32),
    )  # fmt: skip


def _interleaved(parts: list[torch.Tensor]) -> torch.Tensor:
    """Return matrices one above the other; gate and up by turns, a group of outputs of each."""
    if len(parts) != 2:
        return torch.cat(parts)
    return torch.stack([part.view(-1, WIDE, part.shape[1]) for part in parts], 1).flatten(0, 2)


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
