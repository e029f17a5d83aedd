"""Losses by hand, and against transformers' own."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from training.losses import PairLosses


def test_the_mean_is_per_token_not_per_pair() -> None:
    losses = PairLosses((2.0, 9.0), (1, 3))
    assert losses.mean == pytest.approx(11 / 4)


def test_intervals_hold_the_mean_and_shrink_with_n() -> None:
    values = [1.0, 2.0, 3.0, 4.0]
    few = PairLosses(tuple(values * 5), (1,) * 20)
    many = PairLosses(tuple(values * 500), (1,) * 2000)
    (a, b), (c, d) = few.interval(0), many.interval(0)
    assert a < 2.5 < b
    assert c < 2.5 < d
    # The standard error is 1.118 / sqrt(n); 95 % is 1.96 of them either side.
    assert d - c == pytest.approx(2 * 1.96 * 1.118 / math.sqrt(2000), rel=0.1)
    assert (b - a) / (d - c) == pytest.approx(10, rel=0.15)
    assert few.interval(1) == few.interval(1)


def test_paired_differences_are_narrower_than_their_parts() -> None:
    ours = PairLosses(tuple(i / 10 for i in range(100)), (1,) * 100)
    base = PairLosses(tuple(i / 10 + 0.5 for i in range(100)), (1,) * 100)
    low, high = ours.difference_interval(base, 0)
    assert low == pytest.approx(-0.5)
    assert high == pytest.approx(-0.5)


@pytest.mark.model
def test_answer_losses_are_transformers_masked_loss(tiny_profile: Path, tiny_data: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from training.base_model import load_tokenizer
    from training.data.manifest import load_split
    from training.losses import answer_losses
    from training.pairs import tokenise

    folder = tiny_profile.parent / "base"
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = load_tokenizer(folder)
    pairs = tokenise(tokenizer, load_split(tiny_data, "test"), 60)
    losses = answer_losses(model, pairs, tokenizer.pad_token_id, batch_tokens=200)
    for pair, total, tokens in zip(pairs, losses.sums, losses.tokens, strict=True):
        ids = torch.tensor([pair.ids])
        labels = ids.clone()
        labels[0, : pair.prompt] = -100
        assert tokens == len(pair.ids) - pair.prompt
        assert total / tokens == pytest.approx(model(input_ids=ids, labels=labels).loss.item(), rel=1e-4)
