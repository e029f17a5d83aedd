"""Weights in tiles: what GGUF's formats hold is kept to the last bit, everything else to half a step."""

from __future__ import annotations

import gguf
import numpy as np
import pytest
import torch

from medilite.engine.local.int8 import quantise
from medilite.engine.native import tiles as native
from medilite.engine.native.intrinsics import BLOCK
from medilite.engine.native.tiles import GROUP, NUMBERS, TILE


def unpacked(tiles: np.ndarray) -> np.ndarray:
    """Return the weights (N, width) float32 of tiles (N / 32, width / 32, TILE)."""
    blocks, groups = tiles.shape[:2]
    scale, offset = (
        tiles[..., 2 * BLOCK * kind : 2 * BLOCK * (kind + 1)].copy().view(np.float16).astype(np.float32)[..., None]
        for kind in range(2)
    )
    numbers = tiles[..., NUMBERS:].reshape(blocks, groups, GROUP // 4, BLOCK, 4).swapaxes(2, 3)
    numbers = numbers.reshape(blocks, groups, BLOCK, GROUP).astype(np.float32)
    return (numbers * scale + offset).swapaxes(1, 2).reshape(blocks * BLOCK, groups * GROUP)


def drawn(outputs: int = 2 * BLOCK, width: int = 128, seed: int = 0) -> np.ndarray:
    """Return normal weights about as large as a model's."""
    return np.random.default_rng(seed).normal(0, 0.05, (outputs, width)).astype(np.float32)


@pytest.mark.parametrize("kind", [gguf.GGMLQuantizationType.Q4_1, gguf.GGMLQuantizationType.Q8_0])
def test_weights_published_in_a_format_of_gguf_are_kept_to_the_last_bit(kind: gguf.GGMLQuantizationType) -> None:
    published = gguf.quants.dequantize(gguf.quants.quantize(drawn(), kind), kind)
    assert not np.array_equal(published, drawn())
    assert np.array_equal(unpacked(quantise(torch.from_numpy(published))), published)


def test_other_weights_are_kept_to_half_a_step_of_their_group() -> None:
    weights = drawn()
    groups = weights.reshape(len(weights), -1, GROUP)
    steps = (groups.max(-1) - groups.min(-1)) / 255
    error = np.abs(unpacked(quantise(torch.from_numpy(weights))) - weights).reshape(groups.shape).max(-1)
    # Scale and offset are float16, which moves the numbers at the end by a little.
    assert (error < 0.6 * steps).all()
    # Half as many steps would show.
    assert (error > 0.4 * steps).mean() > 0.9


def test_groups_without_a_spread_and_pieces_of_a_large_matrix_keep_their_values() -> None:
    weights = drawn(66 * BLOCK, 64)
    weights[0], weights[1, :GROUP], weights[-1] = 0, 0.25, -3.5
    found = unpacked(quantise(torch.from_numpy(weights)))
    assert (found[0] == 0).all()
    assert (found[1, :GROUP] == 0.25).all()
    assert (found[-1] == -3.5).all()
    np.testing.assert_allclose(found, weights, atol=1e-3)


def test_a_tile_knows_the_sums_of_its_numbers() -> None:
    tiles = quantise(torch.from_numpy(drawn()))
    sums = tiles[..., 4 * BLOCK : NUMBERS].copy().view(np.uint16)
    numbers = tiles[..., NUMBERS:].reshape(*tiles.shape[:2], GROUP // 4, BLOCK, 4)
    assert np.array_equal(sums, numbers.sum((2, 4), dtype=int))
    assert tiles.ctypes.data % 64 == 0
    assert tiles.shape[2] == TILE


def test_one_output_is_unpacked_as_an_embedding_is_read() -> None:
    from numba import njit

    unpack = native.unpack_line

    @njit
    def read(tiles, groups, line, out):
        unpack(tiles, groups, line, out)

    tiles = quantise(torch.from_numpy(drawn()))
    wanted = unpacked(tiles)
    for word in (0, 31, 32, 45):
        out = np.full(128 + 1, 7, np.float32)
        read(tiles[word // BLOCK].ctypes.data, tiles.shape[1], word % BLOCK, out.ctypes.data)
        np.testing.assert_allclose(out[:128], wanted[word], rtol=1e-6, atol=1e-8)
        assert out[128] == 7
