"""Weights in tiles: what GGUF's formats hold is kept to the last bit, everything else to half a step."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from medilite.engine.local.int8 import pack, read_weights
from medilite.engine.native import tiles as native
from medilite.engine.native.arrays import new_array
from medilite.engine.native.intrinsics import BLOCK
from medilite.engine.native.tiles import FOUR, GROUP, NUMBERS, TILE
from medilite.engine.shape import LlamaShape
from medilite.errors import WeightsError
from tests.engine.small import write_base


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


def widened(tiles: np.ndarray) -> np.ndarray:
    """Return the weights (N, width) float32 of tiles of four bits."""
    from numba import njit

    widen = native.widen_tiles

    @njit
    def run(tiles, count, out):
        widen(tiles, count, out)

    wide = new_array((*tiles.shape[:2], TILE), np.uint8)
    run(tiles.ctypes.data, tiles.shape[0] * tiles.shape[1], wide.ctypes.data)
    return unpacked(wide)


def eight(weights: np.ndarray) -> np.ndarray:
    """Return weights as tiles of eight bits."""
    tiles = pack([torch.from_numpy(weights)], 8)
    assert tiles is not None
    return tiles


def drawn(outputs: int = 2 * BLOCK, width: int = 128, seed: int = 0) -> np.ndarray:
    """Return normal weights about as large as a model's."""
    return np.random.default_rng(seed).normal(0, 0.05, (outputs, width)).astype(np.float32)


def published(weights: np.ndarray, kind: gguf.GGMLQuantizationType) -> np.ndarray:
    """Return weights as a format of GGUF's holds them, as float32."""
    return gguf.quants.dequantize(gguf.quants.quantize(weights, kind), kind)


@pytest.mark.parametrize("kind", [gguf.GGMLQuantizationType.Q4_1, gguf.GGMLQuantizationType.Q8_0])
def test_weights_published_in_a_format_of_gguf_are_kept_to_the_last_bit(kind: gguf.GGMLQuantizationType) -> None:
    weights = published(drawn(), kind)
    assert not np.array_equal(weights, drawn())
    assert np.array_equal(unpacked(eight(weights)), weights)
    four = pack([torch.from_numpy(weights)], 4, exactly=True)
    assert (four is not None) == (kind == gguf.GGMLQuantizationType.Q4_1), "16 levels hold the one and not the other"


def test_four_bits_for_any_weights_come_nearer_than_rounding_to_16_steps_between_the_ends() -> None:
    weights = drawn(8 * BLOCK, 256)
    tiles = pack([torch.from_numpy(weights)], 4)
    assert tiles is not None
    assert tiles.shape[2] == FOUR == 20 * BLOCK
    found = widened(tiles)
    plain = published(weights, gguf.GGMLQuantizationType.Q4_1)
    errors = [np.square(one - weights).mean() for one in (found, plain)]
    assert errors[0] < 0.9 * errors[1]
    groups = [np.square(one - weights).reshape(-1, GROUP).sum(-1) for one in (found, plain)]
    assert (groups[0] <= groups[1] * 1.01 + 1e-9).all(), "no group is worse off"


@pytest.mark.parametrize("kind", [*"QK"])
def test_a_product_takes_four_bits_only_where_these_hold_all_of_its_weights(kind: str, tmp_path: Path) -> None:
    folder = write_base(tmp_path)
    tensors = load_file(folder / "model.safetensors")
    for name, tensor in tensors.items():
        if "_proj" in name:
            # One weight of a layer that isn't on its 16 levels is enough.
            exact = torch.from_numpy(published(tensor.numpy(), gguf.GGMLQuantizationType.Q4_1))
            if kind == "K" and name == "model.layers.1.self_attn.k_proj.weight":
                exact[-1, -1] += 0.01
            tensors[name] = exact
    save_file(tensors, folder / "model.safetensors")
    shape, told = LlamaShape.read(folder), []
    found = read_weights(folder, shape, 8, told.append)
    sizes = {name: getattr(found, name).shape[-1] for name in ("qkv", "out", "gate_up", "down", "embedding")}
    four = dict.fromkeys(("out", "gate_up", "down"), FOUR)
    assert sizes == {"qkv": TILE if kind == "K" else FOUR, **four, "embedding": TILE}
    assert told[-1] == 1
    rounded = read_weights(folder, shape, 4)
    assert {getattr(rounded, name).shape[-1] for name in ("qkv", "out", "gate_up", "down")} == {FOUR}


def test_other_weights_are_kept_to_half_a_step_of_their_group() -> None:
    weights = drawn()
    groups = weights.reshape(len(weights), -1, GROUP)
    steps = (groups.max(-1) - groups.min(-1)) / 255
    error = np.abs(unpacked(eight(np.asarray(weights))) - weights).reshape(groups.shape).max(-1)
    # Scale and offset are float16, which moves the numbers at the end by a little.
    assert (error < 0.6 * steps).all()
    # Half as many steps would show.
    assert (error > 0.4 * steps).mean() > 0.9


def test_groups_without_a_spread_and_pieces_of_a_large_matrix_keep_their_values() -> None:
    weights = drawn(66 * BLOCK, 64)
    weights[0], weights[1, :GROUP], weights[-1] = 0, 0.25, -3.5
    found = unpacked(eight(np.asarray(weights)))
    assert (found[0] == 0).all()
    assert (found[1, :GROUP] == 0.25).all()
    assert (found[-1] == -3.5).all()
    np.testing.assert_allclose(found, weights, atol=1e-3)


def test_a_tile_knows_the_sums_of_its_numbers() -> None:
    tiles = eight(np.asarray(drawn()))
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

    tiles = eight(np.asarray(drawn()))
    wanted = unpacked(tiles)
    for word in (0, 31, 32, 45):
        out = np.full(128 + 1, 7, np.float32)
        read(tiles[word // BLOCK].ctypes.data, tiles.shape[1], word % BLOCK, out.ctypes.data)
        np.testing.assert_allclose(out[:128], wanted[word], rtol=1e-6, atol=1e-8)
        assert out[128] == 7


@pytest.mark.parametrize("content", ["[]", "null", "[" * 5000, '{"model_type": "llama", "rope_scaling": "yarn"}'])
def test_a_configuration_that_describes_no_model_is_said(content, tmp_path):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(WeightsError, match=r"config\.json"):
        LlamaShape.read(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("num_attention_heads", 0), ("num_hidden_layers", None), ("vocab_size", "49152"), ("hidden_size", -1),
     ("num_key_value_heads", 0), ("head_dim", "64"), ("rms_norm_eps", -1.0), ("intermediate_size", True)],
)  # fmt: skip
def test_a_size_that_no_model_has_is_named(key, value, tmp_path):
    sizes = {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 2, "intermediate_size": 64,
             "vocab_size": 320, "max_position_embeddings": 64, "rms_norm_eps": 1e-5}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama", **sizes, key: value}))
    with pytest.raises(WeightsError, match=key):
        LlamaShape.read(tmp_path)
