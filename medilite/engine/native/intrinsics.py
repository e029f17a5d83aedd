"""What Numba can't express: vector products, conversions, and counters that threads share.

Each function here is one piece of LLVM code. Addresses are plain integers;
nothing is checked, so only this folder uses them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic

from medilite import processor

intrinsic: Any = _intrinsic
"""Untyped: what it makes is called from compiled code, without the context that is its first argument here."""

BLOCK = 32
"""Outputs of one tile of packed weights: two vectors of 16 sums."""

WIDE = 64
"""Numbers that loops over floats take at once: they are given multiples of it."""

_I8, _I16, _I32, _I64, _F32, _F16 = (
    ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.FloatType(), ir.HalfType(),
)  # fmt: skip


def _number(value: int) -> ir.Constant:
    return ir.Constant(_I64, value)


def _at(builder: Any, base: Any, offset: Any, kind: ir.Type) -> Any:
    return builder.inttoptr(builder.add(base, offset), kind.as_pointer())


def _load(builder: Any, base: Any, offset: Any, kind: ir.Type, align: int) -> Any:
    found = builder.load(_at(builder, base, offset, kind))
    found.align = align
    return found


def _store(builder: Any, value: Any, base: Any, offset: Any, align: int) -> None:
    builder.store(value, _at(builder, base, offset, value.type)).align = align


def _prefetch(builder: Any, base: Any, offset: Any) -> None:
    """Ask for the line of memory at base + offset, for reading soon; an address that isn't one does no harm."""
    place = _at(builder, base, offset, _I8)
    kind = ir.FunctionType(ir.VoidType(), [place.type, _I32, _I32, _I32])
    name = "llvm.prefetch.p0"
    read, near, data = (ir.Constant(_I32, number) for number in (0, 2, 1))
    builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [place, read, near, data])


def _splat(builder: Any, value: Any, width: int) -> Any:
    wide = ir.VectorType(value.type, width)
    one = builder.insert_element(ir.Constant(wide, ir.Undefined), value, ir.Constant(_I32, 0))
    lanes = ir.Constant(ir.VectorType(_I32, width), [0] * width)
    return builder.shuffle_vector(one, ir.Constant(wide, ir.Undefined), lanes)


def _call(builder: Any, name: str, result: ir.Type, *arguments: Any) -> Any:
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def _fma(builder: Any, left: Any, right: Any, more: Any) -> Any:
    """Return left · right + more of three float32 vectors, rounded once."""
    return _call(builder, f"llvm.fma.v{left.type.count}f32", left.type, left, right, more)


def reload(builder: Any) -> None:
    """Make later uses load values from memory again, not from registers."""
    nothing = ir.FunctionType(ir.VoidType(), [])
    builder.call(ir.InlineAsm(nothing, "", "~{memory}", side_effect=True), [])


@intrinsic
def fetch(context: Any, address: Any, size: Any) -> Any:
    """Ask for `size` bytes of memory, for reading soon."""
    signature = types.void(types.int64, types.int64)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        address, size = arguments
        with cgutils.for_range(b, b.udiv(size, _number(64))) as line:
            _prefetch(b, address, b.mul(line.index, _number(64)))
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return signature, generate


@intrinsic(prefer_literal=True)
def half_tile(
    context: Any,
    out: Any,
    out_stride: Any,
    left: Any,
    left_stride: Any,
    right: Any,
    right_stride: Any,
    depth: Any,
    ahead: Any,
    rows: Any,
) -> Any:
    """Add the product of `left` (rows, depth) float32 and `right` (depth, 64) float16 to `out` (rows, 64) float32.

    Strides count numbers, not bytes. As much as `right` takes is asked of the
    memory from `ahead` on meanwhile. `rows` is a number written in the code.
    """
    signature = types.void(*[types.int64] * 8, rows)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        out, out_stride, left, left_stride, right, right_stride, depth, ahead = arguments[:8]
        count, wide = sig.args[8].literal_value, ir.VectorType(_F32, 64)
        lines = [b.mul(_number(4 * row), out_stride) for row in range(count)]
        sums = [cgutils.alloca_once_value(b, _load(b, out, line, wide, 4)) for line in lines]
        with cgutils.for_range(b, depth) as step:
            place = b.mul(b.mul(step.index, right_stride), _number(2))
            for line in (0, 64):
                _prefetch(b, ahead, b.add(place, _number(line)))
            floats = b.fpext(_load(b, right, place, ir.VectorType(_F16, 64), 2), wide)
            for row in range(count):
                at = b.mul(b.add(b.mul(_number(row), left_stride), step.index), _number(4))
                spread = _splat(b, _load(b, left, at, _F32, 4), 64)
                b.store(_call(b, "llvm.fma.v64f32", wide, spread, floats, b.load(sums[row])), sums[row])
        for line, summed in zip(lines, sums, strict=True):
            _store(b, b.load(summed), out, line, 4)
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return signature, generate


@intrinsic
def float_tile(context: Any, out: Any, left: Any, right: Any, right_stride: Any, depth: Any) -> Any:
    """Add the product of `left` (depth,) and `right` (depth, BLOCK) to `out` (BLOCK,), all float32."""
    signature = types.void(*[types.int64] * 5)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        out, left, right, right_stride, depth = arguments
        wide = ir.VectorType(_F32, BLOCK)
        reload(b)
        total = cgutils.alloca_once_value(b, _load(b, out, _number(0), wide, 4))
        with cgutils.for_range(b, depth) as step:
            spread = _splat(b, _load(b, left, b.mul(step.index, _number(4)), _F32, 4), BLOCK)
            line = _load(b, right, b.mul(b.mul(step.index, right_stride), _number(4)), wide, 4)
            b.store(_call(b, f"llvm.fma.v{BLOCK}f32", wide, spread, line, b.load(total)), total)
        _store(b, b.load(total), out, _number(0), 4)
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return signature, generate


@intrinsic
def largest(context: Any, values: Any, count: Any) -> Any:
    """Return the largest of `count` float32 values, a multiple of 64."""
    signature = types.float32(types.int64, types.int64)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        values, count = arguments
        wide = ir.VectorType(_F32, 64)
        best = cgutils.alloca_once_value(b, _load(b, values, _number(0), wide, 4))
        with cgutils.for_range(b, b.udiv(count, _number(64))) as step:
            found = _load(b, values, b.mul(step.index, _number(256)), wide, 4)
            b.store(b.select(b.fcmp_ordered(">", found, b.load(best)), found, b.load(best)), best)
        return _call(b, "llvm.vector.reduce.fmax.v64f32", _F32, b.load(best))

    return signature, generate


def _fold(builder: Any, values: Any) -> Any:
    """Return the sum of a vector's numbers, a power of two of them, half onto half."""
    while (half := values.type.count // 2) > 0:
        parts = (ir.Constant(ir.VectorType(_I32, half), list(range(start, start + half))) for start in (0, half))
        nothing = ir.Constant(values.type, ir.Undefined)
        values = builder.fadd(*(builder.shuffle_vector(values, nothing, lanes) for lanes in parts))
    return builder.extract_element(values, ir.Constant(_I32, 0))


@intrinsic
def dot(context: Any, left: Any, right: Any, count: Any) -> Any:
    """Return the product of two vectors of `count` float32, a multiple of 64, summed in an order of its own."""
    signature = types.float32(types.int64, types.int64, types.int64)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        left, right, count = arguments
        wide = ir.VectorType(_F32, 64)
        sums = cgutils.alloca_once_value(b, ir.Constant(wide, [0.0] * 64))
        with cgutils.for_range(b, b.udiv(count, _number(64))) as step:
            at = b.mul(step.index, _number(256))
            parts = (_load(b, side, at, wide, 4) for side in (left, right))
            b.store(_call(b, "llvm.fma.v64f32", wide, *parts, b.load(sums)), sums)
        return _fold(b, b.load(sums))

    return signature, generate


@intrinsic
def total(context: Any, values: Any, count: Any) -> Any:
    """Return the sum of `count` float32 values, a multiple of 64, in an order of its own."""
    signature = types.float32(types.int64, types.int64)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        values, count = arguments
        wide = ir.VectorType(_F32, 64)
        sums = cgutils.alloca_once_value(b, ir.Constant(wide, [0.0] * 64))
        with cgutils.for_range(b, b.udiv(count, _number(64))) as step:
            found = _load(b, values, b.mul(step.index, _number(256)), wide, 4)
            b.store(b.fadd(b.load(sums), found), sums)
        return _fold(b, b.load(sums))

    return signature, generate


def _exp(builder: Any, x: Any) -> Any:
    """Return e to the numbers of a float32 vector, as `choose.exp` does for one: the same steps, so the same bits."""
    count = x.type.count
    ints = ir.VectorType(_I32, count)

    def each(value: float) -> ir.Constant:
        return ir.Constant(x.type, [value] * count)

    scaled = builder.fmul(x, each(1.4426950408889634))
    scaled = builder.select(builder.fcmp_ordered(">", each(-126.0), scaled), each(-126.0), scaled)
    scaled = builder.select(builder.fcmp_ordered("<", each(126.0), scaled), each(126.0), scaled)
    # Not-a-number has no whole part to convert; the polynomial keeps it.
    known = builder.select(builder.fcmp_ordered("ord", scaled, scaled), scaled, each(0.0))
    up = builder.fptosi(builder.fadd(known, each(127.5)), ints)
    whole = builder.sub(up, ir.Constant(ints, [127] * count))
    r = builder.fmul(builder.fsub(scaled, builder.sitofp(whole, x.type)), each(0.6931471805599453))
    p = each(1 / 720)
    for factor in (1 / 120, 1 / 24, 1 / 6, 0.5, 1.0, 1.0):
        p = builder.fadd(each(factor), builder.fmul(r, p))
    power = builder.shl(builder.add(whole, ir.Constant(ints, [127] * count)), ir.Constant(ints, [23] * count))
    return builder.fmul(p, builder.bitcast(power, x.type))


@intrinsic
def exponentials(context: Any, values: Any, count: Any, top: Any) -> Any:
    """Make e to the (value − `top`) of `count` float32 values, a multiple of 64, in place."""
    signature = types.void(types.int64, types.int64, types.float32)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        values, count, top = arguments
        wide = ir.VectorType(_F32, 64)
        spread = _splat(b, top, 64)
        with cgutils.for_range(b, b.udiv(count, _number(64))) as step:
            at = b.mul(step.index, _number(256))
            _store(b, _exp(b, b.fsub(_load(b, values, at, wide, 4), spread)), values, at, 4)
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return signature, generate


@intrinsic
def swish_group(context: Any, gate: Any, up: Any, out: Any) -> Any:
    """Write silu(gate) · up of WIDE float32 of each to `out`."""
    signature = types.void(types.int64, types.int64, types.int64)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        wide, zero = ir.VectorType(_F32, WIDE), _number(0)
        gate, up = (_load(b, side, zero, wide, 4) for side in arguments[:2])
        one = ir.Constant(wide, [1.0] * WIDE)
        _store(b, b.fdiv(b.fmul(gate, up), b.fadd(one, _exp(b, b.fneg(gate)))), arguments[2], zero, 4)
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return signature, generate


@intrinsic
def rotate_head(context: Any, values: Any, out: Any, angles: Any, size: Any, factor: Any) -> Any:
    """Write a head's `size` float32, times `factor` and turned by `angles` (cosines, then sines; size / 2 each).

    Column i and column size / 2 + i are a pair. `out` may be `values`; `size` is a multiple of 2 · BLOCK.
    """
    signature = types.void(*[types.int64] * 4, types.float32)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        values, out, angles, size, factor = arguments
        wide, half = ir.VectorType(_F32, BLOCK), b.mul(size, _number(2))
        spread = _splat(b, factor, BLOCK)
        with cgutils.for_range(b, b.udiv(size, _number(2 * BLOCK))) as part:
            near = b.mul(part.index, _number(4 * BLOCK))
            far = b.add(near, half)
            first, second = (b.fmul(_load(b, values, at, wide, 4), spread) for at in (near, far))
            cosine, sine = (_load(b, angles, at, wide, 4) for at in (near, far))
            _store(b, b.fsub(b.fmul(first, cosine), b.fmul(second, sine)), out, near, 4)
            _store(b, b.fadd(b.fmul(second, cosine), b.fmul(first, sine)), out, far, 4)
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return signature, generate


@intrinsic
def halves(context: Any, values: Any, out: Any, count: Any) -> Any:
    """Write `count` float32, a multiple of 64, to `out` as float16."""
    signature = types.void(types.int64, types.int64, types.int64)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        values, out, count = arguments
        with cgutils.for_range(b, b.udiv(count, _number(64))) as step:
            found = _load(b, values, b.mul(step.index, _number(256)), ir.VectorType(_F32, 64), 4)
            _store(b, b.fptrunc(found, ir.VectorType(_F16, 64)), out, b.mul(step.index, _number(128)), 2)
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return signature, generate


@intrinsic
def peak(context: Any, values: Any, count: Any) -> Any:
    """Return the largest of `count` float32 values, a multiple of 64; not-a-number where one is not finite."""
    signature = types.float32(types.int64, types.int64)

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        values, count = arguments
        wide = ir.VectorType(_F32, 64)
        best = cgutils.alloca_once_value(b, ir.Constant(wide, [-np.inf] * 64))
        spoiled = cgutils.alloca_once_value(b, ir.Constant(wide, [0.0] * 64))
        with cgutils.for_range(b, b.udiv(count, _number(64))) as step:
            found = _load(b, values, b.mul(step.index, _number(256)), wide, 4)
            b.store(b.select(b.fcmp_ordered(">", found, b.load(best)), found, b.load(best)), best)
            # x − x is 0, or not-a-number where x is not finite; sums keep that.
            b.store(b.fadd(b.load(spoiled), b.fsub(found, found)), spoiled)
        top = _call(b, "llvm.vector.reduce.fmax.v64f32", _F32, b.load(best))
        return b.fadd(top, _call(b, "llvm.vector.reduce.fadd.v64f32", _F32, ir.Constant(_F32, 0.0), b.load(spoiled)))

    return signature, generate


@intrinsic
def as_half(context: Any, value: Any) -> Any:
    """Return the bits of a float32 rounded to float16."""

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        return b.bitcast(b.fptrunc(arguments[0], _F16), _I16)

    return types.uint16(types.float32), generate


@intrinsic
def from_half(context: Any, bits: Any) -> Any:
    """Return the float32 of a float16's bits."""

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        return b.fpext(b.bitcast(arguments[0], _F16), _F32)

    return types.float32(types.uint16), generate


@intrinsic
def power_of_two(context: Any, exponent: Any) -> Any:
    """Return 2 to an int32 exponent from −126 to 127."""

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        biased = b.add(arguments[0], ir.Constant(_I32, 127))
        return b.bitcast(b.shl(biased, ir.Constant(_I32, 23)), _F32)

    return types.float32(types.int32), generate


@intrinsic
def add_shared(context: Any, address: Any, amount: Any) -> Any:
    """Add to an int64 that threads share and return what it was.

    This and `read_shared` are in one order that all threads see (seq_cst): a
    team's `enter` and `_begin` each write one counter, then read the other's.
    """

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        place = b.inttoptr(arguments[0], _I64.as_pointer())
        return b.atomic_rmw("add", place, arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
def read_shared(context: Any, address: Any) -> Any:
    """Return an int64 that other threads may be changing."""

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        return b.load_atomic(b.inttoptr(arguments[0], _I64.as_pointer()), "seq_cst", 8)

    return types.int64(types.int64), generate


@intrinsic
def breathe(context: Any) -> Any:
    """Signal the CPU that this thread is waiting in a loop."""

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        if processor.is_x86():
            _call(b, "llvm.x86.sse2.pause", ir.VoidType())
        elif processor.is_arm():
            _call(b, "llvm.aarch64.hint", ir.VoidType(), ir.Constant(_I32, 1))
        return cgutils.get_null_value(ir.IntType(8).as_pointer())

    return types.void(), generate
