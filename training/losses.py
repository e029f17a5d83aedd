"""Cross-entropy of reference answers: what `test_loss` in training.json is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.pairs import TokenPair

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class PairLosses:
    """Summed loss (nats) and number of answer tokens of each pair, in order."""

    sums: tuple[float, ...]
    tokens: tuple[int, ...]

    @property
    def mean(self) -> float:
        """Mean loss per answer token over all pairs, nats."""
        return sum(self.sums) / sum(self.tokens)

    def interval(self, seed: int) -> tuple[float, float]:
        """Return the 95 % percentile bootstrap interval of `mean`, pairs resampled."""
        return _bootstrap(self.sums, self.tokens, seed)

    def difference_interval(self, other: PairLosses, seed: int) -> tuple[float, float]:
        """Return the 95 % paired bootstrap interval of `self.mean - other.mean`, pairs resampled."""
        return _bootstrap([a - b for a, b in zip(self.sums, other.sums, strict=True)], self.tokens, seed)


def _bootstrap(sums: Sequence[float], tokens: Sequence[int], seed: int) -> tuple[float, float]:
    import numpy as np

    picks = np.random.default_rng(seed).integers(0, len(sums), (RESAMPLES, len(sums)))
    means = np.asarray(sums)[picks].sum(1) / np.asarray(tokens)[picks].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def answer_losses(
    model: Any, pairs: Sequence[TokenPair], pad_id: int, batch_tokens: int = 2048, label: str = ""
) -> PairLosses:
    """Return each pair's loss over its answer tokens alone.

    Batches hold pairs of like length, at most `batch_tokens` with padding; logits
    are computed only where an answer token is predicted. Progress goes to stderr.
    """
    import torch
    from tqdm import tqdm

    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].ids))
    batches: list[list[int]] = [[]]
    for i in order:
        if batches[-1] and len(pairs[i].ids) * (len(batches[-1]) + 1) > batch_tokens:
            batches.append([])
        batches[-1].append(i)
    body, head = _body_and_head(model)
    sums, counts = [0.0] * len(pairs), [0] * len(pairs)
    was_training = model.training
    model.eval()
    with torch.inference_mode(), tqdm(total=len(pairs), desc=label, unit="pair", file=sys.stderr, mininterval=5) as bar:
        for batch in batches:
            width = max(len(pairs[i].ids) for i in batch)
            ids = torch.full((len(batch), width), pad_id)
            mask = torch.zeros(len(batch), width, dtype=torch.long)
            for row, i in enumerate(batch):
                ids[row, : len(pairs[i].ids)] = torch.tensor(pairs[i].ids)
                mask[row, : len(pairs[i].ids)] = 1
            hidden = body(input_ids=ids.to(model.device), attention_mask=mask.to(model.device)).last_hidden_state
            for row, i in enumerate(batch):
                pair = pairs[i]
                # Position t predicts token t + 1: the answer's first token is predicted by the prompt's last.
                logits = head(hidden[row, pair.prompt - 1 : len(pair.ids) - 1]).float()
                target = torch.tensor(pair.ids[pair.prompt :], device=logits.device)
                sums[i] = torch.nn.functional.cross_entropy(logits, target, reduction="sum").item()
                counts[i] = len(target)
            bar.update(len(batch))
    model.train(was_training)
    return PairLosses(tuple(sums), tuple(counts))


def _body_and_head(model: Any) -> tuple[Any, Any]:
    """Return (transformer without head, head), reaching through PEFT's wrapper."""
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    return causal.model, causal.lm_head
