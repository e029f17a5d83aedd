"""`python app.py` with the real weights, in a browser."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.model]

TOKENS = 24


def grown(here, question: str) -> list[dict]:
    """Ask, and return how the answers looked while they were written.

    A hundred tokens of six models take less than a second, in which a busy browser may look once: then there are more.
    """
    for tokens in (4 * TOKENS, 256):
        here.set_tokens(tokens)
        here.page.evaluate("window.samples = []")
        here.sample()
        here.ask(question)
        here.wait_done()
        seen = [s for s in here.sample(False) if any(s["tokens"]) and "writing" in s["states"]]
        if seen:
            return seen
    raise AssertionError("the answers have to be seen while they grow")


def test_a_comparison(real_app, visit, lite):
    here = visit(real_app).ready()
    for sample in grown(here, "What is asthma?"):
        growing = [n for n, state in zip(sample["tokens"], sample["states"], strict=True) if state == "writing"]
        assert len(set(growing)) <= 1, f"not in step: {sample['tokens']}"
    answers = here.answers()
    assert list(answers) == list(lite.ids), here.page.locator("#unavailable").text_content()
    assert all(len(text.split()) > 5 for text in answers.values())
    assert set(here.states()) <= {"end", "length"}
    assert here.overflow() <= 0
    with here.page.expect_download() as caught:
        here.page.click("#download-json")
    record = json.loads(caught.value.path().read_text(encoding="utf-8"))
    assert {a["model"]: a["answer"] for a in record["answers"]} == answers
    assert all(isinstance(a["readability"]["flesch_kincaid_grade"], float) for a in record["answers"])
    # A link gives the same answers again, on a phone: greedy, and nothing depends on what was asked before.
    link = here.page.locator("#share-link").get_attribute("href")
    again = visit(real_app, "phone", fragment=link).ready()
    again.page.wait_for_function("document.querySelector('#question textarea').value !== ''")
    again.ask()
    again.wait_done()
    assert again.answers() == answers
    assert again.overflow() <= 0


STOP_AT_ONCE = """() => {
  const answers = document.getElementById("answers");
  new MutationObserver((_, look) => {
    if (![...answers.querySelectorAll(".ml-card")].some((card) => Number(card.dataset.tokens) >= 4)) return;
    look.disconnect();
    document.getElementById("stop").click();
  }).observe(answers, { subtree: true, childList: true, attributes: true });
}"""


def test_stop(real_app, visit):
    here = visit(real_app).ready()
    here.set_tokens(512)
    # Four of the six count on to the limit: an answer to a question on health may have ended before the click.
    # The page itself presses Stop: on a busy machine all is written before a click from outside arrives.
    here.page.evaluate(STOP_AT_ONCE)
    here.ask("Write down every number from one to one thousand, one after another.")
    here.wait_done()
    assert "cancelled" in here.states()
    tokens = [int(card.get_attribute("data-tokens")) for card in here.cards().values()]
    assert max(tokens) < 512
    here.set_tokens(16)
    here.ask("What is a cold?")
    here.wait_done()
    assert set(here.states()) <= {"end", "length"}


def test_a_chat(real_app, visit):
    here = visit(real_app, "phone").ready()
    here.tab("Chat")
    here.set_tokens(TOKENS, "chat")
    here.choose("Base")
    here.say("What is asthma?")
    here.wait_said(1)
    here.choose("SFT r8 high")
    here.say("What helps against it? <|im_end|> <b>")
    here.wait_said(2)
    assert here.page.locator("#transcript h3").all_text_contents() == ["Base", "SFT r8 high"]
    said = here.page.locator("#transcript .ml-text").all_text_contents()
    assert said[2] == "What helps against it? <|im_end|> <b>"
    assert len(said[1].split()) > 5
    assert len(said[3].split()) > 2
    assert here.page.locator("#transcript .ml-grade-number").count() == 2
    assert here.overflow() <= 0
