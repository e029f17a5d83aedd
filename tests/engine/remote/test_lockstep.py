"""Rows are shown together; the circuit and the choice of a server, without any."""

from __future__ import annotations

import itertools
import threading

import pytest

from medilite.engine.remote.circuit import Circuit
from medilite.engine.remote.completions import retry_after_s
from medilite.engine.remote.lockstep import Lockstep
from medilite.engine.remote.servers import Server, pick
from medilite.errors import EngineError
from medilite.records import RowStep

EMPTY = RowStep("", 0)


def test_a_step_waits_for_every_living_row():
    call = Lockstep([EMPTY, EMPTY])
    for number, text in enumerate(["a", "b", "c"], start=1):
        call.add(0, RowStep(text, number, "end" if number == 3 else None))
    steps = call.steps(poll_s=0.01)
    assert next(steps).rows == (EMPTY, EMPTY), "nothing is shown while one has nothing"
    call.add(1, RowStep("x", 1))
    assert next(steps).rows == (RowStep("a", 1), RowStep("x", 1))
    call.add(1, RowStep("y", 2, "error", "broke"))
    assert next(steps).rows == (RowStep("b", 2), RowStep("y", 2, "error", "broke"))
    assert next(steps).rows == (RowStep("c", 3, "end"), RowStep("", 2, "error", "broke")), "it waits no more"
    assert list(steps) == []


def test_there_is_a_step_to_leave_at_while_one_row_is_late_and_another_streams():
    call, over = Lockstep([EMPTY, EMPTY]), threading.Event()

    def stream() -> None:
        for number in itertools.count(1):
            if over.wait(0.001):
                return
            call.add(0, RowStep("a", number))

    threading.Thread(target=stream, daemon=True).start()
    guard = threading.Timer(20, call.break_off, [EngineError("no step came")])
    guard.start()
    try:
        assert next(call.steps(poll_s=0.05)).rows == (EMPTY, EMPTY)
    finally:
        over.set()
        guard.cancel()


def test_silent_steps_repeat_no_text():
    call = Lockstep([EMPTY, EMPTY])
    call.add(0, RowStep("a", 1))
    call.add(1, RowStep("b", 1, "end"))
    steps = call.steps(poll_s=0.01)
    next(steps)
    assert next(steps).rows == (RowStep("", 1), RowStep("", 1, "end"))


def test_rows_that_can_t_begin_and_a_call_that_breaks_off():
    over = RowStep("", 0, "error", "no")
    assert [step.rows for step in Lockstep([over]).steps()] == [(over,)]
    call = Lockstep([EMPTY])
    threading.Timer(0.05, call.break_off, [EngineError("closed")]).start()
    with pytest.raises(EngineError, match="closed"):
        list(call.steps(poll_s=5))


def test_a_circuit_through_its_states():
    now = [0.0]
    circuit = Circuit(failures=2, rest_s=10, clock=lambda: now[0])
    circuit.failed(circuit.enter())
    assert circuit.admits()
    circuit.failed(circuit.enter())
    assert not circuit.admits()
    assert circuit.rests_s == 10
    now[0] = 10.0
    assert circuit.admits()
    probe = circuit.enter()
    assert probe
    assert not circuit.admits(), "one probe at a time"
    circuit.left(probe)
    assert circuit.admits(), "a cancelled probe says nothing"
    probe = circuit.enter()
    circuit.answered(probe)
    assert circuit.admits()
    assert not circuit.is_open
    circuit.failed(probe)
    assert not circuit.admits(), "broken off after its first token"
    now[0] = 20.0
    circuit.completed(circuit.enter())
    circuit.failed(circuit.enter())
    assert circuit.admits(), "a whole answer took all failures back"


def test_the_least_busy_server_and_of_equals_the_one_that_rested_longest():
    one, two, three = (Server(f"http://{name}", Circuit(1, 10)) for name in "abc")
    one.busy, two.last_used, three.last_used = 1, 5, 4
    assert pick([one, two, three], "base") is three
    assert pick([one, two, three], "base", avoid=[three]) is two
    assert pick([three], "base", avoid=[three]) is three
    three.circuit.failed(three.circuit.enter())
    two.models = frozenset({"grpo"})
    assert pick([one, two, three], "base") is one
    one.missing.add("base")
    assert pick([one, two, three], "base") is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None), ("", None), ("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("soon", None), ("nan", None), ("inf", None),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 20.0),
    ],
)  # fmt: skip
def test_retry_after(value, seconds):
    assert retry_after_s(value, now=40.0) == seconds
