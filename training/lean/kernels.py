"""The operations between a layer's products, compiled for CPUs: one pass each over numbers in float32 or bfloat16.

NumPy has no bfloat16: such arrays are uint16 here, and `_float` and `_like` go to
float32 and back. Loops are written so that LLVM makes vectors of them. For 768
tokens of SmolLM2-135M a layer's take 2 ms on one thread of a Zen 5, the layer's
products 22; of the head, the softmax of 49,152 logits at 256 places takes 5 ms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic as _intrinsic

from medilite.engine.native.code_cache import compiled

intrinsic: Any = _intrinsic
"""Untyped, as in `medilite.engine.native.intrinsics`."""

_F32, _I32 = ir.FloatType(), ir.IntType(32)
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract", "nsz"}}
"""Sums may be taken in any order, the same at every call if their loop writes nothing; what is not finite stays so."""


@intrinsic
def _float(context: Any, value: Any) -> Any:
    """Return a number of an array as float32."""

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        if value == types.float32:
            return arguments[0]
        return b.bitcast(b.shl(b.zext(arguments[0], _I32), ir.Constant(_I32, 16)), _F32)

    return types.float32(value), generate


@intrinsic
def _like(context: Any, array: Any, value: Any) -> Any:
    """Return a float32 in the array's type, rounded to nearest, ties to even."""

    def generate(_: Any, b: Any, sig: Any, arguments: Any) -> Any:
        if array.dtype == types.float32:
            return arguments[1]
        bits, last = b.bitcast(arguments[1], _I32), ir.Constant(_I32, 16)
        odd = b.and_(b.lshr(bits, last), ir.Constant(_I32, 1))
        return b.trunc(b.lshr(b.add(bits, b.add(odd, ir.Constant(_I32, 0x7FFF))), last), ir.IntType(16))

    return array.dtype(array, types.float32), generate


@intrinsic
def _bits(context: Any, value: Any) -> Any:
    return types.int32(types.float32), lambda _, b, sig, arguments: b.bitcast(arguments[0], _I32)


@intrinsic
def _of_bits(context: Any, bits: Any) -> Any:
    return types.float32(types.int32), lambda _, b, sig, arguments: b.bitcast(arguments[0], _F32)


@compiled(error_model="numpy", inline="always")
def _exp(x: Any) -> Any:
    """e to the x, to 6 digits: 2 to a whole number times a polynomial on half a unit either side of 0."""
    scaled = min(max(x * np.float32(1.4426950408889634), np.float32(-126)), np.float32(126))
    # Numba widens operations on 32 bits to 64, so each step is cut down again.
    biased = np.int32(scaled + np.float32(127.5))
    r = scaled - np.float32(np.int32(biased - np.int32(127)))
    p = np.float32(1.540353e-4) * r + np.float32(1.3333558e-3)
    p = p * r + np.float32(9.6181291e-3)
    p = p * r + np.float32(5.5504109e-2)
    p = p * r + np.float32(0.24022651)
    p = p * r + np.float32(0.69314718)
    return (p * r + np.float32(1)) * _of_bits(np.int32(biased << np.int32(23)))


@compiled(error_model="numpy", inline="always")
def _turned(bits: Any) -> Any:
    """Return a float32's bits as an int32 of the same order, or the inverse."""
    return np.int32(bits ^ np.int32(np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))


@compiled(**_OPTIONS)
def _largest(values: np.ndarray) -> Any:
    # LLVM makes vectors of an integer's maximum, not of a float's. Not-a-number is larger than all.
    top = np.int32(-2147483648)
    for place in range(len(values)):
        top = max(top, _turned(_bits(_float(values[place]))))
    return _of_bits(_turned(top))


@compiled(**_OPTIONS)
def add_norm(
    x: np.ndarray,
    more: np.ndarray,
    weight: np.ndarray,
    eps: float,
    total: np.ndarray,
    out: np.ndarray,
    factors: np.ndarray,
) -> None:
    """Write x + `more` to `total`, and its norm as `norm` does."""
    for token in range(len(x)):
        for i in range(x.shape[1]):
            total[token, i] = x[token, i] + _float(more[token, i])
        _norm_line(total[token], weight, eps, out[token], factors, token)


@compiled(**_OPTIONS)
def norm(x: np.ndarray, weight: np.ndarray, eps: float, out: np.ndarray, factors: np.ndarray) -> None:
    """Write x over its root mean square, weighted, to `out`, and one over the root to `factors`."""
    for token in range(len(x)):
        _norm_line(x[token], weight, eps, out[token], factors, token)


@compiled(**_OPTIONS)
def _norm_line(x: np.ndarray, weight: np.ndarray, eps: float, out: np.ndarray, factors: np.ndarray, token: int) -> None:
    squares = np.float32(0)
    for i in range(len(x)):
        squares += x[i] * x[i]
    factor = np.float32(1) / np.sqrt(squares / np.float32(len(x)) + np.float32(eps))
    factors[token] = factor
    for i in range(len(x)):
        out[i] = _like(out, x[i] * factor * weight[i])


@compiled(**_OPTIONS)
def norm_back(
    dy: np.ndarray,
    x: np.ndarray,
    factors: np.ndarray,
    weight: np.ndarray,
    d: np.ndarray,
    out: np.ndarray,
    short: np.ndarray,
) -> None:
    """Write d + the gradient of x from that of its norm to `out`, and in the products' type to `short`."""
    width = x.shape[1]
    for token in range(len(x)):
        factor = factors[token]
        share = np.float32(0)
        for i in range(width):
            share += _float(dy[token, i]) * weight[i] * x[token, i]
        share *= factor * factor / np.float32(width)
        for i in range(width):
            value = d[token, i] + factor * (_float(dy[token, i]) * weight[i] - x[token, i] * share)
            out[token, i] = value
            short[token, i] = _like(short, value)


@compiled(**_OPTIONS)
def rotate(values: np.ndarray, heads: int, cosine: np.ndarray, sine: np.ndarray, sign: float) -> None:
    """Turn the first `heads` heads of each token in place; `cosine` and `sine` are (N, D / 2)."""
    half = cosine.shape[1]
    for token in range(len(values)):
        for head in range(heads):
            near, far = 2 * head * half, (2 * head + 1) * half
            for i in range(half):
                first, second = _float(values[token, near + i]), _float(values[token, far + i])
                c, s = cosine[token, i], sine[token, i] * np.float32(sign)
                values[token, near + i] = _like(values, first * c - second * s)
                values[token, far + i] = _like(values, second * c + first * s)


@compiled(**_OPTIONS)
def swish(gate_up: np.ndarray, out: np.ndarray) -> None:
    """Write silu(gate) · up (Shazeer 2020)."""
    width = out.shape[1]
    for token in range(len(out)):
        for i in range(width):
            gate, up = _float(gate_up[token, i]), _float(gate_up[token, width + i])
            out[token, i] = _like(out, gate * up / (np.float32(1) + _exp(-gate)))


@compiled(**_OPTIONS)
def swish_back(d: np.ndarray, gate_up: np.ndarray, out: np.ndarray) -> None:
    """Write the gradients of gate and up."""
    width = d.shape[1]
    for token in range(len(d)):
        for i in range(width):
            gate, up, slope = _float(gate_up[token, i]), _float(gate_up[token, width + i]), _float(d[token, i])
            share = np.float32(1) / (np.float32(1) + _exp(-gate))
            out[token, i] = _like(out, slope * up * share * (np.float32(1) + gate * (np.float32(1) - share)))
            out[token, width + i] = _like(out, slope * gate * share)


@compiled(**_OPTIONS)
def softmax(scores: np.ndarray, queries: int, first: int, scale: Any) -> None:
    """Make weights of scores in place: of line i up to key `first` + i mod `queries`, 0 behind it."""
    room = np.empty(scores.shape[1], np.float32)
    scale = np.float32(scale)
    for line in range(len(scores)):
        length = first + line % queries + 1
        values = scores[line]
        top = _largest(values[:length])
        for key in range(length):
            room[key] = _exp((_float(values[key]) - top) * scale)
        # A loop of its own: where one also writes, LLVM takes vectors only if the arrays lie far apart in memory,
        # and adds in another order if not.
        total = np.float32(0)
        for key in range(length):
            total += room[key]
        factor = np.float32(1) / total
        for key in range(length):
            values[key] = _like(values, room[key] * factor)
        values[length:] = 0


@compiled(**_OPTIONS)
def softmax_back(d: np.ndarray, weights: np.ndarray, queries: int, first: int, scale: Any) -> None:
    """Make the scores' gradient of the weights' in place."""
    scale = np.float32(scale)
    for line in range(len(d)):
        length = first + line % queries + 1
        values, own = d[line], weights[line]
        share = np.float32(0)
        for key in range(length):
            share += _float(values[key]) * _float(own[key])
        for key in range(length):
            values[key] = _like(values, (_float(values[key]) - share) * _float(own[key]) * scale)
        values[length:] = 0


@compiled(error_model="numpy", inline="always")
def _mix(x: Any) -> Any:
    """MurmurHash3's last step (Appleby 2011): every bit of x decides on every bit of what is returned."""
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    x = np.uint32((x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.uint32(x ^ (x >> np.uint32(16)))


@compiled(**_OPTIONS)
def drop(x: np.ndarray, seed: int, share: float, onto: bool, out: np.ndarray) -> None:
    """Write x to `out`, or add it, a `share` of its places as 0 and the others over (1 - share).

    The places depend only on seed, line and column.
    """
    least, factor = np.uint32(share * 4294967296.0), np.float32(1 / (1 - share))
    for line in range(len(x)):
        start = _mix(np.uint32(np.uint32(seed) ^ _mix(np.uint32(line + 1))))
        for i in range(x.shape[1]):
            noise = _mix(np.uint32(start + np.uint32(i) * np.uint32(0x9E3779B9)))
            value = _float(x[line, i]) * factor if noise >= least else np.float32(0)
            if onto:
                value += _float(out[line, i])
            out[line, i] = _like(out, value)


@compiled(**_OPTIONS)
def predict(
    logits: np.ndarray,
    targets: np.ndarray,
    log_probs: np.ndarray,
    entropies: np.ndarray,
    temperature: float,
    slopes: bool,
) -> None:
    """Write each line's log-probability of its target and, if there is room, entropy, of logits over `temperature`.

    With `slopes`, logits become the gradient of the log-probability by them, times the temperature.
    """
    width, factor = logits.shape[1], np.float32(1 / temperature)
    for line in range(len(logits)):
        values, target = logits[line], targets[line]
        top = _largest(values)
        total = np.float32(0)
        for i in range(width):
            total += _exp((_float(values[i]) - top) * factor)
        log_total = np.float32(np.log(total))
        log_probs[line] = (_float(values[target]) - top) * factor - log_total
        if len(entropies):
            mean = np.float32(0)
            for i in range(width):
                value = (_float(values[i]) - top) * factor
                mean += _exp(value) * value
            entropies[line] = log_total - mean / total
        if slopes:
            share = np.float32(-1) / total
            own = np.float32(1) + _exp((_float(values[target]) - top) * factor) * share
            for i in range(width):
                values[i] = _like(values, _exp((_float(values[i]) - top) * factor) * share)
            values[target] = _like(values, own)
