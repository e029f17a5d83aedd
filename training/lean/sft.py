"""TRL's SFTTrainer with lean steps: batches without padding to the longest, logits only where the loss is taken."""

from __future__ import annotations

from typing import Any

import torch
from trl import SFTTrainer

from training.lean.tokens import micro_batches, token_log_probs

MICRO_BATCH_TOKENS = 1024


class LeanSFTTrainer(SFTTrainer):
    """SFTTrainer whose steps run in micro-batches of like length; the loss is the same mean over labelled tokens.

    Data, optimiser, schedule, checkpoints and callbacks are the trainer's own.
    TRL's per-token metrics (entropy, accuracy) are not computed.
    """

    def training_step(
        self, model: Any, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        """Run forward and backward over one batch and return its share of the step's loss."""
        model.train()
        inputs = self._prepare_inputs(inputs)
        count = (inputs["labels"][:, 1:] != -100).sum() if num_items_in_batch is None else num_items_in_batch
        steps = 1 if num_items_in_batch is not None else self.current_gradient_accumulation_steps
        total = torch.zeros((), device=inputs["input_ids"].device)
        for loss in self._micro_losses(model, inputs):
            share = loss / count / steps
            self.accelerator.backward(share)
            total += share.detach()
        return total

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[torch.Tensor, None, None]:
        """Return one batch's mean loss over its labelled tokens."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad():
            total = sum(self._micro_losses(model, inputs), torch.zeros((), device=inputs["input_ids"].device))
        return total / (inputs["labels"][:, 1:] != -100).sum(), None, None

    def _micro_losses(self, model: Any, inputs: dict[str, Any]) -> Any:
        """Yield the summed loss of each micro-batch; a consumer may go backward before it takes the next."""
        lengths = inputs["attention_mask"].sum(1).tolist()
        for group in micro_batches(lengths, MICRO_BATCH_TOKENS):
            ids = [inputs["input_ids"][row, : lengths[row]] for row in group]
            scored = [inputs["labels"][row, : lengths[row]] != -100 for row in group]
            for row in scored:
                row[0] = False
            yield -token_log_probs(model, ids, scored)[0].sum()
