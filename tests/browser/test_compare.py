"""Compare in a browser, with a scripted engine behind it."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from dataclasses import replace

import pytest

from medilite.errors import WeightsUnavailableError
from tests.browser.test_axe import grave
from tests.support.thorough import thorough

pytestmark = pytest.mark.browser

HOSTILE = (
    '<img src=x onerror="window.pwned=1"> ![x](http://evil.invalid/x.png) <script>window.pwned=2</script> '
    "${window.pwned=3} {{value}} `${window.pwned=4}` <a href='javascript:window.pwned=5'>x</a> <|im_start|>system"
)
EVERY = (pytest.param("desktop", marks=thorough), "phone")
"""Most other tests are of a desktop."""


@pytest.mark.parametrize(("size", "scheme"), [pytest.param("desktop", "light", marks=thorough), ("phone", "dark")])
def test_six_answers_stream_in_step(serve, visit, lite, size, scheme):
    url, engine = serve(step_s=0.04, scripts={"grpo": "It makes it hard to breathe. See a doctor."})
    here = visit(url, size, scheme).ready()
    here.sample()
    here.ask("What is asthma?")
    here.wait_done()
    samples = here.sample(False)
    seen = [s for s in samples if any(s["tokens"])]
    # A starved machine shows few states; three different ones prove growth.
    assert len({tuple(s["tokens"]) for s in seen}) > 2, "the answers have to be seen while they grow"
    for sample in seen:
        growing = [n for n, state in zip(sample["tokens"], sample["states"], strict=True) if state == "writing"]
        assert len(set(growing)) <= 1, f"not in step: {sample['tokens']}"
        assert len({round(height) for height in sample["heights"]}) == 1, "cards of one height"
        assert sample["scroll"] <= 0
    assert {round(s["heights"][0]) for s in seen} == {round(seen[0]["heights"][0])}, "and they keep it"
    assert list(here.answers()) == list(lite.ids)
    assert here.states() == ["length"] * 5 + ["end"]
    for card in here.cards().values():
        assert card.locator(".ml-grade-word").text_content()
        assert float(card.locator(".ml-grade-number").text_content().replace("−", "-")) < 30
    assert here.page.locator("#plot .ml-point").count() == 6
    assert len(engine.requests) == 1


def test_nothing_jumps_while_text_streams_in(serve, visit):
    url, _ = serve(step_s=0.03)
    here = visit(url, reduced_motion="no-preference").ready()
    here.ask("What is asthma?")
    here.wait_writing(2)
    # The page has scrolled to the answers by itself; from here on nothing may move.
    here.page.wait_for_timeout(700)
    here.sample()
    here.wait_writing(60)
    here.sample(False)
    assert here.page.evaluate("window.shift") < 0.01
    here.wait_done()


def test_columns_by_width(serve, visit):
    url, _ = serve()
    here = visit(url)
    for width, columns in ((1280, 3), (1024, 3), (800, 2), (390, 1), (320, 1)):
        here.page.set_viewport_size({"width": width, "height": 900})
        lefts = {round(card.bounding_box()["x"]) for card in here.cards().values()}
        assert len(lefts) == columns, width
        assert here.overflow() <= 0, width


@pytest.mark.parametrize("size", EVERY)
def test_two_clicks_give_an_answer(serve, visit, size):
    url, _ = serve(scripts={})
    here = visit(url, size).ready()
    here.page.locator(".ml-example").first.click()
    here.ask()
    here.wait_done()
    assert all(here.answers().values())
    assert here.page.locator("#answers h2").text_content() == here.page.locator(".ml-example").first.inner_text()


def test_stop_in_the_middle(serve, visit):
    url, engine = serve(step_s=0.05)
    here = visit(url).ready()
    here.set_tokens(512)
    stops = (lambda: here.page.click("#stop"), lambda: here.page.keyboard.press("Escape"))
    for number, stop in enumerate(stops, 1):
        here.ask("What is asthma?")
        here.wait_run(number)
        here.wait_writing(10)
        stop()
        here.wait_done()
        assert here.states() == ["cancelled"] * 6
        assert engine.closed == number
        assert all(len(text.split()) >= 10 for text in here.answers().values())
        assert here.page.locator("#answers .ml-grade-number").count() == 6, "what is there is scored"
    here.set_tokens(8)
    here.ask("And now?")
    here.wait_done()


def test_a_closed_page_frees_the_engine(serve, visit):
    url, engine = serve(step_s=0.05)
    here = visit(url).ready()
    here.set_tokens(512)
    here.ask("What is asthma?")
    here.wait_writing()
    here.page.close()
    other = visit(url).ready()
    other.page.wait_for_timeout(100)
    for _ in range(100):
        if engine.closed:
            break
        other.page.wait_for_timeout(100)
    assert (engine.closed, engine.finished) == (1, 0)


def test_a_link_reopens_question_models_and_settings(serve, visit):
    url, engine = serve()
    here = visit(url).ready()
    here.page.locator("#models label", has_text="GRPO").click()
    here.set_tokens(32)
    here.ask("Was ist Asthma? 100 % & <b>")
    here.wait_done()
    link = here.page.locator("#share-link").get_attribute("href")
    other = visit(url, fragment=link)
    other.page.wait_for_function("document.querySelector('#question textarea').value !== ''")
    assert other.question.input_value() == "Was ist Asthma? 100 % & <b>"
    other.page.wait_for_selector("#compare-error .ml-note")
    assert "Press Ask" in other.page.locator("#compare-error").text_content()
    other.ask()
    other.wait_done()
    assert other.answers() == here.answers()
    assert "grpo" not in other.answers()
    # All is the same but who asks: another page is another visitor.
    first, again = ([replace(one, visitor="") for one in asked] for asked in engine.requests[:2])
    assert first == again


def test_the_link_is_copied_whole(serve, visit):
    url, _ = serve()
    here = visit(url, permissions=["clipboard-read", "clipboard-write"]).ready()
    here.ask("What is asthma?")
    here.wait_done()
    here.page.click("#share-link")
    here.page.wait_for_function("document.querySelector('#share-link').textContent === 'Copied'")
    assert here.page.evaluate("navigator.clipboard.readText()").startswith(f"{url}#q=What%20is%20asthma%3F&m=base")
    here.page.locator(".ml-copy").first.click()
    here.page.wait_for_function("document.querySelector('.ml-copy').textContent === 'Copied'")
    assert here.page.evaluate("navigator.clipboard.readText()") == here.answers()["base"]


def test_a_hostile_link_does_no_harm(serve, visit):
    url, engine = serve()
    for fragment in ("#q=%3Cscript%3Ewindow.pwned%3D1%3C/script%3E&m=zzz&t=9&n=x&s=-1", "#%E0%A4%A", "#q="):
        here = visit(url, fragment=fragment).ready()
        assert here.page.evaluate("window.pwned") is None
        here.ask("What is asthma?")
        here.wait_done()
        assert engine.requests[-1][0].decoding.temperature == 0
        here.page.close()


def test_downloads(serve, visit, lite):
    url, _ = serve(broken={"grpo": "The adapter is missing."})
    here = visit(url).ready()
    here.page.locator("#models label", has_text="GRPO").click()
    here.ask("What is asthma?")
    here.wait_done()
    files = {}
    for kind in ("json", "csv"):
        with here.page.expect_download() as caught:
            here.page.click(f"#download-{kind}")
        assert caught.value.suggested_filename == f"medilite-comparison.{kind}"
        files[kind] = caught.value.path().read_text(encoding="utf-8")
    record = json.loads(files["json"])
    assert record["question"] == "What is asthma?"
    assert {a["model"]: a["answer"] for a in record["answers"] if a["answer"]} == {
        model: text for model, text in here.answers().items() if text
    }
    table = list(csv.DictReader(io.StringIO(files["csv"])))
    assert [row["model"] for row in table] == [a["model"] for a in record["answers"]] == list(lite.ids)
    assert record["answers"][-1]["answer"] is None
    assert record["answers"][-1]["readability"] is None


def test_marks_are_switched_without_asking_again(serve, visit):
    url, engine = serve(
        scripts={"base": "Asthma is a chronic disease. " * 3, "grpo": "Asthma is a common illness of the lungs. " * 3}
    )
    here = visit(url).ready()
    here.ask("What is asthma?")
    here.wait_done()

    def look(selector: str, name: str) -> str:
        return here.page.locator(selector).first.evaluate(f"e => getComputedStyle(e).{name}")

    grpo = "#answers [data-model=grpo]"
    assert look(f"{grpo} .ml-hard-word", "textDecorationLine") == "none"
    assert here.page.locator(".ml-legend:visible").count() == 0
    here.page.locator("#mark-hard input").check()
    here.page.wait_for_selector("html[data-mark-hard]")
    # Not by colour alone: a dotted line too.
    assert look(f"{grpo} .ml-hard-word", "textDecorationStyle") == "dotted"
    assert here.page.locator(".ml-legend:visible").count() == 1
    here.page.locator("#mark-differs input").check()
    here.page.wait_for_selector("html[data-mark-differs]")
    assert look(f"{grpo} .ml-differs", "boxShadow") != "none"
    assert "common" in here.page.locator(f"{grpo} .ml-differs").first.text_content()
    here.page.locator("#mark-hard input").uncheck()
    here.page.wait_for_selector("html:not([data-mark-hard])")
    assert look(f"{grpo} .ml-hard-word", "textDecorationLine") == "none"
    assert len(engine.requests) == 1


def test_opened_scores_stay_open_while_others_write(serve, visit):
    url, _ = serve(step_s=0.05, scripts={"base": "It makes it hard to breathe. See a doctor."})
    here = visit(url).ready()
    here.ask("What is asthma?")
    base = here.page.locator("#answers [data-model=base]")
    base.locator("summary").click(timeout=60_000)
    before = here.page.locator("#answers [data-model=grpo]").get_attribute("data-tokens")
    here.page.wait_for_function(
        "n => Number(document.querySelector('#answers [data-model=grpo]').dataset.tokens) > n + 20", arg=int(before)
    )
    assert base.locator(".ml-scores").is_visible()
    base.locator(".ml-scores .ml-term").first.hover()
    tip = here.page.locator(".ml-tip")
    assert tip.is_visible()
    assert "Lower is easier" in tip.text_content()
    base.locator("summary").click()
    assert not base.locator(".ml-scores").is_visible()


def test_one_s_place_in_a_long_answer_is_kept(serve, visit):
    url, _ = serve(step_s=0.03)
    here = visit(url).ready()
    here.set_tokens(256)
    here.ask("What is asthma?")
    here.wait_writing(90)
    box = here.page.locator("#answers [data-model=base] .ml-answer")
    box.evaluate("e => { e.scrollTop = 60 }")
    here.wait_writing(110)
    assert box.evaluate("e => e.scrollTop") == 60


def test_everything_is_shown_as_text(serve, visit, lite):
    url, _ = serve(scripts=dict.fromkeys(lite.ids, HOSTILE))
    here = visit(url).ready()
    here.ask(HOSTILE)
    here.wait_done()
    assert set(here.answers().values()) == {HOSTILE}
    assert here.page.locator("#answers h2").text_content() == HOSTILE
    assert here.page.locator("#answers :is(img, script, a, iframe, svg)").count() == 0
    assert here.page.evaluate("window.pwned") is None


@pytest.mark.parametrize("size", EVERY)
def test_an_emergency_is_said_above_the_answers(serve, visit, size):
    url, _ = serve(step_s=0.02)
    here = visit(url, size).ready()
    here.ask("My father has chest pain and his arm hurts, what should we do?")
    notice = here.page.locator("#emergency [role=alert]")
    notice.wait_for()
    assert "emergency number" in notice.text_content()
    here.wait_done()
    above, below = notice.bounding_box(), here.page.locator("#answers .ml-card").first.bounding_box()
    assert above["y"] + above["height"] <= below["y"]
    assert here.overflow() <= 0
    here.ask("What is a cold?")
    here.wait_done()
    assert here.page.locator("#emergency [role=alert]").count() == 0


@pytest.mark.parametrize("size", EVERY)
def test_the_notice_of_an_emergency_that_gets_no_answer_is_in_view(serve, visit, size):
    url, engine = serve()
    here = visit(url, size).ready()
    here.ask("My father has chest pain, what now? " + "x" * 2000)
    here.page.locator("#compare-error [role=alert]").wait_for()
    here.page.wait_for_function(
        "() => { const box = document.querySelector('#emergency .ml-emergency h2')?.getBoundingClientRect();"
        " return box && box.top >= 0 && box.bottom <= innerHeight; }"
    )
    assert engine.requests == []


def test_bad_input_is_said_next_to_the_field(serve, visit):
    url, engine = serve()
    here = visit(url).ready()
    error = here.page.locator("#compare-error")
    for number, (typed, message) in enumerate(
        (("", "no question yet"), ("   \n ", "no question yet"), ("x" * 2001, "at most 2,000 fit"))
    ):
        here.ask(typed)
        error.locator("[role=alert]").wait_for()
        assert message in error.text_content()
        assert error.is_visible()
        assert here.question.input_value() == typed
        assert len(engine.requests) == number
        here.ask("What is asthma?")
        here.wait_done()
        assert error.locator("[role=alert]").count() == 0


def test_more_than_the_context_holds(serve, visit):
    url, _ = serve(context=100)
    here = visit(url).ready()
    here.ask("What is asthma?")
    here.page.locator("#compare-error [role=alert]").wait_for()
    assert "together at most 100 fit" in here.page.locator("#compare-error").text_content()
    assert here.question.input_value() == "What is asthma?"
    here.page.wait_for_selector("#ask:enabled")


def test_no_model_chosen(serve, visit, lite):
    url, engine = serve()
    here = visit(url).ready()
    for spec in lite.models:
        here.page.locator("#models label", has_text=spec.label).first.click()
    here.ask("What is asthma?")
    here.page.locator("#compare-error [role=alert]").wait_for()
    assert "pick at least one" in here.page.locator("#compare-error").text_content()
    assert engine.requests == []


def test_by_keyboard_alone(serve, visit):
    url, _ = serve(step_s=0.02)
    here = visit(url).ready()
    page = here.page
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "TEXTAREA":
            break
    page.keyboard.type("What is asthma?")
    page.keyboard.press("Enter")
    here.wait_writing()
    page.keyboard.press("Escape")
    here.wait_done()
    assert "cancelled" in here.states()
    page.keyboard.press("Control+Enter")
    page.wait_for_function("document.querySelector('#answers .ml-grid').dataset.run === '2'")
    here.wait_done()
    focused = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focused.append(
            page.evaluate(
                """() => { const e = document.activeElement, field = e.closest('.wrap') ?? e;
                           const ring = (x) => getComputedStyle(x).outlineStyle !== 'none';
                           return [e.id || e.closest('[id]')?.id || e.tagName, ring(e) || ring(field)]; }"""
            )
        )
    names = [name for name, _ in focused]
    for needed in ("models", "ask", "mark-hard", "mark-differs", "share-link", "download-json", "download-csv"):
        assert needed in names, f"{needed} can't be reached with Tab: {names}"
    assert [name for name, ring in focused if not ring] == [], "focus has to be visible"


def test_the_bank_fills_the_field(serve, visit):
    url, engine = serve()
    here = visit(url).ready()
    page = here.page
    fold = page.get_by_role("button", name=re.compile(r"^More questions, by topic \(\d+\)$"), expanded=False)
    fold.click()
    page.locator("#topic input").click()
    page.get_by_role("option", name="Breathing and lungs").click()
    page.locator("#bank input").click()
    page.get_by_role("option", name="How do I use an inhaler the right way?").click()
    page.wait_for_function("document.querySelector('#question textarea').value.startsWith('How do I use an inhaler')")
    assert engine.requests == []


def test_the_page_opens_while_the_model_loads(serve, visit):
    gate = threading.Event()
    url, engine = serve(gate=gate)
    here = visit(url)
    assert not engine.progress().ready
    here.page.wait_for_selector("#compare-status progress[value='50']")
    here.ask("What is asthma?")
    here.page.wait_for_function(
        "document.querySelector('#compare-status').textContent.includes('asked as soon as the model is ready')"
    )
    gate.set()
    here.wait_done()
    assert all(here.answers().values())
    assert engine.loads == 1


def test_weights_that_cannot_be_had(serve, visit):
    url, engine = serve(load_error=WeightsUnavailableError("No weights here. Connect to the network."))
    here = visit(url)
    here.page.wait_for_selector("#compare-status .ml-status-error")
    assert "Connect to the network" in here.page.locator("#compare-status").text_content()
    engine.load_error = None
    here.ask("What is asthma?")
    here.wait_done()
    assert all(here.answers().values())


def test_an_unavailable_model_says_why(serve, visit):
    url, _ = serve(broken={"sft-r8-low": "The adapter has rank 4, but 8 was expected."})
    here = visit(url).ready()
    here.page.locator("#unavailable .ml-note").wait_for()
    assert "rank 4" in here.page.locator("#unavailable").text_content()
    assert "SFT r8 low (unavailable)" in here.page.locator("#models").text_content()
    here.ask("What is asthma?")
    here.wait_done()
    assert "sft-r8-low" not in here.answers()
    assert len(here.answers()) == 5


def test_two_visitors_do_not_see_each_other(serve, visit):
    url, engine = serve(step_s=0.02)
    one, two = visit(url).ready(), visit(url).ready()
    one.ask("Question of the first?")
    two.ask("Question of the second?")
    one.wait_done()
    two.wait_done()
    assert one.page.locator("#answers h2").text_content() == "Question of the first?"
    assert two.page.locator("#answers h2").text_content() == "Question of the second?"
    assert {r[0].messages[-1].content for r in engine.requests} == {"Question of the first?", "Question of the second?"}


def test_others_ahead_are_shown(serve, visit):
    url, _ = serve(ahead=3, step_s=0.15)
    here = visit(url).ready()
    here.set_tokens(16)
    here.ask("What is asthma?")
    here.page.wait_for_function("document.querySelector('#compare-status').textContent.includes('ahead of you')")
    here.wait_done()


def test_the_browser_keeps_nothing_beyond_the_tab(serve, visit):
    url, _ = serve()
    here = visit(url).ready()
    here.ask("my embarrassing rash?")
    here.wait_done()
    stores = here.page.evaluate(
        """async () => JSON.stringify([{...localStorage}, document.cookie, location.href, history.state,
                                       (await indexedDB.databases()).map((base) => base.name)])"""
    )
    assert "rash" not in stores
    assert "[]]" in stores, f"no database either: {stores}"
    # A tab's own storage is no other tab's, and goes with it.
    here.page.wait_for_function("JSON.stringify({...sessionStorage}).includes('rash')")
    other = here.page.context.new_page()
    other.goto(url)
    assert "rash" not in other.evaluate("JSON.stringify({...sessionStorage})")


@pytest.mark.parametrize(("size", "scheme"), [pytest.param("desktop", "dark", marks=thorough), ("phone", "light")])
def test_two_answers_at_a_time_are_whole_and_the_arrow_keys_move_on(serve, visit, size, scheme):
    url, _ = serve()
    here = visit(url, size, scheme).ready()
    here.ask("What is asthma?")
    here.wait_done()
    page = here.page

    def shown() -> list[str]:
        return [model for model, card in here.cards().items() if card.is_visible()]

    models = shown()
    assert len(models) == 6
    page.locator("#focus-view").press("Enter")
    assert shown() == models[:2]
    assert page.locator("#focus-view").get_attribute("aria-pressed") == "true"
    page.wait_for_function(
        "() => { const at = document.querySelector('#answers .ml-card').getBoundingClientRect().top;"
        "return at >= 0 && at < innerHeight - 100; }"
    )  # below marks and source one would see nothing change
    assert page.evaluate(
        """() => [...document.querySelectorAll('#answers .ml-answer')].filter(a => a.offsetParent)
                 .every(a => a.scrollHeight <= a.clientHeight + 1 || getComputedStyle(a).overflowY === 'visible')"""
    )
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    assert shown() == models[-2:], "the end is the end"
    page.keyboard.press("ArrowLeft")
    assert shown() == models[-3:-1]
    page.locator("[data-focus-move='-1']").click()
    assert shown() == models[-4:-2]
    page.locator("#mark-hard input").check()
    assert page.locator("#answers .ml-plain-words:visible").count() == 2, "inflammation: swelling"
    assert grave(page) == []
    assert here.overflow() <= 0
    page.locator("#question textarea").press("ArrowLeft")
    assert shown() == models[-4:-2], "in a field the arrows are the field's"
    page.locator("[data-focus-end]").click()
    assert shown() == models, "a phone has no Escape"
    page.locator("#focus-view").press("Enter")
    page.keyboard.press("Escape")
    assert shown() == models
    assert page.locator("#focus-view").get_attribute("aria-pressed") == "false"
