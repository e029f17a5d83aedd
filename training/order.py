"""The order of the training pairs as a function of seed and epoch alone, so that a resumed epoch is the one begun."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class OrderByEpoch:
    """A sampler whose order in each epoch depends on nothing but seed and epoch.

    The trainer's own samplers draw from one generator for all epochs. After a kill in a later epoch that generator
    starts at the beginning: the batches to skip are skipped from another order, and the resumed run sees some pairs
    twice and others not at all.
    """

    def __init__(self, sampler: Any, seed: int) -> None:
        self._sampler, self._seed, self._epoch = sampler, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Note the epoch; the trainer calls this before each, also after a resume."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        import torch

        seed = self._seed + self._epoch
        if (own := getattr(self._sampler, "generator", None)) is not None:
            own.manual_seed(seed)
            return iter(list(self._sampler))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return iter(list(self._sampler))

    def __len__(self) -> int:
        return len(self._sampler)


def order_by_epoch(trainer: Any) -> None:
    """Give a trainer's sampler an order by epoch; call it before training."""
    its_own = trainer._get_train_sampler  # the one place for it, in transformers' Trainer and in TRL's

    def sampler(dataset: Any = None) -> OrderByEpoch:
        return OrderByEpoch(its_own(dataset), trainer.args.seed)

    trainer._get_train_sampler = sampler
