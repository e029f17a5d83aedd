"""TRL's SFTTrainer with lean steps: batches without padding to the longest, logits only where the loss is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import torch
from trl import SFTTrainer

from training.lean.llama import causal_of, dropout_seeds, is_by_hand
from training.lean.tokens import even_batches, micro_batches, token_log_probs

MICRO_BATCH_TOKENS = 1024


class _Part(NamedTuple):
    """A micro-batch: its rows' ids without padding, which of them count, and the seeds of its dropouts."""

    ids: list[torch.Tensor]
    scored: list[torch.Tensor]
    seeds: list[int]

    def loss(self, model: Any) -> torch.Tensor:
        """Return the loss, summed over its labelled tokens."""
        return -token_log_probs(model, self.ids, self.scored, seeds=self.seeds)[0].sum()


class LeanSFTTrainer(SFTTrainer):
    """SFTTrainer whose steps run in micro-batches of like length; the loss is the same mean over labelled tokens.

    On a CPU each thread takes micro-batches of its own: sharing each product
    takes longer, and what is between the products runs on one thread. Data,
    optimiser, schedule, checkpoints and callbacks are the trainer's own. TRL's
    per-token metrics (entropy, accuracy) are not computed.
    """

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        """Run forward and backward over one batch and return its share of the step's loss."""
        model.train()
        inputs = self._prepare_inputs(inputs)
        count = (inputs["labels"][:, 1:] != -100).sum() if num_items_in_batch is None else num_items_in_batch
        steps = 1 if num_items_in_batch is not None else self.current_gradient_accumulation_steps
        plain = self.accelerator.unwrap_model(model)
        threads = torch.get_num_threads() if _is_for_threads(plain) else 1
        parts = list(self._parts(plain, inputs, threads))
        if threads > 1 and len(parts) > 1:
            return _side_by_side(plain, parts, count * steps, threads)
        total = torch.zeros((), device=inputs["input_ids"].device)
        for part in parts:
            share = part.loss(plain) / count / steps
            self.accelerator.backward(share)
            total += share.detach()
        return total

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[torch.Tensor, None, None]:
        """Return one batch's mean loss over its labelled tokens."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad():
            parts = self._parts(model, inputs)
            total = sum((part.loss(model) for part in parts), torch.zeros((), device=inputs["input_ids"].device))
        return total / (inputs["labels"][:, 1:] != -100).sum(), None, None

    def _parts(self, model: Any, inputs: dict[str, Any], threads: int = 1) -> Iterator[_Part]:
        """Yield the micro-batches: of like length, or for several threads as many, of as many tokens, for each."""
        lengths = inputs["attention_mask"].sum(1).tolist()
        rounds = -(-sum(lengths) // (threads * MICRO_BATCH_TOKENS))
        groups = micro_batches(lengths, MICRO_BATCH_TOKENS) if threads == 1 else even_batches(lengths, threads * rounds)
        for group in groups:
            ids = [inputs["input_ids"][row, : lengths[row]] for row in group]
            scored = [inputs["labels"][row, : lengths[row]] != -100 for row in group]
            for row in scored:
                row[0] = False
            yield _Part(ids, scored, dropout_seeds(causal_of(model)))


def _is_for_threads(model: Any) -> bool:
    """Return whether several threads may run the model at once: dropouts have to have seeds of their own."""
    return next(model.parameters()).device.type == "cpu" and is_by_hand(causal_of(model))


def _side_by_side(model: Any, parts: Sequence[_Part], count: torch.Tensor | int, threads: int) -> torch.Tensor:
    """Add the gradients of the parts' loss over `count` to the parameters', and return it.

    The parts are computed at the same time, each on one thread, and summed in their order, so that the result doesn't
    depend on who is done first.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def computed(part: _Part) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        share = part.loss(model) / count
        return share.detach(), torch.autograd.grad(share, parameters)

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = list(_pool(threads).map(computed, parts))
    finally:
        torch.set_num_threads(before)
    for _, gradients in found:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)
    return torch.stack([share for share, _ in found]).sum()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Return threads that compute on one core each."""
    return ThreadPoolExecutor(threads, "lean", initializer=torch.set_num_threads, initargs=(1,))
