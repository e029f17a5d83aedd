"""Parts of a split that a comparison is repeated on: by source, question type and length of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from eval.scores import About
from medilite.leaderboard import LEAST_QUESTIONS


def slices(questions: Sequence[About]) -> Iterator[tuple[str, str, npt.NDArray[np.bool_]]]:
    """Yield (dimension, slice, which questions); by name, reference lengths from short to long."""
    for dimension in ("source", "qtype"):
        names = np.array([getattr(about, dimension) or "(none)" for about in questions])
        for name in sorted(set(names.tolist())):
            if (chosen := names == name).sum() >= LEAST_QUESTIONS:
                yield dimension, name, chosen
    words = np.array([about.reference_words for about in questions])
    for (low, high), chosen in quarters_of(words):
        if chosen.sum() >= LEAST_QUESTIONS:
            yield "reference_words", f"{low:g}–{high:g} words", chosen


def quarters_of(words: npt.NDArray[np.float64]) -> Iterator[tuple[tuple[float, float], npt.NDArray[np.bool_]]]:
    """Yield four parts of about equal size as ((shortest, longest), which); equal lengths stay together."""
    if not len(words):
        return
    edges = np.quantile(words, [0, 0.25, 0.5, 0.75, 1], method="inverted_cdf")
    for i, (low, high) in enumerate(pairwise(edges)):
        chosen = (words > low if i else words >= low) & (words <= high)
        if chosen.any():
            yield (float(words[chosen].min()), float(words[chosen].max())), chosen
