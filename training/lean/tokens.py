"""Log-probabilities of given tokens, computed only where a loss needs them.

A small model with a large vocabulary spends much of its time on logits: here
they are made in tiles, only after the positions that are scored, and their
gradient is taken in the same pass, so that no tile is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F

from medilite.errors import TrainingError
from training.lean.llama import causal_of, hidden_states
from training.lean.pointwise import predict

_TILE = 256
"""Positions whose logits are in memory at once: 50 MB with 49,152 words in float32."""


class _LogProbs(torch.autograd.Function):
    """log p(target | hidden) and the entropy there.

    Of row i it saves d log pᵢ / d hiddenᵢ, which any loss over the rows only
    scales. Entropies carry no gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, head: torch.Tensor, targets: torch.Tensor, temperature: float, entropy: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        log_probs = torch.empty(len(targets), device=hidden.device)
        entropies = torch.empty(len(targets) if entropy else 0, device=hidden.device)
        slopes = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(targets), _TILE):
            tile = slice(start, start + _TILE)
            logits = F.linear(hidden[tile].to(head.dtype), head)
            rest = predict(logits, targets[tile], temperature, slopes is not None, log_probs[tile], entropies[tile])
            if slopes is not None:
                torch.div(rest @ head, temperature, out=slopes[tile])
        if slopes is not None:
            ctx.save_for_backward(slopes)
        ctx.mark_non_differentiable(entropies)
        return log_probs, entropies

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None, None, None]:
        (slopes,) = ctx.saved_tensors
        return slopes * gradients[0][:, None], None, None, None, None


def micro_batches(lengths: Sequence[int], limit: int) -> Iterator[list[int]]:
    """Yield the rows' indices in groups of like length, each of at most `limit` tokens.

    A row longer than the limit is a group of its own. Small groups keep a layer's
    activations in the processor's cache.
    """
    group: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if group and sum(lengths[i] for i in group) + lengths[row] > limit:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def even_batches(lengths: Sequence[int], count: int) -> list[list[int]]:
    """Return the rows' indices in at most `count` groups of about as many tokens: the longest first, to the least."""
    groups: list[list[int]] = [[] for _ in range(count)]
    tokens = [0] * count
    for row in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        least = tokens.index(min(tokens))
        groups[least].append(row)
        tokens[least] += lengths[row]
    return [group for group in groups if group]


def token_log_probs(
    model: Any,
    rows: Sequence[torch.Tensor],
    scored: Sequence[torch.Tensor],
    temperature: float = 1.0,
    entropy: bool = False,
    seeds: Sequence[int] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (log-probabilities, entropies) of the N tokens that `scored` marks, row after row.

    `rows` are token ids without padding, int64 (T,) each; `scored` are as many
    booleans, which never mark a row's first token. Both results are of
    temperature-scaled logits, float32 (N,), in nats; the log-probabilities have a
    gradient where the model has one. Entropies are empty unless asked for; `seeds`
    as in `hidden_states`. Raises TrainingError for an adapter of the head.
    """
    causal = causal_of(model)
    if hasattr(causal.lm_head, "lora_A"):
        raise TrainingError(
            "The lean loop takes no adapter of lm_head: leave it out of target_modules, or set loop: trl."
        )
    ids = torch.cat(list(rows))
    hidden = hidden_states(causal, ids, [len(row) for row in rows], seeds)
    places = torch.cat(list(scored)).nonzero()[:, 0]
    log_probs, entropies = _LogProbs.apply(hidden[places - 1], causal.lm_head.weight, ids[places], temperature, entropy)
    return log_probs, entropies
