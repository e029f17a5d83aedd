"""What a tab holds outlives a reload, by hand or after a lost connection, and the form follows the address."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from medilite.arena.booth import Booth
from medilite.arena.votes import Votes
from medilite.errors import StoreError
from tests.browser.pages import PATIENCE_MS, Visit
from tests.browser.test_compare import EVERY
from tests.support.banks import write_bank
from tests.support.line import Line
from tests.support.thorough import usually

pytestmark = pytest.mark.browser

CUTS = usually(1, 20)
"""How often a connection is cut in each room, at random moments."""

LOST = "Connection to the server was lost"


@pytest.fixture
def lined(serve, visit) -> Iterator[Callable[..., tuple[Visit, Line]]]:
    """Return a function that serves the page and opens it over a line that can be cut; what breaks then is no error."""
    made: list[tuple[Visit, Line]] = []

    def start(**script: object) -> tuple[Visit, Line]:
        url, _ = serve(**script)
        line = Line("127.0.0.1", urlsplit(url).port or 0)
        here = visit(f"http://127.0.0.1:{line.port}/")
        made.append((here, line))
        return here, line

    yield start
    for here, line in made:
        here.page.close()
        line.__exit__(None, None, None)
        here.errors[:] = [error for error in here.errors if not _of_the_line(error)]


def _of_the_line(error: str) -> bool:
    return any(
        words in error for words in ("ERR_", "Unexpected error", "Failed to fetch", "network error", "BodyStream")
    )


def reloaded(here: Visit, how: Callable[[], object]) -> Visit:
    """Do what reloads the page, and wait until the page after it stands."""
    here.page.evaluate("window.before = true")
    how()
    here.page.wait_for_function(
        "() => !window.before && document.querySelector('#answers .ml-card')", timeout=PATIENCE_MS
    )
    return here


def restored(here: Visit, place: str) -> str:
    note = here.page.locator(f"#{place}-error .ml-note")
    note.wait_for(timeout=PATIENCE_MS)
    return note.text_content() or ""


def test_a_tab_is_as_it_was_after_a_reload(serve, visit, lite, tmp_path):
    booth = Booth(lite, Votes(tmp_path / "v.db"), folder=write_bank(tmp_path / "bank", lite))
    url, engine = serve(booth=booth)
    here = visit(url, "phone").ready()
    page = here.page
    # Compare: a finished comparison of two models with settings of its own, marks, and a new question half typed.
    for spec in lite.models[1:-1]:
        page.locator("#models label", has_text=spec.label).first.click()
    here.set_tokens(32)
    here.ask("What is asthma?")
    here.wait_done()
    page.locator("#mark-hard input").check()
    here.question.fill("And hay f")
    answers, states = here.answers(), here.states()
    # Chat: two turns, and a message half typed.
    here.tab("Chat")
    here.choose("Base")
    here.set_tokens(16, "chat")
    here.say("First?")
    here.wait_said(1)
    here.say("Second?")
    here.wait_said(2)
    page.locator("#chat-question textarea").fill("Third, half ty")
    said = page.locator("#transcript .ml-text").all_text_contents()
    # Lab: a view with a choice of its own, and another's.
    here.tab("Lab")
    page.locator("#lab-question textarea").fill("And gout?")
    page.locator("#lab-view input[value=own]").check()
    page.locator("#lab-own-name textarea, #lab-own-name input").fill("Mine")
    page.locator("#lab-view input[value=strength]").check()
    page.locator("#lab-strength input[type=number]").fill("0.7")
    # Blind vote: a live pair before the vote, something said of it; a ready-made pair behind it.
    here.vote_tab()
    ready = here.pair().get_attribute("data-token")
    page.locator("#vote-mode label", has_text="Live").click()
    page.locator("#vote-question textarea").fill("What helps?")
    page.click("#vote-ask")
    token = here.wait_pair("open", "vote-live-pair")
    page.locator("#vote-live-pair [data-detail=unsafe]").first.click()
    page.locator("#vote-further textarea").fill("And then?")
    page.click("#vote-follow")
    page.wait_for_selector("#vote-live-pair .vt-pair[data-state=open] .ml-earlier-turn", state="attached")
    page.locator("#vote-further textarea").fill("And after that, half ty")
    live = here.vote_texts("vote-live-pair")
    page.wait_for_timeout(400)

    # As if the page had been one of before an update, without the Lab's last field.
    page.add_init_script(
        "const held = JSON.parse(sessionStorage.getItem('medilite-tab'));"
        "if (held?.forms?.lab) { held.forms.lab.pop(); sessionStorage.setItem('medilite-tab', JSON.stringify(held)); }"
    )
    reloaded(here, page.reload)
    assert page.locator("[role=tab][aria-selected=true]").first.text_content() == "Blind vote"
    assert "Restored" in restored(here, "vote")
    assert here.wait_pair("open", "vote-live-pair") == token
    assert here.vote_texts("vote-live-pair") == live
    assert page.locator("#vote-live-pair .ml-earlier-asked").all_text_contents() == ["What helps?"] * 2
    assert page.locator("#vote-further textarea").input_value() == "And after that, half ty"
    assert page.locator("#vote-question textarea").input_value() == "What helps?"
    page.wait_for_selector("#vote-live-pair [data-detail=unsafe][aria-pressed=true]")
    page.locator("#vote-live-pair [data-choice=left]").click()
    here.wait_pair("voted", "vote-live-pair")
    assert here.vote_texts("vote-live-pair") == live, "the vote shows its texts, though the server has forgotten them"
    assert "are not kept with it, even" in page.locator("#vote-error").inner_text()
    page.locator("#vote-mode label", has_text="Ready").click()
    assert here.pair().get_attribute("data-token") == ready

    here.tab("Chat")
    assert "Restored" in restored(here, "chat")
    assert page.locator("#transcript .ml-text").all_text_contents() == said
    assert page.locator("#chat-question textarea").input_value() == "Third, half ty"
    assert page.locator("#chat-model input:checked").get_attribute("value") == "base"
    page.click("#send")
    here.wait_said(3)
    asked = engine.requests[-1][0]
    assert [message.content for message in asked.messages] == [*said, "Third, half ty"]
    assert asked.decoding.max_new_tokens == 16

    here.tab("Lab")
    page.wait_for_selector("#lab-view input[value=strength]:checked")
    assert page.locator("#lab-question textarea").input_value() == "And gout?"
    assert page.locator("#lab-run").inner_text() == "Answer at five strengths"
    assert page.locator("#lab-strength input[type=number]").input_value() == "0.7"
    assert "Results of the Lab are not kept" in restored(here, "lab")
    page.locator("#lab-view input[value=own]").check()
    page.wait_for_function("document.querySelector('#lab-own-name :is(textarea, input)')?.value === 'Mine'")
    page.locator("#lab-view input[value=learned]").check()
    page.wait_for_function("document.querySelector('#lab-saves-of input')?.value.startsWith('GRPO')")

    here.tab("Compare")
    assert "Restored" in restored(here, "compare")
    assert (here.answers(), here.states()) == (answers, states)
    assert here.question.input_value() == "And hay f"
    assert page.locator("html[data-mark-hard] #mark-hard input:checked").count() == 1
    assert page.locator("#answers .ml-grade-number").count() == 2
    assert page.locator("#share-link").get_attribute("href").startswith("#q=What%20is%20asthma%3F&m=base%2Cgrpo&n=32")
    assert here.overflow() <= 0
    here.ask()
    here.wait_done()
    assert [request.model for request in engine.requests[-1]] == ["base", "grpo"]
    assert engine.requests[-1][0].decoding.max_new_tokens == 32
    # Whoever doesn't want all that begins without it.
    reloaded(here, page.reload)
    restored(here, "compare")
    reloaded(here, lambda: page.click("#compare-error [data-forget]"))
    here.ready()
    assert here.question.input_value() == ""
    assert set(here.states()) == {"empty"}
    assert "asthma" not in page.evaluate("JSON.stringify([{...sessionStorage}, history.state])")


def test_a_database_that_fails_during_a_reload_loses_no_pair(serve, visit, lite, tmp_path, monkeypatch):
    """Gradio reloads a page as soon as the app is back after a restart, when its database need not be."""
    booth = Booth(lite, Votes(tmp_path / "v.db"), folder=write_bank(tmp_path / "bank", lite))
    url, _ = serve(booth=booth)
    here = visit(url).ready().vote_tab()
    page = here.page
    ready = here.wait_pair("open")
    page.locator("#vote-mode label", has_text="Live").click()
    page.locator("#vote-question textarea").fill("What helps?")
    page.click("#vote-ask")
    live = here.wait_pair("open", "vote-live-pair")
    page.locator("#vote-live-pair [data-detail=unsafe]").first.click()
    texts = here.vote_texts("vote-live-pair")
    page.wait_for_timeout(400)

    def fails(*_):
        raise StoreError("The votes' database can't be opened.")

    with monkeypatch.context() as broken:
        broken.setattr(booth.store, "find_pair", fails)
        for _ in range(2):
            reloaded(here, page.reload)
            page.wait_for_selector("#vote-live-pair .vt-pair[data-state=unreached]")
            assert here.vote_texts("vote-live-pair") == texts
            assert "can't be opened" in page.locator("#vote-error").inner_text()
            page.wait_for_timeout(400)
    page.locator("#vote-live-pair [data-do=again]").click()
    assert here.wait_pair("open", "vote-live-pair") == live
    page.wait_for_selector("#vote-live-pair [data-detail=unsafe][aria-pressed=true]")
    page.wait_for_timeout(400)
    reloaded(here, page.reload)
    page.wait_for_selector(f"#vote-live-pair .vt-pair[data-state=open][data-token='{live}']")
    assert here.wait_pair("open") == ready
    page.wait_for_selector("#vote-live-pair [data-detail=unsafe][aria-pressed=true]")


SLOW_FRAMES = """() => {
  const frame = requestAnimationFrame;
  let awaited = 0;  // frames that Gradio waits for: it hands over how a promise is kept, which is native code
  window.requestAnimationFrame = (call) => {
    const gradios = /native code/.test(call);
    awaited += gradios;
    return frame(() => setTimeout(() => {
      awaited -= gradios;
      call();
    }, 500));
  };
  window.quick = () => {
    if (!awaited) window.requestAnimationFrame = frame;
    return !awaited;
  };
}"""
"""As on a busy machine: what Gradio does a frame later comes after whatever a quick hand does.

`quick` ends it once the frames that Gradio waits for have come.
"""


@pytest.mark.parametrize("size", EVERY)
def test_what_is_changed_as_soon_as_it_is_shown_stays(serve, visit, size):
    url, engine = serve()
    here = visit(url, size).ready()
    page = here.page
    page.evaluate(SLOW_FRAMES)
    here.set_tokens(32)
    here.tab("Chat")
    here.set_tokens(16, "chat")
    page.locator("#chat-temperature input[type=range]").fill("0.7")
    here.choose("Base")
    page.locator("#chat-question textarea").fill("First?")
    here.tab("Lab")
    page.locator("#lab-question textarea").fill("Half ty")
    page.keyboard.type("ped whole?")
    page.wait_for_timeout(2_000)
    page.wait_for_function("quick()", timeout=PATIENCE_MS)
    assert page.locator("#lab-question textarea").input_value() == "Half typed whole?"
    here.tab("Chat")
    page.click("#send")
    here.wait_said(1)
    (asked,) = engine.requests[-1]
    assert (asked.model, asked.messages[-1].content) == ("base", "First?")
    assert (asked.decoding.max_new_tokens, asked.decoding.temperature) == (16, 0.7)
    here.tab("Compare")
    here.ask("What is asthma?")
    here.wait_done()
    assert {request.decoding.max_new_tokens for request in engine.requests[-1]} == {32}


def test_a_field_in_a_fold_that_is_opened_at_once_keeps_what_is_typed(serve, visit):
    """Gradio folds it again for a moment; keys that are pressed within that moment must not go nowhere."""
    url, _ = serve()
    here = visit(url, "phone").ready()
    page = here.page
    page.evaluate(SLOW_FRAMES)
    here.tab("Chat")
    fold = page.locator(".ml-fold .label-wrap:visible", has_text="Settings")
    fold.click()
    fold.evaluate("""fold => {
      window.folded = 0;
      new MutationObserver(() => { folded += !fold.classList.contains("open"); }).observe(fold, {attributes: true});
    }""")
    field = page.locator("#chat-max-new-tokens input[type=number]")
    field.focus()
    page.evaluate("window.left = 0; document.activeElement.addEventListener('blur', () => { left += 1; })")
    page.wait_for_function("window.folded", timeout=PATIENCE_MS)
    page.wait_for_timeout(1_000)
    assert page.evaluate("left") == 0
    assert field.evaluate("field => field === document.activeElement")


@pytest.mark.parametrize("room", ["compare", "chat", "live"])
@pytest.mark.parametrize("seed", range(CUTS))
def test_a_connection_cut_at_a_random_moment_loses_nothing_that_was_written(lined, room, seed):
    after_s = random.Random(f"{room} {seed}").uniform(0.0, 3.0)
    here, line = lined(step_s=0.04)
    page = here.ready().page
    if room == "compare":
        here.set_tokens(96)
        here.ask("What is asthma?")
        typed, texts, error = "#question textarea", "#answers .ml-text", "compare"
    elif room == "chat":
        here.tab("Chat")
        here.set_tokens(96, "chat")
        here.say("What is asthma?")
        typed, texts, error = "#chat-question textarea", "#transcript .ml-text", "chat"
    else:
        here.vote_tab()
        page.locator("#vote-mode label", has_text="Live").click()
        page.locator("#vote-question textarea").fill("What is asthma?")
        page.click("#vote-ask")
        typed, texts, error = "#vote-question textarea", "#vote-live-pair .ml-text", "vote"
    field = page.locator(typed)
    page.wait_for_function(
        "texts => [...document.querySelectorAll(texts)].some(one => one.textContent)", arg=texts, timeout=PATIENCE_MS
    )
    page.wait_for_timeout(1000 * after_s)
    line.cut()
    page.wait_for_timeout(300)
    field.fill("And typed meanwhile?")
    # Where all had come already, nobody has noticed yet: asking does.
    if not page.get_by_text(LOST).first.is_visible():
        field.press("Enter")
        page.get_by_text(LOST).first.wait_for(timeout=PATIENCE_MS)
    written = page.locator(texts).all_text_contents()
    assert any(written), "it is cut once something has been written"
    reloaded(here, line.mend)
    assert "Restored after a reload." in restored(here, error)
    page.wait_for_function(
        "([texts, n]) => document.querySelectorAll(texts).length === n", arg=[texts, len(written)], timeout=PATIENCE_MS
    )
    assert page.locator(texts).all_text_contents() == written
    page.wait_for_function(
        "([field, text]) => document.querySelector(field).value === text", arg=[typed, "And typed meanwhile?"]
    )


def test_a_connection_cut_during_a_live_follow_up_leaves_a_pair_to_vote_on(lined):
    here, line = lined(step_s=0.04)
    page = here.ready().page
    here.vote_tab()
    page.locator("#vote-mode label", has_text="Live").click()
    page.locator("#vote-question textarea").fill("What is asthma?")
    page.click("#vote-ask")
    here.wait_pair("open", "vote-live-pair")
    answered = here.vote_texts("vote-live-pair")
    page.locator("#vote-further textarea").fill("And then?")
    page.click("#vote-follow")
    texts = "#vote-live-pair .vt-pair[data-state=writing] .ml-text"
    page.wait_for_function(
        "([texts, n]) => [...document.querySelectorAll(texts)].filter(one => one.textContent).length > n",
        arg=[texts, len(answered)],
        timeout=PATIENCE_MS,
    )
    line.cut()
    page.get_by_text(LOST).first.wait_for(timeout=PATIENCE_MS)
    page.locator("#vote-further textarea").fill("And then, typed again?")
    reloaded(here, line.mend)
    assert "Restored after a reload." in restored(here, "vote")
    here.wait_pair("open", "vote-live-pair")
    assert here.vote_texts("vote-live-pair") == answered
    assert "left out" in here.pair("vote-live-pair").text_content()
    assert page.locator("#vote-further textarea").input_value() == "And then, typed again?"
    page.locator("#vote-live-pair [data-choice=left]").click()
    here.wait_pair("voted", "vote-live-pair")
    assert [text for text in here.vote_texts("vote-live-pair") if text] == answered


def test_the_form_follows_the_address(serve, visit):
    url, _ = serve()
    one, two = "#q=What%20is%20asthma%3F&m=base&n=32&s=5", "#q=What%20is%20gout%3F&m=base,grpo&n=64&s=6"
    here = visit(url, fragment=one).ready()
    page = here.page

    def form() -> tuple[str, list[str]]:
        chosen = page.eval_on_selector_all("#models input", "boxes => boxes.filter(b => b.checked).map(b => b.name)")
        return here.question.input_value(), chosen

    def wait(question: str, models: list[str]) -> None:
        page.wait_for_function("q => document.querySelector('#question textarea').value === q", arg=question)
        page.wait_for_timeout(400)
        assert form() == (question, models)

    wait("What is asthma?", ["base"])
    page.evaluate("hash => { location.hash = hash }", two)
    wait("What is gout?", ["base", "grpo"])
    assert "Opened from a link" in page.locator("#compare-error").text_content()
    page.go_back()
    wait("What is asthma?", ["base"])
    page.go_forward()
    wait("What is gout?", ["base", "grpo"])
    # Once the form says something else, the address names no question, and Back leads to what the link said.
    here.question.fill("What is gout, in short?")
    page.wait_for_function("location.hash === ''")
    reloaded(here, page.reload)
    wait("What is gout, in short?", ["base", "grpo"])
    page.go_back()
    wait("What is gout?", ["base", "grpo"])
    page.go_forward()
    wait("What is gout, in short?", ["base", "grpo"])
    page.evaluate("hash => { location.hash = hash }", two)
    wait("What is gout?", ["base", "grpo"])
    # A link with settings sets them though their fold was never opened, and a reload keeps them.
    reloaded(here, page.reload)
    wait("What is gout?", ["base", "grpo"])
    page.locator(".ml-fold .label-wrap:visible", has_text="Settings").click()
    assert page.locator("#compare-max-new-tokens input[type=number]").input_value() == "64"
    assert page.locator("#compare-seed input").input_value() == "6"


def test_a_server_that_has_forgotten_a_page_goes_on_with_it(serve, visit):
    """As after a night: the page is open, and the server has let its session go."""
    url, engine = serve()
    here = visit(url).ready()
    here.tab("Chat")
    here.choose("Base")
    here.say("First?")
    here.wait_said(1)
    said = here.page.locator("#transcript .ml-text").all_text_contents()
    forget(serve)
    here.say("Second?")
    here.wait_said(2)
    assert [message.content for message in engine.requests[-1][0].messages] == [*said, "Second?"]
    forget(serve)
    here.page.click("#undo")
    here.wait_said(1)
    assert here.page.locator("#transcript .ml-text").all_text_contents() == said

    here.tab("Compare")
    here.ask("What is gout?")
    here.wait_done()
    first = here.answers()
    forget(serve)
    here.question.fill("Who gets it?")
    here.page.click("#follow-up")
    here.page.get_by_text("A follow-up to “What is gout?”").wait_for(timeout=PATIENCE_MS)
    here.wait_done()
    asked = {request.model: [message.content for message in request.messages] for request in engine.requests[-1]}
    assert asked == {model: ["What is gout?", text, "Who gets it?"] for model, text in first.items()}
    reloaded(here, here.page.reload)
    restored(here, "compare")
    assert set(here.page.locator("#answers .ml-earlier-said").all_text_contents()) == set(first.values())


def forget(serve) -> None:
    for page in serve.served:
        page.app.state_holder.session_data.clear()
