"""One call as a batch of its own: prefill, then one token for every living row a step.

For float32 on a CPU and bfloat16 on a GPU. Their products come from libraries that choose a kernel by the size of the
whole batch, so a row's last digits, and now and then a token, depend on how many rows share it. If rows of several
visitors shared a batch, an answer would depend on who else asks. So calls take turns here; `running.RunningBatch`,
whose rows are exact, runs them all at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from medilite.engine.detokenize import IncrementalText
from medilite.engine.local.calls import Call
from medilite.engine.local.sampling import Sampler
from medilite.records import RowStep


@dataclass(slots=True)
class _Row:
    """One request's state; `place` is its row in the tensors while it lives."""

    text: IncrementalText
    limit: int
    step: RowStep
    tokens: int = 0
    place: int | None = None


class Batch:
    """The rows of one call, from their prompts to their ends.

    `llama` and `bank` are a `Llama` with an `AdapterBank`, or an `Int8Llama` with its own.

    `step` advances every living row by one token; rows that stop free their place in the tensors at once.
    """

    def __init__(self, llama: Any, bank: Any, tokenizer: Any, stop_ids: frozenset[int], call: Call) -> None:
        self._llama, self._stop_ids = llama, stop_ids
        requests, prompts = call.requests, call.prompts
        self._rows = [
            _Row(IncrementalText(tokenizer, request.begun), request.decoding.max_new_tokens, step=step)
            for request, step in zip(requests, call.beginnings(), strict=True)
        ]
        living = [i for i, prompt in enumerate(prompts) if prompt is not None]
        for place, i in enumerate(living):
            self._rows[i].place = place
        kept = [requests[i] for i in living]
        self._prompts = [prompts[i] or [] for i in living]
        self._fed: torch.Tensor | None = None
        if not living:
            return
        self._adapters = bank.rows_of(kept)
        self._sampler = Sampler(
            [request.decoding for request in kept],
            [request.seed for request in kept],
            self._prompts,
            llama.shape.vocabulary,
            [len(request.begun) for request in kept],
            [call.shifts[i] for i in living] if call.shifts else (),
        )
        room = max(
            len(prompt) + request.decoding.max_new_tokens for prompt, request in zip(self._prompts, kept, strict=True)
        )
        self._cache = llama.new_cache(len(living), -(-room // 32) * 32)
        self._positions = torch.tensor([len(prompt) for prompt in self._prompts])

    @property
    def alive(self) -> bool:
        """Whether any row is still running."""
        return any(row.place is not None for row in self._rows)

    @property
    def living(self) -> int:
        """How many rows are still running."""
        return sum(row.place is not None for row in self._rows)

    @torch.inference_mode()
    def step(self) -> tuple[RowStep, ...]:
        """Advance every living row by one token and return what each request got."""
        if self.alive:
            chosen = self._sampler.choose(self._forward())
            self._take(chosen)
        return tuple(row.step for row in self._rows)

    def _forward(self) -> torch.Tensor:
        """Return the logits after each living row's newest token; the first call reads the prompts."""
        device = self._llama.device
        if self._fed is None:
            longest = max(len(prompt) for prompt in self._prompts)
            ids = torch.zeros(len(self._prompts), longest, dtype=torch.long)
            for place, prompt in enumerate(self._prompts):
                ids[place, : len(prompt)] = torch.tensor(prompt)
            positions = torch.arange(longest).expand(len(self._prompts), longest)
            last = self._positions - 1
        else:
            ids, positions = self._fed[:, None], self._positions[:, None]
            last = torch.zeros(len(ids), dtype=torch.long)
            self._positions = self._positions + 1
        return self._llama.forward(ids.to(device), positions.to(device), self._cache, self._adapters, last.to(device))

    def _take(self, chosen: torch.Tensor) -> None:
        """Give each living row its token, end those that are done, and drop them from the tensors."""
        going_on = []
        for row in self._rows:
            if row.place is None:
                row.step = RowStep("", row.tokens, row.step.stopped, row.step.error)
                continue
            place, token = row.place, int(chosen[row.place])
            if token < 0:
                row.step = RowStep(row.text.rest(), row.tokens, "error", "the model's output was not a number")
            elif token in self._stop_ids:
                row.step = RowStep(row.text.rest(), row.tokens, "end", ids=(token,))
            else:
                row.tokens += 1
                text = row.text.add(token)
                if row.tokens < row.limit:
                    row.step = RowStep(text, row.tokens, ids=(token,))
                    going_on.append(place)
                    continue
                row.step = RowStep(text + row.text.rest(), row.tokens, "length", ids=(token,))
            row.place = None
        self._fed = chosen
        if len(going_on) < len(chosen):
            self._keep(going_on)

    def _keep(self, places: list[int]) -> None:
        moved = {place: i for i, place in enumerate(places)}
        for row in self._rows:
            if row.place is not None:
                row.place = moved[row.place]
        if not places:
            return
        self._fed = self._fed[places] if self._fed is not None else None
        self._positions = self._positions[places]
        self._adapters = self._adapters.keep(places)
        self._sampler.keep(places)
        self._cache.keep(places)


class OneByOne:
    """Runs calls one after another, each as a batch of its own: a `scheduler.Runner`."""

    def __init__(self, begin: Callable[[Call], Batch]) -> None:
        self._begin = begin
        self._call: Call | None = None
        self._batch: Batch | None = None

    def join(self, call: Call) -> bool:
        """Take the call in if no other is being answered."""
        if self._call is not None:
            return False
        self._batch, self._call = self._begin(call), call
        return True

    def step(self) -> list[tuple[Call, tuple[RowStep, ...]]]:
        """Advance the call's rows by one token."""
        assert self._call is not None
        assert self._batch is not None
        return [(self._call, self._batch.step())]

    def drop(self, call: Call) -> None:
        """Give the batch's memory back."""
        if call is self._call:
            self._call = self._batch = None

    def tidy(self) -> None:
        """Nothing is kept."""

    def occupied(self) -> tuple[int, int | None]:
        """Return how many rows the running call still has, and None: a call may have any number."""
        batch = self._batch
        return (batch.living if batch else 0), None
