"""One decoder layer of Llama with adapters, forward and backward by hand, over rows that lie end to end.

The base's weights are frozen, so the backward pass needs no gradient of them, and each product's input is kept only if
an adapter needs it. Products and the operations between them are in the weights' type, the residual stream and the
norms' sums in float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F

from training.lean.attention import Heads, attend, attend_back
from training.lean.pointwise import drop, norm, norm_back, rotate, swish, swish_back


class Low(NamedTuple):
    """A low-rank adapter of some of a product's outputs (Hu et al. 2021); its A and B are inputs of the layer."""

    outputs: slice
    scale: float
    dropout: float


@dataclass(frozen=True, slots=True)
class Frozen:
    """A layer's weights, those that share an input in one matrix."""

    attention_norm: torch.Tensor
    qkv: torch.Tensor
    out: torch.Tensor
    mlp_norm: torch.Tensor
    gate_up: torch.Tensor
    down: torch.Tensor
    heads: Heads
    eps: float


class Rows(NamedTuple):
    """The rows' lengths, the cosine and sine of each token's place, float32 (N, D / 2), and the dropouts' seeds."""

    lengths: Sequence[int]
    cosine: torch.Tensor
    sine: torch.Tensor
    seeds: Iterator[int]


class _Product:
    """x · Wᵀ and its adapters' share, forward and backward."""

    def __init__(self, weight: torch.Tensor, adapters: Sequence[Low], factors: Sequence[torch.Tensor]) -> None:
        self._weight, self._adapters = weight, adapters
        self._factors = [factor.to(weight.dtype) for factor in factors]
        self._kept: list[tuple[torch.Tensor, int | None, torch.Tensor]] = []

    def forward(self, x: torch.Tensor, seeds: Iterator[int]) -> torch.Tensor:
        y = F.linear(x, self._weight)
        for number, low in enumerate(self._adapters):
            a, b = self._factors[2 * number : 2 * number + 2]
            seed = next(seeds) if low.dropout else None
            seen = x if seed is None else drop(x, seed, low.dropout)
            shrunk = F.linear(seen, a)
            y[:, low.outputs].addmm_(shrunk, b.t(), alpha=low.scale)
            self._kept.append((seen, seed, shrunk))
        return y

    def backward(self, dy: torch.Tensor, wanted: bool = True) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the gradients of x, if that is wanted, and of A, B, A, B, …"""
        dx = dy @ self._weight if wanted else dy
        gradients: list[torch.Tensor] = []
        for number, (low, (seen, seed, shrunk)) in enumerate(zip(self._adapters, self._kept, strict=True)):
            a, b = self._factors[2 * number : 2 * number + 2]
            part = dy[:, low.outputs]
            d = (part @ b).mul_(low.scale)
            gradients += [(d.t() @ seen).float(), (part.t() @ shrunk).float().mul_(low.scale)]
            if not wanted:
                continue
            if seed is None:
                dx.addmm_(d, a)
            else:
                drop(d @ a, seed, low.dropout, onto=dx)
        return dx, gradients


class Layer(torch.autograd.Function):
    """x (N, H) float32 in, the same out; `adapters` are by product, `factors` their A, B, A, B, … in that order."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, frozen: Frozen, rows: Rows, adapters: Sequence[Sequence[Low]], *factors: torch.Tensor
    ) -> torch.Tensor:
        dtype, heads, left = frozen.qkv.dtype, frozen.heads, iter(factors)
        qkv_product, out_product, gate_up_product, down_product = (
            _Product(weight, own, [next(left) for _ in range(2 * len(own))])
            for weight, own in zip((frozen.qkv, frozen.out, frozen.gate_up, frozen.down), adapters, strict=True)
        )
        _, normed, first_factors = norm(x, None, frozen.attention_norm, frozen.eps, dtype)
        qkv = qkv_product.forward(normed, rows.seeds)
        rotate(qkv, heads.queries + heads.keys, rows.cosine, rows.sine)
        attended, weights = attend(qkv, rows.lengths, heads)
        middle, normed, middle_factors = norm(
            x, out_product.forward(attended, rows.seeds), frozen.mlp_norm, frozen.eps, dtype
        )
        gate_up = gate_up_product.forward(normed, rows.seeds)
        ctx.kept = (x, first_factors, qkv, weights, middle, middle_factors, gate_up, frozen, rows)
        ctx.products = (qkv_product, out_product, gate_up_product, down_product)
        return middle + down_product.forward(swish(gate_up), rows.seeds)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, factors, qkv, weights, middle, middle_factors, gate_up, frozen, rows = ctx.kept
        qkv_product, out_product, gate_up_product, down_product = ctx.products
        heads = frozen.heads
        d_gated, of_down = down_product.backward(gradients[0].to(qkv.dtype))
        d_normed, of_gate_up = gate_up_product.backward(swish_back(d_gated, gate_up))
        d, short = norm_back(d_normed, middle, middle_factors, frozen.mlp_norm, gradients[0])
        d_attended, of_out = out_product.backward(short)
        d_qkv = attend_back(d_attended, qkv, weights, rows.lengths, heads)
        rotate(d_qkv, heads.queries + heads.keys, rows.cosine, rows.sine, back=True)
        wanted = ctx.needs_input_grad[0]
        d_normed, of_qkv = qkv_product.backward(d_qkv, wanted)
        if wanted:
            d, _ = norm_back(d_normed, x, factors, frozen.attention_norm, d)
        return (d if wanted else None, None, None, None, *of_qkv, *of_out, *of_gate_up, *of_down)
