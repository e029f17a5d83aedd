"""A slice of a board's questions that somebody chose, and two models' paired differences on it.

Intervals are those of the board (`eval.intervals.METHOD`) with fewer resamples: a bootstrap over clusters of questions
of one source and one kind, or over questions where there are few clusters. They are computed here because the app
doesn't import `eval`, whose medians are compiled first; a test compares the two.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from medilite.errors import QuestionError

FEWEST = 5
"""Questions below which a slice has no differences: an interval would say nothing."""

LONGEST_PATTERN = 200
PATTERN_S = 0.5
"""Seconds that a pattern may take over all texts, looked at between two of them."""

RESAMPLES, SEED = 2000, 42
FEWEST_CLUSTERS = 10

_NORMAL = statistics.NormalDist()
WIDTHS = (_NORMAL.inv_cdf(0.975) + _NORMAL.inv_cdf(0.9)) / (2 * _NORMAL.inv_cdf(0.975))
"""A difference of so many widths of a 95 % interval is found nine times in ten."""

_one_pattern = threading.Lock()
"""Visitors' patterns take turns, so that they never take more than one core."""


def matches(pattern: str, texts: Iterable[Sequence[str]]) -> list[bool]:
    """Return for each group of texts whether a regular expression is found in one of them, whatever the case.

    The regular expressions are those of Rust's `regex`, by way of pydantic: their time is linear in the text and their
    size is bounded. Raises QuestionError for a pattern that is too long or too large, no regular expression, or takes
    more than PATTERN_S.
    """
    from pydantic_core import SchemaError, SchemaValidator, core_schema

    if len(pattern) > LONGEST_PATTERN:
        raise QuestionError(f"The pattern has {len(pattern):,} characters; at most {LONGEST_PATTERN} can be used.")
    try:
        found = SchemaValidator(core_schema.str_schema(pattern=f"(?i){pattern}", regex_engine="rust-regex"))
    except SchemaError as error:
        why = str(error).strip().rpartition("\n")[2].strip().removeprefix("error: ").removeprefix("SchemaError: ")
        raise QuestionError(
            f"{pattern[:60]!r} is no regular expression that can be used: {why[:150].rstrip('.')}. Write plain words,"
            " or put a \\ before signs such as ( [ * + ?."
        ) from error
    until = time.monotonic() + PATTERN_S
    hits = []
    with _one_pattern:
        for group in texts:
            if time.monotonic() > until:
                raise QuestionError(
                    f"{pattern[:60]!r} takes longer than {PATTERN_S:g} s to look for. Write it with smaller repeats."
                )
            hits.append(any(found.isinstance_python(text) for text in group))
    return hits


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference on a slice: its median or mean, the ends of its 95 % interval, None if there is none.

    `n` of `of` questions have both scores. `found` is the least difference that so many questions find nine times in
    ten, by the width of the interval.
    """

    n: int
    of: int
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def found(self) -> float | None:
        """The least difference that is found nine times in ten."""
        return None if self.low is None or self.high is None else WIDTHS * (self.high - self.low)

    @property
    def clear(self) -> bool:
        """Whether zero is outside of the interval."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def difference(values: Sequence[float | None], kinds: Sequence[tuple[str, ...]], middle: bool) -> Difference:
    """Return the median (`middle`) or mean of paired differences; `kinds` are the questions' sources and kinds."""
    import numpy as np

    there = [place for place, value in enumerate(values) if value is not None]
    known = np.array([values[place] for place in there], float)
    if len(known) < FEWEST:
        return Difference(len(known), len(values))
    names = {kind: number for number, kind in enumerate(sorted(set(kinds)))}
    whole = [names[kind] for kind in kinds] if len(names) >= FEWEST_CLUSTERS else list(range(len(kinds)))
    many = max(whole) + 1
    cluster = np.array(whole)[there]
    order = np.argsort(known, kind="stable")
    random = np.random.default_rng(SEED)
    counts = random.multinomial(many, np.full(many, 1 / many), RESAMPLES)
    drawn = _statistics(known[order], counts[:, cluster[order]], middle)
    own = _statistics(known[order], np.ones((1, len(known)), int), middle)
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Difference(len(known), len(values), float(own[0]), float(low), float(high))


def _statistics(ordered: Any, weights: Any, middle: bool) -> Any:
    """Return the median or mean of values in ascending order, for each row of how often each counts; NaN for none."""
    import numpy as np

    sizes = weights.sum(1)
    if not middle:
        with np.errstate(invalid="ignore", divide="ignore"):
            return (weights @ ordered) / sizes
    upto = weights.cumsum(1)
    low, high = ((upto < rank[:, None]).sum(1) for rank in ((sizes + 1) // 2, sizes // 2 + 1))
    last = len(ordered) - 1
    found = (ordered[np.minimum(low, last)] + ordered[np.minimum(high, last)]) / 2
    return np.where(sizes > 0, found, np.nan)
