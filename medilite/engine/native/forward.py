"""One step through all layers for tokens of many rows, of any models.

A layer is nine phases, each cut into items that threads take in turn. A token's result depends on its own row alone:
see the package's docstring. No `fastmath`, for the same reason: sums that need vectors are written with them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from medilite.engine.native.arrays import PAGE, Int8, Lora, Pages, Scratch, Shape, Tokens, Weights
from medilite.engine.native.code_cache import called, lean
from medilite.engine.native.intrinsics import (
    BLOCK,
    WIDE,
    as_half,
    dot,
    exponentials,
    fetch,
    float_tile,
    half_tile,
    halves,
    largest,
    rotate_head,
    swish_group,
    total,
)
from medilite.engine.native.team import done, enter, leave, take, wait
from medilite.engine.native.tiles import FOUR, GROUP, product_tile, quantise_group, unpack_line, widen_tiles

PHASES_OF_A_LAYER = 9

WIDENED = 24
"""From this many tokens it is quicker to widen tiles of four bits to eight first (native/__init__.py)."""

MANY = 16
"""From this many tokens one token is a small enough item for the threads to share the work evenly."""


def phases(layers: int) -> int:
    """Return how many phases a step has."""
    return layers * PHASES_OF_A_LAYER + 3


@lean()
def forward(
    weights: Weights,
    qkv: Lora,
    out: Lora,
    gate_up: Lora,
    down: Lora,
    pages: Pages,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    logits: np.ndarray,
    counters: np.ndarray,
    generation: int,
) -> None:
    """Write float32 logits (wanted tokens, V) and the keys and values of every token; run by all threads of a team."""
    seat = enter(counters, generation)
    if seat < 0:
        return
    layers = len(weights.attention_norm)
    _embed(weights, tokens, scratch, counters, seat, 0)
    for layer in range(layers):
        phase = 1 + layer * PHASES_OF_A_LAYER
        _fetch(weights.qkv[layer], seat)
        _normalise(weights.attention_norm[layer], qkv, layer, tokens, scratch, shape, counters, seat, phase)
        _project_heads(weights, qkv, layer, pages, tokens, scratch, shape, counters, seat, phase + 1)
        _fetch(weights.out[layer], seat)
        _attend(layer, pages, tokens, scratch, shape, counters, seat, phase + 2)
        _shrink(out, layer, shape.heads * shape.head_dim, tokens, scratch, counters, seat, phase + 3)
        _add_product(weights.out, out, layer, scratch.inputs, tokens, scratch, counters, seat, phase + 4)
        _fetch(weights.gate_up[layer], seat)
        _normalise(weights.mlp_norm[layer], gate_up, layer, tokens, scratch, shape, counters, seat, phase + 5)
        _gate(weights, gate_up, layer, tokens, scratch, shape, counters, seat, phase + 6)
        _fetch(weights.down[layer], seat)
        _shrink(down, layer, shape.intermediate, tokens, scratch, counters, seat, phase + 7)
        _add_product(weights.down, down, layer, scratch.gated, tokens, scratch, counters, seat, phase + 8)
    _fetch(weights.head, seat)
    _predict(weights, tokens, scratch, shape, logits, counters, seat, 1 + layers * PHASES_OF_A_LAYER)
    leave(counters)


@called(types.void(*[types.int64] * 9))
def _multiply_block(
    weights: int, groups: int, four_bits: int, values: int, factors: int, count: int, out: int, stride: int, ahead: int
) -> None:
    """Write the products of `count` tokens' values and one block of packed weights to `out` (count, stride)."""
    first = 0
    while first < count:
        to, v, f = out + 4 * first * stride, values + first * groups * GROUP, factors + 12 * first * groups
        # With the last rows of a block the next block's weights are prefetched, while there is little else to fetch.
        coming = ahead if count - first <= 6 else weights
        if four_bits:
            if count - first >= 6:
                product_tile(to, stride, v, groups, f, weights, coming, 6, 4)
                first += 6
            elif count - first >= 3:
                product_tile(to, stride, v, groups, f, weights, coming, 3, 4)
                first += 3
            else:
                product_tile(to, stride, v, groups, f, weights, coming, 1, 4)
                first += 1
        elif count - first >= 6:
            product_tile(to, stride, v, groups, f, weights, coming, 6, 8)
            first += 6
        elif count - first >= 3:
            product_tile(to, stride, v, groups, f, weights, coming, 3, 8)
            first += 3
        else:
            product_tile(to, stride, v, groups, f, weights, coming, 1, 8)
            first += 1


@lean()
def _multiply(
    packed: np.ndarray, block: int, blocks: int, source: Int8, count: int, out: int, stride: int, scratch: Scratch,
    seat: int,
) -> None:  # fmt: skip
    """Write the products of `count` tokens' values and some blocks of packed weights to `out` (count, stride).

    From WIDENED tokens on a block of four bits is first made one of eight.
    """
    groups, size = packed.shape[1], packed.shape[2]
    values, factors = source.values.ctypes.data, source.factors.ctypes.data
    whole = groups * size
    for turn in range(blocks):
        # In the direction in which this thread takes items, so that the next block is the prefetched one.
        part = turn if seat % 2 == 0 else blocks - 1 - turn
        weights = packed.ctypes.data + (block + part) * whole
        to, ahead = out + 4 * part * BLOCK, weights + whole if seat % 2 == 0 else weights - whole
        if size == FOUR and count >= WIDENED:
            wide = scratch.wide[seat].ctypes.data
            widen_tiles(weights, groups, wide)
            _multiply_block(wide, groups, 0, values, factors, count, to, stride, ahead)
        else:
            _multiply_block(weights, groups, int(size == FOUR), values, factors, count, to, stride, ahead)


@lean()
def _fetch(packed: np.ndarray, seat: int) -> None:
    """Have the first block that this thread will take of a product fetched, while there is nothing else to fetch."""
    whole = packed.shape[1] * packed.shape[2]
    first = packed.ctypes.data if seat % 2 == 0 else packed.ctypes.data + (packed.shape[0] - 1) * whole
    fetch(first, whole)


@lean()
def _expand(lora: Lora, layer: int, block: int, tokens: Tokens, scratch: Scratch, out: int, stride: int) -> None:
    """Add each token's low-rank term for one block of outputs to `out` (tokens, stride)."""
    # One block a call: over two in a loop that LLVM unrolled, it stored undefined numbers for the first (Numba 0.68.1;
    # tests/engine/local/test_int8.py compares every product's adapters with float32's).
    models, ranks, outputs = lora.b.shape[1:]
    if ranks == 0:
        return
    b, shrunk, wide = lora.b.ctypes.data, scratch.shrunk.ctypes.data, scratch.shrunk.shape[1]
    for token in range(len(tokens.ids)):
        model = tokens.models[token]
        first, last = lora.reach[layer, model, block, 0], lora.reach[layer, model, block, 1]
        if first < last:
            right = b + 4 * (((layer * models + model) * ranks + first) * outputs + block * BLOCK)
            float_tile(out + 4 * token * stride, shrunk + 4 * (token * wide + first), right, outputs, last - first)


@lean()
def _shrink_token(lora: Lora, layer: int, model: int, values: np.ndarray, out: np.ndarray) -> None:
    for rank in range(lora.ranks[model]):
        out[rank] = dot(values.ctypes.data, lora.a[layer, model, rank].ctypes.data, len(values))


@lean()
def _shrink(
    lora: Lora, layer: int, width: int, tokens: Tokens, scratch: Scratch, counters: np.ndarray, seat: int, phase: int
) -> None:
    """Multiply each token's input in `h` by its model's A; does nothing if no model has one."""
    if lora.a.shape[2] == 0:
        return
    count = len(tokens.ids)
    h = scratch.h
    token = take(counters, phase, count, seat)
    while token >= 0:
        values = h[token * width : (token + 1) * width]
        _shrink_token(lora, layer, tokens.models[token], values, scratch.shrunk[token])
        done(counters, phase)
        token = take(counters, phase, count, seat)
    wait(counters, phase, count)


@lean()
def _quantise(scratch: Scratch, to: Int8, token: int, width: int, first: int, columns: int) -> None:
    """Cut `columns` of a token's `h` from `first` on into int8, where a token has `width`."""
    for group in range(first // GROUP, (first + columns) // GROUP):
        at, number = token * width + group * GROUP, token * (width // GROUP) + group
        quantise_group(
            scratch.h.ctypes.data + 4 * at,
            to.values.ctypes.data + at,
            to.factors.ctypes.data + 12 * number,
        )


@lean()
def _embed(weights: Weights, tokens: Tokens, scratch: Scratch, counters: np.ndarray, seat: int, phase: int) -> None:
    count = len(tokens.ids)
    token = take(counters, phase, count, seat)
    while token >= 0:
        word = tokens.ids[token]
        tiles, x = weights.embedding[word // BLOCK], scratch.x[token]
        unpack_line(tiles.ctypes.data, tiles.shape[0], word % BLOCK, x.ctypes.data)
        done(counters, phase)
        token = take(counters, phase, count, seat)
    wait(counters, phase, count)


@lean()
def _norm_token(x: np.ndarray, weight: np.ndarray, eps: float, out: np.ndarray) -> None:
    squares = dot(x.ctypes.data, x.ctypes.data, len(x))
    factor = np.float32(1) / np.float32(math.sqrt(squares / np.float32(len(x)) + np.float32(eps)))
    for column in range(len(x)):
        out[column] = x[column] * factor * weight[column]


@lean()
def _normalise(
    weight: np.ndarray,
    lora: Lora,
    layer: int,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    counters: np.ndarray,
    seat: int,
    phase: int,
) -> None:
    """Root-mean-square norm of every token, as int8 for the product and through the adapters' A."""
    count, width = len(tokens.ids), len(weight)
    h = scratch.h
    token = take(counters, phase, count, seat)
    while token >= 0:
        values = h[token * width : (token + 1) * width]
        _norm_token(scratch.x[token], weight, shape.eps, values)
        _quantise(scratch, scratch.inputs, token, width, 0, width)
        if lora.a.shape[2]:
            _shrink_token(lora, layer, tokens.models[token], values, scratch.shrunk[token])
        done(counters, phase)
        token = take(counters, phase, count, seat)
    wait(counters, phase, count)


@lean()
def _project_heads(
    weights: Weights,
    lora: Lora,
    layer: int,
    pages: Pages,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    counters: np.ndarray,
    seat: int,
    phase: int,
) -> None:
    """Queries, keys and values; an item is one head of any of them. Keys and values go to the cache."""
    count, size, heads, kv = len(tokens.ids), shape.head_dim, shape.heads, shape.kv_heads
    blocks, items = size // BLOCK, heads + 2 * kv
    room = scratch.room[seat]
    out, stride = room.ctypes.data, room.shape[1]
    angles, queries = weights.angles.ctypes.data, scratch.queries.ctypes.data
    values, line = pages.values.ctypes.data, scratch.queries.shape[1]
    layers = pages.values.shape[1]
    # Scores are products over √D (Vaswani et al. 2017).
    factor = np.float32(1 / math.sqrt(size))
    item = take(counters, phase, items, seat)
    while item >= 0:
        _multiply(weights.qkv[layer], item * blocks, blocks, scratch.inputs, count, out, stride, scratch, seat)
        for part in range(blocks):
            _expand(lora, layer, item * blocks + part, tokens, scratch, out + 4 * part * BLOCK, stride)
        for token in range(count):
            position = tokens.positions[token]
            page, place = tokens.tables[tokens.rows[token], position // PAGE], position % PAGE
            head, turn = out + 4 * token * stride, angles + 4 * size * position
            if item < heads:
                rotate_head(head, queries + 4 * (token * line + item * size), turn, size, factor)
            elif item < heads + kv:
                rotate_head(head, head, turn, size, np.float32(1))
                for column in range(size):
                    pages.keys[page, layer, item - heads, column, place] = as_half(room[token, column])
            else:
                at = ((np.int64(page) * layers + layer) * kv + item - heads - kv) * PAGE + place
                halves(head, values + 2 * at * size, size)
        done(counters, phase)
        item = take(counters, phase, items, seat)
    wait(counters, phase, items)


@lean()
def _half_product(
    out: int, out_stride: int, left: int, left_stride: int, right: int, right_stride: int, depth: int, ahead: int,
    rows: int,
) -> None:  # fmt: skip
    """Add `rows` rows of a product with float16, up to four at a time; memory from `ahead` on is prefetched."""
    while rows > 0:
        if rows >= 4:
            half_tile(out, out_stride, left, left_stride, right, right_stride, depth, ahead, 4)
            taken = 4
        elif rows == 3:
            half_tile(out, out_stride, left, left_stride, right, right_stride, depth, ahead, 3)
            taken = 3
        elif rows == 2:
            half_tile(out, out_stride, left, left_stride, right, right_stride, depth, ahead, 2)
            taken = 2
        else:
            half_tile(out, out_stride, left, left_stride, right, right_stride, depth, ahead, 1)
            taken = 1
        out += 4 * taken * out_stride
        left += 4 * taken * left_stride
        rows -= taken


@lean()
def _softmax(scores: np.ndarray, length: int, whole: int, top: float) -> None:
    """Turn the first `length` scores into weights, and the others up to `whole`, a multiple of 64, into zeros."""
    exponentials(scores.ctypes.data, whole, top)
    scores[length:whole] = 0
    factor = np.float32(1) / total(scores.ctypes.data, whole)
    for place in range(length):
        scores[place] *= factor


@lean()
def _attend_head(
    layer: int,
    pages: Pages,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    scores: np.ndarray,
    token: int,
    head: int,
) -> None:
    """Let a token's queries of one key-value head attend to its row up to itself."""
    size, kv = shape.head_dim, shape.kv_heads
    group, width = shape.heads // kv, shape.heads * size
    keys, values, layers = pages.keys.ctypes.data, pages.values.ctypes.data, pages.keys.shape[1]
    h, queries = scratch.h.ctypes.data, scratch.queries.ctypes.data
    line, score = scores.shape[1], scores.ctypes.data
    table, length = tokens.tables[tokens.rows[token]], tokens.positions[token] + 1
    whole, first = (length + PAGE - 1) // PAGE, token * width + head * group * size
    bytes_of_head = 2 * PAGE * size
    scores[:, : whole * PAGE] = 0
    for page in range(whole):
        at = bytes_of_head * ((np.int64(table[page]) * layers + layer) * kv + head)
        # While scores are computed, the values are prefetched; while values are, the next head's keys.
        _half_product(
            score + 4 * page * PAGE, line, queries + 4 * first, size, keys + at, PAGE, size, values + at, group
        )
    for query in range(group):
        # After the row's last token a page holds old numbers.
        scores[query, length : whole * PAGE] = -np.inf
        _softmax(scores[query], length, whole * PAGE, largest(score + 4 * query * line, whole * PAGE))
    scratch.h[first : first + group * size] = 0
    for page in range(whole):
        at = bytes_of_head * ((np.int64(table[page]) * layers + layer) * kv + head)
        left, after = min(PAGE, length - page * PAGE), at + bytes_of_head
        for part in range(0, size, 64):
            _half_product(
                h + 4 * (first + part), size, score + 4 * page * PAGE, line, values + at + 2 * part, size, left,
                keys + after + 2 * part, group,
            )  # fmt: skip
    _quantise(scratch, scratch.inputs, token, width, head * group * size, group * size)


@lean()
def _attend(
    layer: int,
    pages: Pages,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    counters: np.ndarray,
    seat: int,
    phase: int,
) -> None:
    """Every token attends to its row up to itself; an item is one token, or one key-value head of it."""
    count, kv = len(tokens.ids), shape.kv_heads
    # A token's heads are side by side in a page. With few tokens every thread needs an item.
    together = kv if count >= MANY else 1
    items = count * kv // together
    item = take(counters, phase, items, seat)
    while item >= 0:
        for head in range(item * together % kv, item * together % kv + together):
            _attend_head(layer, pages, tokens, scratch, shape, scratch.scores[seat], item * together // kv, head)
        done(counters, phase)
        item = take(counters, phase, items, seat)
    wait(counters, phase, items)


@lean()
def _add_product(
    packed: np.ndarray,
    lora: Lora,
    layer: int,
    source: Int8,
    tokens: Tokens,
    scratch: Scratch,
    counters: np.ndarray,
    seat: int,
    phase: int,
) -> None:
    """Add a product of `source` to the residual stream; an item is one block of outputs."""
    count, items = len(tokens.ids), packed.shape[1]
    room = scratch.room[seat]
    out, stride = room.ctypes.data, room.shape[1]
    item = take(counters, phase, items, seat)
    while item >= 0:
        _multiply(packed[layer], item, 1, source, count, out, stride, scratch, seat)
        _expand(lora, layer, item, tokens, scratch, out, stride)
        for token in range(count):
            for column in range(BLOCK):
                scratch.x[token, item * BLOCK + column] += room[token, column]
        done(counters, phase)
        item = take(counters, phase, items, seat)
    wait(counters, phase, items)


@lean()
def _gate(
    weights: Weights,
    lora: Lora,
    layer: int,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    counters: np.ndarray,
    seat: int,
    phase: int,
) -> None:
    """silu(gate) · up; an item is the same group of outputs of both, which it makes int8 at once."""
    count, width = len(tokens.ids), shape.intermediate
    blocks, items = WIDE // BLOCK, width // WIDE
    room, h = scratch.room[seat], scratch.h.ctypes.data
    out, stride = room.ctypes.data, room.shape[1]
    item = take(counters, phase, items, seat)
    while item >= 0:
        _multiply(
            weights.gate_up[layer], 2 * item * blocks, 2 * blocks, scratch.inputs, count, out, stride, scratch, seat
        )
        for part in range(2 * blocks):
            # Gate's blocks of this item, then up's, which come after all of gate's.
            block = item * blocks + part if part < blocks else (items + item - 1) * blocks + part
            _expand(lora, layer, block, tokens, scratch, out + 4 * part * BLOCK, stride)
        for token in range(count):
            gate = out + 4 * token * stride
            swish_group(gate, gate + 4 * WIDE, h + 4 * (token * width + item * WIDE))
            _quantise(scratch, scratch.gated, token, width, item * WIDE, WIDE)
        done(counters, phase)
        item = take(counters, phase, items, seat)
    wait(counters, phase, items)


@lean()
def _predict(
    weights: Weights,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    logits: np.ndarray,
    counters: np.ndarray,
    seat: int,
    phase: int,
) -> None:
    """The last norm and the head, for the wanted tokens; an item of the head is some blocks of the vocabulary."""
    count, width = len(tokens.wanted), len(weights.norm)
    h = scratch.h
    row = take(counters, phase, count, seat)
    while row >= 0:
        _norm_token(scratch.x[tokens.wanted[row]], weights.norm, shape.eps, h[row * width : (row + 1) * width])
        _quantise(scratch, scratch.inputs, row, width, 0, width)
        done(counters, phase)
        row = take(counters, phase, count, seat)
    wait(counters, phase, count)

    vocabulary, together = logits.shape[1], 16
    items = (vocabulary // BLOCK + together - 1) // together
    item = take(counters, phase + 1, items, seat)
    while item >= 0:
        first = item * together
        blocks = min(together, vocabulary // BLOCK - first)
        out = logits.ctypes.data + 4 * first * BLOCK
        _multiply(weights.head, first, blocks, scratch.inputs, count, out, vocabulary, scratch, seat)
        done(counters, phase + 1)
        item = take(counters, phase + 1, items, seat)
    wait(counters, phase + 1, items)
