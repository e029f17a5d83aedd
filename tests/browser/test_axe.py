"""Every tab under axe-core, wide, middling and narrow, light and dark, motion reduced; and at 200 %."""

from __future__ import annotations

import random

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from medilite.arena.booth import Booth
from medilite.arena.contestants import contestants
from medilite.arena.votes import Votes
from tests.arena.filled import keep, made_votes
from tests.arena.made import MANY
from tests.browser.pages import PATIENCE_MS, SHOWN_IN, WIDTHS
from tests.browser.test_looks import CONTRAST, NAMELESS
from tests.support.banks import write_bank

pytestmark = pytest.mark.browser

TABS = ("Compare", "Chat", "Blind vote", "Leaderboard", "About")
GRAVE = ("serious", "critical")

SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

MOVING = """() => document.getAnimations()
  .filter((a) => a.playState === "running" && a.effect.getComputedTiming().duration > 10)
  .map((a) => `${a.animationName ?? a.transitionProperty} on ${a.effect.target?.className}`)"""


COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""Those of axe-core's rules that go by colours: the others find the same in the dark."""

LAYOUT = {"rules": {"color-contrast": {"enabled": False}}}
"""Those that can find something else in another width: CONTRAST reads the colours of every width."""


def grave(page, options: dict | None = None) -> list[str]:
    """What axe-core finds serious or critical, by the rules of these options or all that it has on: rule, and where."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("options => axe.run(document, {resultTypes: ['violations'], ...options})", options)
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


@pytest.fixture
def filled(serve, lite, tmp_path, made_boards):
    """The address of a page where every tab has something to show."""
    folder = write_bank(tmp_path / "bank", lite)
    booth = Booth(lite, Votes(tmp_path / "votes.db"), folder=folder, rng=random.Random(3), limits=MANY)
    keep(booth.store, made_votes(contestants(lite), 300))
    url, _ = serve(made_boards[0], booth, broken={"sft-r16-high": "The adapter is missing."})
    yield url
    booth.votes.close()


def through(here, check) -> None:
    """Show every tab as it is used, and call `check` with a name for each screen."""
    page = here.page
    for fold in page.locator(".ml-fold .label-wrap:visible").all():
        fold.click()
    check("Compare, empty")
    here.ask("I have chest pain, what should I do?")
    here.wait_done()
    page.locator("#mark-hard input").check()
    page.locator("#mark-differs input").check()
    page.locator("#answers summary").first.click()
    here.ask("")
    page.locator("#compare-error [role=alert]").wait_for(timeout=PATIENCE_MS)
    check("Compare, answered, and a question that is none")
    here.tab("Chat")
    check("Chat, empty")
    here.say("What is asthma?")
    here.wait_said(1)
    check("Chat")
    here.vote_tab()
    here.wait_pair("open")
    here.pair().locator("[data-side=left][data-detail=unsafe]").click()
    here.pair().locator("[data-side=right][data-detail=easier]").click()
    page.mouse.move(0, 0)
    check("Blind vote, open")
    page.keyboard.press("1")
    here.wait_pair("voted")
    check("Blind vote, voted")
    page.locator("#vote-mode input").last.check()
    page.locator("#vote-question textarea").fill("What is asthma?")
    page.click("#vote-ask")
    here.wait_pair("open", "vote-live-pair")
    page.locator("#vote-further textarea").fill("How long does it last?")
    page.click("#vote-follow")
    page.locator("#vote-live-pair .vt-pair[data-state=open] .ml-earlier > summary").first.click(timeout=PATIENCE_MS)
    check("Blind vote, live, after a follow-up")
    here.tab("About")
    page.wait_for_selector(".ml-about")
    check("About")
    # Last: its tables stay in the page, and whatever is looked at after them takes three times as long.
    here.tab("Leaderboard")
    page.wait_for_selector("#lb-table[data-applied]", timeout=PATIENCE_MS)
    page.wait_for_function("() => !document.querySelector('#lb-scatter-plot .empty')", timeout=PATIENCE_MS)
    page.wait_for_selector("#votes-timeline .main-svg", timeout=PATIENCE_MS)
    for summary in page.locator(".lb-fold > summary").all():
        summary.press("Enter")
    page.locator(".lb-choice", has_text="Everything").click()
    check("Leaderboard")


@pytest.mark.parametrize("sizes", [("desktop", "tablet", "zoomed"), ("phone",)], ids="-".join)
def test_axe_finds_nothing_serious(filled, visit, sizes):
    """Each screen is made once and looked at in every width, light and dark: rules not about colour see no theme."""
    here = visit(filled, sizes[0], reduced_motion="reduce").ready()
    page, found = here.page, {}

    def look(screen: str) -> None:
        for size in sizes:
            page.set_viewport_size(dict(zip(("width", "height"), WIDTHS[size], strict=True)))
            if (over := page.evaluate(SIDEWAYS)) > 0:
                found[screen, size] = f"{over} pixels wider than the window"
            for scheme in ("light", "dark") if size != "zoomed" else ():
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.wait_for_function(SHOWN_IN, arg=scheme)
                rules = {"light": None if size == "desktop" else LAYOUT, "dark": COLOURS}[scheme]
                errors = grave(page, rules) if size == "desktop" or scheme == "light" else []
                if errors := errors + page.evaluate(CONTRAST):
                    found[screen, size, scheme] = errors
        if nameless := page.evaluate(NAMELESS):
            found[screen, "without a name"] = nameless
        if moving := page.evaluate(MOVING):
            found[screen, "with motion reduced"] = moving

    through(here, look)
    assert found == {}


def test_axe_is_at_work(filled, visit):
    page = visit(filled).ready().page
    page.evaluate("() => document.body.insertAdjacentHTML('beforeend', '<button></button>')")
    assert any("button-name" in error for error in grave(page))
    page.evaluate(
        "() => document.body.insertAdjacentHTML('beforeend', '<p style=\"color: #999; background: #888\">pale</p>')"
    )
    assert [error.split()[0] for error in grave(page, COLOURS)] == ["color-contrast"]
