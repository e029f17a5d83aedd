"""What lies between the lean loop's products is the same compiled as by PyTorch's own operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from training.lean import pointwise

TYPES = [torch.float32, torch.bfloat16]


@pytest.fixture
def both_ways(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], tuple[list[Any], list[Any]]]:
    """Run something twice, compiled and by PyTorch, and return both results as lists."""

    def run(of: Callable[[], Any]) -> tuple[list[Any], list[Any]]:
        found = of()
        monkeypatch.setattr(pointwise, "_compiled", lambda tensor: False)
        expected = of()
        monkeypatch.undo()
        return tuple([*one] if isinstance(one, tuple) else [one] for one in (found, expected))  # type: ignore[return-value]

    return run


def made(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> torch.Tensor:
    return (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 2).to(dtype)


def assert_alike(found: list[Any], expected: list[Any], dtype: torch.dtype) -> None:
    tight = dtype == torch.float32
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        # bfloat16 has 8 bits: PyTorch rounds after every step, the compiled code once.
        torch.testing.assert_close(one, other, rtol=1e-4 if tight else 2e-2, atol=1e-5 if tight else 2e-2)


@pytest.mark.parametrize("dtype", TYPES)
def test_norms_there_and_back(both_ways: Any, dtype: torch.dtype) -> None:
    x, more, weight, d = made(5, 33), made(5, 33, dtype=dtype, seed=1), made(33, seed=2), made(5, 33, seed=3)
    for extra in (None, more):
        assert_alike(*both_ways(lambda extra=extra: pointwise.norm(x, extra, weight, 1e-5, dtype)), dtype)
    _, _, factors = pointwise.norm(x, None, weight, 1e-5, dtype)
    assert_alike(*both_ways(lambda: pointwise.norm_back(more, x, factors, weight, d)), dtype)


@pytest.mark.parametrize("dtype", TYPES)
def test_swish_rotation_and_softmax_there_and_back(both_ways: Any, dtype: torch.dtype) -> None:
    gate_up, d = made(7, 42, dtype=dtype), made(7, 21, dtype=dtype, seed=1)
    assert_alike(*both_ways(lambda: pointwise.swish(gate_up)), dtype)
    assert_alike(*both_ways(lambda: pointwise.swish_back(d, gate_up)), dtype)

    angles = made(6, 4, seed=2)
    heads = made(6, 3 * 8 + 5, dtype=dtype, seed=3)

    def turned(back: bool) -> torch.Tensor:
        pointwise.rotate(values := heads.clone(), 3, angles.cos(), angles.sin(), back)
        return values

    for back in (False, True):
        assert_alike(*both_ways(lambda back=back: turned(back)), dtype)
    once = turned(False)
    pointwise.rotate(once, 3, angles.cos(), angles.sin(), True)
    assert_alike([once], [heads], dtype)

    scores, slope = made(4, 5, 11, dtype=dtype, seed=4), made(4, 5, 11, dtype=dtype, seed=5)
    weights = pointwise.weigh(scores.clone(), 6, 0.3)
    assert_alike(*both_ways(lambda: pointwise.weigh(scores.clone(), 6, 0.3)), dtype)
    assert_alike(*both_ways(lambda: pointwise.weigh_back(slope.clone(), weights, 6, 0.3)), dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_predictions(both_ways: Any, dtype: torch.dtype, temperature: float) -> None:
    logits, targets = made(6, 301, dtype=dtype) * 3, torch.tensor([0, 300, 7, 7, 100, 250])

    def predicted() -> tuple[torch.Tensor, ...]:
        log_probs, entropies = torch.empty(6), torch.empty(6)
        rest = pointwise.predict(logits.clone(), targets, temperature, True, log_probs, entropies)
        return rest, log_probs, entropies

    assert_alike(*both_ways(predicted), dtype)
    spoiled = logits.clone()
    spoiled[2, 5] = torch.nan
    log_probs = torch.empty(6)
    pointwise.predict(spoiled, targets, temperature, False, log_probs, torch.empty(0))
    assert log_probs.isnan().tolist() == [False, False, True, False, False, False]


@pytest.mark.parametrize("dtype", TYPES)
def test_dropout_takes_its_share_and_the_same_places_again(dtype: torch.dtype) -> None:
    ones = torch.ones(300, 576, dtype=dtype)
    dropped = pointwise.drop(ones, 7, 0.1)
    there = dropped != 0
    # Four standard errors at n = 172,800 are 0.003.
    assert float((~there).float().mean()) == pytest.approx(0.1, abs=0.003)
    for of_lines in (there.float().mean(0), there.float().mean(1)):
        assert float(of_lines.min()) > 0.75
        assert of_lines.std() < 0.02
    assert float(dropped.max()) == pytest.approx(1 / 0.9, rel=5e-3)
    onto = ones.clone()
    pointwise.drop(ones, 7, 0.1, onto=onto)
    assert torch.equal(onto != 1, there)
    other = pointwise.drop(ones, 8, 0.1) != 0
    assert float((there == other).float().mean()) == pytest.approx(0.82, abs=0.004)
    neighbours = (there[:, 1:] == there[:, :-1]).float().mean()
    assert float(neighbours) == pytest.approx(0.82, abs=0.004)
