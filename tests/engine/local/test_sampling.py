"""Sampling against transformers' own processors, and the dice's properties."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import RepetitionPenaltyLogitsProcessor, TopPLogitsWarper

from medilite.engine.local.sampling import Sampler, SeedNoise, SlotSampler
from medilite.engine.native.choose import nucleus
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
    for size in (40, 3000):
        for scale in (0.3, 1.0, 4.0):  # a large nucleus, and one that stands near the top
            logits = torch.randn(1, size) * scale
            for top_p in (0.05, 0.5, 0.9, 0.99):
                least, last = nucleus(logits[0].numpy(), float(logits.max()), top_p)
                tokens = torch.arange(size)
                ours = (logits[0] > least) | ((logits[0] == least) & (tokens <= last))
                theirs = TopPLogitsWarper(top_p)(torch.zeros(1, 1, dtype=torch.long), logits)[0]
                assert torch.equal(ours, theirs.isfinite())


def test_of_equal_tokens_the_first_are_in_the_nucleus() -> None:
    logits = np.zeros(100, np.float32)
    assert nucleus(logits, 0.0, 0.205) == (0.0, 20)
    logits[:3] = 40, 5, 7  # so far above the others that these share the last slice
    assert nucleus(logits, 40.0, 1e-3) == (40.0, 0)
    assert nucleus(logits, 40.0, 1.0)[0] < 40


def reference(logits: torch.Tensor, decoding: Decoding, seed: int, prompt: list[int]) -> list[int]:
    """Return the tokens for logits (steps, vocabulary) by transformers' processors and dice thrown with torch."""
    generator, seen, found = torch.Generator().manual_seed(seed), list(prompt), []
    for row in logits:
        scores = row[None].clone()
        if decoding.repetition_penalty != 1 and seen:
            scores = RepetitionPenaltyLogitsProcessor(decoding.repetition_penalty)(torch.tensor([seen]), scores)
        if decoding.temperature:
            scores = scores / decoding.temperature
            scores = TopPLogitsWarper(decoding.top_p)(torch.zeros(1, 1, dtype=torch.long), scores)
            scores = scores - torch.empty(row.shape).exponential_(generator=generator).log()
        found.append(int(scores.argmax()))
        seen.append(found[-1])
    return found


@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(),
        Decoding(repetition_penalty=1.2),
        Decoding(temperature=0.8),
        Decoding(temperature=1.3, top_p=0.9, repetition_penalty=1.1),
    ],
    ids=["greedy", "penalty", "sampled", "all"],
)
def test_a_seed_gives_the_same_tokens_as_ever_whatever_steps_its_neighbours_are_at(decoding: Decoding) -> None:
    steps, vocabulary, prompt = 40, 1000, [5, 6, 7]
    logits = torch.randn(steps, vocabulary, generator=torch.Generator().manual_seed(4)) * 2
    expected = reference(logits, decoding, 11, prompt)
    alone = Sampler([decoding], [11], [prompt], vocabulary)
    assert [int(alone.choose(row[None])) for row in logits] == expected

    # Beside rows of the same seed that began earlier, come, and go.
    crowd, found = SlotSampler(3, vocabulary, 100), []
    other = Decoding(temperature=1.0, top_p=0.8)
    for step in range(-7, steps):
        if step in (-7, 20):
            crowd.put(0, other, [1], SeedNoise(11, vocabulary))
        if step == 0:
            crowd.put(2, decoding, prompt, SeedNoise(11, vocabulary))
        rows = [0, 2] if step >= 0 else [0]
        given = np.stack([logits[step % steps].numpy()] * len(rows))
        chosen = crowd.choose(given, np.array(rows, np.int32))
        if step >= 0:
            found.append(int(chosen[1]))
    assert found == expected


def test_a_slot_remembers_nothing_of_the_row_before() -> None:
    sampler = SlotSampler(1, 3, 10)
    rows = np.zeros(1, np.int32)
    for _ in range(2):
        sampler.put(0, Decoding(repetition_penalty=2.0), [], None)
        logits = np.array([[2.0, 1.9, 1.5]], np.float32)
        assert [int(sampler.choose(logits.copy(), rows)[0]) for _ in range(3)] == [0, 1, 2]


def test_the_dice_go_forward_only() -> None:
    dice = SeedNoise(3, 8)
    first, third = dice.at(0).copy(), dice.at(2).copy()
    assert not np.array_equal(first, third)
    assert np.array_equal(dice.at(2), third)
    with pytest.raises(ValueError, match="step 2, 1 is gone"):
        dice.at(1)


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
    for size in (2, 70, 128):
        for worse in (torch.nan, torch.inf, -torch.inf):
            for place in (0, size - 1):
                logits = torch.zeros(3, size)
                logits[0, place] = logits[1, place] = worse
                logits[2, 1] = 1
                sampler = Sampler([Decoding(temperature=1.0), Decoding(), Decoding()], [0, 0, 0], [[], [], []], size)
                assert sampler.choose(logits).tolist() == [-1, -1, 1]


def test_dropped_rows_leave_the_others_as_they_were() -> None:
    torch.manual_seed(3)
    logits = torch.randn(3, 50)
    decodings = [Decoding(temperature=1.0, repetition_penalty=1.3)] * 3
    whole, part = (Sampler(decodings, [1, 2, 3], [[1], [2], [3]], 50) for _ in range(2))
    whole.choose(logits), part.choose(logits)
    part.keep([0, 2])
    for _ in range(5):
        assert whole.choose(logits)[[0, 2]].tolist() == part.choose(logits[[0, 2]]).tolist()


def test_shifts_move_their_own_row_alone_before_penalty_and_draw() -> None:
    sampler, rows = SlotSampler(2, 3, 10), np.arange(2, dtype=np.int32)
    logits = np.array([[2.0, 1.0, 0.0]] * 2, np.float32)
    shifts = np.array([0.0, 2.0, 0.0], np.float32)
    sampler.put(0, Decoding(), [], None, shifts=shifts)
    sampler.put(1, Decoding(), [], None)
    # What a token gains it gains once; the caller's array stays as it was.
    assert [sampler.choose(logits.copy(), rows).tolist() for _ in range(2)] == [[1, 0], [0, 0]]
    assert shifts[1] == 2
    # A penalty is of the shifted logit, and of the answer's tokens alone: 3, then 3 / 2 is below 2.
    for begun, expected in ((0, [1, 0]), (1, [0, 0])):
        sampler.put(0, Decoding(repetition_penalty=2.0), [1], None, begun, shifts)
        assert sampler.choose(logits.copy(), rows).tolist() == expected
    # The next row in the slot has none.
    sampler.put(0, Decoding(), [], None)
    assert sampler.choose(logits.copy(), rows).tolist() == [0, 0]
    batch = Sampler([Decoding()] * 2, [0, 0], [[], []], 3, shifts=[None, shifts])
    assert batch.choose(torch.from_numpy(logits)).tolist() == [0, 1]
