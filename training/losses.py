"""Cross-entropy of reference answers: what `test_loss` in training.json is."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from medilite.files import append_lines, whole_lines
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


@dataclass(frozen=True, slots=True)
class PairLoss:
    """One pair's summed loss in nats and number of predicted tokens, of its answer and of what comes before it.

    The conversation's first token is predicted by nothing and counts nowhere.
    """

    answer: float
    answer_tokens: int
    prompt: float
    prompt_tokens: int


def of_answers(losses: Sequence[PairLoss]) -> PairLosses:
    """Return the losses of the answers alone."""
    return PairLosses(tuple(pair.answer for pair in losses), tuple(pair.answer_tokens for pair in losses))


def of_conversations(losses: Sequence[PairLoss]) -> PairLosses:
    """Return the losses of whole conversations, prompts too, as the study took them."""
    return PairLosses(
        tuple(pair.answer + pair.prompt for pair in losses),
        tuple(pair.answer_tokens + pair.prompt_tokens for pair in losses),
    )


class LossLog:
    """Losses in a file, a JSON line a batch, so that a kill costs at most one batch."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.done: dict[int, PairLoss] = {}
        for line in whole_lines(file):
            self.done |= {int(i): PairLoss(*loss) for i, loss in json.loads(line).items()}

    def keep(self, losses: Mapping[int, PairLoss]) -> None:
        """Add a batch's losses, by the pair's place in order."""
        self.done |= losses
        append_lines(self._file, [json.dumps({str(i): astuple(loss) for i, loss in losses.items()})])


def pair_losses(
    model: Any,
    pairs: Sequence[TokenPair],
    log: LossLog | None = None,
    batch_tokens: int = 2048,
    label: str = "",
) -> list[PairLoss]:
    """Return each pair's loss, in order; pairs that `log` holds already are not computed again.

    Batches hold pairs of like length, at most `batch_tokens`. Progress goes to stderr.
    """
    import torch
    from tqdm import tqdm

    from training.lean.tokens import micro_batches, token_log_probs

    done: dict[int, PairLoss] = dict(log.done) if log else {}
    missing = [i for i in range(len(pairs)) if i not in done]
    was_training = model.training
    model.eval()
    bar = tqdm(total=len(pairs), initial=len(done), desc=label, unit="pair", file=sys.stderr, mininterval=_every_s())
    with torch.inference_mode(), bar:
        for batch in micro_batches([len(pairs[i].ids) for i in missing], batch_tokens):
            batch = [missing[place] for place in batch]
            ids = [torch.tensor(pairs[i].ids, device=model.device) for i in batch]
            scored = [torch.arange(len(row), device=row.device) > 0 for row in ids]
            log_probs = token_log_probs(model, ids, scored)[0].double()
            found = {}
            for i, losses in zip(batch, (-log_probs).split([len(row) - 1 for row in ids]), strict=True):
                # The first token is not predicted, so the prompt has one loss less than it has tokens.
                of_prompt, of_answer = losses[: pairs[i].prompt - 1], losses[pairs[i].prompt - 1 :]
                found[i] = PairLoss(of_answer.sum().item(), len(of_answer), of_prompt.sum().item(), len(of_prompt))
            if log:
                log.keep(found)
            done |= found
            bar.update(len(batch))
    model.train(was_training)
    return [done[i] for i in range(len(pairs))]


def _every_s() -> float:
    """Return the seconds between progress lines: many if stderr is a log."""
    return 5 if sys.stderr.isatty() else 60
