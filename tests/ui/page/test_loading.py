"""The model loads behind the page; who asks meanwhile waits for it."""

from __future__ import annotations

import threading

import pytest

from medilite.errors import WeightsError, WeightsUnavailableError
from medilite.ui.page import loading
from medilite.ui.page.session import StopFlag
from tests.support.fakes import ScriptedEngine


@pytest.fixture(autouse=True)
def _no_thread_left_behind():
    yield
    for thread in threading.enumerate():
        if thread.name == loading._THREAD_NAME:
            thread.join(timeout=30)


def test_waiting_starts_what_nobody_started_and_tells_how_far(lite):
    engine = ScriptedEngine(lite, load_s=0.7)
    told = list(loading.wait_until_ready(engine, StopFlag()))
    assert engine.progress().ready
    assert engine.loads == 1
    shares = [progress.share for progress in told if progress.share is not None]
    assert shares == sorted(shares)
    assert shares[-1] > 0


def test_a_ready_model_is_not_waited_for(lite):
    engine = ScriptedEngine(lite)
    engine.load()
    assert list(loading.wait_until_ready(engine, StopFlag())) == []


def test_a_load_under_way_is_joined(lite):
    engine = ScriptedEngine(lite, load_s=0.6)
    loading.start_loading(engine)
    list(loading.wait_until_ready(engine, StopFlag()))
    assert engine.loads == 1


def test_stop_ends_the_waiting(lite):
    engine, stop = ScriptedEngine(lite, load_s=1.0), StopFlag()
    waiting = loading.wait_until_ready(engine, stop)
    next(waiting)
    stop.set()
    assert list(waiting) == []
    assert not engine.progress().ready


def test_a_failed_load_is_tried_once_more_then_said(lite):
    engine = ScriptedEngine(lite, load_error=WeightsUnavailableError("No weights: connect to the network."))
    loading.start_loading(engine).join()
    assert engine.progress().error
    with pytest.raises(WeightsError, match="connect to the network"):
        list(loading.wait_until_ready(engine, StopFlag()))
    assert engine.loads == 2


def test_an_error_that_was_mended_is_forgotten(lite):
    engine = ScriptedEngine(lite, load_error=WeightsUnavailableError("No weights."))
    loading.start_loading(engine).join()
    engine.load_error = None
    assert all(progress.error is None for progress in loading.wait_until_ready(engine, StopFlag()))
    assert engine.progress().ready


def test_what_follows_comes_last_and_its_failure_harms_nobody(lite, caplog):
    engine = ScriptedEngine(lite)
    seen = []
    loading.start_loading(engine, lambda: seen.append(engine.progress().ready)).join()
    assert seen == [True]

    def fail():
        raise ValueError("broken")

    loading.start_loading(ScriptedEngine(lite), fail).join()
    assert "What follows the loading failed." in caplog.text
