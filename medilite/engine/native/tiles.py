"""Products of int8 activations and packed weights: how a tile is laid out, and what is done with one.

As in `intrinsics`, addresses are plain integers and nothing is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from medilite import processor
from medilite.engine.native.intrinsics import (
    _F16,
    _F32,
    _I8,
    _I16,
    _I32,
    BLOCK,
    _call,
    _fma,
    _fold,
    _load,
    _number,
    _prefetch,
    _splat,
    _store,
    intrinsic,
    reload,
)

GROUP = 32
"""Inputs of a product that share a scale, as weights and as activations."""

NUMBERS = 6 * BLOCK
"""Bytes of a tile of eight bits before its numbers: BLOCK scales and offsets (float16) and sums (uint16)."""

TILE = NUMBERS + BLOCK * GROUP
"""Bytes of a tile of eight bits: what comes before them, then the numbers, four inputs of an output side by side."""

NIBBLES = 4 * BLOCK
"""Bytes of a tile of four bits before its numbers: BLOCK scales and offsets in float16."""

FOUR = NIBBLES + BLOCK * GROUP // 2
"""Bytes of a tile of four bits, for weights on 16 levels: 20 for 32 weights, as many as GGUF's Q4_1 takes.

A byte holds two numbers of one output, of input i in its low half and of input i + GROUP / 2 in its high one.
"""


def _dot(builder: Any, sums: Any, weights: Any, values: Any, *, small: bool = False) -> Any:
    """Return 16 sums plus, for each, the product of 4 unsigned weights with 4 signed values (all packed in int32).

    With `small` no weight is above 127. The sums are exact on every processor.
    """
    has = processor.instructions()
    if "avx512vnni" in has:
        return _call(builder, "llvm.x86.avx512.vpdpbusd.512", sums.type, sums, weights, values)
    if "avxvnni" in has:
        return _in_parts(_avxvnni, 8, builder, sums, weights, values)
    if "avx2" in has:
        if small:
            return _in_parts(_avx2, 8, builder, sums, weights, values)
        # The sum of two products has 16 bits, so the highest bit of the weights is multiplied by itself.
        for bits in (0x7F7F7F7F, 0x80808080 - (1 << 32)):
            part = builder.and_(weights, ir.Constant(weights.type, [bits] * 16))
            sums = _in_parts(_avx2, 8, builder, sums, part, values)
        return sums
    if "i8mm" in has:
        return _in_parts(_arm("usdot"), 4, builder, sums, weights, values)
    if "dotprod" in has:
        if small:
            return _in_parts(_arm("sdot"), 4, builder, sums, weights, values)
        # Weights less 128 have a sign; the products with 128 are those with 64, twice.
        high, half = (ir.Constant(weights.type, [bits] * 16) for bits in (0x80808080 - (1 << 32), 0x40404040))
        for part in (builder.xor(weights, high), half, half):
            sums = _in_parts(_arm("sdot"), 4, builder, sums, part, values)
        return sums
    # Anywhere else: widened and summed in pairs, which LLVM turns into the machine's multiply-add of int16 pairs.
    wide = ir.VectorType(_I32, 64)
    product = builder.mul(
        builder.zext(builder.bitcast(weights, ir.VectorType(_I8, 64)), wide),
        builder.sext(builder.bitcast(values, ir.VectorType(_I8, 64)), wide),
    )
    while (width := product.type.count) > 16:
        even, odd = (ir.Constant(ir.VectorType(_I32, width // 2), list(range(first, width, 2))) for first in (0, 1))
        nothing = ir.Constant(product.type, ir.Undefined)
        product = builder.add(
            builder.shuffle_vector(product, nothing, even), builder.shuffle_vector(product, nothing, odd)
        )
    return builder.add(sums, product)


def _in_parts(do: Callable[..., Any], width: int, builder: Any, *vectors: Any) -> Any:
    """Return what `do` makes of vectors of 16 int32, `width` of them at a time, as one vector."""
    parts = []
    for start in range(0, 16, width):
        lanes = ir.Constant(ir.VectorType(_I32, width), list(range(start, start + width)))
        parts.append(
            do(builder, *(builder.shuffle_vector(v, ir.Constant(v.type, ir.Undefined), lanes) for v in vectors))
        )
    while len(parts) > 1:
        joined = parts[0].type.count * 2
        lanes = ir.Constant(ir.VectorType(_I32, joined), list(range(joined)))
        parts = [builder.shuffle_vector(*parts[at : at + 2], lanes) for at in range(0, len(parts), 2)]
    return parts[0]


def _avxvnni(builder: Any, sums: Any, weights: Any, values: Any) -> Any:
    return _call(builder, "llvm.x86.avx512.vpdpbusd.256", sums.type, sums, weights, values)


def _avx2(builder: Any, sums: Any, weights: Any, values: Any) -> Any:
    """As `_dot` for 8 sums; two products together may not exceed 16 bits."""
    shorts, raw = ir.VectorType(_I16, 16), ir.VectorType(_I8, 32)
    both = (builder.bitcast(side, raw) for side in (weights, values))
    pairs = _call(builder, "llvm.x86.avx2.pmadd.ub.sw", shorts, *both)
    return builder.add(sums, _call(builder, "llvm.x86.avx2.pmadd.wd", sums.type, pairs, ir.Constant(shorts, [1] * 16)))


def _arm(name: str) -> Callable[..., Any]:
    """Return `_dot` for 4 sums by an ARM instruction: "usdot", or "sdot" for signed weights."""

    def do(builder: Any, sums: Any, weights: Any, values: Any) -> Any:
        both = (builder.bitcast(side, ir.VectorType(_I8, 16)) for side in (weights, values))
        return _call(builder, f"llvm.aarch64.neon.{name}.v4i32.v16i8", sums.type, sums, *both)

    return do


def _in_halves(builder: Any, packed: Any) -> tuple[Any, Any]:
    """Return the low and the high halves of a vector's bytes, each in a byte of its own (16 int32)."""
    mask = ir.Constant(packed.type, [0x0F0F0F0F] * 16)
    high = builder.lshr(packed, ir.Constant(packed.type, [4] * 16))
    return builder.and_(packed, mask), builder.and_(high, mask)


@intrinsic(prefer_literal=True)
def product_tile(
    context: Any,
    out: Any,
    stride: Any,
    values: Any,
    groups: Any,
    factors: Any,
    weights: Any,
    ahead: Any,
    rows: Any,
    bits: Any,
) -> Any:
    """Write `rows` × BLOCK float32 products of int8 activations and one block of packed weights to `out`.

    `stride` is how many numbers one row of `out` is from the next. `values`
    (rows, groups · GROUP) int8; `factors` (rows, groups, 3) float32 as
    `quantise_group` writes them. `weights` are `groups` tiles of `bits` 4 or 8, at a
    multiple of 64 bytes; as many bytes from `ahead` on are prefetched meanwhile.
    `rows` and `bits` are numbers written in the code: the sums stay in registers.
    The same weights give the same products to the last bit in either kind of tile.
    """
    signature = types.void(*[types.int64] * 7, rows, bits)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        out, stride, values, groups, factors, weights, ahead = arguments[:7]
        count, four_bits = sig.args[7].literal_value, sig.args[8].literal_value == 4
        ints, floats = ir.VectorType(_I32, 16), ir.VectorType(_F32, 16)
        size, before = (FOUR, NIBBLES) if four_bits else (TILE, NUMBERS)
        places = [(row, half) for row in range(count) for half in range(2)]
        total = {place: cgutils.alloca_once_value(b, ir.Constant(floats, [0.0] * 16)) for place in places}
        with cgutils.for_range(b, groups) as group:
            start = b.mul(group.index, _number(size))
            tile, coming = b.add(weights, start), b.add(ahead, start)
            for line in range(0, size, 64):
                _prefetch(b, coming, _number(line))
            lines = [b.add(b.mul(_number(row), groups), group.index) for row in range(count)]
            nothing = ir.Constant(ints, [0] * 16)
            exact, sums = dict.fromkeys(places, nothing), [nothing, nothing]

            def multiply(four: int, half: int, loaded: Any) -> None:
                """Add the products of four inputs of 16 outputs."""
                for row in range(count):
                    here = b.add(b.mul(lines[row], _number(GROUP)), _number(4 * four))
                    spread = _splat(b, _load(b, values, here, _I32, 4), 16)
                    exact[row, half] = _dot(b, exact[row, half], loaded, spread, small=four_bits)

            # Written out, not a loop: that runs a tenth faster.
            if four_bits:
                ones = ir.Constant(ints, [0x01010101] * 16)
                # One half after the other, since both need too many registers; what is loaded twice isn't kept.
                for half in range(2):
                    reload(b)
                    for four in range(GROUP // 8):
                        packed = _load(b, tile, _number(before + 4 * BLOCK * four + 64 * half), ints, 64)
                        for kind, part in enumerate(_in_halves(b, packed)):
                            multiply(four + kind * GROUP // 8, half, part)
                            sums[half] = _dot(b, sums[half], part, ones, small=True)
            else:
                for four in range(GROUP // 4):
                    at = [_number(before + 4 * BLOCK * four + 64 * half) for half in range(2)]
                    for half, loaded in enumerate([_load(b, tile, place, ints, 64) for place in at]):
                        multiply(four, half, loaded)
                shorts = ir.VectorType(_I16, 16)
                sums = [b.zext(_load(b, tile, _number(4 * BLOCK + 32 * half), shorts, 32), ints) for half in range(2)]
            for half in range(2):
                scale, offset = (
                    b.fpext(_load(b, tile, _number(2 * BLOCK * kind + 32 * half), ir.VectorType(_F16, 16), 32), floats)
                    for kind in range(2)
                )
                width = ir.Constant(floats, [float(GROUP)] * 16)
                whole = _fma(b, b.sitofp(sums[half], floats), scale, b.fmul(offset, width))
                for row in range(count):
                    step, shift, summed = (
                        _splat(
                            b, _load(b, factors, b.add(b.mul(lines[row], _number(12)), _number(4 * kind)), _F32, 4), 16
                        )
                        for kind in range(3)
                    )
                    place = total[row, half]
                    own = _fma(b, b.sitofp(exact[row, half], floats), b.fmul(step, scale), b.load(place))
                    b.store(_fma(b, summed, offset, _fma(b, shift, whole, own)), place)
        for row, half in places:
            at_out = b.add(b.mul(_number(4 * row), stride), _number(64 * half))
            _store(b, b.load(total[row, half]), out, at_out, 4)
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return signature, generate


@intrinsic
def widen_tiles(context: Any, tiles: Any, groups: Any, out: Any) -> Any:
    """Write `groups` tiles of four bits to `out` as tiles of eight: cheaper once than for each of many rows."""
    signature = types.void(*[types.int64] * 3)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        tiles, groups, out = arguments
        ints = ir.VectorType(_I32, 16)
        ones = ir.Constant(ints, [0x01010101] * 16)
        with cgutils.for_range(b, groups) as group:
            tile, wide = b.add(tiles, b.mul(group.index, _number(FOUR))), b.add(out, b.mul(group.index, _number(TILE)))
            for line in range(0, NIBBLES, 64):
                _store(b, _load(b, tile, _number(line), ints, 64), wide, _number(line), 64)
            for half in range(2):
                sums = ir.Constant(ints, [0] * 16)
                for four in range(GROUP // 8):
                    parts = _in_halves(b, _load(b, tile, _number(NIBBLES + 4 * BLOCK * four + 64 * half), ints, 64))
                    for kind, part in enumerate(parts):
                        place = _number(NUMBERS + 4 * BLOCK * (four + kind * GROUP // 8) + 64 * half)
                        _store(b, part, wide, place, 64)
                        sums = _dot(b, sums, part, ones, small=True)
                _store(b, b.trunc(sums, ir.VectorType(_I16, 16)), wide, _number(4 * BLOCK + 32 * half), 32)
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return signature, generate


@intrinsic
def quantise_group(context: Any, values: Any, out: Any, factors: Any) -> Any:
    """Write GROUP float32 `values` as int8 to `out`, and the numbers that undo it to `factors` (3,) float32.

    These are a step and a shift, for a value is step · int8 + shift, and step
    times the sum of the int8. The 255 steps reach from the least value to the
    greatest, for a group often has an outlier on one side.
    """
    signature = types.void(types.int64, types.int64, types.int64)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        values, out, factors = arguments
        zero, floats, ints = _number(0), ir.VectorType(_F32, GROUP), ir.VectorType(_I32, GROUP)
        loaded = _load(b, values, zero, floats, 4)
        low, high = (_call(b, f"llvm.vector.reduce.{name}.v{GROUP}f32", _F32, loaded) for name in ("fmin", "fmax"))
        # x − x is 0, or not-a-number where x is not finite: the step then is not-a-number too.
        spoiled = _fold(b, b.fsub(loaded, loaded))
        # The least step keeps the division finite; a group of equal values stays one.
        span = b.fadd(_call(b, "llvm.maxnum.f32", _F32, b.fsub(high, low), ir.Constant(_F32, 1e-20)), spoiled)
        step = b.fmul(span, ir.Constant(_F32, 1 / 255))
        middle = b.fadd(low, b.fmul(step, ir.Constant(_F32, 128.0)))
        scaled = b.fmul(
            b.fsub(loaded, _splat(b, middle, GROUP)), _splat(b, b.fdiv(ir.Constant(_F32, 255.0), span), GROUP)
        )
        # Added to 1.5 · 2²³, a number's last bits are the whole number nearest to it (to even ones at halves).
        shift = ir.Constant(floats, [1.5 * 2**23] * GROUP)
        whole = b.sub(b.bitcast(b.fadd(scaled, shift), ints), b.bitcast(shift, ints))
        _store(b, b.trunc(whole, ir.VectorType(_I8, GROUP)), out, zero, 1)
        summed = b.sitofp(_call(b, f"llvm.vector.reduce.add.v{GROUP}i32", _I32, whole), _F32)
        for number, factor in enumerate((step, middle, b.fmul(step, summed))):
            _store(b, factor, factors, _number(4 * number), 4)
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return signature, generate


@intrinsic
def unpack_line(context: Any, tiles: Any, groups: Any, line: Any, out: Any) -> Any:
    """Write one output's weights of `groups` tiles to `out` (groups · GROUP) float32."""
    signature = types.void(*[types.int64] * 4)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        tiles, groups, line, out = arguments
        with cgutils.for_range(b, groups) as group:
            tile = b.add(tiles, b.mul(group.index, _number(TILE)))
            scale, offset = (
                b.fpext(_load(b, tile, b.add(b.mul(line, _number(2)), _number(2 * BLOCK * kind)), _F16, 2), _F32)
                for kind in range(2)
            )
            for column in range(GROUP):
                at = b.add(b.mul(line, _number(4)), _number(NUMBERS + 4 * BLOCK * (column // 4) + column % 4))
                weight = b.uitofp(_load(b, tile, at, _I8, 1), _F32)
                place = b.add(b.mul(group.index, _number(4 * GROUP)), _number(4 * column))
                _store(b, _call(b, "llvm.fma.f32", _F32, weight, scale, offset), out, place, 4)
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return signature, generate
