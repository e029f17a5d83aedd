"""The next token of every row at once, each with its own decoding.

Random numbers are common: rows of one seed get the same Gumbel noise for the same token at the same step (the
Gumbel-max way of sampling, Gumbel 1954). Two models that agree about a distribution then draw the same token, so where
answers differ it is due to the checkpoints, not to the random numbers. A row's noise depends on its seed and on how
many tokens it has, so rows of one batch may be at different steps.

CPU time of a step of 49,152 logits a row in torch operations and in the compiled
code of `native.choose` (ms, least of 7, one thread, a busy machine):

| rows | greedy | greedy, penalty 1.1 | temperature 0.8, top-p 0.95, penalty 1.1 |
| --- | --- | --- | --- |
| 6 | 0.9 and 0.1 | 2.4 and 0.1 | 31 and 3.3 |
| 48 | 7.3 and 0.5 | 20 and 0.5 | 218 and 18 |
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from medilite.engine.native.choose import Slots, choose, see
from medilite.records import Decoding

_NO_NOISE = np.zeros((1, 0), np.float32)
_LEAST_TEMPERATURE = 1e-6
"""Below it logits over the temperature would overflow; far above it only the likeliest token is drawn."""


class SeedNoise:
    """The Gumbel noise of one seed, step by step; rows at the same step may share it."""

    def __init__(self, seed: int, vocabulary: int) -> None:
        self._generator = torch.Generator().manual_seed(seed & (2**63 - 1))
        self._exponential = torch.empty(vocabulary)
        self._step = -1
        self._noise = np.zeros(0, np.float32)

    def at(self, step: int) -> np.ndarray:
        """Return a step's noise, (vocabulary,) float32; the same step may be asked for again, an earlier one not."""
        if step < self._step:
            raise ValueError(f"the seed's noise is at step {self._step}, {step} is gone")
        for _ in range(step - self._step):
            self._exponential.exponential_(generator=self._generator)
        if step > self._step:
            self._noise, self._step = (-self._exponential.log()).numpy(), step
        return self._noise


class SlotSampler:
    """Chooses tokens for the rows that have a slot; remembers what each has seen for the repetition penalty.

    `longest` is how many tokens prompt and answer of a row have at most.
    """

    def __init__(self, slots: int, vocabulary: int, longest: int) -> None:
        self._slots = Slots(
            np.zeros(slots, np.float32), np.ones(slots, np.float32), np.ones(slots, np.float32),
            np.zeros((slots, min(longest, vocabulary)), np.int32), np.zeros(slots, np.int32),
        )  # fmt: skip
        self._noise: list[SeedNoise | None] = [None] * slots
        self._shifts: list[np.ndarray | None] = [None] * slots
        self._steps = np.zeros(slots, np.int64)

    def put(
        self, slot: int, decoding: Decoding, prompt: Sequence[int], noise: SeedNoise | None, step: int = 0,
        shifts: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """Begin a row; like in transformers, prompt tokens count as seen. A row that samples needs `noise`.

        `step` is how many tokens of its answer are in `prompt` already. `shifts` (vocabulary,) are added to its logits,
        what a token gains only until it is chosen, or rows would say it again and again; with them the answer's own
        tokens alone count as seen, for the words of a passage are to be said.
        """
        self._slots.temperatures[slot] = max(decoding.temperature, _LEAST_TEMPERATURE) if decoding.temperature else 0
        self._slots.top_ps[slot], self._slots.penalties[slot] = decoding.top_p, decoding.repetition_penalty
        before = prompt if shifts is None else prompt[len(prompt) - step :]
        see(self._slots, slot, np.array(before if decoding.repetition_penalty != 1 else [], np.int32))
        self._noise[slot], self._steps[slot] = noise, step
        self._shifts[slot] = None if shifts is None else shifts.copy()

    def choose(self, logits: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the next token of each row, (B,) int32, from float32 logits (B, vocabulary), which it works on.

        `rows` (B,) are the rows' slots. A row whose logits are not finite has no next token: −1.
        """
        for row, slot in enumerate(rows.tolist()):
            if (shifts := self._shifts[slot]) is not None:
                logits[row] += shifts
        noise, lines = _NO_NOISE, np.zeros(len(rows), np.int32)
        if (sampled := np.flatnonzero(self._slots.temperatures[rows])).size:
            drawn: dict[int, np.ndarray] = {}
            for row in sampled.tolist():
                noise = self._noise[rows[row]]
                assert noise is not None
                if id(noise) not in drawn:
                    drawn[id(noise)] = noise.at(int(self._steps[rows[row]]))
                lines[row] = list(drawn).index(id(noise))
            noise = np.stack(list(drawn.values()))
        chosen = np.empty(len(rows), np.int32)
        choose(logits, rows, self._slots, noise, lines, chosen)
        for slot, token in zip(rows.tolist(), chosen.tolist(), strict=True):
            if (shifts := self._shifts[slot]) is not None and shifts[token] > 0:
                shifts[token] = 0
        self._steps[rows] += 1
        return chosen


class Sampler:
    """The same for a batch whose rows are in order and step together.

    `prompts` are the rows' prompt ids, `begun` how many of each one's last belong to the answer, `shifts` what is added
    to a row's logits.
    """

    def __init__(
        self, decodings: Sequence[Decoding], seeds: Sequence[int], prompts: Sequence[Sequence[int]], vocabulary: int,
        begun: Sequence[int] = (), shifts: Sequence[np.ndarray | None] = (),
    ) -> None:  # fmt: skip
        longest = max(len(p) + d.max_new_tokens for p, d in zip(prompts, decodings, strict=True))
        self._slots = SlotSampler(len(seeds), vocabulary, longest)
        self._rows = np.arange(len(seeds), dtype=np.int32)
        steps = begun or [0] * len(seeds)
        noise = {key: SeedNoise(key[0], vocabulary) for key in zip(seeds, steps, strict=True)}
        for row, (decoding, seed, prompt, step) in enumerate(zip(decodings, seeds, prompts, steps, strict=True)):
            own = noise[seed, step] if decoding.temperature else None
            self._slots.put(row, decoding, prompt, own, step, shifts[row] if shifts else None)

    def keep(self, rows: list[int]) -> None:
        """Drop all rows but these."""
        self._rows = self._rows[rows]

    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the next token of each row, (B,) int64, from float32 logits (B, vocabulary); −1 if a row has none.

        A row whose logits are not finite has no next token.
        """
        # A copy: the caller's logits are not changed.
        own = np.array(logits.cpu().numpy(), np.float32, order="C")
        return torch.from_numpy(self._slots.choose(own, self._rows).astype(np.int64))
