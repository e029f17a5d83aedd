"""What tests of the running batch share: calls on the small base, and counting what a step computes."""

from __future__ import annotations

import queue
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from medilite.engine.local.calls import Call
from medilite.engine.local.int8_llama import Int8Llama
from medilite.engine.local.running import RunningBatch
from medilite.engine.native.arrays import Tokens
from medilite.records import Decoding, Message, Request, RowStep

STOP = 351


class Numbers:
    """A tokenizer whose text is the ids; `unreadable` is one that it can't decode."""

    unreadable: int | None = None

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        if self.unreadable in ids:
            raise ValueError(f"no word {self.unreadable}")
        return "".join(f"{token} " for token in ids)


def ask(prompt: Sequence[int], models: Sequence[str], decoding: Decoding, *, visitor: str = "", seed: int = 3) -> Call:
    """Return a call that asks the same of some models."""
    requests = [Request(model, (Message("user", "?"),), decoding, seed, visitor) for model in models]
    return Call(requests, [list(prompt)] * len(models), [None] * len(models))


def batch_of(llama: Int8Llama, slots: int = 48, opening: Sequence[int] = ()) -> RunningBatch:
    """Return a batch on the small base, with four models."""
    return RunningBatch(llama, Numbers(), frozenset({STOP}), slots, ("base", "narrow", "everything", "chain"), opening)


def text_of(steps: Sequence[tuple[RowStep, ...]], row: int) -> str:
    """Return a row's whole text."""
    return "".join(step[row].text for step in steps)


def run(batch: RunningBatch, calls: Sequence[Call], at: Sequence[int] = ()) -> list[list[tuple[RowStep, ...]]]:
    """Answer calls, each joining before step `at` (0 unless given) or as soon as there is room; return their steps."""
    when = list(at) or [0] * len(calls)
    found: dict[Call, list[tuple[RowStep, ...]]] = {call: [] for call in calls}
    waiting, over, step = list(zip(when, calls, strict=True)), 0, 0
    while over < len(calls):
        for due in [due for due in waiting if due[0] <= step]:
            if not batch.join(due[1]):
                break
            waiting.remove(due)
        for call, rows in batch.step():
            found[call].append(rows)
            if all(row.stopped for row in rows):
                batch.drop(call)
                over += 1
        step += 1
        assert step < 5000, "it never ends"
    return [found[call] for call in calls]


def answers(batch: RunningBatch, call: Call) -> list[str]:
    """Return a call's answers when it is alone."""
    (steps,) = run(batch, [call])
    return [text_of(steps, row) for row in range(len(call.requests))]


class Counter:
    """Counts what goes through the layers, step by step."""

    def __init__(self, llama: Int8Llama, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tokens: list[int] = []
        self.logits: list[np.ndarray] = []
        real = llama.run

        def counting(tokens: Tokens, logits: np.ndarray) -> None:
            real(tokens, logits)
            self.tokens.append(len(tokens.ids))
            self.logits.append(logits.copy())

        monkeypatch.setattr(llama, "run", counting)

    def take(self) -> int:
        """Return how many tokens were computed since the last time."""
        total = sum(self.tokens)
        self.tokens.clear()
        return total


def drained(steps: queue.SimpleQueue[Any]) -> list[Any]:
    """Return what stands in a queue."""
    found = []
    while not steps.empty():
        found.append(steps.get())
    return found
