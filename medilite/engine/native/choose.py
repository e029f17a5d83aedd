"""The next token of every row, from logits: penalty, nucleus, draw. One pass over a row where it is greedy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from medilite.engine.native.forward import _exp
from medilite.engine.native.intrinsics import peak

_FAST = {"contract", "reassoc", "arcp", "nsz"}


class Slots(NamedTuple):
    """How each slot decodes, S of them, and the distinct tokens that it has seen."""

    temperatures: np.ndarray  # (S,) float32; 0 is greedy
    top_ps: np.ndarray  # (S,) float32
    penalties: np.ndarray  # (S,) float32
    seen: np.ndarray  # (S, most) int32: the first `counts` are tokens
    counts: np.ndarray  # (S,) int32


@njit(cache=True, error_model="numpy")
def _top(values: np.ndarray) -> float:
    """Return the largest value, or not-a-number where one is not finite."""
    whole = len(values) // 64 * 64
    best = peak(values.ctypes.data, whole)
    for place in range(whole, len(values)):
        value = values[place]
        best = max(best, value) + (value - value)
    return best


@njit(cache=True, error_model="numpy")
def _see(slots: Slots, slot: int, token: int) -> None:
    count = slots.counts[slot]
    for place in range(count):
        if slots.seen[slot, place] == token:
            return
    if count < slots.seen.shape[1]:
        slots.seen[slot, count] = token
        slots.counts[slot] = count + 1


@njit(cache=True)
def see(slots: Slots, slot: int, tokens: np.ndarray) -> None:
    """Forget what a slot has seen, and note these tokens (int32)."""
    slots.counts[slot] = 0
    for token in tokens:
        _see(slots, slot, token)


@njit(cache=True, error_model="numpy")
def _penalise(values: np.ndarray, seen: np.ndarray, penalty: float) -> None:
    for token in seen:
        value = values[token]
        values[token] = value / penalty if value > 0 else value * penalty


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _mass(values: np.ndarray, top: float) -> Any:
    total = np.float32(0)
    for place in range(len(values)):
        total += _exp(values[place] - top)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def nucleus(values: np.ndarray, top: float, top_p: float) -> np.ndarray:
    """Return the tokens of the nucleus (Holtzman et al. 2020), likeliest first, from logits and their largest.

    It is the smallest set of likeliest tokens whose probabilities add up to at
    least `top_p`; the likeliest is always in it. Of equal ones the lower comes first.
    """
    wanted = np.float32(top_p) * _mass(values, top)
    # Few tokens hold nearly all of the mass, so only those near the top are sorted: more of them until it is enough.
    depth = np.float32(4)
    while True:
        near = np.flatnonzero(values >= top - depth)
        order = near[np.argsort(-values[near], kind="mergesort")]
        before = np.float32(0)
        for place in range(len(order)):
            if before >= wanted:
                return order[:place]
            before += _exp(values[order[place]] - top)
        if len(order) == len(values) or before >= wanted:
            return order
        depth *= np.float32(2)


@njit(cache=True, error_model="numpy")
def _draw(values: np.ndarray, top: float, temperature: float, top_p: float, noise: np.ndarray) -> int:
    """Draw by the Gumbel-max way; scales `values` in place."""
    for place in range(len(values)):
        values[place] /= temperature
    top /= temperature
    best, chosen = np.float32(-np.inf), -1
    if top_p < 1:
        for token in np.sort(nucleus(values, top, top_p)):
            value = values[token] + noise[token]
            if value > best:
                best, chosen = value, token
    else:
        for token in range(len(values)):
            value = values[token] + noise[token]
            if value > best:
                best, chosen = value, token
    return chosen


@njit(cache=True, nogil=True, error_model="numpy")
def choose(
    logits: np.ndarray, rows: np.ndarray, slots: Slots, noise: np.ndarray, dice: np.ndarray, chosen: np.ndarray
) -> None:
    """Write the next token of each row to `chosen` (B,) int32, −1 where its logits are not finite.

    `logits` (B, V) float32 are worked on in place; `rows` (B,) are the rows'
    slots, and `dice` (B,) which line of `noise` (any, V) a row that samples draws with.
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
            chosen[row] = _draw(values, top, slots.temperatures[slot], slots.top_ps[slot], noise[dice[row]])
        else:
            place = 0
            while values[place] != top:
                place += 1
            chosen[row] = place
        if slots.penalties[slot] != 1:
            _see(slots, slot, chosen[row])
