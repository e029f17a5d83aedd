"""The operations between a layer's products: compiled on a CPU, PyTorch's elsewhere.

Tensors are (N, columns), a token a line, the residual stream in float32 and the products' inputs and outputs in
their weights' type. Both compute the same, except for the places that dropout picks.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F


def _array(tensor: torch.Tensor) -> Any:
    """Return a CPU tensor as an array of the same memory; bfloat16 as uint16."""
    return (tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _compiled(tensor: torch.Tensor) -> bool:
    return tensor.device.type == "cpu"


def norm(
    x: torch.Tensor, more: torch.Tensor | None, weight: torch.Tensor, eps: float, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return x + `more`, that over its root mean square (Zhang and Sennrich 2019), weighted, and one over the root."""
    if _compiled(x):
        from training.lean import kernels

        total = x if more is None else torch.empty_like(x)
        out, factors = torch.empty(x.shape, dtype=dtype), torch.empty(len(x))
        if more is None:
            kernels.norm(_array(x), _array(weight), eps, _array(out), _array(factors))
        else:
            kernels.add_norm(_array(x), _array(more), _array(weight), eps, _array(total), _array(out), _array(factors))
        return total, out, factors
    total = x if more is None else x + more
    factors = total.square().mean(-1).add_(eps).rsqrt_()
    return total, (total * factors[:, None]).mul_(weight).to(dtype), factors


def norm_back(
    dy: torch.Tensor, x: torch.Tensor, factors: torch.Tensor, weight: torch.Tensor, d: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return d + the gradient of x by that of its norm, and the same in dy's type."""
    if _compiled(x):
        from training.lean import kernels

        out, short = torch.empty_like(d), torch.empty_like(dy)
        kernels.norm_back(*map(_array, (dy, x, factors, weight, d, out, short)))
        return out, short
    slope, scaled = dy * weight, x * factors[:, None]
    share = torch.linalg.vecdot(slope, scaled).div_(x.shape[1])[:, None]
    out = slope.addcmul_(scaled, share, value=-1).mul_(factors[:, None]).add_(d)
    return out, out.to(dy.dtype)


def rotate(values: torch.Tensor, heads: int, cosine: torch.Tensor, sine: torch.Tensor, back: bool = False) -> None:
    """Turn the first `heads` heads of each line by its place (Su et al. 2021), or back, in place."""
    if _compiled(values):
        from training.lean import kernels

        kernels.rotate(_array(values), heads, _array(cosine), _array(sine), -1.0 if back else 1.0)
        return
    half = cosine.shape[1]
    turned = values[:, : 2 * half * heads].view(len(values), heads, 2, half)
    left, right = turned[:, :, 0].float(), turned[:, :, 1].float()
    c, s = cosine[:, None], -sine[:, None] if back else sine[:, None]
    first, second = (left * c).addcmul_(right, s, value=-1), (right * c).addcmul_(left, s)
    turned[:, :, 0], turned[:, :, 1] = first, second


def swish(gate_up: torch.Tensor) -> torch.Tensor:
    """Return silu(gate) · up (Shazeer 2020)."""
    gate, up = gate_up.chunk(2, 1)
    if _compiled(gate_up):
        from training.lean import kernels

        out = torch.empty(gate.shape, dtype=gate.dtype)
        kernels.swish(_array(gate_up), _array(out))
        return out
    return F.silu(gate).mul_(up)


def swish_back(d: torch.Tensor, gate_up: torch.Tensor) -> torch.Tensor:
    """Return the gradient of `gate_up` by that of what `swish` returned."""
    out = torch.empty_like(gate_up)
    if _compiled(d):
        from training.lean import kernels

        kernels.swish_back(_array(d), _array(gate_up), _array(out))
        return out
    gate, up = gate_up.chunk(2, 1)
    d_gate, d_up = out.chunk(2, 1)
    torch.mul(d, F.silu(gate), out=d_up)
    torch.ops.aten.silu_backward(d * up, gate, grad_input=d_gate)
    return out


def weigh(scores: torch.Tensor, first: int, scale: float) -> torch.Tensor:
    """Return the softmax of scores (any, queries, keys) times `scale`; query i sees keys up to `first` + i.

    The scores may be overwritten.
    """
    queries, keys = scores.shape[1:]
    if _compiled(scores):
        from training.lean import kernels

        kernels.softmax(_array(scores.view(-1, keys)), queries, first, scale)
        return scores
    later = torch.ones(queries, keys, dtype=torch.bool, device=scores.device).triu_(first + 1)
    return scores.mul_(scale).masked_fill_(later, -torch.inf).softmax(-1)


def weigh_back(d: torch.Tensor, weights: torch.Tensor, first: int, scale: float) -> torch.Tensor:
    """Return the gradient of scores by that of their `weights`; `d` may be overwritten."""
    if _compiled(d):
        from training.lean import kernels

        queries, keys = d.shape[1:]
        kernels.softmax_back(_array(d.view(-1, keys)), _array(weights.view(-1, keys)), queries, first, scale)
        return d
    return torch._softmax_backward_data(d, weights, -1, d.dtype).mul_(scale)


def drop(x: torch.Tensor, seed: int, share: float, onto: torch.Tensor | None = None) -> torch.Tensor:
    """Return x with a `share` of its places at 0 and the others over (1 - share), or add that to `onto`.

    The same seed picks the same places, so that the backward pass needs no
    mask.
    """
    if _compiled(x):
        from training.lean import kernels

        out = torch.empty_like(x) if onto is None else onto
        kernels.drop(_array(x), seed, share, onto is not None, _array(out))
        return out
    noise = torch.rand(x.shape, device=x.device, generator=torch.Generator(x.device).manual_seed(seed))
    dropped = x * (noise >= share).to(x.dtype).div_(1 - share)
    return dropped if onto is None else onto.add_(dropped)


def predict(
    logits: torch.Tensor,
    targets: torch.Tensor,
    temperature: float,
    slopes: bool,
    log_probs: torch.Tensor,
    entropies: torch.Tensor,
) -> torch.Tensor:
    """Write each line's log-probability of its target and, where there is room, its entropy.

    With `slopes`, return the gradient of the log-probability by the logits, times
    the temperature, in their type. The logits may be overwritten.
    """
    if _compiled(logits):
        from training.lean import kernels

        kernels.predict(_array(logits), _array(targets), _array(log_probs), _array(entropies), temperature, slopes)
        return logits
    target = targets[:, None]
    logs = logits.float().div_(temperature)
    logs.sub_(logs.logsumexp(-1, keepdim=True))
    log_probs.copy_(logs.gather(1, target)[:, 0])
    if len(entropies):
        entropies.copy_(-torch.linalg.vecdot(logs.exp(), logs))
    if not slopes:
        return logits
    rest = logs.exp_().neg_().scatter_add_(1, target, torch.ones_like(target, dtype=logs.dtype))
    return rest.to(logits.dtype)
