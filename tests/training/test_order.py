"""An epoch's order is the same whether or not the epochs before it ran in this process."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from training.order import order_by_epoch


def orders(sampler_of, epochs: list[int]) -> list[list[int]]:
    trainer = SimpleNamespace(_get_train_sampler=sampler_of, args=SimpleNamespace(seed=42))
    order_by_epoch(trainer)
    sampler = trainer._get_train_sampler(None)
    found = []
    for epoch in epochs:
        sampler.set_epoch(epoch)
        found.append(list(sampler))
    return found


@pytest.mark.parametrize("kind", ["by length", "repeated"])
def test_a_resumed_epoch_has_the_order_that_it_had(kind: str) -> None:
    import torch
    from transformers.trainer_pt_utils import LengthGroupedSampler
    from trl.trainer.utils import RepeatSampler

    def sampler_of(dataset: object) -> object:
        if kind == "by length":
            return LengthGroupedSampler(4, lengths=list(range(40)))
        return RepeatSampler(range(40), mini_repeat_count=2, batch_size=2, seed=42)

    torch.manual_seed(0)
    undisturbed = orders(sampler_of, [0, 1, 2])
    torch.manual_seed(1)
    assert orders(sampler_of, [2]) == undisturbed[2:]
    assert undisturbed[0] != undisturbed[1]
    assert sorted(set(undisturbed[1])) == list(range(40))
    # What the dice of dropout are is not touched.
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    orders(sampler_of, [0])
    assert torch.equal(torch.rand(1), expected)
