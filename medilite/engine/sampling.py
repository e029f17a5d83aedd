"""The next token of every row at once, each with its own decoding.

Random numbers are common: rows of one seed get the same Gumbel noise for the
same token at the same step (the Gumbel-max way of sampling, Gumbel 1954). Two
models that agree about a distribution then draw the same token, and where
their answers differ the checkpoints do, not the dice.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from medilite.records import Decoding

_NUCLEUS = 512
"""Tokens sorted at first for top-p; a row whose nucleus is larger is sorted whole."""


class Sampler:
    """Chooses tokens for the rows of a batch; remembers what each row has seen for the repetition penalty.

    `prompts` are the rows' prompt ids; like in transformers, prompt tokens count as seen.
    """

    def __init__(
        self, decodings: Sequence[Decoding], seeds: Sequence[int], prompts: Sequence[Sequence[int]], vocabulary: int
    ) -> None:
        self._vocabulary = vocabulary
        self._temperature = torch.tensor([d.temperature for d in decodings])[:, None]
        self._top_p = torch.tensor([d.top_p for d in decodings])[:, None]
        self._penalty = torch.tensor([d.repetition_penalty for d in decodings])[:, None]
        self._seeds = list(seeds)
        # A generator a distinct seed: its stream depends on the seed and the step alone, not on who shares the batch.
        self._generators = {seed: torch.Generator().manual_seed(seed & (2**63 - 1)) for seed in seeds}
        self._seen = torch.zeros(len(seeds), vocabulary, dtype=torch.bool)
        for row, prompt in enumerate(prompts):
            self._seen[row, list(prompt)] = True

    def keep(self, rows: list[int]) -> None:
        """Drop all rows but these."""
        self._temperature, self._top_p = self._temperature[rows], self._top_p[rows]
        self._penalty, self._seen = self._penalty[rows], self._seen[rows]
        self._seeds = [self._seeds[row] for row in rows]

    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the next token of each row, (B,) int64, from float32 logits (B, vocabulary); -1 where a row has none.

        A row whose logits are not finite has no next token.
        """
        logits = logits.cpu()
        broken = ~logits.isfinite().all(-1)
        if bool((self._penalty != 1).any()):
            penalised = torch.where(logits > 0, logits / self._penalty, logits * self._penalty)
            logits = torch.where(self._seen, penalised, logits)
        chosen = logits.argmax(-1)
        sampled = (self._temperature[:, 0] > 0) & ~broken
        if bool(sampled.any()):
            chosen = torch.where(sampled, self._sample(logits), chosen)
        chosen[broken] = -1
        self._seen[torch.arange(len(chosen)), chosen.clamp(min=0)] = True
        return chosen

    def _sample(self, logits: torch.Tensor) -> torch.Tensor:
        logits = logits / self._temperature.clamp(min=1e-6)
        if bool((self._top_p < 1).any()):
            logits = nucleus(logits, self._top_p)
        noise = {}
        for seed in dict.fromkeys(self._seeds):
            exponential = torch.empty(self._vocabulary).exponential_(generator=self._generators[seed])
            noise[seed] = -exponential.log()
        return (logits + torch.stack([noise[seed] for seed in self._seeds])).argmax(-1)


def nucleus(logits: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """Return logits with -inf outside each row's nucleus (Holtzman et al. 2020).

    The nucleus is the smallest set of likeliest tokens whose probabilities add
    up to at least `top_p` (B, 1); the likeliest token is always in it.
    """
    probabilities = logits.softmax(-1)
    size = min(_NUCLEUS, logits.shape[-1])
    best, index = probabilities.topk(size, -1)
    if bool((best.sum(-1, keepdim=True) < top_p).any()):
        best, index = probabilities.sort(-1, descending=True)
    before = best.cumsum(-1) - best
    kept = torch.zeros_like(logits, dtype=torch.bool).scatter_(-1, index, before < top_p)
    return logits.masked_fill(~kept, -torch.inf)
