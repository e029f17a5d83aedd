"""The Lab in a browser: every view by keyboard, under axe-core, wide in light and narrow in dark."""

from __future__ import annotations

import time

import pytest

from medilite.models import ROOT
from medilite.ui.lab.tab import LabTab
from tests.browser.pages import SHOWN_IN, WIDTHS
from tests.browser.test_axe import COLOURS, SIDEWAYS, grave
from tests.support.saves import with_saves

pytestmark = pytest.mark.browser

QUESTION = "I have chest pain, what should I do?"
BEGINNING = "Chest pain has many causes, of which "
ENDS = (
    "some are harmless.",
    "some pass.",
    "most pass.",
    "some are harmless.",
    "some need help.",
    "some need a doctor.",
)
RESULTS = {"forks": "#lab-forks article", "strength": "#lab-strengths article", "luck": "#lab-luck article",
           "wording": "#lab-wordings tbody tr", "learned": "#lab-learned tbody tr",
           "own": "#lab-own article"}  # fmt: skip

RULES = {"light": None, "dark": {"runOnly": [*COLOURS["runOnly"], "scrollable-region-focusable"]}}
"""Of axe-core: all, and those that find something else in the dark or on a phone."""


def show(page, size: str, scheme: str) -> None:
    """Give the page another width and other colours."""
    page.set_viewport_size(dict(zip(("width", "height"), WIDTHS[size], strict=True)))
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(SHOWN_IN, arg=scheme)


def test_every_view_by_keyboard_under_axe(serve, visit, lite, tmp_path):
    """Each view is made once and looked at twice: rules about names see no width, and colours no question."""
    scripts = {model: BEGINNING + end for model, end in zip(lite.ids, ENDS, strict=True)}
    profile = with_saves(lite, tmp_path / "grpo", (5, 10, 15, 20))
    url, engine = serve(scripts=scripts, broken={"sft-r16-low": "The adapter is missing."}, profile=profile)
    here = visit(url).ready()
    page = here.page
    assert page.locator("#lab-run").count() == 0, "nothing of the Lab is there before it is opened"
    # Every tab is in sight on a phone too.
    show(page, "phone", "dark")
    assert [tab for tab in page.get_by_role("tab").all() if not tab.is_visible()] == []
    show(page, "desktop", "light")
    here.tab("Lab")
    page.locator("#lab-question textarea").fill(QUESTION)
    found: dict[tuple[str, str], object] = {}
    throttle = page.context.new_cdp_session(page)
    for view, result in RESULTS.items():
        page.locator("#lab-view input:checked").focus()
        if view != "forks":
            page.keyboard.press("Tab")
            page.keyboard.press("Space")
        page.wait_for_selector(f"#lab-view input[value={view}]:checked")
        page.wait_for_function(
            "verb => document.querySelector('#lab-run').textContent.includes(verb)",
            arg={
                "forks": "Map",
                "strength": "strengths",
                "luck": "eight",
                "wording": "words",
                "learned": "every save",
                "own": "Bring",
            }[view],
        )
        if view == "own":
            page.locator("#lab-own-where textarea, #lab-own-where input").fill(str(ROOT / "assets/adapters/lite/grpo"))
        if view == "strength":
            # As on a busy machine: the page reads several updates before it shows the first, a plot's code comes late.
            throttle.send("Emulation.setCPUThrottlingRate", {"rate": 6})
        before = len(engine.requests)
        page.keyboard.press("Control+Enter")
        page.wait_for_function(
            "() => document.querySelector('#lab-status').textContent.includes('All of it is here')"
            " && !document.querySelector('#lab-run').disabled",
        )
        assert len(engine.requests) > before
        assert page.locator(result).count() >= 5
        assert page.locator("#lab-emergency .ml-emergency").is_visible()
        if view == "own":
            page.locator("#lab-board-run").press("Enter")
            page.locator("#lab-board .lab-legend").wait_for()
        for fold in page.locator("details.lab-more:visible > summary, #lab-wordings details > summary").all():
            fold.click()
        if view == "learned":
            slider = page.locator("#lab-step")
            slider.press("Home")
            assert page.locator(".lab-step:visible").get_attribute("data-step") == "0"
            slider.press("ArrowRight")
            assert page.locator(".lab-step:visible .ml-card-name").inner_text() == "Step 5"
            assert slider.get_attribute("aria-valuetext") == page.locator(".lab-step-now").inner_text() == "step 5"
            page.locator("[data-lab-go='3']").press("Enter")
            assert page.locator(".lab-step:visible").get_attribute("data-step") == "15"
            assert slider.input_value() == "3"
        if view in ("strength", "luck", "learned"):
            page.locator(".lb-section:visible .lb-plot .main-svg").first.wait_for()
        throttle.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        for size, scheme in (("phone", "dark"), ("desktop", "light")):
            show(page, size, scheme)
            page.wait_for_timeout(300)
            found[view, size] = (grave(page, RULES[scheme]), max(page.evaluate(SIDEWAYS), 0))
    assert {where: one for where, one in found.items() if one != ([], 0)} == {}
    assert len(found) == 2 * len(RESULTS)
    # What was mapped is still there, and all models go on from a fork.
    page.locator("#lab-view input[value=forks]").check()
    fork = page.locator("#lab-forks article[data-model=grpo]")
    assert "it says “a”, where SFT r16 high says “help.”" in fork.inner_text()
    assert "needs" not in page.locator("#lab-onward").inner_text()
    page.locator("#lab-go-on").press("Enter")
    page.wait_for_selector("#lab-onward article[data-state=end]")
    begun = BEGINNING + "some need "
    texts = page.locator("#lab-onward .ml-answer .ml-text").all_text_contents()
    assert len(texts) == 5
    assert all(text.startswith(begun) for text in texts)


def test_what_is_typed_while_compares_question_is_fetched_stays(serve, visit, monkeypatch):
    open_lab = LabTab.open

    def slowly(self, session):
        time.sleep(0.5)
        return open_lab(self, session)

    monkeypatch.setattr(LabTab, "open", slowly)
    here = visit(serve(scripts={})[0]).ready()
    here.ask("What is asthma?")
    here.wait_done()
    here.tab("Lab")
    field = here.page.locator("#lab-question textarea")
    field.fill("And gout?")
    here.page.wait_for_timeout(1000)
    assert field.input_value() == "And gout?"
    # With nothing typed, Compare's question comes along.
    field.fill("")
    here.tab("Compare")
    here.tab("Lab")
    here.page.wait_for_function("document.querySelector('#lab-question textarea').value === 'What is asthma?'")
