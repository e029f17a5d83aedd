"""What one visitor asks for in one call, on its way from the caller's thread to the engine's and back."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medilite.records import Request, RowStep, Step

if TYPE_CHECKING:
    import numpy as np


@dataclass(eq=False, slots=True)
class Call:
    """The requests of one call.

    `prompts[i]` are the token ids of `requests[i]`; None, with a reason in
    `errors[i]`, is a row that can't start. The last `scored[i]` of them are an answer that is
    scored, not written; 0 if one is written. A call is all of one kind. `shifts[i]` is what each token's logit gains
    or loses before a token of row i is chosen: (vocabulary,) float32, or None.
    """

    requests: Sequence[Request]
    prompts: Sequence[list[int] | None]
    errors: Sequence[str | None]
    scored: Sequence[int] = ()
    shifts: Sequence[np.ndarray | None] = ()
    steps: queue.SimpleQueue[Step | BaseException | None] = field(default_factory=queue.SimpleQueue)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def visitor(self) -> Hashable:
        """The visitor who asks; a call without one counts as a visitor of its own."""
        return self.requests[0].visitor or self

    @property
    def network(self) -> Hashable:
        """The network they ask from; a call without one counts as a network of its own."""
        return self.requests[0].network or self

    def beginnings(self) -> list[RowStep]:
        """Return the rows before their first step: those that can't start have stopped already."""
        return [RowStep("", 0, "error", error) if error is not None else RowStep("", 0) for error in self.errors]


def fair_order(waiting: Iterable[Call], running: Iterable[Call], turns: Mapping[Hashable, int]) -> list[Call]:
    """Return waiting calls in the order of their turns, given in the order of their asking.

    Every network's first call comes before any other's second, running calls included; within a network the same holds
    for visitors. Ties go to the visitor whose last turn is longest ago (`turns`: the number of each visitor's last
    one). So many calls, or many made-up visitors at one address, delay another network by one call at most.
    """
    calls = Counter(call.visitor for call in running)
    own: list[tuple[int, int, int, Call]] = []
    for place, call in enumerate(waiting):
        own.append((calls[call.visitor], turns.get(call.visitor, -1), place, call))
        calls[call.visitor] += 1
    networks = Counter(call.network for call in running)
    between: list[tuple[int, int, int, int, Call]] = []
    for *at, call in sorted(own, key=lambda one: one[:3]):
        between.append((networks[call.network], at[0], at[1], at[2], call))
        networks[call.network] += 1
    return [call for *_, call in sorted(between, key=lambda one: one[:4])]


SHARE = 3 / 4
"""Share of an engine's rows that one network may have at once, so that others need not wait for an answer to end."""

RESERVED = 1 / 8
"""Share of the rows that only networks without a running call may take: several networks could take all others."""


def has_room_for(call: Call, running: Collection[Call], slots: int | None) -> bool:
    """Whether the call's network has room in its share of the rows; one call is always allowed."""
    own = [len(other.requests) for other in running if other.network == call.network]
    if slots is None or not own:
        return True
    more, taken = len(call.requests), sum(len(other.requests) for other in running)
    return sum(own) + more <= SHARE * slots and taken + more <= (1 - RESERVED) * slots


def visitors_ahead(call: Call, order: Sequence[Call], running: Collection[Call]) -> int:
    """Return how many visitors a waiting call has ahead: in the queue before it, and the one being answered."""
    before = {other.visitor for other in order[: order.index(call)]}
    return len(before - {call.visitor}) + bool(running)
