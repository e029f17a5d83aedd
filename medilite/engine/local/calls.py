"""What one visitor asks for in one call, on its way from the caller's thread to the engine's and back."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from medilite.records import Request, RowStep, Step


@dataclass(eq=False, slots=True)
class Call:
    """The requests of one call.

    `prompts[i]` are the token ids of `requests[i]`; None, with a reason in
    `errors[i]`, is a row that can't start. The last `scored[i]` of them are an answer that is
    scored, not written; 0 where one is written. A call is all of one kind.
    """

    requests: Sequence[Request]
    prompts: Sequence[list[int] | None]
    errors: Sequence[str | None]
    scored: Sequence[int] = ()
    steps: queue.SimpleQueue[Step | BaseException | None] = field(default_factory=queue.SimpleQueue)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def visitor(self) -> Hashable:
        """Who asks; a call that doesn't say is a visitor of its own."""
        return self.requests[0].visitor or self

    @property
    def network(self) -> Hashable:
        """From where they ask; a call that doesn't say is from an address of its own."""
        return self.requests[0].network or self

    def beginnings(self) -> list[RowStep]:
        """Return the rows before their first step: those that can't start have stopped already."""
        return [RowStep("", 0, "error", error) if error is not None else RowStep("", 0) for error in self.errors]


def fair_order(waiting: Iterable[Call], running: Iterable[Call], turns: Mapping[Hashable, int]) -> list[Call]:
    """Return waiting calls in the order of their turns, given in the order of their asking.

    Every network's first call comes before any other's second, calls that run
    included; in a network so do visitors' calls; and of equals those come first
    whose visitor has had no turn for longer (`turns`: the number of each
    visitor's last one). Whoever has many calls, or many made-up visitors at one
    address, holds up somebody elsewhere by one call at most.
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
"""How much of an engine's rows one network may have at once: whoever comes from elsewhere need not wait for an end."""


def has_room_for(call: Call, running: Iterable[Call], slots: int | None) -> bool:
    """Whether a call's network has its share of the rows not used up; one call it may always have."""
    rows = [len(other.requests) for other in running if other.network == call.network]
    return slots is None or not rows or sum(rows) + len(call.requests) <= SHARE * slots


def visitors_ahead(call: Call, order: Sequence[Call], running: Collection[Call]) -> int:
    """Return how many visitors a waiting call has ahead: those before it in the queue, and one who is answered now."""
    before = {other.visitor for other in order[: order.index(call)]}
    return len(before - {call.visitor}) + bool(running)
