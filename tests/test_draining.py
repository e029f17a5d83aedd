"""Stopping: new questions refused, answers under way finished or ended, the end done whatever fails."""

from __future__ import annotations

import threading
import time

import pytest

from medilite.draining import ENDED, REFUSED, Drain, DrainedEngine
from medilite.engine.protocol import Engine
from medilite.errors import StoppingError
from medilite.records import Decoding, Message, Request
from medilite.ui.page.loading import wait_until_ready
from medilite.ui.page.session import StopFlag
from tests.support.fakes import ScriptedEngine


def asked(tokens: int = 5) -> list[Request]:
    return [Request("base", (Message("user", "What is asthma?"),), Decoding(max_new_tokens=tokens))]


@pytest.fixture
def drained(lite):
    return DrainedEngine(ScriptedEngine(lite), Drain())


def test_without_a_drain_it_is_the_engine_it_stands_before(drained):
    assert isinstance(drained, Engine)
    assert len(list(drained.stream(asked()))) == 5
    assert drained.progress().ready
    assert set(drained.availability()) == {spec.id for spec in drained.engine.profile.every}
    assert drained.context_length() == drained.engine.context_length()
    assert drained.count_tokens(asked()[0].messages) == drained.engine.count_tokens(asked()[0].messages)
    assert drained.occupancy() is None


def test_a_new_question_is_refused_and_an_old_one_answered_to_its_end(drained):
    steps = drained.stream(asked())
    next(steps)
    drained.drain.begin()
    with pytest.raises(StoppingError, match="ask again") as refused:
        next(drained.stream(asked()))
    assert str(refused.value) == REFUSED
    assert len(list(steps)) == 4
    assert (drained.engine.finished, drained.engine.closed) == (1, 0)


def test_when_it_is_over_an_answer_ends_and_frees_its_rows(drained):
    steps = drained.stream(asked(500))
    next(steps)
    drained.drain.end()
    with pytest.raises(StoppingError) as ended:
        list(steps)
    assert str(ended.value) == ENDED
    assert drained.engine.closed == 1


def test_an_answer_whose_last_step_has_come_is_whole(drained):
    steps = drained.stream(asked(2))
    next(steps)
    next(steps)
    drained.drain.end()
    assert list(steps) == []


def test_leaving_frees_the_rows(drained):
    steps = drained.stream(asked(500))
    next(steps)
    steps.close()
    assert drained.engine.closed == 1


def test_who_waits_for_the_model_is_told(lite):
    gate = threading.Event()
    drained = DrainedEngine(ScriptedEngine(lite, gate=gate), Drain())
    waiting = wait_until_ready(drained, StopFlag())
    next(waiting)
    drained.drain.begin()
    try:
        with pytest.raises(StoppingError):
            next(waiting)
    finally:
        gate.set()


def test_it_waits_for_what_runs_and_no_longer_than_it_may():
    drain, leave = Drain(), threading.Event()
    assert drain.wait(0)

    def event() -> None:
        with drain.event():
            leave.wait(60)

    thread = threading.Thread(target=event)
    thread.start()
    while not drain.running:
        time.sleep(0.005)
    assert not drain.wait(0.01)
    leave.set()
    assert drain.wait(60)
    thread.join()
    assert drain.running == 0


def test_the_end_is_done_once_the_latest_first_whatever_fails(caplog):
    drain, done = Drain(), []
    drain.at_the_end("first", lambda: done.append(1))
    drain.at_the_end("the mirror", lambda: 1 / 0)
    drain.at_the_end("last", lambda: done.append(2))
    drain.finish()
    drain.finish()
    assert done == [2, 1]
    assert "the mirror" in caplog.text


def test_closing_ends_the_threads_of_an_engine_that_is_loaded(lite):
    closed = []
    engine = ScriptedEngine(lite)
    engine.close = lambda: closed.append(True)
    DrainedEngine(engine, Drain()).close()
    assert closed == [], "one that isn't loaded, or loads at the moment, is left alone"
    engine.load()
    DrainedEngine(engine, Drain()).close()
    assert closed == [True]
