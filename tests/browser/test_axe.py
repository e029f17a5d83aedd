"""Every tab under axe-core, wide, middling and narrow, light and dark; at 200 %; with motion reduced."""

from __future__ import annotations

import random

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from medilite.arena.booth import Booth
from tests.arena.made import MANY
from tests.browser.pages import PATIENCE_MS
from tests.support.banks import write_bank

pytestmark = pytest.mark.browser

TABS = ("Compare", "Chat", "Blind vote", "Leaderboard", "About")
GRAVE = ("serious", "critical")

SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def grave(page) -> list[str]:
    """What axe-core finds serious or critical: rule, and where."""
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
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
    booth = Booth(lite, tmp_path / "votes.db", folder=folder, rng=random.Random(3), limits=MANY)
    url, _ = serve(made_boards[0], booth, broken={"sft-r16-high": "The adapter is missing."})
    yield url
    booth.close()


def through(here, check) -> None:
    """Show every tab as it is used, and call `check` with a name for each screen."""
    page = here.page
    for fold in page.locator(".ml-fold .label-wrap:visible").all():
        fold.click()
    check("Compare, empty")
    here.ask("I have chest pain, what should I do?")
    here.wait_done()
    page.locator("#mark-hard input").check()
    check("Compare, answered")
    here.tab("Chat")
    here.say("What is asthma?")
    here.wait_said(1)
    check("Chat")
    here.vote_tab()
    here.wait_pair("open")
    check("Blind vote, open")
    page.keyboard.press("1")
    here.wait_pair("voted")
    check("Blind vote, voted")
    page.locator("#vote-mode input").last.check()
    check("Blind vote, live")
    here.tab("Leaderboard")
    page.wait_for_selector("#lb-table[data-applied]", timeout=PATIENCE_MS)
    check("Leaderboard")
    here.tab("About")
    page.wait_for_selector(".ml-about")
    check("About")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "tablet", "phone"])
def test_axe_finds_nothing_serious(filled, visit, size, scheme):
    here = visit(filled, size, scheme).ready()
    found: dict[str, list[str]] = {}

    def check(screen: str) -> None:
        here.page.wait_for_timeout(300)  # colours fade in
        if errors := grave(here.page):
            found[screen] = errors

    through(here, check)
    assert found == {}


def test_axe_is_at_work(filled, visit):
    page = visit(filled).ready().page
    page.evaluate("() => document.body.insertAdjacentHTML('beforeend', '<button></button>')")
    assert any("button-name" in error for error in grave(page))


def test_nothing_scrolls_sideways_at_200_percent(filled, visit):
    here = visit(filled, "zoomed", device_scale_factor=2).ready()
    wide: dict[str, int] = {}

    def check(screen: str) -> None:
        if (over := here.page.evaluate(SIDEWAYS)) > 0:
            wide[screen] = over

    through(here, check)
    assert wide == {}


def test_nothing_moves_where_motion_is_reduced(filled, visit):
    here = visit(filled, reduced_motion="reduce").ready()
    moving: dict[str, list[str]] = {}

    def check(screen: str) -> None:
        running = here.page.evaluate(
            """() => document.getAnimations()
                 .filter((a) => a.playState === "running" && a.effect.getComputedTiming().duration > 10)
                 .map((a) => `${a.animationName ?? a.transitionProperty} on ${a.effect.target?.className}`)"""
        )
        if running:
            moving[screen] = running

    through(here, check)
    assert moving == {}
