"""One step through all layers for tokens of many rows, whichever models they belong to.

A layer is seven phases, each cut into items that threads take by turns. What a
token gets depends on its own row alone: see the package's docstring. No
`fastmath` here, for the same reason: sums that want vectors are written with them.
"""

from __future__ import annotations

import math

import numpy as np

from medilite.engine.native.arrays import PAGE, Int8, Lora, Pages, Scratch, Shape, Tokens, Weights
from medilite.engine.native.intrinsics import (
    BLOCK,
    WIDE,
    as_half,
    dot,
    exponentials,
    float_tile,
    half_tile,
    halves,
    largest,
    rotate_head,
    swish_group,
    total,
)
from medilite.engine.native.kept import compiled
from medilite.engine.native.team import done, enter, leave, take, wait
from medilite.engine.native.tiles import GROUP, TILE, int8_tile, quantise_group, unpack_line

PHASES_OF_A_LAYER = 9

MANY = 16
"""Tokens from which on a token is enough of an item for the threads to share the work evenly."""


def phases(layers: int) -> int:
    """Return how many phases a step has."""
    return layers * PHASES_OF_A_LAYER + 3


@compiled(nogil=True, error_model="numpy")
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
    if not enter(counters, generation):
        return
    count, layers = len(tokens.ids), len(weights.attention_norm)
    _embed(weights, tokens, scratch, counters, 0)
    # Room of this thread's own: scores of a head's queries, outputs of a product's item, one query group's values.
    scores = np.empty((shape.heads // shape.kv_heads, tokens.tables.shape[1] * PAGE), np.float32)
    room = np.empty((count, max(2 * WIDE, shape.head_dim)), np.float32)
    for layer in range(layers):
        phase = 1 + layer * PHASES_OF_A_LAYER
        _normalise(weights.attention_norm[layer], qkv, layer, tokens, scratch, shape, counters, phase)
        _project_heads(weights, qkv, layer, pages, tokens, scratch, shape, room, counters, phase + 1)
        _attend(layer, pages, tokens, scratch, shape, scores, counters, phase + 2)
        _shrink(out, layer, shape.heads * shape.head_dim, tokens, scratch, counters, phase + 3)
        _add_product(weights.out, out, layer, scratch.inputs, tokens, scratch, room, counters, phase + 4)
        _normalise(weights.mlp_norm[layer], gate_up, layer, tokens, scratch, shape, counters, phase + 5)
        _gate(weights, gate_up, layer, tokens, scratch, shape, room, counters, phase + 6)
        _shrink(down, layer, shape.intermediate, tokens, scratch, counters, phase + 7)
        _add_product(weights.down, down, layer, scratch.gated, tokens, scratch, room, counters, phase + 8)
    _predict(weights, tokens, scratch, shape, logits, counters, 1 + layers * PHASES_OF_A_LAYER)
    leave(counters)


@compiled(error_model="numpy")
def _multiply(packed: np.ndarray, block: int, blocks: int, source: Int8, count: int, out: int, stride: int) -> None:
    """Write the products of `count` tokens' values and some blocks of packed weights to `out` (count, stride)."""
    groups = packed.shape[1]
    values, factors = source.values.ctypes.data, source.factors.ctypes.data
    for part in range(blocks):
        weights = packed.ctypes.data + (block + part) * groups * TILE
        first = 0
        while first < count:
            # With the last rows of a block the next block's weights are fetched, while there is little else to fetch.
            ahead = weights + groups * TILE if count - first <= 6 else weights
            to = out + 4 * (first * stride + part * BLOCK)
            v, f = values + first * groups * GROUP, factors + 12 * first * groups
            if count - first >= 6:
                int8_tile(to, stride, v, groups, f, weights, ahead, 6)
                first += 6
            elif count - first >= 3:
                int8_tile(to, stride, v, groups, f, weights, ahead, 3)
                first += 3
            else:
                int8_tile(to, stride, v, groups, f, weights, ahead, 1)
                first += 1


@compiled(error_model="numpy")
def _expand(
    lora: Lora, layer: int, block: int, blocks: int, tokens: Tokens, scratch: Scratch, out: int, stride: int
) -> None:
    """Add each token's low-rank term for some blocks of outputs to `out` (tokens, stride)."""
    models, ranks, outputs = lora.b.shape[1:]
    if ranks == 0:
        return
    b, shrunk, wide = lora.b.ctypes.data, scratch.shrunk.ctypes.data, scratch.shrunk.shape[1]
    for token in range(len(tokens.ids)):
        model = tokens.models[token]
        for part in range(blocks):
            first, last = lora.reach[layer, model, block + part, 0], lora.reach[layer, model, block + part, 1]
            if first < last:
                right = b + 4 * (((layer * models + model) * ranks + first) * outputs + (block + part) * BLOCK)
                left = shrunk + 4 * (token * wide + first)
                float_tile(out + 4 * (token * stride + part * BLOCK), left, right, outputs, last - first)


@compiled(error_model="numpy")
def _shrink_token(lora: Lora, layer: int, model: int, values: np.ndarray, out: np.ndarray) -> None:
    for rank in range(lora.ranks[model]):
        out[rank] = dot(values.ctypes.data, lora.a[layer, model, rank].ctypes.data, len(values))


@compiled(error_model="numpy")
def _shrink(
    lora: Lora, layer: int, width: int, tokens: Tokens, scratch: Scratch, counters: np.ndarray, phase: int
) -> None:
    """Give each token what its model's A makes of the product's input in `h`; nothing where no model has one."""
    if lora.a.shape[2] == 0:
        return
    count = len(tokens.ids)
    h = scratch.h
    token = take(counters, phase)
    while token < count:
        values = h[token * width : (token + 1) * width]
        _shrink_token(lora, layer, tokens.models[token], values, scratch.shrunk[token])
        done(counters, phase)
        token = take(counters, phase)
    wait(counters, phase, count)


@compiled(error_model="numpy")
def _quantise(scratch: Scratch, to: Int8, token: int, width: int, first: int, columns: int) -> None:
    """Cut `columns` of a token's `h` from `first` on into int8, where a token has `width`."""
    for group in range(first // GROUP, (first + columns) // GROUP):
        at, number = token * width + group * GROUP, token * (width // GROUP) + group
        quantise_group(
            scratch.h.ctypes.data + 4 * at,
            to.values.ctypes.data + at,
            to.factors.ctypes.data + 12 * number,
        )


@compiled(error_model="numpy")
def _embed(weights: Weights, tokens: Tokens, scratch: Scratch, counters: np.ndarray, phase: int) -> None:
    count = len(tokens.ids)
    token = take(counters, phase)
    while token < count:
        word = tokens.ids[token]
        tiles, x = weights.embedding[word // BLOCK], scratch.x[token]
        unpack_line(tiles.ctypes.data, tiles.shape[0], word % BLOCK, x.ctypes.data)
        done(counters, phase)
        token = take(counters, phase)
    wait(counters, phase, count)


@compiled(error_model="numpy")
def _norm_token(x: np.ndarray, weight: np.ndarray, eps: float, out: np.ndarray) -> None:
    squares = dot(x.ctypes.data, x.ctypes.data, len(x))
    factor = np.float32(1) / np.float32(math.sqrt(squares / np.float32(len(x)) + np.float32(eps)))
    for column in range(len(x)):
        out[column] = x[column] * factor * weight[column]


@compiled(error_model="numpy")
def _normalise(
    weight: np.ndarray,
    lora: Lora,
    layer: int,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    counters: np.ndarray,
    phase: int,
) -> None:
    """Root-mean-square norm of every token, as int8 for the product and through the adapters' A."""
    count, width = len(tokens.ids), len(weight)
    h = scratch.h
    token = take(counters, phase)
    while token < count:
        values = h[token * width : (token + 1) * width]
        _norm_token(scratch.x[token], weight, shape.eps, values)
        _quantise(scratch, scratch.inputs, token, width, 0, width)
        if lora.a.shape[2]:
            _shrink_token(lora, layer, tokens.models[token], values, scratch.shrunk[token])
        done(counters, phase)
        token = take(counters, phase)
    wait(counters, phase, count)


@compiled(error_model="numpy")
def _project_heads(
    weights: Weights,
    lora: Lora,
    layer: int,
    pages: Pages,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    room: np.ndarray,
    counters: np.ndarray,
    phase: int,
) -> None:
    """Queries, keys and values; an item is one head of any of them. Keys and values go to the cache."""
    count, size, heads, kv = len(tokens.ids), shape.head_dim, shape.heads, shape.kv_heads
    blocks, items = size // BLOCK, heads + 2 * kv
    out, stride = room.ctypes.data, room.shape[1]
    angles, queries = weights.angles.ctypes.data, scratch.queries.ctypes.data
    values, wide = pages.values[layer].ctypes.data, scratch.queries.shape[1]
    # Scores are products over √D (Vaswani et al. 2017).
    factor = np.float32(1 / math.sqrt(size))
    item = take(counters, phase)
    while item < items:
        _multiply(weights.qkv[layer], item * blocks, blocks, scratch.inputs, count, out, stride)
        _expand(lora, layer, item * blocks, blocks, tokens, scratch, out, stride)
        for token in range(count):
            position = tokens.positions[token]
            page, place = tokens.tables[tokens.rows[token], position // PAGE], position % PAGE
            head, turn = out + 4 * token * stride, angles + 4 * size * position
            if item < heads:
                rotate_head(head, queries + 4 * (token * wide + item * size), turn, size, factor)
            elif item < heads + kv:
                rotate_head(head, head, turn, size, np.float32(1))
                for column in range(size):
                    pages.keys[layer, page, item - heads, column, place] = as_half(room[token, column])
            else:
                at = (np.int64(page) * kv + item - heads - kv) * PAGE + place
                halves(head, values + 2 * at * size, size)
        done(counters, phase)
        item = take(counters, phase)
    wait(counters, phase, items)


@compiled(error_model="numpy")
def _half_product(
    out: int, out_stride: int, left: int, left_stride: int, right: int, right_stride: int, depth: int, ahead: int,
    rows: int,
) -> None:  # fmt: skip
    """Add `rows` rows of a product with float16, up to four at a time; what stands from `ahead` on is fetched."""
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


@compiled(error_model="numpy")
def _softmax(scores: np.ndarray, length: int, whole: int, top: float) -> None:
    """Make weights of the first `length` scores, and zeros of those behind them up to `whole`, a multiple of 64."""
    exponentials(scores.ctypes.data, whole, top)
    scores[length:whole] = 0
    factor = np.float32(1) / total(scores.ctypes.data, whole)
    for place in range(length):
        scores[place] *= factor


@compiled(error_model="numpy")
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
    keys, values = pages.keys[layer].ctypes.data, pages.values[layer].ctypes.data
    h, queries = scratch.h.ctypes.data, scratch.queries.ctypes.data
    line, score = scores.shape[1], scores.ctypes.data
    table, length = tokens.tables[tokens.rows[token]], tokens.positions[token] + 1
    whole, first = (length + PAGE - 1) // PAGE, token * width + head * group * size
    bytes_of_head = 2 * PAGE * size
    scores[:, : whole * PAGE] = 0
    for page in range(whole):
        at = bytes_of_head * (np.int64(table[page]) * kv + head)
        # While scores are computed, the values that they weigh are fetched; while those are, the next head's keys.
        _half_product(
            score + 4 * page * PAGE, line, queries + 4 * first, size, keys + at, PAGE, size, values + at, group
        )
    for query in range(group):
        # Behind the row's last token a page holds whatever it held before.
        scores[query, length : whole * PAGE] = -np.inf
        _softmax(scores[query], length, whole * PAGE, largest(score + 4 * query * line, whole * PAGE))
    scratch.h[first : first + group * size] = 0
    for page in range(whole):
        at = bytes_of_head * (np.int64(table[page]) * kv + head)
        left, after = min(PAGE, length - page * PAGE), at + bytes_of_head
        for part in range(0, size, 64):
            _half_product(
                h + 4 * (first + part), size, score + 4 * page * PAGE, line, values + at + 2 * part, size, left,
                keys + after + 2 * part, group,
            )  # fmt: skip
    _quantise(scratch, scratch.inputs, token, width, head * group * size, group * size)


@compiled(error_model="numpy")
def _attend(
    layer: int,
    pages: Pages,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    scores: np.ndarray,
    counters: np.ndarray,
    phase: int,
) -> None:
    """Every token attends to its row up to itself; an item is one token, or one key-value head of it."""
    count, kv = len(tokens.ids), shape.kv_heads
    # A token's heads stand side by side in a page. With few tokens there has to be something for every thread.
    together = kv if count >= MANY else 1
    items = count * kv // together
    item = take(counters, phase)
    while item < items:
        for head in range(item * together % kv, item * together % kv + together):
            _attend_head(layer, pages, tokens, scratch, shape, scores, item * together // kv, head)
        done(counters, phase)
        item = take(counters, phase)
    wait(counters, phase, items)


@compiled(error_model="numpy")
def _add_product(
    packed: np.ndarray,
    lora: Lora,
    layer: int,
    source: Int8,
    tokens: Tokens,
    scratch: Scratch,
    room: np.ndarray,
    counters: np.ndarray,
    phase: int,
) -> None:
    """Add a product of what stands in `source` to the residual stream; an item is one block of outputs."""
    count, items = len(tokens.ids), packed.shape[1]
    out, stride = room.ctypes.data, room.shape[1]
    item = take(counters, phase)
    while item < items:
        _multiply(packed[layer], item, 1, source, count, out, stride)
        _expand(lora, layer, item, 1, tokens, scratch, out, stride)
        for token in range(count):
            for column in range(BLOCK):
                scratch.x[token, item * BLOCK + column] += room[token, column]
        done(counters, phase)
        item = take(counters, phase)
    wait(counters, phase, items)


@compiled(error_model="numpy")
def _gate(
    weights: Weights,
    lora: Lora,
    layer: int,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    room: np.ndarray,
    counters: np.ndarray,
    phase: int,
) -> None:
    """silu(gate) · up; an item is the same group of outputs of both, which it makes int8 at once."""
    count, width = len(tokens.ids), shape.intermediate
    blocks, items = WIDE // BLOCK, width // WIDE
    out, stride, h = room.ctypes.data, room.shape[1], scratch.h.ctypes.data
    item = take(counters, phase)
    while item < items:
        _multiply(weights.gate_up[layer], 2 * item * blocks, 2 * blocks, scratch.inputs, count, out, stride)
        _expand(lora, layer, item * blocks, blocks, tokens, scratch, out, stride)
        _expand(lora, layer, (items + item) * blocks, blocks, tokens, scratch, out + 4 * WIDE, stride)
        for token in range(count):
            gate = out + 4 * token * stride
            swish_group(gate, gate + 4 * WIDE, h + 4 * (token * width + item * WIDE))
            _quantise(scratch, scratch.gated, token, width, item * WIDE, WIDE)
        done(counters, phase)
        item = take(counters, phase)
    wait(counters, phase, items)


@compiled(error_model="numpy")
def _predict(
    weights: Weights,
    tokens: Tokens,
    scratch: Scratch,
    shape: Shape,
    logits: np.ndarray,
    counters: np.ndarray,
    phase: int,
) -> None:
    """The last norm and the head, for the wanted tokens; an item of the head is some blocks of the vocabulary."""
    count, width = len(tokens.wanted), len(weights.norm)
    h = scratch.h
    row = take(counters, phase)
    while row < count:
        _norm_token(scratch.x[tokens.wanted[row]], weights.norm, shape.eps, h[row * width : (row + 1) * width])
        _quantise(scratch, scratch.inputs, row, width, 0, width)
        done(counters, phase)
        row = take(counters, phase)
    wait(counters, phase, count)

    vocabulary, together = logits.shape[1], 16
    items = (vocabulary // BLOCK + together - 1) // together
    item = take(counters, phase + 1)
    while item < items:
        first = item * together
        blocks = min(together, vocabulary // BLOCK - first)
        out = logits.ctypes.data + 4 * first * BLOCK
        _multiply(weights.head, first, blocks, scratch.inputs, count, out, vocabulary)
        done(counters, phase + 1)
        item = take(counters, phase + 1)
    wait(counters, phase + 1, items)
