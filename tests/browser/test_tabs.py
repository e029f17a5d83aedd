"""One browser with many tabs, over HTTP/1.1: it opens six connections to a server, for all of them together."""

from __future__ import annotations

import pytest

from tests.browser.pages import Visit

pytestmark = pytest.mark.browser

TABS = 10


def test_ten_tabs_get_ready_and_answer_and_one_that_was_left_alone_goes_on(serve, visit):
    url, engine = serve(step_s=0.02)
    first = visit(url).ready()
    first.ask("What is gout?")
    first.wait_done()

    tabs = [Visit(first.page.context.new_page(), url, first.foreign, first.errors) for _ in range(TABS - 1)]
    for tab in tabs:
        tab.watch()
        tab.page.goto(url, wait_until="commit")
    for tab in tabs:
        tab.page.wait_for_selector("#answers .ml-card")
        tab.ready()
    tabs[-1].set_tokens(8)
    tabs[-1].ask("What is asthma?")
    tabs[-1].wait_done()
    assert all(tabs[-1].answers().values())

    # A tab that is closed in mid-answer ends the answer, and its session is known to be over.
    going, closed = tabs[0], engine.closed
    going.set_tokens(512)
    going.ask("What is measles?")
    going.wait_writing(2)
    going.page.close()
    first.question.fill("And what helps?")
    first.page.click("#follow-up")
    first.page.wait_for_selector("#answers .ml-earlier-turn", state="attached")
    first.wait_done()
    asked = [message.content for message in engine.requests[-1][0].messages]
    assert "What is gout?" in asked
    assert asked[-1] == "And what helps?"
    assert engine.closed == closed + 1
    held = serve.served[-1].state_holder
    assert len(held.session_data) == TABS
    assert [held._visits.has_left(session) for session in held.session_data].count(True) == 1
