"""Chat in a browser, with a scripted engine behind it."""

from __future__ import annotations

import pytest

from tests.browser.test_compare import EVERY, HOSTILE

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", EVERY)
def test_a_conversation_with_two_models(serve, visit, size):
    url, engine = serve(step_s=0.01, scripts={"base": "A disease of the lungs.", "grpo": "By inhaler, mostly."})
    here = visit(url, size).ready()
    here.tab("Chat")
    here.choose("Base")
    here.say("What is asthma?")
    here.wait_said(1)
    here.choose("GRPO")
    here.say("How is it treated?")
    here.wait_said(2)
    page = here.page
    assert page.locator("#transcript h3").all_text_contents() == ["Base", "GRPO"]
    assert page.locator("#transcript .ml-text").all_text_contents() == [
        "What is asthma?", "A disease of the lungs.", "How is it treated?", "By inhaler, mostly.",
    ]  # fmt: skip
    assert page.locator("#transcript .ml-grade-number").count() == 2
    assert [m.content for m in engine.requests[1][0].messages] == [
        "What is asthma?", "A disease of the lungs.", "How is it treated?",
    ]  # fmt: skip
    assert here.overflow() <= 0
    # The newest answer is in sight, above the field.
    last, field = page.locator("#transcript article").last.bounding_box(), page.locator("#chat-question").bounding_box()
    assert last["y"] + last["height"] <= field["y"] + 1
    assert field["y"] + field["height"] <= page.viewport_size["height"]


def test_retry_undo_clear(serve, visit):
    url, engine = serve(scripts={"base": "From the base.", "grpo": "From GRPO."})
    here = visit(url).ready()
    here.tab("Chat")
    page = here.page
    assert page.locator("#retry").is_disabled()
    here.choose("Base")
    here.say("First?")
    here.wait_said(1)
    here.choose("GRPO")
    page.click("#retry")
    page.wait_for_function("document.querySelector('#transcript article').dataset.model === 'grpo'")
    here.wait_said(1)
    here.say("Second?")
    here.wait_said(2)
    page.click("#undo")
    here.wait_said(1)
    assert page.locator("#chat-question textarea").input_value() == "Second?"
    page.click("#clear")
    here.wait_said(0)
    assert "Talk with one model" in page.locator("#transcript").text_content()
    assert page.locator("#chat-question textarea").input_value() == "Second?"
    assert len(engine.requests) == 3


def test_stop_and_go_on(serve, visit):
    url, engine = serve(step_s=0.05)
    here = visit(url).ready()
    here.tab("Chat")
    here.say("What is asthma?")
    here.page.wait_for_function(
        "Number(document.querySelector('#transcript article')?.dataset.tokens) >= 5", timeout=60_000
    )
    here.page.keyboard.press("Escape")
    here.wait_said(1)
    assert here.page.locator("#transcript article").get_attribute("data-state") == "cancelled"
    assert engine.closed == 1
    here.say("Go on?")
    here.wait_said(2)


@pytest.mark.parametrize("size", EVERY)
def test_everything_is_shown_as_text(serve, visit, lite, size):
    url, _ = serve(scripts=dict.fromkeys(lite.ids, HOSTILE))
    here = visit(url, size).ready()
    here.tab("Chat")
    here.say(HOSTILE)
    here.wait_said(1)
    assert here.page.locator("#transcript .ml-text").all_text_contents() == [HOSTILE, HOSTILE]
    assert here.page.locator("#transcript :is(img, script, a, iframe, svg)").count() == 0
    assert here.page.evaluate("window.pwned") is None
    assert here.overflow() <= 0


def test_bad_input_is_said_and_stays(serve, visit):
    url, engine = serve()
    here = visit(url).ready()
    here.tab("Chat")
    here.say("x" * 2001)
    here.page.locator("#chat-error [role=alert]").wait_for()
    assert "at most 2,000 fit" in here.page.locator("#chat-error").text_content()
    assert here.page.locator("#chat-question textarea").input_value() == "x" * 2001
    assert engine.requests == []
    engine.context = 60
    here.say("Short enough?")
    here.page.wait_for_function("document.querySelector('#chat-error').textContent.includes('at most 60')")
    assert here.page.locator("#chat-question textarea").input_value() == "Short enough?"


def test_an_emergency_stands_above_the_answer(serve, visit):
    url, _ = serve()
    here = visit(url).ready()
    here.tab("Chat")
    here.say("I took too many pills")
    here.wait_said(1)
    notice = here.page.locator("#transcript .ml-emergency")
    assert notice.bounding_box()["y"] < here.page.locator("#transcript article").bounding_box()["y"]
