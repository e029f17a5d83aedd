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
    `errors[i]`, is a row that can't start.
    """

    requests: Sequence[Request]
    prompts: Sequence[list[int] | None]
    errors: Sequence[str | None]
    steps: queue.SimpleQueue[Step | BaseException | None] = field(default_factory=queue.SimpleQueue)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def visitor(self) -> Hashable:
        """Who asks; a call that doesn't say is a visitor of its own."""
        return self.requests[0].visitor or self

    def beginnings(self) -> list[RowStep]:
        """Return the rows before their first step: those that can't start have stopped already."""
        return [RowStep("", 0, "error", error) if error is not None else RowStep("", 0) for error in self.errors]


def fair_order(waiting: Iterable[Call], running: Iterable[Call], turns: Mapping[Hashable, int]) -> list[Call]:
    """Return waiting calls in the order of their turns, given in the order of their asking.

    Everybody's first call comes before anybody's second, calls that run included,
    and of equals whose visitor has had no turn for longer (`turns`: the number of
    each visitor's last one). One visitor with many calls holds up another by one
    call at most.
    """
    calls = Counter(call.visitor for call in running)
    places: list[tuple[int, int, Call]] = []
    for call in waiting:
        places.append((calls[call.visitor], turns.get(call.visitor, -1), call))
        calls[call.visitor] += 1
    return [call for *_, call in sorted(places, key=lambda place: place[:2])]


def visitors_ahead(call: Call, order: Sequence[Call], running: Collection[Call]) -> int:
    """Return how many visitors a waiting call has ahead: those before it in the queue, and one who is answered now."""
    before = {other.visitor for other in order[: order.index(call)]}
    return len(before - {call.visitor}) + bool(running)
