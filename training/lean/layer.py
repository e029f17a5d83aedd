"""One decoder layer of Llama with adapters, forward and backward by hand, over rows that lie end to end.

The base's weights are frozen, so the way back needs no gradient of them, and
each product's input is kept only where an adapter asks for it. Products and
what lies between them are in the weights' type, the residual stream and the
norms' sums in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F

from training.lean.attention import Heads, attend, attend_back


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
    """The rows' lengths, and the cosine and sine of each token's place, float32 (N, 1, D / 2)."""

    lengths: Sequence[int]
    cosine: torch.Tensor
    sine: torch.Tensor


class _Product:
    """x · Wᵀ and its adapters' share, and the way back."""

    def __init__(self, weight: torch.Tensor, adapters: Sequence[Low], factors: Sequence[torch.Tensor]) -> None:
        self._weight, self._adapters = weight, adapters
        self._factors = [factor.to(weight.dtype) for factor in factors]
        self._kept: list[tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.linear(x, self._weight)
        for number, low in enumerate(self._adapters):
            a, b = self._factors[2 * number : 2 * number + 2]
            mask = _dropout(x, low.dropout) if low.dropout else None
            seen = x if mask is None else x * mask
            shrunk = F.linear(seen, a)
            y[:, low.outputs].addmm_(shrunk, b.t(), alpha=low.scale)
            self._kept.append((seen, mask, shrunk))
        return y

    def backward(self, dy: torch.Tensor, wanted: bool = True) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the gradients of x, if that is wanted, and of A, B, A, B, …"""
        dx = dy @ self._weight if wanted else dy
        gradients: list[torch.Tensor] = []
        for number, (low, (seen, mask, shrunk)) in enumerate(zip(self._adapters, self._kept, strict=True)):
            a, b = self._factors[2 * number : 2 * number + 2]
            part = dy[:, low.outputs]
            d = (part @ b).mul_(low.scale)
            gradients += [(d.t() @ seen).float(), (part.t() @ shrunk).float().mul_(low.scale)]
            if not wanted:
                continue
            if mask is None:
                dx.addmm_(d, a)
            else:
                dx.addcmul_(d @ a, mask)
        return dx, gradients


def _dropout(x: torch.Tensor, share: float) -> torch.Tensor:
    """Return 0 for a `share` of x's places and 1 / (1 - share) for the others."""
    return torch.empty_like(x).bernoulli_(1 - share).div_(1 - share)


def _norm(x: torch.Tensor, weight: torch.Tensor, eps: float, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Return x over its root mean square (Zhang and Sennrich 2019), weighted, and one over that root."""
    factor = x.square().mean(-1, keepdim=True).add_(eps).rsqrt_()
    return (x * factor).mul_(weight).to(dtype), factor


def _norm_back(dy: torch.Tensor, x: torch.Tensor, factor: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    d = dy * weight
    scaled = x * factor
    share = torch.linalg.vecdot(d, scaled).div_(x.shape[1])[:, None]
    return d.addcmul_(scaled, share, value=-1).mul_(factor)


def rotate(qkv: torch.Tensor, rows: Rows, heads: Heads, back: bool = False) -> None:
    """Turn queries and keys by their places (Su et al. 2021), or back, in place."""
    turned = qkv[:, : -heads.columns[2]].view(len(qkv), -1, 2, heads.width // 2)
    left, right = turned[:, :, 0].float(), turned[:, :, 1].float()
    sine = -rows.sine if back else rows.sine
    first, second = (left * rows.cosine).addcmul_(right, sine, value=-1), (right * rows.cosine).addcmul_(left, sine)
    turned[:, :, 0], turned[:, :, 1] = first, second


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
        normed, first_factor = _norm(x, frozen.attention_norm, frozen.eps, dtype)
        qkv = qkv_product.forward(normed)
        rotate(qkv, rows, heads)
        attended, weights = attend(qkv, rows.lengths, heads)
        middle = x + out_product.forward(attended)
        normed, second_factor = _norm(middle, frozen.mlp_norm, frozen.eps, dtype)
        gate_up = gate_up_product.forward(normed)
        gate, up = gate_up.chunk(2, 1)
        swish = F.silu(gate)
        result = middle + down_product.forward(swish * up)
        ctx.kept = (x, first_factor, qkv, weights, middle, second_factor, gate_up, swish, frozen, rows)
        ctx.products = (qkv_product, out_product, gate_up_product, down_product)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, first_factor, qkv, weights, middle, second_factor, gate_up, swish, frozen, rows = ctx.kept
        qkv_product, out_product, gate_up_product, down_product = ctx.products
        dtype = qkv.dtype
        d = gradients[0]
        d_gated, of_down = down_product.backward(d.to(dtype))
        gate, up = gate_up.chunk(2, 1)
        d_gate_up = torch.empty_like(gate_up)
        d_gate, d_up = d_gate_up.chunk(2, 1)
        torch.mul(d_gated, swish, out=d_up)
        torch.ops.aten.silu_backward(d_gated.mul_(up), gate, grad_input=d_gate)
        d_normed, of_gate_up = gate_up_product.backward(d_gate_up)
        d = d + _norm_back(d_normed, middle, second_factor, frozen.mlp_norm)
        d_attended, of_out = out_product.backward(d.to(dtype))
        d_qkv = attend_back(d_attended, qkv, weights, rows.lengths, frozen.heads)
        rotate(d_qkv, rows, frozen.heads, back=True)
        wanted = ctx.needs_input_grad[0]
        d_normed, of_qkv = qkv_product.backward(d_qkv, wanted)
        if wanted:
            d = d.add_(_norm_back(d_normed, x, first_factor, frozen.attention_norm))
        return (d if wanted else None, None, None, None, *of_qkv, *of_out, *of_gate_up, *of_down)
