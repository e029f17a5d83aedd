"""TRL's GRPOTrainer with lean log-probabilities: rows without their padding, logits only after completion tokens."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from trl import GRPOTrainer

from training.lean.tokens import micro_batches, token_log_probs

MICRO_BATCH_TOKENS = 1024


class LeanGRPOTrainer(GRPOTrainer):
    """GRPOTrainer that scores completions in micro-batches of like length; everything else is TRL's.

    With `best_alone` the policy learns from the best completion of each prompt
    as if it were a reference, and from no other: rejection sampling, drawn from
    the policy as it is at that step.
    """

    best_alone = False

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """Return TRL's batch; with `best_alone`, advantages are 1 for the best of each prompt and 0 for the others."""
        batch: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if self.best_alone:
            batch["advantages"] = best_of_each(batch["advantages"], self.num_generations or 1)
        return batch

    def _get_per_token_logps_and_entropies(  # private to TRL, which is pinned; a test compares both
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        **_: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None, None]:
        """Return log-probabilities and, if asked for, entropies (B, logits_to_keep); zeros at padding.

        `input_ids` (B, T) holds prompts padded on the left and completions padded on the right.
        """
        lengths = attention_mask.sum(1).tolist()
        answers = attention_mask[:, -logits_to_keep:].sum(1).tolist()
        log_probs: dict[int, torch.Tensor] = {}
        entropies: dict[int, torch.Tensor] = {}
        for group in micro_batches(lengths, MICRO_BATCH_TOKENS):
            ids = [input_ids[row, attention_mask[row].bool()] for row in group]
            scored = [
                torch.arange(len(one), device=one.device) >= len(one) - answers[row]
                for one, row in zip(ids, group, strict=True)
            ]
            found = token_log_probs(model, ids, scored, self.temperature, compute_entropy)
            for values, by_row in zip(found, (log_probs, entropies), strict=True):
                parts = values.split([answers[row] for row in group]) if len(values) else ()
                for row, part in zip(group, parts, strict=False):
                    by_row[row] = F.pad(part, (0, logits_to_keep - len(part)))
        stacked = torch.stack([log_probs[row] for row in range(len(lengths))])
        spread = torch.stack([entropies[row] for row in range(len(lengths))]) if compute_entropy else None
        return stacked, spread, None


def best_of_each(advantages: torch.Tensor, group: int) -> torch.Tensor:
    """Return 1 for the highest of each `group` consecutive advantages (B,), the first of equal ones, and 0 elsewhere.

    A group whose advantages are all equal gives zeros: none is better than another.
    """
    grouped = advantages.view(-1, group)
    best = F.one_hot(grouped.argmax(1), group).to(advantages.dtype)
    differ = grouped.max(1).values > grouped.min(1).values
    return (best * differ[:, None]).flatten()
