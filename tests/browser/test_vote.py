"""The blind vote in a browser: by keyboard and by mouse, wide and narrow, honest and not."""

from __future__ import annotations

import json
import random
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from medilite.arena import drawing
from medilite.arena.booth import Booth
from medilite.arena.contestants import contestants
from medilite.arena.records import CHOICES
from medilite.arena.trust import FEWEST_DECIDED
from medilite.arena.voters import voter_of
from medilite.arena.votes import Votes
from tests.arena.booths import Clock, drawn
from tests.arena.made import MANY
from tests.browser.test_compare import EVERY
from tests.browser.test_looks import CONTRAST, NAMELESS
from tests.support.banks import write_bank

pytestmark = pytest.mark.browser

BUTTONS = dict(zip(CHOICES, ("1", "2", "3", "4"), strict=True))


@pytest.fixture
def poll(serve, lite, tmp_path):
    """Return a function that serves the page with a small bank and a database of its own."""
    booths = []

    def start(
        *, bank: bool = True, timeout_s: float = 10.0, clock: Callable[[], float] = time.time,
        aside: Callable[[Callable[[], None]], None] | None = None, **script: object,
    ) -> tuple[str, Booth]:  # fmt: skip
        folder = write_bank(tmp_path / "bank", lite) if bank else tmp_path / "none"
        booth = Booth(
            lite, Votes(tmp_path / "votes.db", timeout_s), folder=folder, rng=random.Random(3), limits=MANY,
            clock=clock, aside=aside,
        )  # fmt: skip
        booths.append(booth)
        url, _ = serve(booth=booth, **script)
        return url, booth

    yield start
    for booth in booths:
        booth.votes.close()


def votes(booth):
    return list(booth.store.votes())


def labels(lite):
    return {spec.id: spec.label for spec in lite.models}


# -- pair after pair ------------------------------------------------------------------


@pytest.mark.parametrize(("size", "way", "pairs"), [("desktop", "keyboard", 6), ("phone", "mouse", 4)])
def test_pair_after_pair(poll, visit, lite, monkeypatch, size, way, pairs):
    monkeypatch.setattr(drawing, "AGAIN", 0)
    url, booth = poll()
    here = visit(url, size).vote_tab()
    token, told = here.wait_pair("open"), []
    wanted = [CHOICES[i % 4] for i in range(pairs)]
    for i, choice in enumerate(wanted):
        texts = here.vote_texts()
        if way == "keyboard":
            here.page.keyboard.press(BUTTONS[choice])
        else:
            here.pair().locator(f"[data-choice={choice}]").click()
        here.wait_pair("voted")
        assert here.vote_texts() == texts, "the texts stay where they are"
        told.append(here.pair().locator(".ml-card-head .ml-name").all_text_contents())
        assert here.page.evaluate("document.activeElement.dataset.do") == "next"
        if i == pairs - 1:
            break
        if way == "keyboard":
            here.page.keyboard.press("n" if i % 2 else "Enter")
        else:
            here.pair().locator("[data-do=next]").click()
        token = here.wait_pair("open", but=token)
        assert here.page.evaluate("document.activeElement.className").startswith("vt-question")
    assert here.overflow() <= 0
    given = votes(booth)
    assert [vote.ballot.choice for vote in given] == wanted
    names = labels(lite)
    kept = [[names[c.contestant.model] for c in (vote.pair.left, vote.pair.right)] for vote in given]
    assert kept == told, "who it was is told as it is kept"
    assert len({vote.pair.voter for vote in given}) == 1
    assert len({(v.pair.question_id, frozenset((v.pair.left.key, v.pair.right.key))) for v in given}) == pairs


# -- details, undo, own table -----------------------------------------------------------


def test_details_undo_and_keys_that_are_for_something_else(poll, visit):
    url, booth = poll()
    here = visit(url).vote_tab()
    token = here.wait_pair("open")
    chips = here.pair().locator(".vt-chip")
    here.pair().locator("[data-side=left][data-detail=unsafe]").click()
    here.pair().locator("[data-side=right][data-detail=easier]").click()
    here.pair().locator("[data-side=right][data-detail=long]").click()
    here.pair().locator("[data-side=right][data-detail=long]").click()
    heights = here.page.locator("#vote-pair .vt-card").evaluate_all("cards => cards.map((c) => c.offsetHeight)")
    assert len(set(heights)) == 1
    here.page.keyboard.press("Control+1")
    here.page.keyboard.press("2")
    here.wait_pair("taken")
    assert "You said: wrong or unsafe" in here.pair().text_content()
    assert here.page.evaluate("document.activeElement.dataset.do") == "reveal"
    undo = here.pair().locator("[data-do=undo]")
    assert 0 < int(undo.locator(".vt-count").text_content()) <= 10
    undo.click()
    assert here.wait_pair("open") == token, "the same two answers, to choose anew"
    (vote,) = votes(booth)
    assert (vote.ballot.choice, vote.ballot.left_unsafe, vote.ballot.right_reasons) == ("right", True, ("easier",))
    assert vote.undone_at is not None
    here.page.keyboard.press("n")
    here.wait_pair("open", but=token)
    assert chips.evaluate_all("chips => chips.filter((c) => c.ariaPressed === 'true').length") == 0
    here.page.locator("#vote-mode input").last.focus()
    here.page.keyboard.press("1")
    here.wait_pair("voted")
    assert len(votes(booth)) == 2, "a radio is no field"


def test_the_names_come_by_themselves_and_wait_while_undo_has_the_focus(poll, visit):
    url, booth = poll()
    here = visit(url)
    here.page.clock.install()
    here.vote_tab()
    here.wait_pair("open")
    here.page.keyboard.press("1")
    here.wait_pair("taken")
    undo = here.pair().locator("[data-do=undo]")
    undo.focus()
    here.page.clock.run_for(8_000)
    here.wait_pair("taken")
    here.page.clock.run_for(3_000)
    assert undo.is_hidden(), "too late"
    here.page.clock.run_for(3_000)
    here.page.wait_for_selector("#vote-pair .vt-pair[data-state=voted]")
    assert here.pair().locator("[data-do=undo]").count() == 0
    assert [vote.undone_at for vote in votes(booth)] == [None]


@pytest.mark.parametrize("where", ["another tab", "a live question"])
def test_the_names_wait_until_the_voter_comes_back(poll, visit, where):
    url, booth = poll()
    here = visit(url).ready()
    here.page.clock.install()
    here.vote_tab()
    token = here.wait_pair("open")
    here.page.keyboard.press("1")
    here.wait_pair("taken")
    here.pair().locator("[data-do=undo]").focus()  # holds the seconds until the page is left
    if where == "another tab":
        here.tab("Leaderboard")
    else:
        here.page.get_by_label("Live").click()
        here.page.locator("#vote-question textarea").fill("What helps?")
        here.page.click("#vote-ask")
        here.wait_pair("open", "vote-live-pair")
    here.page.clock.run_for(6_000)
    assert here.wait_pair("taken") == token
    if where == "another tab":
        here.tab("Blind vote")
    else:
        here.page.get_by_label("Ready-made").click()
    here.page.clock.run_for(1_000)
    here.page.wait_for_selector(f"#vote-pair .vt-pair[data-state=voted][data-token='{token}']")
    assert here.page.locator("#vote-error").text_content().strip() == ""
    assert [vote.undone_at for vote in votes(booth)] == [None]


def test_one_s_own_table_after_ten_votes(poll, visit, lite):
    url, booth = poll()
    here = visit(url, "phone").vote_tab()
    token, me = here.wait_pair("open"), here.stored("medilite-voter")
    for _ in range(7):
        booth.vote(booth.draw(me).token, me, "left")
    here.page.keyboard.press("n")
    token = here.wait_pair("open", but=token)
    for i in range(7, 10):
        here.page.keyboard.press("1")
        here.wait_pair("voted")
        if i < 9:
            assert f"{i + 1} of the 10 votes" in here.page.locator("#vote-own").text_content()
            here.page.keyboard.press("n")
            token = here.wait_pair("open", but=token)
    here.page.locator("#vote-own [data-do=own]").click()
    table = here.page.locator(".vt-table")
    table.wait_for()
    assert set(table.locator("tbody th").all_text_contents()) == set(labels(lite).values())
    assert here.overflow() <= 0
    # It waits for who comes back, too.
    here.page.reload()
    here.vote_tab()
    here.page.locator("#vote-own [data-do=own]").wait_for()


def test_who_shares_an_address_with_many_is_told_what_counts_and_how_to_count_in_full(poll, visit):
    clock = Clock()
    # Ratings come when they are asked for: else chance decides by which of them the pairs are drawn.
    url, booth = poll(clock=clock, aside=lambda work: None)
    page = visit(url, "phone").vote_tab()
    first = page.wait_pair("open")
    page.page.keyboard.press("1")
    page.wait_pair("voted")
    ((here, favourite),) = ((vote.network, vote.pair.left.contestant.sha256) for vote in votes(booth))
    # Wins that move its rating and are too few to show a purpose, whichever pairs are drawn.
    wins = FEWEST_DECIDED - 2
    for number in range(30):
        for network in (here, f"elsewhere {number}"):
            voter = booth.welcome(None)
            token = drawn(booth, voter, clock).token
            pair = booth.store.find_pair(token, voter_of(booth.store, voter))
            sides = {pair.left.contestant.sha256: "left", pair.right.contestant.sha256: "right"}
            choice = ("left", "right")[number % 2]
            if network == here:
                choice = sides.get(favourite, "equal") if wins else "equal"
                wins -= choice != "equal"
            booth.vote(token, voter, choice, network=network)
    booth.refresh()
    page.page.keyboard.press("n")
    page.wait_pair("open", but=first)
    page.page.keyboard.press("1")
    page.wait_pair("voted")
    told = page.pair().locator(".ml-fine", has_text="new voters at your network address").text_content()
    given, counted = map(int, re.search(r"had given (\d+) today, which counted as (\d+):", told).groups())
    assert given >= 30
    assert 4 <= counted < 30
    assert "sign in where that is offered" in told
    assert "three days over a week" in told
    assert page.overflow() <= 0


# -- the walk-through ---------------------------------------------------------------------


@pytest.mark.parametrize("size", EVERY)
def test_the_walk_through_comes_once(poll, visit, size):
    url, booth = poll()
    here = visit(url, size).vote_tab(tour=True)
    dialog = here.page.locator("dialog[open]")
    dialog.wait_for()
    here.wait_pair("open")
    assert here.overflow() <= 0
    for scheme in here.schemes():
        assert here.page.evaluate(CONTRAST) == [], scheme
    assert here.page.evaluate(NAMELESS) == []
    here.page.keyboard.press("1")
    assert here.page.evaluate("document.activeElement.dataset.tour") == "next"
    for number in (1, 2, 3):
        assert dialog.locator(".vt-step:visible .vt-step-number").text_content() == f"{number} of 4"
        dialog.locator("[data-tour=next]").press("Enter")
        assert here.page.evaluate("document.activeElement.tagName") == "H2", "what is new is read out"
    dialog.locator("[data-tour=back]").click()
    dialog.locator("[data-tour=next]").click()
    assert dialog.locator("[data-tour=next]").text_content() == "Start"
    dialog.locator("[data-tour=next]").click()
    dialog.wait_for(state="detached")
    # A dialog is no longer open before its event “close” comes, which is what notes it.
    here.page.wait_for_function("localStorage.getItem('medilite-vote-tour') === 'seen'")
    assert votes(booth) == [], "keys are the dialog's while it is open"
    here.page.reload()
    here.tab("Blind vote")
    here.wait_pair("open")
    assert dialog.count() == 0
    here.page.locator("[data-do=tour]").click()
    dialog.wait_for()
    here.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")


# -- live -----------------------------------------------------------------------------------


def test_a_question_of_one_s_own(poll, visit, lite):
    url, booth = poll(step_s=0.02)
    here = visit(url).ready().vote_tab()
    page = here.page
    page.get_by_label("Live").check()
    field = page.locator("#vote-question textarea")
    field.fill("What helps against cold feet, number")
    field.press("End")
    page.keyboard.type(" 1 or n?")
    assert field.input_value() == "What helps against cold feet, number 1 or n?", "keys are for typing here"
    page.evaluate(
        """() => { window.seen = [];
          new MutationObserver(() => {
            const pair = document.querySelector("#vote-live-pair .vt-pair");
            if (pair.dataset.state !== "writing") return;
            const texts = [...pair.querySelectorAll(".ml-answer .ml-text")].map((e) => e.textContent);
            const heights = [...pair.querySelectorAll(".vt-card")].map((e) => e.offsetHeight);
            window.seen.push({words: texts.map((t) => t.split(/\\s+/).filter(Boolean).length), heights});
          }).observe(document, {childList: true, subtree: true, characterData: true}); }"""
    )
    kept = page.locator("#vote-keep input")
    kept.check()
    page.click("#vote-ask")
    page.wait_for_function("window.seen.some((s) => s.words[0] > 12)")
    assert page.locator("#vote-live-pair [data-choice]:enabled").count() == 0
    here.wait_pair("open", "vote-live-pair")
    seen = page.evaluate("window.seen")
    assert all(abs(s["words"][0] - s["words"][1]) <= 1 for s in seen), "not in step"
    assert len({height for s in seen for height in s["heights"]}) == 1, "of one height"
    assert all(len(text.split()) > 12 for text in here.vote_texts("vote-live-pair"))
    # A follow-up: by Stop it is left out, what was said of an answer stays, and its text is in the field again.
    texts, said = here.vote_texts("vote-live-pair"), page.locator("#vote-live-pair [aria-pressed=true]")
    page.locator("#vote-live-pair [data-side=left][data-detail=easier]").click()
    further = page.get_by_label("Ask both a further question")
    further.fill("And at night?")
    further.press("Control+Enter")
    here.wait_pair("writing", "vote-live-pair")
    page.locator("#vote-live-pair [data-do=stop]").click()
    here.wait_pair("open", "vote-live-pair")
    assert "You stopped the follow-up" in here.pair("vote-live-pair").text_content()
    assert page.evaluate("document.activeElement.className").startswith("vt-question"), "not lost with the button"
    assert (here.vote_texts("vote-live-pair"), said.count()) == (texts, 1)
    assert further.input_value() == "And at night?"
    further.press("Enter")
    page.wait_for_selector("#vote-live-pair .vt-pair[data-state=open] .ml-earlier-turn", state="attached")
    assert page.locator("#vote-live-pair .ml-earlier-said").all_text_contents() == texts
    assert (further.input_value(), said.count(), here.overflow() <= 0) == ("", 1, True)
    texts = here.vote_texts("vote-live-pair")
    kept.uncheck()
    page.locator("#vote-live-pair [data-choice=equal]").click()
    here.wait_pair("voted", "vote-live-pair")
    assert here.vote_texts("vote-live-pair") == texts
    assert further.is_hidden()
    (vote,) = votes(booth)
    assert (vote.pair.kind, vote.ballot.choice, vote.pair.question) == ("live", "equal", None)
    assert (vote.pair.turns, vote.pair.asked) == (2, 3)
    page.keyboard.press("n")
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    # With the box ticked from the question to the vote, both are kept.
    kept.check()
    field.fill("What helps against gout?")
    page.click("#vote-ask")
    here.wait_pair("open", "vote-live-pair")
    page.locator("#vote-live-pair [data-choice=left]").click()
    here.wait_pair("voted", "vote-live-pair")
    assert {vote.pair.question for vote in votes(booth)} == {None, "What helps against gout?"}
    page.get_by_label("Ready-made").check()
    here.wait_pair("open")


def test_without_a_bank_the_tab_leads_to_live(poll, visit):
    url, _ = poll(bank=False)
    here = visit(url).ready().vote_tab()
    assert "No ready-made answers yet" in here.pair().text_content()
    here.pair().locator("[data-do=live]").click()
    here.page.locator("#vote-question textarea").fill("What helps?")
    here.page.locator("#vote-question textarea").press("Control+Enter")
    here.wait_pair("open", "vote-live-pair")


LISTEN = """
  window.received = [];
  const plain = window.fetch;
  window.fetch = async (...given) => {
    const reply = await plain(...given);
    const noted = {url: reply.url, headers: [...reply.headers], text: ""};
    window.received.push(noted);
    const reader = reply.clone().body?.pipeThrough(new TextDecoderStream()).getReader();
    (async () => {
      for (let part; reader && !(part = await reader.read()).done; ) noted.text += part.value;
    })().catch(() => {});
    return reply;
  };
  window.EventSource = class extends window.EventSource {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", (event) => window.received.push({url: this.url, text: event.data}));
    }
  };
"""
"""Has the page keep a copy of every reply and every event that it receives."""

# -- nobody can know before -----------------------------------------------------------------


def told(lite, booth) -> list[str]:
    """Return patterns of everything that would tell who an answer is of."""
    found = []
    for spec in lite.models:
        found += [rf"\b{re.escape(spec.id)}\b", rf"\b{re.escape(spec.label)}\b", spec.colour, spec.colour_dark]
    found += [c.sha256[:12] for c in contestants(lite).values()]
    with booth.store.database.read() as connection:
        for grades in connection.exec_driver_sql("SELECT left_grade, right_grade FROM pairs").all():
            found += [rf"(?<![\d.]){re.escape(f'{grade:.1f}')}(?!\d)" for grade in grades if grade is not None]
    return [*found, r"\bgrade\b", "flesch", "adapter", "contestant"]


def without_voter(here, text: str) -> str:
    """Return a text without its reader's voter id: random, before any pair, and now and then like a grade (a3.2f)."""
    return text.replace(here.stored("medilite-voter"), "")


FIRST = "grpo"
"""The model that Chat has chosen, and whose saves the Lab offers, before anybody chooses another."""


def kept_by_the_browser(page, lite):
    """Return all that it keeps as one text, without what is the same for everybody, and so tells of no pair.

    These are Compare's ticked models, which are all of them, and the model that Chat and the Lab begin with.
    """
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])")
    local, session, *rest = json.loads(kept)
    if "medilite-tab" in session:
        tab = json.loads(session["medilite-tab"])
        for form in {"chat", "lab"} & tab["forms"].keys():
            tab["forms"][form] = [value for value in tab["forms"][form] if value != FIRST]
        session["medilite-tab"] = json.dumps(tab, separators=(",", ":"))
    ticked = json.dumps(json.dumps(lite.ids, separators=(",", ":")))[1:-1]
    return json.dumps([local, session, *rest], separators=(",", ":")).replace(ticked, "")


def test_nothing_that_the_browser_receives_before_the_vote_tells_who_it_is(poll, visit, lite):
    url, booth = poll(step_s=0.01)
    here = visit(url)
    page = here.page
    page.add_init_script(LISTEN)
    page.reload()
    here.ready()
    page.wait_for_timeout(1500)  # the last tick of the loading model has come
    config = page.request.get(f"{url}config").text()
    page_before = page.request.get(url).text()
    already = page.evaluate("window.received.length")
    here.vote_tab()
    tokens = [here.wait_pair("open")]
    page.keyboard.press("n")
    tokens.append(here.wait_pair("open", but=tokens[0]))
    page.get_by_label("Live").check()
    page.locator("#vote-question textarea").fill("What helps against cold feet?")
    page.click("#vote-ask")
    here.wait_pair("open", "vote-live-pair")
    page.locator("#vote-further textarea").fill("And warm ones?")
    page.click("#vote-follow")
    page.wait_for_selector("#vote-live-pair .vt-pair[data-state=open] .ml-earlier-turn", state="attached")
    replies = page.evaluate("window.received")[already:]
    # The policy says “base-uri”, and the same whatever is shown.
    policies = {dict(reply.get("headers", ())).pop("content-security-policy", "") for reply in replies} - {""}
    assert len(policies) == 1
    data = [without_voter(here, json.dumps(reply).replace(*policies, "")) for reply in replies]
    panel = without_voter(here, page.locator(".vt-intro").evaluate("e => e.closest('[role=tabpanel]').outerHTML"))
    storage = without_voter(here, kept_by_the_browser(page, lite))
    assert any(tokens[0] in reply for reply in data), "the replies have been read"
    assert any("process_generating" in reply and "vt-pair" in reply for reply in data), "and the event stream"
    for pattern in told(lite, booth):
        for what in (*data, panel, storage):
            assert not re.search(pattern, what, re.IGNORECASE), f"{pattern} in {what[:120]}"
    # What else came is of the page alone: the same as before there was a pair.
    assert page.request.get(f"{url}config").text() == config
    assert page.request.get(url).text() == page_before
    sides = page.locator("#vote-live-pair .vt-card").evaluate_all(
        "cards => cards.map((c) => c.outerHTML.replace(c.querySelector('.ml-answer').innerHTML, ''))"
    )
    assert re.sub(r"\bB\b", "A", sides[1].replace("right", "left")) == sides[0]
    # After the vote the same patterns are there, so the test would have found them.
    page.keyboard.press("1")
    here.wait_pair("voted", "vote-live-pair")
    panel = page.locator(".vt-intro").evaluate("e => e.closest('[role=tabpanel]').outerHTML")
    assert sum(bool(re.search(pattern, panel)) for pattern in told(lite, booth)) >= 6


# -- by hand ----------------------------------------------------------------------------------


class Raw:
    """A client that posts to the page's events itself."""

    def __init__(self, request, url: str) -> None:
        self.request, self.url = request, url
        config = request.get(f"{url}config").json()
        ids = {c["props"].get("elem_id"): c["id"] for c in config["components"]}
        self.events = {
            name: next(d["id"] for d in config["dependencies"] if [ids[f"vote-do-{name}"], "click"] in d["targets"])
            for name in ("next", "cast", "reveal", "undo", "own", "again")
        }

    def post(self, event: str, call: object) -> tuple[int, str]:
        body = {"data": [None, call], "fn_index": self.events[event], "session_hash": "raw"}
        reply = self.request.post(f"{self.url}gradio_api/run/predict", data=body)
        return reply.status, reply.text()

    def pair(self) -> tuple[str, str]:
        status, text = self.post("next", {})
        assert status == 200
        voter = re.search(r'data-voter=\\"([^"\\]+)', text)[1]
        return voter, re.search(r'data-token=\\"([^"\\]+)', text)[1]


def test_raw_requests_get_nothing_that_a_visitor_would_not(poll, visit, lite):
    url, booth = poll()
    raw = Raw(visit(url).page.request, url)
    voter, token = raw.pair()
    other, _ = raw.pair()
    good = {"voter": voter, "token": token, "choice": "left", "left": [], "right": []}
    bad = [
        None, [], 7, "left", {**good, "choice": "sideways"}, {**good, "choice": None}, {**good, "token": "x" * 32},
        {**good, "token": None}, {**good, "voter": other}, {**good, "voter": "0" * 32 + "." + "0" * 32},
        {**good, "left": ["<script>alert(1)</script>"]}, {**good, "left": ["x" * 100_000]}, {**good, "right": "long"},
        {**good, "right": {"unsafe": True, "__class__": "x"}},
    ]  # fmt: skip
    for call in bad:
        status, text = raw.post("cast", call)
        assert status < 500 or "error" in text, call
        assert "<script" not in text
        assert not any(spec.label in text for spec in lite.models), call
        assert "Traceback" not in text
    assert votes(booth) == []
    taken = raw.post("cast", good)[1]
    assert 'data-state=\\"taken' in taken
    assert not any(spec.label in taken for spec in lite.models)
    for _ in range(3):
        assert "already voted on this pair" in raw.post("cast", {**good, "choice": "right"})[1]
    assert "alert" in raw.post("undo", {**good, "voter": other})[1]
    assert [(vote.ballot.choice, vote.undone_at) for vote in votes(booth)] == [("left", None)]


# -- a database that fails ----------------------------------------------------------------------


def test_a_held_database_is_told_and_the_same_pair_is_voted_on_later(poll, visit, tmp_path):
    url, booth = poll(timeout_s=0.3)
    here = visit(url).vote_tab()
    token = here.wait_pair("open")
    with sqlite3.connect(tmp_path / "votes.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        here.page.keyboard.press("1")
        error = here.page.locator("#vote-error .ml-error")
        error.wait_for()
        assert "nothing is counted twice" in error.text_content()
        assert here.wait_pair("open") == token
        other.execute("ROLLBACK")
    other.close()
    here.page.keyboard.press("3")
    here.wait_pair("voted")
    assert here.page.locator("#vote-error .ml-error").count() == 0
    assert [vote.ballot.choice for vote in votes(booth)] == ["equal"]


def test_a_database_that_cannot_be_opened_closes_this_tab_alone(poll, visit, tmp_path):
    Path(tmp_path / "votes.db").mkdir()
    url, _ = poll()
    here = visit(url).ready().vote_tab()
    assert here.pair().get_attribute("data-state") == "closed"
    assert "can't be opened" in here.page.locator("#vote-error").text_content()
    here.tab("Compare")
    here.ask("What is asthma?")
    here.wait_done()
    (tmp_path / "votes.db").rmdir()
    here.tab("Blind vote")
    here.wait_pair("open")


# -- looks ------------------------------------------------------------------------------------


def test_what_is_chosen_shows_it_under_the_pointer(poll, visit):
    url, _ = poll()
    here = visit(url).vote_tab()
    chosen = here.page.get_by_label("Live")
    chosen.click()  # the pointer stays there
    colour = "e => getComputedStyle(e).backgroundColor"
    accent = here.page.locator("#vote-ask").evaluate(colour)
    assert chosen.evaluate(colour) == accent
    field = here.page.locator("#vote-question textarea")
    field.focus()
    # What holds the field cuts off what stands out of it.
    assert field.evaluate("e => getComputedStyle(e).outlineOffset") == "-3px"
