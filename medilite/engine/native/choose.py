"""The next token of every row, from logits: penalty, nucleus, draw. One pass over a row where it is greedy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from medilite.engine.native.code_cache import compiled
from medilite.engine.native.intrinsics import exponentials, largest, peak, power_of_two, total

_SLICES = 1024
_DEPTH = 32.0
"""Logits are sorted into slices down to this far below the largest (e to the −32 of its probability); lower ones
share the last slice."""

_PART = 1024
"""Logits that are summed up at once."""


class Slots(NamedTuple):
    """How each slot decodes, S of them, and the distinct tokens that it has seen."""

    temperatures: np.ndarray  # (S,) float32; 0 is greedy
    top_ps: np.ndarray  # (S,) float32
    penalties: np.ndarray  # (S,) float32
    seen: np.ndarray  # (S, most) int32: the first `counts` are tokens
    counts: np.ndarray  # (S,) int32


@compiled(error_model="numpy", inline="always")
def _exp(x: Any) -> Any:
    """e to the x, to 7 digits: 2 to a whole number times a polynomial on half a unit either side of 0."""
    scaled = min(max(x * np.float32(1.4426950408889634), np.float32(-126)), np.float32(126))
    whole = np.int32(scaled + np.float32(127.5)) - np.int32(127)
    r = (scaled - np.float32(whole)) * np.float32(0.6931471805599453)
    p = np.float32(1 / 120) + r * np.float32(1 / 720)
    p = np.float32(1 / 6) + r * (np.float32(1 / 24) + r * p)
    p = np.float32(1) + r * (np.float32(1) + r * (np.float32(0.5) + r * p))
    return p * power_of_two(np.int32(whole))


@compiled(error_model="numpy")
def _top(values: np.ndarray) -> float:
    """Return the largest value, or not-a-number where one is not finite."""
    whole = len(values) // 64 * 64
    best = peak(values.ctypes.data, whole)
    for place in range(whole, len(values)):
        value = values[place]
        best = max(best, value) + (value - value)
    return best


@compiled(error_model="numpy")
def _see(slots: Slots, slot: int, token: int) -> None:
    count = slots.counts[slot]
    for place in range(count):
        if slots.seen[slot, place] == token:
            return
    if count < slots.seen.shape[1]:
        slots.seen[slot, count] = token
        slots.counts[slot] = count + 1


@compiled()
def see(slots: Slots, slot: int, tokens: np.ndarray) -> None:
    """Forget what a slot has seen, and note these tokens (int32)."""
    slots.counts[slot] = 0
    for token in tokens:
        _see(slots, slot, token)


@compiled(error_model="numpy")
def _penalise(values: np.ndarray, seen: np.ndarray, penalty: float) -> None:
    for token in seen:
        value = values[token]
        values[token] = value / penalty if value > 0 else value * penalty


@compiled(nogil=True, error_model="numpy")
def nucleus(values: np.ndarray, top: float, top_p: float) -> tuple[float, int]:
    """Return the least value in the nucleus (Holtzman et al. 2020), and the last token of that value in it.

    `values` are logits and `top` their largest. The nucleus is the smallest set
    of likeliest tokens whose probabilities add up to at least `top_p`; the
    likeliest is always in it. Of equal ones the lower token comes first.
    """
    # Sorted are only the tokens of the slice of logits in which the sum is reached.
    mass = np.zeros(_SLICES, np.float64)
    for token in range(len(values)):
        mass[_slice(top - values[token])] += _exp(values[token] - top)
    wanted, before, number = top_p * mass.sum(), 0.0, 0
    while number < _SLICES - 1 and before + mass[number] < wanted:
        before += mass[number]
        number += 1
    count = 0
    tokens = np.empty(len(values), np.int32)
    for token in range(len(values)):
        if _slice(top - values[token]) == number:
            tokens[count] = token
            count += 1
    order = np.argsort(-values[tokens[:count]], kind="mergesort")
    last = tokens[order[0]]
    for place in order:
        if before >= wanted:
            break
        last = tokens[place]
        before += _exp(values[last] - top)
    return values[last], last


@compiled(error_model="numpy", inline="always")
def _slice(below: float) -> Any:
    """Return the slice of a logit that is so far below the largest."""
    return np.int32(min(below * np.float32(_SLICES / _DEPTH), np.float32(_SLICES - 1)))


@compiled(error_model="numpy")
def _draw(values: np.ndarray, top: float, temperature: float, top_p: float, noise: np.ndarray) -> int:
    """Draw by the Gumbel-max way; scales `values` in place."""
    for place in range(len(values)):
        values[place] /= temperature
    least: Any = np.float32(-np.inf)
    last = -1
    if top_p < 1:
        least, last = nucleus(values, top / temperature, top_p)
    best: Any = np.float32(-np.inf)
    chosen = -1
    for token in range(len(values)):
        value = values[token]
        if value > least or (value == least and token <= last):
            value += noise[token]
            if value > best:
                best, chosen = value, token
    return chosen


@compiled(nogil=True, error_model="numpy")
def likelihoods(logits: np.ndarray, tokens: np.ndarray, best: np.ndarray, logs: np.ndarray) -> None:
    """Write to `logs` (B, 1 + k) float32 how likely `tokens` (B,) and the k likeliest are; these go to `best` (B, k).

    Natural logarithms of the softmax of float32 `logits` (B, V); not-a-number where these aren't finite.
    """
    count, size = best.shape[1], logits.shape[1]
    part = np.empty(_PART, np.float32)
    for row in range(len(tokens)):
        values, found, at = logits[row], best[row], logs[row]
        top = np.float32(_top(values))
        norm = np.float64(top) + np.log(_mass(values, top, part))
        at[0] = np.float64(values[tokens[row]]) - norm
        at[1:] = -np.inf
        for first in range(0, size if count else 0, 64):
            end = min(first + 64, size)
            # Few blocks hold one of the likeliest.
            if end - first == 64 and not largest(values.ctypes.data + 4 * first, 64) > at[count]:
                continue
            for token in range(first, end):
                value = values[token]
                if value > at[count]:
                    place = count - 1
                    while place and value > at[place]:
                        at[place + 1], found[place] = at[place], found[place - 1]
                        place -= 1
                    at[place + 1], found[place] = value, token
        for place in range(1, count + 1):
            at[place] = np.float64(at[place]) - norm


@compiled(error_model="numpy")
def _mass(values: np.ndarray, top: Any, part: np.ndarray) -> float:
    """Return the sum of e to the (value − `top`); `part` is room for some of them, a multiple of 64."""
    mass, whole = 0.0, len(values) // 64 * 64
    for first in range(0, whole, len(part)):
        count = min(len(part), whole - first)
        for place in range(count):
            part[place] = values[first + place]
        exponentials(part.ctypes.data, count, top)
        mass += np.float64(total(part.ctypes.data, count))
    for place in range(whole, len(values)):
        mass += np.float64(_exp(values[place] - top))
    return mass


@compiled(nogil=True, error_model="numpy")
def choose(
    logits: np.ndarray, rows: np.ndarray, slots: Slots, noise: np.ndarray, lines: np.ndarray, chosen: np.ndarray
) -> None:
    """Write the next token of each row to `chosen` (B,) int32, −1 if its logits are not finite.

    `logits` (B, V) float32 are worked on in place; `rows` (B,) are the rows' slots, and `lines` (B,) the line of
    `noise` (any, V) that a sampling row draws with.
    """
    for row in range(len(rows)):
        slot, values = rows[row], logits[row]
        if slots.penalties[slot] != 1:
            _penalise(values, slots.seen[slot, : slots.counts[slot]], slots.penalties[slot])
        top = _top(values)
        chosen[row] = -1
        if not np.isfinite(top):
            continue
        if slots.temperatures[slot] > 0:
            chosen[row] = _draw(values, top, slots.temperatures[slot], slots.top_ps[slot], noise[lines[row]])
        else:
            place = 0
            while values[place] != top:
                place += 1
            chosen[row] = place
        if slots.penalties[slot] != 1:
            _see(slots, slot, chosen[row])
