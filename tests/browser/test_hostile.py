"""Markup that people type and models say, in a real browser: nothing of it runs, loads or leads anywhere."""

from __future__ import annotations

import pytest

from tests.security.texts import MARKUP

pytestmark = pytest.mark.browser


def test_no_markup_runs(serve, visit, lite):
    said = {model: "\n".join(MARKUP[place::6]) for place, model in enumerate(lite.ids)}
    url, _ = serve(scripts=said)
    here = visit(url).ready()
    here.set_tokens(400)
    here.ask(" ".join(MARKUP)[:1990])
    here.wait_done()
    answers = here.answers()
    assert {model: " ".join(text.split()) for model, text in answers.items()} == {
        model: " ".join(text.split()) for model, text in said.items()
    }
    here.page.locator("#mark-hard input").check()
    here.page.locator("#mark-differs input").check()
    here.tab("Chat")
    for text in MARKUP[:6]:
        here.say(text)
        here.wait_said(1 + MARKUP.index(text))
    assert here.page.evaluate("window.ran") is None
    assert here.page.locator(".gradio-container :is(iframe, object, embed, base, marquee)").count() == 0
    assert here.page.locator("#answers script, #transcript script").count() == 0


def test_the_browser_refuses_a_script_that_gets_in_all_the_same(serve, visit):
    url, _ = serve()
    here = visit(url).ready()
    refused = here.page.evaluate(
        """() => new Promise((done) => {
             document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
             const slot = document.createElement("div");
             slot.innerHTML = "<img src='data:,' onerror='window.ran = 1'>";
             document.body.append(slot);
             setTimeout(() => done(null), 20000); })"""
    )
    assert refused == "script-src-attr"
    assert here.page.evaluate("window.ran") is None
    here.errors.clear()  # the refusal itself is told on the console
