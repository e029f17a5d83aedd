"""What is kept of open pages: the visitor's own state, no copy of what they see, and nothing long after they left."""

from __future__ import annotations

import datetime
import time

import gradio as gr
import pytest
from gradio.state_holder import SessionState
from gradio_client import Client

from medilite.ui.guard.visits import Visits
from medilite.ui.page.gradio_internals import IDLE_S, OpenPages, hold_little, rest_when_idle


@pytest.fixture
def pages():
    with gr.Blocks(analytics_enabled=False) as blocks:
        state = gr.State({"turns": []})
        shown = gr.HTML("nothing yet")
        button = gr.Button("Ask")
        models = gr.Radio(["base"])
        button.click(lambda: "x" * 100_000, None, shown)
    visits = Visits()
    kept = OpenPages(visits)
    kept.set_blocks(blocks)
    kept.visits = visits
    kept.state_id, kept.shown_id, kept.models_id = state._id, shown._id, models._id
    return kept


def idle(pages: OpenPages, name: str, seconds: float, *, left: bool) -> None:
    """Have a page been last used that long ago."""
    pages[name][pages.state_id] = {"turns": [name]}
    pages.visits.note(name, "192.0.2.1")
    if left:
        pages.visits.left(name)
    pages.time_last_used[name] = datetime.datetime.now() - datetime.timedelta(seconds=seconds)


def test_a_page_has_what_gradio_s_own_has(pages):
    """An upgrade that gives a page more, or names it otherwise, shows here."""
    assert set(vars(pages["one"])) == set(vars(SessionState(pages.blocks)))


def test_a_visitor_s_state_is_kept_and_what_they_see_is_not(pages):
    page = pages["one"]
    assert page[pages.state_id] == {"turns": []}
    page[pages.state_id] = {"turns": [1]}
    page._update_value_in_config(pages.shown_id, "x" * 100_000)
    page._update_config(pages.state_id)
    page[pages.shown_id] = gr.HTML("y" * 1000, visible=False, render=False)
    assert page[pages.shown_id].visible is False
    page[pages.models_id] = gr.Radio(["base", "grpo"], render=False)
    assert page[pages.models_id].preprocess("grpo") == "grpo"
    assert not page.config_values
    assert pages["one"][pages.state_id] == {"turns": [1]}
    assert pages["two"][pages.state_id] == {"turns": []}


def test_pages_in_the_same_state_share_their_components_and_others_do_not(pages):
    def update(name: str, **options: object) -> gr.Radio:
        pages[name][pages.models_id] = gr.Radio(render=False, **options)
        return pages[name][pages.models_id]

    one = update("one", choices=["base", "grpo"])
    assert update("two", choices=["base", "grpo"]) is one
    other = update("three", choices=["base", "grpo"], interactive=False)
    assert other is not one
    assert other.interactive is False
    assert pages["one"][pages.models_id].interactive is None
    # The same on another place of the page is another component.
    pages["two"][pages.shown_id] = gr.Radio(["base", "grpo"], render=False)
    assert pages["two"][pages.shown_id] is not one
    # So it is on the same place of another app, which counts its components from the same number on.
    with gr.Blocks(analytics_enabled=False) as another:
        gr.Radio()
    others = OpenPages(Visits())
    others.set_blocks(another)
    others["one"][pages.models_id] = gr.Radio(["base", "grpo"], render=False)
    assert others["one"][pages.models_id] is not one


def test_a_component_that_it_lacks_it_gets(pages):
    """Gradio puts what an event is given from into a page that has not got it."""
    with gr.Blocks(analytics_enabled=False):
        other = gr.Textbox()
    page = pages["one"]
    page[other._id] = other
    assert page[other._id] is other


HOUR, DAY = 3600, 24 * 3600


def test_a_page_is_forgotten_an_hour_after_it_was_closed_or_a_day_after_it_was_used(pages):
    idle(pages, "closed", HOUR + 1, left=True)
    idle(pages, "just closed", HOUR - 60, left=True)
    idle(pages, "hidden for a night", DAY - 60, left=False)
    idle(pages, "asleep since yesterday", DAY + 1, left=False)
    # A reload begins another session; back from the browser's cache is the same one.
    idle(pages, "closed and back", HOUR + 1, left=True)
    assert pages.visits.heard_from("closed and back")
    pages.delete_all_expired_state()
    kept = {"just closed", "hidden for a night", "closed and back"}
    assert set(pages.session_data) == set(pages.time_last_used) == kept
    for name in kept:
        assert pages[name][pages.state_id] == {"turns": [name]}


def test_who_is_forgotten_first_where_there_is_no_room(pages):
    pages.capacity = 3
    for name in ("answered", "open", "closed"):
        idle(pages, name, 0, left=name == "closed")
    pages.visits.opened("answered")
    pages["new"]
    assert set(pages.session_data) == {"answered", "open", "new"}
    pages["newer"]
    assert set(pages.session_data) == {"answered", "new", "newer"}


@pytest.mark.parametrize("little", [False, True], ids=["Gradio's own", "ours"])
def test_events_are_not_noted_for_a_monitoring_page_that_is_off(little):
    with gr.Blocks(analytics_enabled=False) as page:
        name = gr.Textbox()
        name.submit(lambda said: f"Hello {said}", name, name, api_name="greet")
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", enable_monitoring=False)
    try:
        if little:
            hold_little(page, Visits())
        visitor = Client(address, verbose=False)
        assert [visitor.predict(who, api_name="/greet") for who in ("one", "two")] == ["Hello one", "Hello two"]
        # The first line would fail where an upgrade had done away with it by itself.
        assert len(page._queue.event_analytics) == (0 if little else 2)
        assert not little or page._queue.cached_event_analytics_summary == {"functions": {}}
    finally:
        page.close()


def test_an_idle_queue_rests_between_two_looks_for_events(monkeypatch):
    with gr.Blocks(analytics_enabled=False) as page:
        name = gr.Textbox()
        name.submit(lambda said: f"Hello {said}", name, name, api_name="greet")
    page.queue()
    # This would fail where an upgrade had done away with it by itself.
    assert page._queue.sleep_when_free < IDLE_S
    rest_when_idle(page)
    looks = []
    monkeypatch.setattr(type(page._queue), "__len__", lambda _: looks.append(1) or 0)
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", enable_monitoring=False)
    try:
        begun, before = time.monotonic(), len(looks)
        time.sleep(0.5)
        found, rests = len(looks) - before, (time.monotonic() - begun) / IDLE_S + 1
        # Gradio asks for the length in more than one place; without a rest it looks ten times as often.
        assert 0 < found <= 3 * rests
        monkeypatch.undo()
        assert Client(address, verbose=False).predict("one", api_name="/greet") == "Hello one"
    finally:
        page.close()


def test_as_many_pages_are_kept_as_there_is_room_for(pages):
    pages.capacity = 3
    for number in range(5):
        pages[str(number)]
    assert set(pages.session_data) == {"2", "3", "4"}
