"""Answers on Hugging Face's ZeroGPU: the models are loaded once, the GPU is lent for one call at a time.

ZeroGPU runs a function that is marked with `spaces.GPU` in a process that it forks from this one and gives a GPU to.
What goes in and out is pickled; the models are inherited by the fork, so they have to be on "cuda" before the page is
served, and in the main thread. `spaces` exists on such a Space only, and has to be imported before torch touches CUDA,
so this module is imported only if `SPACES_ZERO_GPU` is set.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import spaces

from medilite.engine.local.calls import Call
from medilite.engine.local.engine import LocalEngine, _Loaded, float_batches
from medilite.engine.local.scheduler import Runner
from medilite.errors import EngineError
from medilite.records import Request, RowStep, Step

if TYPE_CHECKING:
    import numpy as np

    from medilite.engine.local.adapters import Adapter
    from medilite.engine.local.batch import Batch

START_S = 5.0
STEP_S = 0.08
"""Seconds declared for reading the prompts, and for a step of all six rows. Estimates, not measured; too long means
a longer wait in ZeroGPU's queue, too short ends an answer early."""

LONGEST_S = 60
"""Most seconds asked for: a visitor without an account has two minutes a day."""

_begin: Callable[[Call], Batch] | None = None
"""What makes a batch of a call; set once the models are loaded, and inherited by the process that has the GPU."""


def duration_s(
    requests: Sequence[Request],
    prompts: Sequence[list[int] | None],
    errors: Sequence[str | None],
    shifts: Sequence[np.ndarray | None],
) -> int:
    """Return how many seconds to ask the GPU for, by the limit of the longest answer."""
    longest = max((request.decoding.max_new_tokens for request in requests), default=0)
    return min(LONGEST_S, round(START_S + STEP_S * longest))


@spaces.GPU(duration=duration_s)
def steps_on_gpu(
    requests: Sequence[Request],
    prompts: Sequence[list[int] | None],
    errors: Sequence[str | None],
    shifts: Sequence[np.ndarray | None],
) -> Iterator[tuple[RowStep, ...]]:
    """Yield the rows of one call, step by step; runs in the process that has the GPU."""
    assert _begin is not None, "the models are loaded before the first call"
    batch = _begin(Call(requests, prompts, errors, shifts=shifts))
    while True:
        rows = batch.step()
        yield rows
        if all(row.stopped for row in rows):
            return


class ZeroEngine(LocalEngine):
    """The local engine where ZeroGPU lends the GPU; load it in the main thread before the page is served.

    ZeroGPU decides whose turn it is: we have no queue of our own before its.
    """

    def _floats(
        self, folder: Path, chains: dict[str, list[Adapter]], tokenizer: Any, stop_ids: frozenset[int]
    ) -> tuple[Any, Runner]:
        global _begin
        from medilite.engine.local.batch import OneByOne

        llama, _begin = float_batches(folder, chains, tokenizer, stop_ids)
        return llama, OneByOne(_begin)

    def _answer(self, loaded: _Loaded, call: Call) -> Iterator[Step]:
        if all(prompt is None for prompt in call.prompts):
            yield Step(tuple(call.beginnings()))
            return
        # While ZeroGPU looks for a GPU, which it does within the first `next`, nothing can be reported.
        on_gpu = steps_on_gpu(tuple(call.requests), tuple(call.prompts), tuple(call.errors), tuple(call.shifts))
        with closing(cast("Generator[tuple[RowStep, ...], None, None]", on_gpu)) as rows:
            while True:
                try:
                    step = next(rows)
                except StopIteration:
                    return
                except Exception as error:  # `spaces` raises Gradio's errors, for a quota that is used up above all
                    # What fails on the GPU comes as such an error too, so it isn't said that none was lent.
                    said = str(getattr(error, "message", "") or type(error).__name__).rstrip(".")
                    raise EngineError(f"ZeroGPU gave no answer: {said}. Try again later.") from error
                yield Step(step)
