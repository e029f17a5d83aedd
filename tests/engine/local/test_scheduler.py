"""The engine's one thread: who is next, who hears what, who leaves when, and what happens when it breaks."""

from __future__ import annotations

import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from medilite.engine.local.batch import OneByOne
from medilite.engine.local.calls import Call, fair_order, has_room_for, visitors_ahead
from medilite.engine.local.int8_llama import Int8Llama
from medilite.engine.local.scheduler import Scheduler
from medilite.engine.protocol import Occupancy
from medilite.errors import EngineError
from medilite.records import Decoding, Request, RowStep, Step
from tests.engine.local.test_running import words
from tests.engine.running import ask, batch_of
from tests.engine.small import MODELS, chains, write_base


def call(visitor: str = "", tokens: int = 3) -> Call:
    """Return a call of one row."""
    return Call([Request("m", (), Decoding(max_new_tokens=tokens), 0, visitor)], [[1]], [None])


class Slots:
    """A runner with so many places; every step gives each call one token, once `go` lets it."""

    def __init__(self, places: int = 1) -> None:
        self.places = places
        self.here: dict[Call, int] = {}
        self.joined: list[Call] = []
        self.steps = 0
        self.go = threading.Semaphore(0)
        self.broken: Exception | None = None
        self.refused: Exception | None = None

    def join(self, call: Call) -> bool:
        if self.refused:
            raise self.refused
        if len(self.here) == self.places:
            return False
        self.here[call] = 0
        self.joined.append(call)
        return True

    def step(self) -> list[tuple[Call, tuple[RowStep, ...]]]:
        self.go.acquire()
        self.steps += 1
        if self.broken:
            raise self.broken
        for one in self.here:
            self.here[one] += 1
        return [
            (one, (RowStep("x", n, "length" if n == one.requests[0].decoding.max_new_tokens else None),))
            for one, n in self.here.items()
        ]

    def drop(self, call: Call) -> None:
        self.here.pop(call, None)

    def tidy(self) -> None:
        pass

    def occupied(self) -> tuple[int, int]:
        return len(self.here), self.places


def until(what) -> None:
    """Wait until something is so, a minute at most."""
    end = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.005)


class Visit(threading.Thread):
    """A caller in a thread of its own."""

    def __init__(self, scheduler: Scheduler, call: Call) -> None:
        super().__init__(daemon=True)
        self.call, self.steps, self.error = call, [], None
        self._stream = scheduler.stream(call)
        self.start()

    def run(self) -> None:
        try:
            for step in self._stream:
                self.steps.append(step)
        except EngineError as error:
            self.error = error


@pytest.fixture
def slots() -> Iterator[Slots]:
    """A runner that is let go at the end, so that its thread does not stay."""
    runner = Slots()
    yield runner
    runner.go.release(1000)


def test_everybody_is_served_once_before_anybody_is_served_twice() -> None:
    a = [call("a") for _ in range(3)]
    b = [call("b") for _ in range(2)]
    c, nobody = call("c"), [call() for _ in range(2)]
    waiting = [*a, *b, c, *nobody]
    assert fair_order(waiting, [], {}) == [a[0], b[0], c, *nobody, a[1], b[1], a[2]]
    # Who is being answered already has had a turn.
    assert fair_order([a[0], b[0]], [call("a")], {}) == [b[0], a[0]]
    assert fair_order([a[0], b[0], c], [], {"a": 4, "b": 1}) == [c, b[0], a[0]]
    order = fair_order(waiting, [], {})
    asked = (a[0], b[0], c, nobody[1], a[1])
    assert [visitors_ahead(one, order, [call()]) for one in asked] == [1, 2, 3, 5, 5]
    assert [visitors_ahead(one, order, []) for one in asked] == [0, 1, 2, 4, 4]


def test_visitors_are_served_by_turns_and_told_their_place(slots: Slots) -> None:
    scheduler = Scheduler(slots)
    calls = [call(visitor) for visitor in ("a", "a", "a", "b")]
    visits = []
    for number, one in enumerate(calls):
        visits.append(Visit(scheduler, one))
        until(lambda n=number: len(slots.joined) + len(scheduler._waiting) == n + 1)
    until(lambda: visits[3].steps and visits[1].steps)
    assert [step.waiting for step in visits[3].steps][:1] == [1]
    assert visits[1].steps[0].waiting == 2
    assert visits[3].steps[0].rows == (RowStep("", 0),)
    slots.go.release(20)
    for visit in visits:
        visit.join(60)
    assert slots.joined == [calls[0], calls[3], calls[1], calls[2]]
    assert [visit.steps[-1].rows[0].stopped for visit in visits] == ["length"] * 4
    scheduler.close()


def test_who_is_alone_hears_of_nobody_ahead_however_long_beginning_takes(
    slots: Slots, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = slots.join
    monkeypatch.setattr(slots, "join", lambda one: time.sleep(0.6) or real(one))
    scheduler = Scheduler(slots)
    slots.go.release(3)
    assert [step.waiting for step in scheduler.stream(call())] == [0, 0, 0]
    scheduler.close()


def test_a_caller_who_leaves_is_gone_before_the_next_step(slots: Slots) -> None:
    scheduler = Scheduler(slots)
    leaving, next_one = call(tokens=1000), call()
    stream = scheduler.stream(leaving)
    slots.go.release(3)
    for _ in range(3):
        next(stream)
    visit = Visit(scheduler, next_one)
    until(lambda: len(scheduler._waiting) == 1)
    stream.close()
    # The step that was under way when the caller left, and no other.
    slots.go.release(1)
    until(lambda: slots.joined == [leaving, next_one])
    assert slots.steps == 4
    slots.go.release(3)
    visit.join(60)
    assert slots.steps == 7
    scheduler.close()


def test_a_caller_who_leaves_the_queue_is_never_answered(slots: Slots) -> None:
    scheduler = Scheduler(slots)
    first, second = Visit(scheduler, call()), scheduler.stream(waiting := call())
    until(lambda: slots.joined)
    assert next(second).waiting == 1
    second.close()
    slots.go.release(10)
    first.join(60)
    assert waiting not in slots.joined
    scheduler.close()


def test_a_breakdown_ends_those_it_met_and_no_later_one(slots: Slots) -> None:
    slots.places = 2
    scheduler = Scheduler(slots)
    met = [Visit(scheduler, call(tokens=8192)), Visit(scheduler, call(tokens=8192))]

    def both_are_in() -> bool:
        slots.go.release()  # the second may have come when a step with the first alone had begun
        return len(slots.joined) == 2

    until(both_are_in)
    slots.broken = ZeroDivisionError("by nothing")
    slots.go.release()
    for visit in met:
        visit.join(60)
        assert "Generation failed (ZeroDivisionError: by nothing)" in str(visit.error)
    slots.broken = None
    slots.refused = MemoryError("no room")
    refused = Visit(scheduler, call())
    refused.join(60)
    assert "no room" in str(refused.error)
    slots.refused = None
    later = Visit(scheduler, call())
    slots.go.release(3)
    later.join(60)
    assert later.error is None
    assert later.steps[-1].rows[0].stopped == "length"
    scheduler.close()


def test_it_tells_how_busy_it_is(slots: Slots) -> None:
    scheduler = Scheduler(slots)
    assert scheduler.occupancy() == Occupancy(0, 0, 1)
    visits = [Visit(scheduler, call()) for _ in range(3)]
    until(lambda: scheduler.occupancy() == Occupancy(waiting=2, used=1, slots=1))
    slots.go.release(9)
    for visit in visits:
        visit.join(60)
    until(lambda: scheduler.occupancy() == Occupancy(0, 0, 1))
    scheduler.close()


def test_a_runner_of_one_call_at_a_time_tells_its_living_rows() -> None:
    runner = OneByOne(lambda call: types.SimpleNamespace(living=2))  # type: ignore[arg-type,return-value]
    assert runner.occupied() == (0, None)
    runner.join(one := call())
    assert runner.occupied() == (2, None)
    runner.drop(one)
    assert runner.occupied() == (0, None)


def test_closing_tells_everybody_and_ends_the_thread(slots: Slots) -> None:
    scheduler = Scheduler(slots)
    visits = [Visit(scheduler, call()), Visit(scheduler, call())]
    until(lambda: len(slots.joined) + len(scheduler._waiting) == 2)
    slots.go.release(10**4)
    scheduler.close()
    for visit in visits:
        visit.join(60)
        assert not visit.is_alive()
    assert not scheduler._thread.is_alive()
    assert not slots.here
    with pytest.raises(EngineError, match="shutting down"):
        next(scheduler.stream(call()))


def test_visitors_who_come_and_go_on_the_real_batch(tmp_path: Path) -> None:
    """Threads that ask, read some and leave, in disorder; every answer read to its end is the one that it is alone."""
    llama = Int8Llama(write_base(tmp_path), chains(), 2)
    batch = batch_of(llama, 10)
    scheduler = Scheduler(batch)
    decoding = Decoding(max_new_tokens=10, temperature=0.7)
    asked = [(words(6 + 11 * i, i), MODELS[: 1 + i % 4]) for i in range(6)]

    def collect(steps: Iterator[Step]) -> list[str]:
        texts: list[str] = []
        for step in steps:
            texts = [a + b.text for a, b in zip(texts or [""] * len(step.rows), step.rows, strict=True)]
        return texts

    expected = [collect(scheduler.stream(ask(*one, decoding))) for one in asked]
    wrong: list[object] = []

    def visit(number: int) -> None:
        for turn in range(4):
            which = (number + turn) % len(asked)
            stream = scheduler.stream(ask(*asked[which], decoding, visitor=f"v{number % 5}"))
            if (number + turn) % 3 == 0:
                next(stream)
                stream.close()
            elif (found := collect(stream)) != expected[which]:
                wrong.append((which, found))

    threads = [threading.Thread(target=visit, args=[i]) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert wrong == []
    until(lambda: batch.free_slots == 10)
    assert batch.occupied() == (0, 10)
    scheduler.close()
    batch._prefixes.clear()
    assert llama.pool.free == llama.pool.size
    llama.close()


def test_a_network_with_many_visitors_holds_up_another_by_one_call():
    def call(network, visitor):
        return Call([Request("base", (), visitor=visitor, network=network)] * 6, [], [])

    running = [call("school", f"s{n}") for n in range(6)]
    waiting = [call("school", f"w{n}") for n in range(50)]
    lone = call("home", "me")
    assert fair_order([*waiting, lone], running, {})[0] is lone
    # Between visitors of one network all is as before.
    first, second = call("school", "a"), call("school", "a")
    assert fair_order([first, second, call("school", "b")], [], {})[2] is second


def test_a_network_leaves_room_for_others():
    def call(network):
        return Call([Request("base", (), network=network)] * 6, [], [])

    running = [call("school") for _ in range(6)]
    assert not has_room_for(call("school"), running, 48), "36 of 48 rows are its share"
    assert has_room_for(call("home"), running, 48)
    assert has_room_for(call("school"), running[:5], 48)
    assert has_room_for(call("school"), [], 6), "one call it may always have"
    assert has_room_for(call("school"), running, None)
    # Two such networks can't take all rows: a network without a call still gets some.
    both = [*running, call("college")]
    assert not has_room_for(call("college"), both, 48), "42 of 48 rows are taken"
    assert has_room_for(call("home"), both, 48)
    assert has_room_for(call("college"), both[1:], 48)
    for networks in (3, 8):
        taken, names = [], [f"n{n}" for n in range(networks)]
        while more := next((one for name in names if has_room_for(one := call(name), taken, 48)), None):
            if sum(len(other.requests) for other in taken) + 6 > 48:
                break
            taken.append(more)
        assert len({other.network for other in taken}) == min(networks, 3), "36 of the first, then one each"
