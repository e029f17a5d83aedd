"""How far the next-token distributions of several models are apart in one place."""

from __future__ import annotations

import numpy as np

_LEAST = np.float32(1e-30)
"""Keeps the logarithm of a mean finite; less than any probability that matters."""


def bits_apart(logits: np.ndarray) -> list[list[float | None]]:
    """Return Kullback-Leibler divergences in bits of each row of `logits` (R, V): from every row, last from their mean.

    Element [i][j] is how much less likely, on average, what row i would draw is to row j: 1 bit is half as
    likely, 3 bits an eighth. The mean of the last column over all rows is their Jensen-Shannon divergence, log2(R)
    at most (Lin 1991). None if logits aren't finite. Works on `logits`.
    """
    logits -= logits.max(1, keepdims=True)
    shares = np.exp(logits)
    masses = shares.sum(1)
    # Products first, divided afterwards: there are few of them, and many logits.
    norms = np.log(masses.astype(np.float64))
    crossed = (shares @ logits.T) / masses.astype(np.float64)[:, None] - norms
    mean = (1 / (len(masses) * masses)) @ shares
    of_mean = (shares @ np.log(np.maximum(mean, _LEAST, out=mean), out=mean)) / masses
    own = np.diag(crossed)
    bits = np.column_stack([own[:, None] - crossed, own - of_mean]) / np.log(2)
    # To as many digits as float32 has: no difference is exactly 0.
    return [[max(round(value, 6), 0.0) if np.isfinite(value) else None for value in row] for row in bits.tolist()]
