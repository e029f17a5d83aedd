"""Sampling against transformers' own processors, and the dice's properties."""

from __future__ import annotations

import torch
from transformers import RepetitionPenaltyLogitsProcessor, TopPLogitsWarper

from medilite.engine.sampling import Sampler, nucleus
from medilite.records import Decoding


def test_the_repetition_penalty_is_transformers() -> None:
    torch.manual_seed(0)
    logits, prompt = torch.randn(1, 50), [3, 7, 7, 20]
    expected = RepetitionPenaltyLogitsProcessor(1.7)(torch.tensor([prompt]), logits.clone()).argmax(-1)
    for vocabulary_bias in (0.0, 5.0):
        biased = logits.clone()
        biased[0, 7] += vocabulary_bias
        expected = RepetitionPenaltyLogitsProcessor(1.7)(torch.tensor([prompt]), biased.clone()).argmax(-1)
        sampler = Sampler([Decoding(repetition_penalty=1.7)], [0], [prompt], 50)
        assert torch.equal(sampler.choose(biased), expected)


def test_generated_tokens_are_penalised_too() -> None:
    logits = torch.tensor([[2.0, 1.9, 0.0]])
    sampler = Sampler([Decoding(repetition_penalty=1.5)], [0], [[]], 3)
    assert [int(sampler.choose(logits)) for _ in range(3)] == [0, 1, 0]


def test_the_nucleus_is_transformers() -> None:
    torch.manual_seed(1)
    for size in (40, 3000):  # below and above the first look's width
        logits = torch.randn(3, size)
        for top_p in (0.05, 0.5, 0.9, 0.99):
            ours = nucleus(logits, torch.full((3, 1), top_p))
            theirs = TopPLogitsWarper(top_p)(torch.zeros(3, 1, dtype=torch.long), logits)
            assert torch.equal(ours.isfinite(), theirs.isfinite())


def test_every_row_has_its_own_decoding() -> None:
    logits = torch.tensor([[1.0, 3.0, 2.0]]).repeat(3, 1)
    sampler = Sampler([Decoding(), Decoding(temperature=1.0, top_p=0.01), Decoding()], [1, 2, 3], [[], [], []], 3)
    assert sampler.choose(logits).tolist() == [1, 1, 1]


def test_draws_follow_the_distribution() -> None:
    """20,000 draws of a known distribution: each frequency within four standard errors."""
    probabilities = torch.tensor([0.5, 0.3, 0.15, 0.05])
    n = 20_000
    sampler = Sampler([Decoding(temperature=1.0)], [5], [[]], 4)
    counts = torch.zeros(4)
    for _ in range(n):
        counts[sampler.choose(probabilities.log()[None])] += 1
    error = (probabilities * (1 - probabilities) / n).sqrt()
    assert bool(((counts / n - probabilities).abs() < 4 * error).all())


def test_models_that_agree_draw_the_same_token() -> None:
    """Common dice: two nearly equal distributions part ways about as rarely as they differ, not as often as chance."""
    torch.manual_seed(2)
    a = torch.randn(200, 100)
    b = a + 0.05 * torch.randn(200, 100)
    sampler = Sampler([Decoding(temperature=1.0)] * 2, [9, 9], [[], []], 100)
    same = sum(int(x[0] == x[1]) for x in (sampler.choose(torch.stack([a[i], b[i]])) for i in range(200)))
    assert same >= 180


def test_a_row_that_is_not_finite_has_no_token_and_spoils_no_other() -> None:
    logits = torch.tensor([[1.0, torch.nan], [0.0, 1.0]])
    sampler = Sampler([Decoding(temperature=1.0), Decoding()], [0, 0], [[], []], 2)
    assert sampler.choose(logits).tolist() == [-1, 1]


def test_dropped_rows_leave_the_others_as_they_were() -> None:
    torch.manual_seed(3)
    logits = torch.randn(3, 50)
    decodings = [Decoding(temperature=1.0, repetition_penalty=1.3)] * 3
    whole, part = (Sampler(decodings, [1, 2, 3], [[1], [2], [3]], 50) for _ in range(2))
    whole.choose(logits), part.choose(logits)
    part.keep([0, 2])
    for _ in range(5):
        assert whole.choose(logits)[[0, 2]].tolist() == part.choose(logits[[0, 2]]).tolist()
