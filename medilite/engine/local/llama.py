"""The Llama forward pass, written for rows of different models in one batch.

Same function as transformers' LlamaForCausalLM with PEFT adapters (a test compares tokens and logits), arranged for
decoding: q, k and v are one product, gate and up another; keys and values are in a preallocated cache, each row at its
own positions; adapters are added by `adapters.AdapterRows`.

Shapes: B rows, T tokens of each, S cache positions, H heads, K key-value heads,
D = head_dim.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open

from medilite.engine.shape import LlamaShape
from medilite.errors import WeightsError

if TYPE_CHECKING:
    from medilite.engine.local.adapters import AdapterRows


@dataclass(frozen=True, slots=True)
class _Layer:
    attention_norm: torch.Tensor
    qkv: torch.Tensor
    out: torch.Tensor
    mlp_norm: torch.Tensor
    gate_up: torch.Tensor
    down: torch.Tensor


class KVCache:
    """Keys and values of every row: two tensors (layers, B, K, S, D), allocated once."""

    def __init__(self, shape: LlamaShape, rows: int, positions: int, like: torch.Tensor) -> None:
        size = (shape.layers, rows, shape.kv_heads, positions, shape.head_dim)
        self.keys = torch.zeros(size, dtype=like.dtype, device=like.device)
        self.values = torch.zeros_like(self.keys)

    def keep(self, rows: list[int]) -> None:
        """Drop all rows but these."""
        index = torch.tensor(rows, device=self.keys.device)
        self.keys, self.values = self.keys[:, index], self.values[:, index]


def read_tensors(folder: Path) -> Callable[[str], torch.Tensor]:
    """Return what reads a folder's tensors by name, mapped; it raises WeightsError if one is missing.

    Each is mapped by itself, so that its memory goes when the tensor does.
    """
    places: dict[str, Path] = {}
    for file in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(file, "pt") as opened:
                places.update(dict.fromkeys(opened.keys(), file))
        except SafetensorError as error:
            raise WeightsError(f"{file} can't be read ({error}): it was cut off or damaged. Get it again.") from error

    def take(name: str) -> torch.Tensor:
        if name not in places:
            raise WeightsError(f"{folder.name}: tensor {name} is missing; the folder is not a whole model.")
        with safe_open(places[name], "pt") as opened:
            found: torch.Tensor = opened.get_tensor(name)
        return found

    return take


class Llama:
    """The base's weights and its forward pass."""

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
        self.shape = shape = LlamaShape.read(folder)
        self.device = device
        read = read_tensors(folder)

        def take(*names: str) -> torch.Tensor:
            # Joined, then moved: ZeroGPU takes tensors to a GPU that is not there yet, and computes nothing on it.
            tensors = [read(name) for name in names]
            return (tensors[0] if len(tensors) == 1 else torch.cat(tensors)).to(device=device, dtype=dtype)

        self.embedding = take("model.embed_tokens.weight")
        self.head = self.embedding if shape.tied_head else take("lm_head.weight")
        self.norm = take("model.norm.weight")
        self.layers = []
        for i in range(shape.layers):
            at = f"model.layers.{i}."
            self.layers.append(
                _Layer(
                    attention_norm=take(at + "input_layernorm.weight"),
                    qkv=take(*(f"{at}self_attn.{name}_proj.weight" for name in "qkv")),
                    out=take(at + "self_attn.o_proj.weight"),
                    mlp_norm=take(at + "post_attention_layernorm.weight"),
                    gate_up=take(*(f"{at}mlp.{name}_proj.weight" for name in ("gate", "up"))),
                    down=take(at + "mlp.down_proj.weight"),
                )
            )
        # Angles in float32 whatever the weights' type, as transformers computes them.
        frequencies = shape.rope_theta ** -(torch.arange(0, shape.head_dim, 2).float() / shape.head_dim)
        self._frequencies = torch.cat([frequencies, frequencies]).to(device)

    def new_cache(self, rows: int, positions: int) -> KVCache:
        """Return an empty cache for that many rows and positions."""
        return KVCache(self.shape, rows, positions, self.embedding)

    def forward(
        self, ids: torch.Tensor, positions: torch.Tensor, cache: KVCache, adapters: AdapterRows, last: torch.Tensor
    ) -> torch.Tensor:
        """Return float32 logits (B, vocabulary) after token `last[b]` of each row, and fill the cache.

        `ids` and `positions` are (B, T). A row's keys go to its own positions in the cache, and it attends to all up to
        them. Padding is right of a row's tokens: its keys are overwritten before anything attends to them.
        """
        shape, eps = self.shape, self.shape.rms_norm_eps
        rows, length = ids.shape
        angles = positions[..., None].float() * self._frequencies  # (B, T, D)
        cos, sin = angles.cos().to(self.embedding.dtype)[:, :, None], angles.sin().to(self.embedding.dtype)[:, :, None]
        # Rounded up, so that a row's sums over the cache are the same vector operations in any batch.
        seen = min(-(-(int(positions.max()) + 1) // 32) * 32, cache.keys.shape[3])
        visible = torch.arange(seen, device=ids.device) <= positions[..., None]  # (B, T, S)
        groups = shape.heads // shape.kv_heads
        mask = visible[:, None] if length == 1 else visible[:, None].repeat(1, 1, groups, 1)
        row_index = torch.arange(rows, device=ids.device)[:, None]
        splits = [shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim, shape.kv_heads * shape.head_dim]

        x = F.embedding(ids, self.embedding)
        for i, layer in enumerate(self.layers):
            h = F.rms_norm(x, (shape.hidden,), layer.attention_norm, eps)
            q, k, v = adapters.add(F.linear(h, layer.qkv), h, "qkv", i).split(splits, -1)
            q = _rotate(q.view(rows, length, shape.heads, shape.head_dim), cos, sin)
            k = _rotate(k.view(rows, length, shape.kv_heads, shape.head_dim), cos, sin)
            cache.keys[i].transpose(1, 2)[row_index, positions] = k
            cache.values[i].transpose(1, 2)[row_index, positions] = v.view_as(k)
            # The heads of one group become queries of their key-value head: nothing is repeated.
            q = q.view(rows, length, shape.kv_heads, groups, shape.head_dim).permute(0, 2, 3, 1, 4)
            attended = F.scaled_dot_product_attention(
                q.reshape(rows, shape.kv_heads, groups * length, shape.head_dim),
                cache.keys[i][:, :, :seen],
                cache.values[i][:, :, :seen],
                attn_mask=mask,
            )
            attended = attended.view(rows, shape.kv_heads, groups, length, shape.head_dim).permute(0, 3, 1, 2, 4)
            attended = attended.reshape(rows, length, -1)
            x = x + adapters.add(F.linear(attended, layer.out), attended, "out", i)
            h = F.rms_norm(x, (shape.hidden,), layer.mlp_norm, eps)
            gate, up = adapters.add(F.linear(h, layer.gate_up), h, "gate_up", i).chunk(2, -1)
            h = F.silu(gate) * up
            x = x + adapters.add(F.linear(h, layer.down), h, "down", i)
        x = x[torch.arange(rows, device=x.device), last]
        return F.linear(F.rms_norm(x, (shape.hidden,), self.norm, eps), self.head).float()


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding in the half-split layout of transformers (Su et al. 2021)."""
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin
