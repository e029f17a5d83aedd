"""Draw the next token of every row at once.

The app's sampler gives rows of one seed the same noise, which takes a number for every token of the vocabulary.
Completions of one prompt need different random numbers, so here a row draws one: its place in the cumulative
probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from medilite.engine.local.sampling import Sampler
from medilite.records import Decoding


class Draws:
    """Chooses the rows' next tokens at one temperature (0 is greedy) by a seed and a row's number alone."""

    def __init__(self, temperature: float, seed: int, rows: int) -> None:
        self._temperature = temperature
        self._generator = torch.Generator().manual_seed(seed)
        self._rows, self._living = rows, torch.arange(rows)

    def keep(self, rows: list[int]) -> None:
        """Drop all rows but these."""
        self._living = self._living[rows]

    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the next token of each row, (B,) int64, from float32 logits (B, vocabulary); -1 for NaN."""
        logits = logits.cpu()
        # For all rows, also ended ones: a row's draws must not depend on when other rows end.
        numbers = torch.rand(self._rows, generator=self._generator)[self._living, None]
        if not self._temperature:
            best, chosen = logits.max(-1)
            return torch.where(best.isfinite(), chosen, -1)
        cumulated = (logits / self._temperature).softmax(-1).cumsum(-1)
        total = cumulated[:, -1:]
        chosen = torch.searchsorted(cumulated, numbers * total, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)
        return torch.where(total[:, 0].isfinite(), chosen, -1)


def draws(decoding: Decoding, seed: int, prompts: Sequence[Sequence[int]], vocabulary: int) -> Draws | Sampler:
    """Return the sampler of a batch: Draws, or the app's for settings that only that one supports."""
    if decoding.top_p == 1 and decoding.repetition_penalty == 1:
        return Draws(decoding.temperature, seed, len(prompts))
    seeds = torch.randint(2**62, (len(prompts),), generator=torch.Generator().manual_seed(seed)).tolist()
    return Sampler([decoding] * len(prompts), seeds, prompts, vocabulary)
