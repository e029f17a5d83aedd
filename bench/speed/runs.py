"""One run of a workload: visitors arrive as planned, and every token's time is noted."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from bench.speed.workloads import Ask, Visitor


class Answers(Protocol):
    """What a run needs of a generator."""

    def answer(self, asks: Sequence[Ask], on_tokens: object) -> None:
        """See generators.Generator."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A run in numbers: seconds since each visitor's arrival, over all rows.

    `gaps_s` are the times between a row's tokens. Tokens that come together have
    no time between them: n at once after t seconds count as n gaps of t/n.
    """

    tokens: int
    seconds: float
    first_s: list[float]
    gaps_s: list[float]

    @property
    def tokens_per_s(self) -> float:
        """All tokens over the time from the first arrival to the last token."""
        return self.tokens / self.seconds


def measure(generator: Answers, visitors: Sequence[Visitor]) -> Measured:
    """Let the visitors come and wait for all answers; raises RuntimeError if one fails or is not whole."""
    times: list[list[list[tuple[float, int]]]] = [[[] for _ in visitor.asks] for visitor in visitors]
    failed: list[BaseException] = []
    start = time.perf_counter()

    def come(number: int, visitor: Visitor) -> None:
        time.sleep(max(0.0, start + visitor.arrives_s - time.perf_counter()))

        def on_tokens(ask: int, count: int) -> None:
            times[number][ask].append((time.perf_counter() - start, count))

        try:
            generator.answer(visitor.asks, on_tokens)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=come, args=each, daemon=True) for each in enumerate(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError(f"{type(failed[0]).__name__}: {failed[0]}") from failed[0]
    return _in_numbers(visitors, times)


def _in_numbers(visitors: Sequence[Visitor], times: list[list[list[tuple[float, int]]]]) -> Measured:
    first, gaps, tokens, end = [], [], 0, 0.0
    for visitor, rows in zip(visitors, times, strict=True):
        for ask, row in zip(visitor.asks, rows, strict=True):
            found = sum(count for _, count in row)
            if found != ask.new_tokens:
                raise RuntimeError(f"{ask.model} gave {found} tokens of {ask.new_tokens}")
            first.append(row[0][0] - visitor.arrives_s)
            gaps += [0.0] * (row[0][1] - 1)
            for (before, _), (now, count) in pairwise(row):
                gaps += [(now - before) / count] * count
            tokens += found
            end = max(end, row[-1][0])
    return Measured(tokens, end, first, gaps)
