"""Causal attention of rows that lie end to end, forward and backward, as products of whole matrices.

Grouped queries (Ainslie et al. 2023) of one key-value head make one matrix, so
that each product is large. PyTorch's fused attention on a CPU needs 5 times as
long, forward and backward, at rows of 100 to 500 tokens with 9 heads of 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from training.lean.pointwise import weigh, weigh_back

CHUNK = 256
"""Queries multiplied at once: keys later than theirs are left out, so long rows cost about half."""


class Heads(NamedTuple):
    """The layout of a token's queries, keys and values in columns."""

    queries: int
    keys: int
    width: int

    @property
    def columns(self) -> tuple[int, int, int]:
        """The numbers of columns of queries, keys and values."""
        return self.queries * self.width, self.keys * self.width, self.keys * self.width


def _split(qkv: torch.Tensor, heads: Heads) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return a row's queries (keys' heads, group, T, D), keys and values (heads, T, D)."""
    q, k, v = qkv.split(heads.columns, 1)
    group = heads.queries // heads.keys
    return (
        q.view(len(q), heads.keys, group, heads.width).permute(1, 2, 0, 3),
        k.view(len(k), heads.keys, heads.width).transpose(0, 1),
        v.view(len(v), heads.keys, heads.width).transpose(0, 1),
    )


def attend(qkv: torch.Tensor, lengths: Sequence[int], heads: Heads) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return what each token gets, (N, queries · D), and the weights, for the way back.

    `qkv` is (N, columns), with queries and keys already rotated; `lengths` are the
    rows' and add up to N.
    """
    out = qkv.new_empty(len(qkv), heads.queries * heads.width)
    weights = []
    group, scale = heads.queries // heads.keys, heads.width**-0.5
    begin = 0
    for length in lengths:
        q, k, v = _split(qkv[begin : begin + length], heads)
        by_head = out[begin : begin + length].view(length, heads.keys, group, heads.width).permute(1, 2, 0, 3)
        for first in range(0, length, CHUNK):
            last = min(first + CHUNK, length)
            queries = q[:, :, first:last].reshape(heads.keys, -1, heads.width)
            scores = queries @ k[:, :last].transpose(1, 2)
            weights.append(weigh(scores.view(-1, last - first, last), first, scale).view(scores.shape))
            by_head[:, :, first:last] = (weights[-1] @ v[:, :last]).view(heads.keys, group, -1, heads.width)
        begin += length
    return out, weights


def attend_back(
    gradient: torch.Tensor, qkv: torch.Tensor, weights: Sequence[torch.Tensor], lengths: Sequence[int], heads: Heads
) -> torch.Tensor:
    """Return the gradient of `qkv` from that of what `attend` returned."""
    found = torch.empty_like(qkv)
    group, scale = heads.queries // heads.keys, heads.width**-0.5
    left = iter(weights)
    begin = 0
    for length in lengths:
        row = slice(begin, begin + length)
        q, k, v = _split(qkv[row], heads)
        dq, dk, dv = _split(found[row], heads)
        by_head = gradient[row].view(length, heads.keys, group, heads.width).permute(1, 2, 0, 3)
        for first in range(0, length, CHUNK):
            last = min(first + CHUNK, length)
            queries = q[:, :, first:last].reshape(heads.keys, -1, heads.width)
            d = by_head[:, :, first:last].reshape(heads.keys, -1, heads.width)
            p = next(left)
            ds = (d @ v[:, :last].transpose(1, 2)).view(-1, last - first, last)
            ds = weigh_back(ds, p.view(ds.shape), first, scale).view(p.shape)
            dq[:, :, first:last] = (ds @ k[:, :last]).view(heads.keys, group, -1, heads.width)
            for to, part in ((dk, ds.transpose(1, 2) @ queries), (dv, p.transpose(1, 2) @ d)):
                # A chunk is the first to reach its own keys; earlier keys have a gradient already.
                to[:, :first] += part[:, :first]
                to[:, first:last] = part[:, first:]
        begin += length
    return found
