"""From requests to stages: throttled, stoppable, closed to the bottom."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack

import pytest

from medilite.errors import ContextOverflowError, DecodingError
from medilite.records import Decoding, Message, Request
from medilite.ui.page.answering import UNEXPECTED, message_of, run
from medilite.ui.page.session import StopFlag
from medilite.ui.page.updates import STILL_WAITING_S, UPDATES_IN_ALL, UPDATES_PER_S, Updates
from tests.support.fakes import ScriptedEngine

PRIVATE = "my embarrassing rash"


def request(model="base", tokens=30, question="What is asthma?") -> Request:
    return Request(model, (Message("user", question),), Decoding(max_new_tokens=tokens))


def test_every_step_arrives_but_the_page_is_told_seldom(lite):
    engine, steps = ScriptedEngine(lite, step_s=0.02), []
    started = time.monotonic()
    stages = [stage.kind for stage in run(engine, (request(tokens=40),), StopFlag(), steps.append)]
    took = time.monotonic() - started
    assert len(steps) == 40
    assert stages[-1] == "done"
    assert stages.count("writing") <= took * UPDATES_PER_S + 1
    assert "writing" in stages


def test_the_first_token_is_shown_at_once(lite):
    engine = ScriptedEngine(lite)
    engine.load()
    assert next(run(engine, (request(),), StopFlag(), lambda step: None)).kind == "writing"


def test_stop_ends_within_a_step_and_closes_the_engine(lite):
    engine, stop, steps = ScriptedEngine(lite, step_s=0.01), StopFlag(), []
    engine.load()
    stages = run(engine, (request(tokens=500),), stop, steps.append)
    next(stages)
    stop.set()
    seen = len(steps)
    assert [stage.kind for stage in stages] == ["stopped"]
    assert len(steps) <= seen + 1
    assert (engine.closed, engine.finished) == (1, 0)


def test_closing_it_closes_the_engine(lite):
    """What happens when a browser goes away: Gradio closes the handler's generator."""
    engine = ScriptedEngine(lite)
    engine.load()
    stages = run(engine, (request(tokens=500),), StopFlag(), lambda step: None)
    next(stages)
    stages.close()
    assert engine.closed == 1


def test_others_ahead_are_told(lite):
    engine = ScriptedEngine(lite, ahead=3, step_s=0.15)
    engine.load()
    ahead = [s.ahead for s in run(engine, (request(tokens=2),), StopFlag(), lambda step: None) if s.kind == "waiting"]
    assert ahead == [3, 2, 1]


def test_stop_while_others_are_ahead(lite):
    engine, stop = ScriptedEngine(lite, ahead=50, step_s=0.02), StopFlag()
    engine.load()
    stages = run(engine, (request(),), stop, lambda step: None)
    assert next(stages).kind == "waiting"
    stop.set()
    assert [stage.kind for stage in stages] == ["stopped"]
    assert engine.closed == 1


def test_stop_while_loading_asks_nothing(lite):
    engine, stop = ScriptedEngine(lite, load_s=0.5), StopFlag()
    stages = run(engine, (request(),), stop, lambda step: None)
    assert next(stages).kind == "loading"
    stop.set()
    assert [stage.kind for stage in stages] == ["stopped"]
    assert engine.requests == []


def test_the_engine_s_errors_come_through(lite):
    engine = ScriptedEngine(lite, context=50)
    engine.load()
    with pytest.raises(ContextOverflowError):
        list(run(engine, (request(tokens=500),), StopFlag(), lambda step: None))


def test_an_expected_error_is_its_own_message():
    assert message_of(DecodingError("Temperature 9 can't be used.")) == "Temperature 9 can't be used."


def test_an_unexpected_error_tells_nothing_of_the_question(lite, caplog):
    engine = ScriptedEngine(lite, explode_after=2)
    engine.load()
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(RuntimeError) as caught:
            list(run(engine, (request(question=PRIVATE),), StopFlag(), lambda step: None))
        assert PRIVATE in str(caught.value)
        assert message_of(caught.value) == UNEXPECTED
    assert "RuntimeError" in caplog.text
    assert "fakes.py" in caplog.text
    assert PRIVATE not in caplog.text


# -- how often pages are told ----------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved: a list of one number."""
    now = [100.0]
    monkeypatch.setattr("medilite.ui.page.updates.time.monotonic", lambda: now[0])
    return now


def told_in(stream, clock, seconds: float, ahead: int = 0) -> int:
    """Return how often one page is told in so many seconds of a step every 10 ms."""
    count = 0
    for _ in range(round(seconds * 100)):
        count += stream.is_due(ahead)
        clock[0] += 0.01
    return count


def test_one_page_is_told_eight_times_a_second(clock):
    with Updates().taken() as stream:
        assert told_in(stream, clock, 5) == pytest.approx(5 * UPDATES_PER_S, abs=4)


def test_many_pages_share_what_one_machine_can_tell(clock):
    """Else the page's own work takes the time that the answers need."""
    updates = Updates()
    with ExitStack() as stack:
        streams = [stack.enter_context(updates.taken()) for _ in range(48)]
        assert 48 * told_in(streams[0], clock, 20) <= 21 * UPDATES_IN_ALL
    assert updates.streams == 0


def test_who_waits_is_told_at_once_when_the_number_ahead_changes_and_seldom_else(clock):
    with Updates().taken() as stream:
        assert told_in(stream, clock, 10, ahead=3) == pytest.approx(10 / STILL_WAITING_S, abs=1)
        clock[0] += 1 / UPDATES_PER_S
        assert stream.is_due(2)
        assert stream.is_due(0), "the turn has come"
