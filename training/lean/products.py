"""The frozen base's matrix products in bfloat16, everything else in float32.

An adapter's training needs no gradient of the base's weights, so they can be in the format that multiplies fastest. On
CPUs with bfloat16 instructions that is bfloat16, at two to three times float32's rate; activations, norms, attention,
adapters and optimiser stay in float32.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


class _Product(torch.autograd.Function):
    """x · Wᵀ with a frozen W in bfloat16; float32 in, float32 out, both ways."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.weight = weight
        return F.linear(x.to(weight.dtype), weight).float()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return (gradients[0].to(ctx.weight.dtype) @ ctx.weight).float(), None


class FrozenLinear(nn.Linear):
    """A linear layer without bias whose weight is frozen in bfloat16; PEFT wraps it like any other."""

    @classmethod
    def of(cls, linear: nn.Linear) -> FrozenLinear:
        """Return the same layer with its weight rounded to bfloat16."""
        made = cls(linear.in_features, linear.out_features, bias=False, device="meta")
        made.weight = nn.Parameter(linear.weight.data.bfloat16(), requires_grad=False)
        return made

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return x · Wᵀ, float32 (…, out) of float32 (…, in)."""
        return _Product.apply(x, self.weight)


def bfloat16_is_fast() -> bool:
    """Return whether this machine multiplies bfloat16 natively; elsewhere it is emulated and slow."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def freeze_in_bfloat16(model: nn.Module) -> None:
    """Replace every linear layer without bias, the head too, by a FrozenLinear.

    Call it before PEFT wraps the model. A head tied to the embedding is untied:
    the embedding stays in float32.
    """
    for name, child in model.named_children():
        if type(child) is nn.Linear and child.bias is None:
            setattr(model, name, FrozenLinear.of(child))
        else:
            freeze_in_bfloat16(child)
