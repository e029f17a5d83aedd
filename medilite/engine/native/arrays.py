"""The arrays that the compiled forward pass works on, by name.

L layers, H hidden, N outputs of a product, V vocabulary, D head_dim, K
key-value heads, M models, R greatest rank, T tokens of a step.
"""

from __future__ import annotations

import math
import mmap
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

PAGE = 64
"""Positions of one page of the cache."""


class Weights(NamedTuple):
    """The base. Products are (L, N / 32, width / 32, bytes of a tile) uint8, tiles of four or eight bits (`tiles`).

    `gate_up` has the blocks of gate and up alternating in pairs: 64 outputs of
    gate, then the same 64 of up.
    """

    embedding: np.ndarray  # packed like one product, in eight bits: (V / 32, H / 32, 1216)
    head: np.ndarray
    norm: np.ndarray  # (H,)
    attention_norm: np.ndarray  # (L, H)
    mlp_norm: np.ndarray
    qkv: np.ndarray
    out: np.ndarray
    gate_up: np.ndarray
    down: np.ndarray
    angles: np.ndarray  # (context, 2, D / 2): cosines and sines


class Lora(NamedTuple):
    """All models' pairs for one product: `a` (L, M, R, width), `b` (L, M, R, N), and their ranks (M,).

    `reach` (L, M, N / 32, 2): first and end row of `b` that are not zero for a block of outputs.
    """

    a: np.ndarray
    b: np.ndarray
    ranks: np.ndarray
    reach: np.ndarray


class Pages(NamedTuple):
    """Keys (pages, L, K, D, PAGE) and values (pages, L, K, PAGE, D), float16 bits as uint16."""

    keys: np.ndarray
    values: np.ndarray


class Tokens(NamedTuple):
    """What a step is about: per token its id, position, row of `tables` and model; (T,) int32 each.

    `tables` (rows, pages of a row) int32 name each row's pages; `wanted` are the
    tokens after which logits are asked for.
    """

    ids: np.ndarray
    positions: np.ndarray
    rows: np.ndarray
    models: np.ndarray
    tables: np.ndarray
    wanted: np.ndarray


class Int8(NamedTuple):
    """A product's input: int8 `values`, and for each 32 of them three `factors` (see `quantise_group`).

    Flat, T times the widest input; a narrower one is contiguous at the start.
    """

    values: np.ndarray
    factors: np.ndarray  # float32


class Scratch(NamedTuple):
    """Room for a step's tokens between its phases."""

    x: np.ndarray  # (T, H) the residual stream
    h: np.ndarray  # flat, T times the widest input of a product: that input in float32
    inputs: Int8  # the same for the products
    gated: Int8  # the same for `down`, which is written while `inputs` is read
    queries: np.ndarray  # (T, heads · D)
    shrunk: np.ndarray  # (T, R)
    # Room of each thread's own:
    scores: np.ndarray  # (threads, queries of a key-value head, positions)
    room: np.ndarray  # (threads, T, at least 128) outputs of a product's item
    wide: np.ndarray  # (threads, bytes) a block of eight bits


class Shape(NamedTuple):
    """Numbers that the forward pass needs."""

    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    eps: float


_HUGE = 1 << 21


def new_array(shape: tuple[int, ...], kind: Any) -> np.ndarray:
    """Return an array of zeros in pages of 2 MB where the system has them, begun at a multiple of 64 bytes.

    Weights and caches are read once a step from end to end: with pages of 4 KB that takes 1.3 to 1.5 times as long.
    Memory is given as it is first written.
    """
    size = math.prod(shape) * np.dtype(kind).itemsize
    if not hasattr(mmap, "MADV_HUGEPAGE") or size < _HUGE:
        room: Any = np.zeros(size + 64, np.uint8)
        start = -room.ctypes.data % 64
    else:
        memory = mmap.mmap(-1, size + _HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with suppress(OSError):  # a system that has them, but gives none
            memory.madvise(mmap.MADV_HUGEPAGE)
        room = np.frombuffer(memory, np.uint8)
        start = -room.ctypes.data % _HUGE
    return room[start : start + size].view(kind).reshape(shape)
