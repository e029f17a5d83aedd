"""Pack weights into tiles: per 32 weights of an output a scale and an offset in float16, and 4- or 8-bit numbers.

A weight is scale · number + offset. The tiles' layouts are in `tiles`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from medilite.engine.native.code_cache import compiled
from medilite.engine.native.intrinsics import BLOCK, as_half, from_half
from medilite.engine.native.tiles import GROUP, NIBBLES, NUMBERS

_LEAST_STEP = np.float32(2.0**-24)
"""The least step that float16 has; it keeps the division finite where all weights of a group are equal."""

_TRIES = 12
"""Step sizes tried for four bits: 15.0 to 16.1 steps between the least weight and the greatest."""


@compiled(error_model="numpy")
def _try(group: np.ndarray, step: Any, start: Any, most: Any, numbers: np.ndarray, errors: np.ndarray) -> Any:
    """Write the nearest `numbers` of 0 to `most` on a lattice and return the sum of the squared errors."""
    for lane in range(8):
        errors[lane] = 0
    for part in range(GROUP // 8):
        for lane in range(8):
            value = group[8 * part + lane]
            number = min(max(np.rint((value - start) / step), np.float32(0)), most)
            error = number * step + start - value
            errors[lane] += error * error
            numbers[8 * part + lane] = np.uint8(number)
    total = np.float32(0)
    for lane in range(8):
        total += errors[lane]
    return total


@compiled(error_model="numpy", inline="always")
def _rounded(value: Any) -> Any:
    """Return a float32 rounded to float16."""
    return from_half(as_half(np.float32(value)))


@compiled(error_model="numpy")
def _least_squares(group: np.ndarray, numbers: np.ndarray, step: Any, start: Any) -> Any:
    """Return the step and offset with which these numbers come nearest to the weights, by least squares."""
    n, nn, w, nw = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    for place in range(GROUP):
        number, value = np.float32(numbers[place]), group[place]
        n += number
        nn += number * number
        w += value
        nw += number * value
    divisor = np.float32(GROUP) * nn - n * n
    if divisor <= 0:
        return step, start
    slope = (np.float32(GROUP) * nw - n * w) / divisor
    return (slope, (w - slope * n) / np.float32(GROUP)) if slope > 0 else (step, start)


@compiled(error_model="numpy")
def _ends(group: np.ndarray) -> Any:
    low, high = group[0], group[0]
    for place in range(1, GROUP):
        low, high = min(low, group[place]), max(high, group[place])
    return low, high


@compiled(nogil=True, error_model="numpy")
def pack_eight(lines: np.ndarray, tiles: np.ndarray) -> None:
    """Write float32 `lines` (n · 32, width) to `tiles` (n, width / 32, TILE), each group on the nearest lattice.

    Tried are 15 steps from the least weight to the greatest, which is Q4_1's; 127
    steps either side of zero, which is Q8_0's; and 255 from the least to the greatest.
    """
    found, best, errors = np.empty(GROUP, np.uint8), np.empty(GROUP, np.uint8), np.empty(8, np.float32)
    for line in range(len(lines)):
        block, output = line // BLOCK, line % BLOCK
        for number in range(tiles.shape[1]):
            group, tile = lines[line, GROUP * number : GROUP * (number + 1)], tiles[block, number]
            low, high = _ends(group)
            size = max(abs(low), abs(high))
            least, scale, offset = np.float32(np.inf), np.float32(0), np.float32(0)
            for kind in range(3):
                if kind == 0:
                    step, start, most = (high - low) / np.float32(15), low, np.float32(15)
                elif kind == 1:
                    step = size / np.float32(127)
                    start, most = np.float32(-128) * _rounded(step), np.float32(255)
                else:
                    step, start, most = (high - low) / np.float32(255), low, np.float32(255)
                step, start = _rounded(max(step, _LEAST_STEP)), _rounded(start)
                error = _try(group, step, start, most, found, errors)
                if error < least:
                    least, scale, offset = error, step, start
                    best[:] = found
                if least == 0:
                    break
            halves, sums = tile[: 4 * BLOCK].view(np.uint16), tile[4 * BLOCK : NUMBERS].view(np.uint16)
            halves[output], halves[BLOCK + output] = as_half(scale), as_half(offset)
            total = 0
            for place in range(GROUP):
                tile[NUMBERS + 4 * BLOCK * (place // 4) + 4 * output + place % 4] = best[place]
                total += best[place]
            sums[output] = total


@compiled(nogil=True, error_model="numpy")
def pack_four(lines: np.ndarray, tiles: np.ndarray, exactly: bool) -> bool:
    """Write float32 `lines` (n · 32, width) to `tiles` (n, width / 32, FOUR).

    With `exactly` it returns False, and stops, at the first group that 16 levels
    don't hold to the last bit. Otherwise some steps are tried and fitted by least
    squares, as llama.cpp does for its k-quants, and the one of the least error holds.
    """
    found, best, errors = np.empty(GROUP, np.uint8), np.empty(GROUP, np.uint8), np.empty(8, np.float32)
    for line in range(len(lines)):
        block, output = line // BLOCK, line % BLOCK
        for number in range(tiles.shape[1]):
            group, tile = lines[line, GROUP * number : GROUP * (number + 1)], tiles[block, number]
            low, high = _ends(group)
            scale, offset = _rounded(max((high - low) / np.float32(15), _LEAST_STEP)), _rounded(low)
            least = _try(group, scale, offset, np.float32(15), best, errors)
            if least != 0:
                if exactly:
                    return False
                for attempt in range(_TRIES):
                    step = max((high - low) / (np.float32(15) + np.float32(0.1) * np.float32(attempt)), _LEAST_STEP)
                    start = low + np.float32(0.5) * (high - low - np.float32(15) * step)
                    _try(group, step, start, np.float32(15), found, errors)
                    step, start = _least_squares(group, found, step, start)
                    step, start = _rounded(max(step, _LEAST_STEP)), _rounded(start)
                    error = _try(group, step, start, np.float32(15), found, errors)
                    if error < least:
                        least, scale, offset = error, step, start
                        best[:] = found
            halves = tile[:NIBBLES].view(np.uint16)
            halves[output], halves[BLOCK + output] = as_half(scale), as_half(offset)
            for place in range(GROUP // 2):
                both = best[place] | best[place + GROUP // 2] << 4
                tile[NIBBLES + 4 * BLOCK * (place // 4) + 4 * output + place % 4] = both
    return True
