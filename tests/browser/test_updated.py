"""A page that stays open while the app behind it sleeps, restarts or is updated."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import gradio as gr
import pytest
from gradio.context import Context

from medilite.ui.page import app
from medilite.ui.page.theme import STYLE_DIR
from tests.browser.pages import PATIENCE_MS
from tests.support.line import Line

pytestmark = pytest.mark.browser

TAB = """([hidden, answers]) => {
  window.asked = [];
  window.told = [];
  window.hide = (on) => {
    hidden = on;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  const state = () => (hidden ? "hidden" : "visible");
  Object.defineProperty(document, "visibilityState", { get: state, configurable: true });
  window.medilite = { announce: (text) => told.push(text) };
  window.fetch = async (what, options) => {
    const [status, type, body] = answers.length > 1 ? answers.shift() : answers[0];
    const build = new Headers(options?.headers).get("x-medilite-build");
    if (!what.endsWith("healthz")) asked.push([Date.now(), build]);
    if (!status) throw new TypeError("Failed to fetch");
    return new Response(body, { status, headers: { "content-type": type } });
  };
}"""
"""One tab without Gradio: what the server answers is given, and what is asked is noted."""

DOCUMENT = '<meta name="medilite-build" content="today"><p class="ml-updated"><span>Updated.</span></p>'
JSON, HTML = "application/json", "text/html"


@pytest.fixture(scope="module")
def tab(browser):
    """Return a function that gives a page with the script, its clock stopped, and these answers of a server."""
    page = browser.new_page()
    page.clock.install()

    def start(*answers: tuple[int, str, str], hidden: bool = False):
        page.goto("about:blank")
        page.set_content(DOCUMENT)
        page.evaluate(TAB, [hidden, answers])
        page.evaluate((STYLE_DIR / "updated.js").read_text(encoding="utf-8"))
        return page

    yield start
    page.close()


def send(page, seconds: int, address: str = "/gradio_api/queue/join?") -> list:
    """Send an event, let time pass, and return the status that Gradio got (None: none yet) and what was asked."""
    page.evaluate("a => { window.got = null; fetch(a, {method: 'POST'}).then((r) => { got = r.status; }); }", address)
    page.clock.run_for(seconds * 1000)
    return page.evaluate("[got, asked.length, asked.every(([, build]) => build === 'today')]")


@pytest.mark.parametrize("address", ["/gradio_api/queue/join?", "/gradio_api/run/predict", "/m/gradio_api/queue/join"])
def test_an_event_says_which_build_its_page_is_of(tab, address):
    page = tab((200, JSON, "{}"))
    assert send(page, 1, address) == [200, 1, True]
    assert page.evaluate("document.documentElement.attributes.length") == 0


@pytest.mark.parametrize("answer", [(200, JSON), (422, JSON), (429, JSON), (503, JSON), (500, HTML), (404, HTML)])
def test_what_the_app_or_a_broken_proxy_answers_is_not_sent_again(tab, answer):
    page = tab((*answer, ""))
    assert send(page, 60)[:2] == [answer[0], 1]


@pytest.mark.parametrize("kind", [HTML, "text/plain", "text/html; charset=utf-8"])
def test_an_event_waits_for_an_app_that_wakes_up(tab, kind):
    page = tab(*[(503, kind, "<h1>503</h1>")] * 2, (0, "", ""), (503, kind, ""), (200, JSON, "{}"))
    assert send(page, 0)[0] is None
    assert page.evaluate("document.documentElement.hasAttribute('data-waking')")
    page.clock.run_for(60_000)
    assert page.evaluate("[got, asked.length]") == [200, 5]
    assert not page.evaluate("document.documentElement.hasAttribute('data-waking')")
    # One that never wakes is answered in the end.
    page = tab((503, kind, "<h1>503</h1>"))
    assert send(page, 200)[0] == 503


@pytest.mark.parametrize("how", ["event", "late part", "back after an hour", "from the browser's cache"])
def test_a_page_notices_that_its_build_is_not_the_servers(tab, how):
    page = tab((409, JSON, '{"build": "tomorrow"}'))
    does = {
        "late part": "window.dispatchEvent(new Event('vite:preloadError'))",
        "from the browser's cache": "window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))",
    }
    if how == "event":
        send(page, 1)
    elif how == "back after an hour":
        page.evaluate("hide(true)")
        page.clock.fast_forward(3_600_000)
        page.evaluate("hide(false)")
    else:
        page.evaluate(does[how])
    page.wait_for_function("document.documentElement.hasAttribute('data-updated')")
    assert page.evaluate("told") == ["Updated."]


@pytest.mark.parametrize("answer", ['{"build": "today"}', '{"alive": true}', "<h1>503</h1>"])
def test_a_page_of_todays_build_says_nothing(tab, answer):
    page = tab((200, JSON, answer))
    page.evaluate("window.dispatchEvent(new Event('vite:preloadError'))")
    page.clock.run_for(1_000)
    assert page.evaluate("[told.length, document.documentElement.attributes.length]") == [0, 0]


def test_a_page_that_is_closed_says_which_session_is_over(tab):
    page = tab((200, JSON, "{}"))
    page.evaluate("window.sent = []; navigator.sendBeacon = (...all) => sent.push(...all); 0")
    leave = "window.dispatchEvent(new PageTransitionEvent('pagehide')); sent"
    assert page.evaluate(leave) == [], "it has none yet"
    page.evaluate("window.gradio_config = {root: 'https://here/medilite/'}")
    # What somebody typed may look like a session; in JSON its quotes are escaped.
    said = {"data": ['"session_hash":"typed"'], "session_hash": "abc-1_2"}
    page.evaluate(
        "said => fetch('/gradio_api/run/predict', {method: 'POST', body: JSON.stringify(said)}).then(() => 0)", said
    )
    assert page.evaluate(leave) == ["https://here/medilite/left/abc-1_2"]


def test_tabs_come_back_one_after_another_and_those_that_are_looked_at_first(tab):
    """Gradio asks every two seconds whether the connection is back; the first answer that is JSON reloads the page."""
    poll = """() => {
      const ask = () => fetch("/gradio_api/app_id").then((answer) => answer.ok && clearInterval(every), () => 0);
      const every = setInterval(ask, 2000);
    }"""
    first = []
    for _ in range(10):
        page = tab((503, HTML, ""))
        began = page.evaluate("Date.now()")
        page.evaluate(poll)
        page.clock.run_for(60_000)
        asked = [at - began for at, _ in page.evaluate("asked")]
        assert 4 <= len(asked) <= 25, "an app that doesn't come back is asked more and more seldom"
        first.append(asked[-1])
    assert len({round(at, -2) for at in first}) > 5, first
    page = tab((200, JSON, '{"app_id": 1}'), hidden=True)
    page.evaluate(poll)
    page.clock.run_for(60_000)
    assert page.evaluate("asked") == []
    page.evaluate("hide(false)")
    page.clock.run_for(5_000)
    assert len(page.evaluate("asked")) == 1, "what has waited for a night is asked once"


# -- the whole page ---------------------------------------------------------------------------


class _Asleep(BaseHTTPRequestHandler):
    """A Space's proxy while the app behind it wakes up."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = b"<h1>503 Service Unavailable</h1>"
        self.send_response(503)
        self.send_header("content-type", "text/html")
        self.send_header("connection", "close")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def asleep() -> Iterator[int]:
    """Serve 503 for everything; gives the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Asleep)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_page_left_open_over_a_sleep_and_an_update_loses_nothing(serve, visit, monkeypatch):
    def start() -> tuple[str, object]:
        monkeypatch.setattr(Context, "id", 0)  # as in a process of its own
        return serve()

    url, _ = start()
    line = Line("127.0.0.1", urlsplit(url).port or 0)
    here = visit(f"http://127.0.0.1:{line.port}/").ready()
    page = here.page

    def restart(*, wakes: bool) -> object:
        """End the app and start it again under the open page; `wakes` presses Ask before it is there."""
        line.cut()
        for one in serve.served:
            one.close(verbose=False)
        with asleep() as port:
            line.mend(port)
            if wakes:
                here.ask()
                page.locator(".ml-waking").wait_for(timeout=PATIENCE_MS)
            url, engine = start()
            line.mend(urlsplit(url).port)
        return engine

    here.tab("Chat")
    here.choose("Base")
    here.say("First?")
    here.wait_said(1)
    here.tab("Compare")
    here.question.fill("What is gout?")
    engine = restart(wakes=True)
    here.wait_done()
    assert not page.locator(".ml-waking").is_visible()
    assert [request.messages[-1].content for request in engine.requests[-1][:1]] == ["What is gout?"]
    answers = here.answers()

    # The same events have other numbers in the next build.
    made = app.html_slot

    def with_more(*given: str) -> gr.HTML:
        gr.Button(visible=False).click(lambda: None, api_visibility="private")
        return made(*given)

    monkeypatch.setattr(app, "html_slot", with_more)
    engine = restart(wakes=False)
    here.question.fill("What is asthma?")
    page.click("#ask")
    page.locator(".ml-updated").wait_for(timeout=PATIENCE_MS)
    assert engine.requests == []
    assert (here.answers(), here.question.input_value()) == (answers, "What is asthma?")
    assert here.overflow() <= 0
    page.evaluate("window.before = true")
    page.click("[data-reload]")
    page.wait_for_function("() => !window.before && document.querySelector('#answers .ml-text')", timeout=PATIENCE_MS)
    page.get_by_text("Restored after a reload").first.wait_for(timeout=PATIENCE_MS)
    assert (here.answers(), here.question.input_value()) == (answers, "What is asthma?")
    here.tab("Chat")
    page.locator("#transcript .ml-text").nth(1).wait_for(timeout=PATIENCE_MS)
    here.say("Second?")  # with settings that nobody has ever unfolded
    here.wait_said(2)
    here.tab("Compare")
    here.ask()
    here.wait_done()
    assert [request.messages[-1].content for request in engine.requests[-1][:1]] == ["What is asthma?"]
    page.close()
    line.__exit__(None, None, None)
    expected = ("503", "409", "ERR_", "network", "Failed to fetch", "BodyStream", "Unexpected error")
    here.errors[:] = [error for error in here.errors if not any(words in error for words in expected)]
