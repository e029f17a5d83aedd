"""What a person does on the page, in the words of the tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page

PATIENCE_MS = 120_000
"""Long enough for a busy machine; conditions are waited for, so a quick one loses nothing."""

WIDTHS = {"desktop": (1280, 900), "tablet": (768, 1024), "phone": (390, 844), "zoomed": (640, 450)}
"""Width and height in CSS pixels; "zoomed" is what 200 % leaves of a desktop's window."""

SHOWN_IN = """scheme =>
  (getComputedStyle(document.body).backgroundColor === "rgb(255, 255, 255)") === (scheme === "light")"""

SETTLED = "() => !document.getAnimations().some((a) => a instanceof CSSTransition && a.playState === 'running')"

_SAMPLER = """
window.samples = [];
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (window.sampling) window.shift += entry.value;
}).observe({type: "layout-shift"});
setInterval(() => {
  if (!window.sampling) return;
  const cards = [...document.querySelectorAll("#answers .ml-card")];
  window.samples.push({
    tokens: cards.map((card) => Number(card.dataset.tokens)),
    states: cards.map((card) => card.dataset.state),
    heights: cards.map((card) => card.getBoundingClientRect().height),
    scroll: document.documentElement.scrollWidth - window.innerWidth,
  });
}, 50);
"""


@dataclass
class Visit:
    """One open page, and what went on behind it."""

    page: Page
    url: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _run_before: str = "0"

    def watch(self) -> None:
        """Note requests to other hosts, errors on the console, exceptions and dialogs from now on."""
        host = urlsplit(self.url).netloc

        def on_request(url: str) -> None:
            if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).netloc != host:
                self.foreign.append(url)

        page = self.page
        page.on("request", lambda request: on_request(request.url))
        page.on("console", lambda m: self.errors.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(f"exception: {error}"))
        page.on("dialog", lambda dialog: (self.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.add_init_script(_SAMPLER)

    def open(self, fragment: str = "") -> Visit:
        """Open the app and wait until its form stands."""
        self.page.goto(self.url + fragment)
        self.page.wait_for_selector("#ask", timeout=PATIENCE_MS)
        self.page.wait_for_selector("#answers .ml-card", timeout=PATIENCE_MS)
        return self

    def ready(self) -> Visit:
        """Wait until the model is loaded."""
        self.page.wait_for_selector("#compare-status .ml-status-ready", timeout=PATIENCE_MS)
        return self

    def schemes(self) -> Iterator[str]:
        """Show the page light, then dark, as it stands; give each scheme's name once its colours are there."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            self.page.wait_for_function(SHOWN_IN, arg=scheme)
            self.page.wait_for_function(SETTLED)  # they fade in
            yield scheme

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    # --- Compare -------------------------------------------------------------------------

    @property
    def question(self) -> Locator:
        return self.page.locator("#question textarea")

    def ask(self, question: str | None = None) -> None:
        """Type a question (or leave what stands there) and press Ask."""
        self._run_before = self.page.locator("#answers .ml-grid").get_attribute("data-run") or "0"
        if question is not None:
            self.question.fill(question)
        self.page.click("#ask")

    def set_tokens(self, tokens: int, tab: str = "compare") -> None:
        """Set the longest answer by the number beside its slider."""
        fold = self.page.locator(".ml-fold .label-wrap:visible", has_text="Settings")
        if "open" not in (fold.get_attribute("class") or ""):
            fold.click()
        field = self.page.locator(f"#{tab}-max-new-tokens input[type=number]")
        field.fill(str(tokens))
        field.press("Tab")

    def wait_run(self, number: int) -> None:
        """Wait until the page shows its comparison of that number."""
        self.page.wait_for_selector(f"#answers .ml-grid[data-run='{number}']", timeout=PATIENCE_MS)

    def wait_writing(self, tokens: int = 3) -> None:
        self.page.wait_for_function(
            "n => [...document.querySelectorAll('#answers .ml-card')].some(c => Number(c.dataset.tokens) >= n)",
            arg=tokens,
            timeout=PATIENCE_MS,
        )

    def wait_done(self) -> None:
        """Wait until a comparison later than the one before `ask` has stopped, and Ask is there again."""
        self.page.wait_for_function(
            """before => {
                 const cards = [...document.querySelectorAll('#answers .ml-card')];
                 const over = ['end', 'length', 'cancelled', 'error'];
                 return document.querySelector('#answers .ml-grid').dataset.run !== before
                        && cards.every(c => over.includes(c.dataset.state))
                        && !document.querySelector('#ask').disabled; }""",
            arg=self._run_before,
            timeout=PATIENCE_MS,
        )

    def cards(self) -> dict[str, Locator]:
        return {card.get_attribute("data-model") or "": card for card in self.page.locator("#answers .ml-card").all()}

    def answers(self) -> dict[str, str]:
        return {model: card.locator(".ml-text").text_content() or "" for model, card in self.cards().items()}

    def states(self) -> list[str]:
        return [card.get_attribute("data-state") or "" for card in self.cards().values()]

    def sample(self, on: bool = True) -> list[dict]:
        """Start looking at the cards 20 times a second, or stop and return what was seen."""
        self.page.evaluate(f"window.sampling = {json.dumps(on)}")
        return self.page.evaluate("window.samples")

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")

    # --- Chat ----------------------------------------------------------------------------

    def say(self, text: str) -> None:
        self.page.locator("#chat-question textarea").fill(text)
        self.page.click("#send")

    def wait_said(self, turns: int) -> None:
        self.page.wait_for_function(
            """n => document.querySelectorAll('#transcript .ml-turn').length === n
                    && !document.querySelector('#send').disabled""",
            arg=turns,
            timeout=PATIENCE_MS,
        )

    def choose(self, label: str) -> None:
        self.page.locator("#chat-model label", has_text=label).click()

    # --- Blind vote ------------------------------------------------------------------------

    def vote_tab(self, *, tour: bool = False) -> Visit:
        """Open the tab and wait for its first pair (or why there is none); the walk-through counts as seen."""
        if not tour:
            self.page.evaluate("localStorage.setItem('medilite-vote-tour', 'seen')")
        self.tab("Blind vote")
        self.page.wait_for_selector("#vote-pair .vt-pair:not([data-state=drawing])", timeout=PATIENCE_MS)
        return self

    def pair(self, place: str = "vote-pair") -> Locator:
        return self.page.locator(f"#{place} .vt-pair")

    def wait_pair(self, state: str, place: str = "vote-pair", but: str = "") -> str:
        """Wait until a pair is in that state, and not the one with the token `but`; return its token.

        Names come by themselves some seconds after a vote; here they are asked for at once.
        """
        if state == "voted":
            self.page.locator(f"#{place} .vt-pair[data-state=taken] [data-do=reveal]").click(timeout=PATIENCE_MS)
        self.page.wait_for_function(
            """([place, state, but]) => {
                 const pair = document.querySelector(`#${place} .vt-pair`);
                 return pair.dataset.state === state && pair.dataset.token !== but; }""",
            arg=[place, state, but],
            timeout=PATIENCE_MS,
        )
        return self.pair(place).get_attribute("data-token") or ""

    def vote_texts(self, place: str = "vote-pair") -> list[str]:
        return self.pair(place).locator(".ml-answer .ml-text").all_text_contents()

    def stored(self, name: str) -> str | None:
        return self.page.evaluate("name => localStorage.getItem(name)", name)
