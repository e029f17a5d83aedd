"""What every event of the page goes through."""

from __future__ import annotations

import threading

import pytest

from medilite import metrics
from medilite.draining import Drain
from medilite.logs import request_id
from medilite.settings import load_settings
from medilite.ui.page.answering import UNEXPECTED, message_of
from medilite.ui.page.app import build_ui
from medilite.ui.page.events import event_name, watched
from tests.support.fakes import ScriptedEngine


class Tab:
    """A tab with an event of each kind, and one that fails."""

    def pick(self, word: str) -> tuple[str, str]:
        return word, request_id()

    def answer(self, count: int):
        for number in range(count):
            yield number, request_id()

    def fail(self) -> None:
        raise ValueError("no")


def in_a_new_thread(act):
    """Call in a thread of its own, whose context is another: as Gradio may do with each step."""
    found = []
    thread = threading.Thread(target=lambda: found.append(act()))
    thread.start()
    thread.join()
    return found[0]


def test_a_plain_event_has_an_id_of_its_own():
    pick = watched(Tab().pick, Drain())
    word, first = pick("a")
    assert word == "a"
    assert first
    assert pick("a")[1] != first
    assert request_id() == ""


def test_a_stream_keeps_its_id_whoever_takes_the_steps_and_counts_until_it_ends():
    drain = Drain()
    steps = watched(Tab().answer, drain)(3)
    assert drain.running == 0
    found = [in_a_new_thread(lambda: next(steps)) for _ in range(3)]
    assert [number for number, _ in found] == [0, 1, 2]
    assert len({made for _, made in found}) == 1
    assert found[0][1]
    assert drain.running == 1
    assert list(steps) == []
    assert drain.running == 0


def test_a_stream_that_is_left_is_closed():
    drain = Drain()
    steps = watched(Tab().answer, drain)(3)
    next(steps)
    steps.close()
    assert drain.running == 0


def test_events_are_counted_by_the_names_of_the_code():
    meters = metrics.switch_on()
    try:
        tab = Tab()
        list(watched(tab.answer, Drain())(2))
        with pytest.raises(ValueError, match="no"):
            watched(tab.fail, Drain())()
    finally:
        metrics.switch_off()
    for event in ("Tab.answer", "Tab.fail"):
        assert meters.registry.get_sample_value("medilite_requests_total", {"event": event}) == 1
        assert meters.registry.get_sample_value("medilite_request_seconds_count", {"event": event}) == 1
    assert event_name(lambda: None) == "test_events_are_counted_by_the_names_of_the_code"


def test_every_event_of_the_page_is_watched_and_streams_still_stream(lite):
    page = build_ui(ScriptedEngine(lite), lite, load_settings())
    handlers = [event.fn for event in page.fns.values() if event.fn]
    assert all(handler.__name__ and hasattr(handler, "__wrapped__") for handler in handlers)
    streaming = {event_name(fn) for fn in handlers if fn.__code__.co_flags & 0x20}
    tabs = {"CompareTab.answer", "CompareTab.follow_up", "ChatTab.answer", "ChatTab.answer_again"}
    votes = {"VoteTab.answer", "VoteTab.follow_up"}
    lab = {"LabTab.answer", "LabTab.go_on", "LabTab.compare_own"}
    assert streaming == tabs | votes | lab | {"Asking.ask", "Asking.compare"}


def test_a_person_gets_the_id_of_the_lines_about_them(caplog):
    def event() -> tuple[str, str]:
        return message_of(RuntimeError("their words")), request_id()

    told, made = watched(event, Drain())()
    assert told == f"{UNEXPECTED} (The log has it as {made}.)"
    assert "their words" not in caplog.text
