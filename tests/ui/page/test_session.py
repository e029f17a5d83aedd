"""What belongs to one visitor, and how many there may be."""

from __future__ import annotations

import copy

import pytest

from medilite.errors import EngineError
from medilite.ui.guard.limits import Admission
from medilite.ui.page.session import Desk, Session


def test_a_copy_is_a_new_session():
    first = Session()
    first.next_run()
    first.turns.append("something")  # type: ignore[arg-type]
    second = copy.deepcopy(first)
    assert (second.turns, second.runs, second.comparison) == ([], 0, None)
    assert second.compare is not first.compare


def test_stop_reaches_what_runs_and_nothing_else():
    desk = Desk()
    desk.request_stop()
    with desk.running() as stop:
        assert desk.busy
        assert not stop.is_set()
        desk.request_stop()
        assert stop.is_set()
    assert not desk.busy


def test_a_second_run_stops_the_first():
    desk = Desk()
    with desk.running() as first, desk.running() as second:
        assert first.is_set()
        assert not second.is_set()
    assert not desk.busy


def test_an_ended_run_leaves_a_later_one_alone():
    desk = Desk()
    first, second = desk.running(), desk.running()
    first.__enter__()
    stop = second.__enter__()
    first.__exit__(None, None, None)
    assert desk.busy
    assert not stop.is_set()
    second.__exit__(None, None, None)
    assert not desk.busy


def test_one_visitor_too_many_is_told_to_come_back():
    admission = Admission(2)
    with (
        admission.seat("visitor"),
        admission.seat("visitor"),
        pytest.raises(EngineError, match="2 visitors"),
        admission.seat("visitor"),
    ):
        pass
    with admission.seat("visitor"):
        pass


def test_a_seat_is_free_again_after_an_error():
    admission = Admission(1)
    with pytest.raises(RuntimeError), admission.seat("visitor"):
        raise RuntimeError
    with admission.seat("visitor"):
        pass


def test_every_page_is_a_visitor_of_its_own_whose_id_is_not_told():
    first, second = Session(), copy.deepcopy(Session())
    assert len(first.visitor) == len(second.visitor) == 32
    assert first.visitor != second.visitor
    assert first.visitor not in repr(first)
