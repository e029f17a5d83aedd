"""The source beside the answers, in a browser: card, marks, and a library that goes away."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from medilite.models import load_profile
from tests.support.libraries import small_shelf

pytestmark = pytest.mark.browser

SAID = "Pollen makes noses run. Cars in Spain need new tyres and brakes."


@pytest.fixture
def shelf(tmp_path):
    """A shelf with a small library, whose encoder needs no model."""
    made = small_shelf(tmp_path)
    yield made
    made.close()


@pytest.fixture
def lite(lite):
    """The profile with its rewriter, whether or not that is trained here."""
    return lite.model_copy(update={"rewriters": load_profile("lite", with_absent=True).rewriters})


def ask(page, question):
    page.locator("#question textarea").fill(question)
    page.locator("#ask").click()
    page.locator("#compare-status").get_by_text("All answers are here.").wait_for()


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_card_marks_and_a_library_that_goes_away(serve, visit, lite, shelf, size, scheme):
    url, _ = serve(shelf=shelf, scripts=dict.fromkeys(lite.ids, SAID))
    page = visit(url, size=size, scheme=scheme).page
    ask(page, "What is hay fever?")
    card = page.locator(".ml-source")
    assert card.get_attribute("data-passage") == "MPlusHealthTopics/0-1#1"
    assert card.get_by_role("link", name="Open the page").get_attribute("href") == "https://example.gov/0"
    assert page.locator(".ml-held").count() == 0

    page.locator("#check-source input").check()
    lost = page.locator("#answers .ml-held-not_found").first
    lost.wait_for()
    lost.focus()
    page.locator(".ml-tip").get_by_text("Not found in the source.").wait_for()
    assert lost.get_attribute("tabindex") == "0"
    assert "not found" in page.locator(".ml-source-count").first.inner_text()
    hard = page.locator("#source .ml-hard-word").first
    assert hard.evaluate("one => getComputedStyle(one).textDecorationLine") == "none"
    page.locator("#mark-hard input").check()
    assert hard.evaluate("one => getComputedStyle(one).textDecorationLine") == "underline"
    found = Axe().run(page, context={"include": [["#source"], ["#answers"]]})
    assert found.violations_count == 0, found.generate_report()
    page.locator("#mark-hard input").uncheck()
    width, room = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= room

    # One answer at a time beside the source, both whole: next to it where there is room.
    page.locator("#beside-view").press("Enter")
    page.keyboard.press("ArrowRight")
    (shown,) = [one for one in page.locator("#answers .ml-card").all() if one.is_visible()]
    assert shown.get_attribute("data-model") == lite.ids[1]
    at, beside = card.bounding_box(), shown.bounding_box()
    assert at
    assert beside
    assert (beside["x"] >= at["x"] + at["width"]) == (size == "desktop")
    assert card.evaluate("one => one.querySelector('.ml-source-text').scrollHeight <= one.clientHeight")
    assert page.evaluate("document.documentElement.scrollWidth") <= room
    page.locator("#focus-view").press("Enter")
    assert sum(one.is_visible() for one in page.locator("#answers .ml-card").all()) == 2
    page.keyboard.press("Escape")
    assert all(one.is_visible() for one in page.locator("#answers .ml-card").all())

    page.locator("#from-source input").check()
    ask(page, "What is gout?")
    expect(page.locator("#answers .ml-asked")).to_contain_text("answered from the source’s passage")
    expect(page.locator("#plot .ml-plot-row[data-model=source]")).to_have_count(1)
    expect(page.locator("#answers .ml-card[data-model=sourced]")).to_have_count(1)
    expect(page.locator("#plot .ml-plot-row[data-model=sourced]")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= room
    found = Axe().run(page, context={"include": [["#source"], ["#answers"], ["#plot"], ["#from-source"]]})
    assert found.violations_count == 0, found.generate_report()
    page.locator("#from-source input").uncheck()

    ask(page, "Who won the world cup in 1998?")
    page.get_by_text("No passage in the library answers this.").wait_for()
    shelf.library.close()
    ask(page, "What is gout?")
    page.locator(".ml-source-line").wait_for()
    assert "can no longer be read" in page.locator(".ml-source-line").inner_text()
    # The status may still be that of the question before.
    expect(page.locator(".ml-card[data-state=end]")).to_have_count(len(lite.ids))
