"""Take the screenshots of docs/screenshots: the real app, a real question, real answers.

    .venv/bin/python scripts/screenshots.py [--out FOLDER] [--question TEXT]

Every picture is taken wide (1280 pixels) and on a phone (390), light and dark.
The pictures show whatever the models say, good or bad: nothing is picked.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.running_app import ROOT, running_app
from scripts.browser import REMEDY, find_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

QUESTION = "What is asthma, and what sets it off?"
FOLLOW_UP = "What can I do about it at home?"
SIZES = {"": (1280, 900), "-phone": (390, 844)}
SCHEMES = ("light", "dark")
PATIENCE_MS = 600_000
"""An answer on a busy machine takes minutes."""
READING_MS = 15_000
"""A faster vote would be marked as hasty."""


def main(arguments: list[str] | None = None) -> int:
    """Write the pictures; 2 where there is no browser, or the app does not start."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots", help="folder for the pictures")
    parser.add_argument("--question", default=QUESTION, help="question to ask in Compare and Chat")
    options = parser.parse_args(arguments)
    path = find_browser()
    if path is None:
        print(f"error: {REMEDY}", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    try:
        # The vote goes into a database of its own.
        with (
            tempfile.TemporaryDirectory() as data,
            running_app(MEDILITE_DATA_DIR=data, MEDILITE_VOTES_URL="") as app,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=str(path), args=["--no-sandbox", "--disable-gpu"])
            take(Camera(browser, options.out), app.url, options.question)
            browser.close()
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


class Camera:
    """One page, photographed in every size and scheme: answers take minutes, so one page is reused."""

    def __init__(self, browser: Browser, out: Path) -> None:
        self.page = browser.new_context().new_page()
        self._out = out
        self._set(*SIZES[""], SCHEMES[0])

    def shoot(self, name: str, *, at: str | None = None, whole: bool = False, phone: bool = True) -> None:
        """Write a picture of the screen in each size and scheme, once nothing moves any more.

        `at` selects what has to be in the window. `whole` takes all of the page
        where it is wide; on a phone it is taller than anybody wants to look at,
        and the window is enough.
        """
        for suffix, size in SIZES.items():
            if suffix and not phone:
                continue
            for scheme in SCHEMES:
                self._set(*size, scheme)
                self.page.mouse.move(0, 0)
                if at:
                    self.page.locator(at).first.scroll_into_view_if_needed()
                else:
                    self.page.evaluate("window.scrollTo(0, 0)")
                self.page.wait_for_timeout(700)
                path = self._out / f"{name}{suffix}-{scheme}.png"
                self.page.screenshot(path=str(path), full_page=whole and not suffix)
                print(path, flush=True)

    def _set(self, width: int, height: int, scheme: str) -> None:
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]


def take(camera: Camera, url: str, question: str) -> None:
    """Ask once in each tab, and photograph each screen."""
    page = camera.page
    page.goto(url)
    page.wait_for_selector("#compare-status .ml-status-ready", timeout=PATIENCE_MS)
    camera.shoot("start", phone=False)
    page.fill("#question textarea", question)
    page.click("#ask")
    page.wait_for_function("document.querySelector('#answers .ml-card')?.dataset.tokens > 20", timeout=PATIENCE_MS)
    camera.shoot("writing")
    page.wait_for_selector("#ask:enabled", timeout=PATIENCE_MS)
    camera.shoot("compare", whole=True)
    page.locator("#mark-hard input").check()
    page.locator("#mark-differs input").check()
    page.locator("#answers summary").first.click()
    camera.shoot("marks", at=".ml-tools")
    chat(page, question)
    camera.shoot("chat", at=".ml-turn")
    vote(camera, question)
    page.get_by_role("tab", name="Leaderboard").click()
    page.wait_for_selector("#lb-study table", timeout=PATIENCE_MS)
    camera.shoot("leaderboard", whole=True)
    page.get_by_role("tab", name="About").click()
    page.wait_for_selector(".ml-about")
    camera.shoot("about")
    page.context.close()


def vote(camera: Camera, question: str) -> None:
    """Photograph the walk-through, a pair before and after its vote (where there are any), and a live one."""
    page = camera.page
    page.get_by_role("tab", name="Blind vote").click()
    page.wait_for_selector("#vote-pair .vt-pair:not([data-state=drawing])", timeout=PATIENCE_MS)
    page.wait_for_selector("dialog[open]")
    camera.shoot("vote-walk-through", phone=False)
    page.keyboard.press("Escape")
    camera.shoot("vote")
    if page.locator("#vote-pair [data-state=open]").count():
        page.wait_for_timeout(READING_MS)
        page.keyboard.press("3")
        page.locator("#vote-pair [data-state=taken] [data-do=reveal]").click(timeout=PATIENCE_MS)
        page.wait_for_selector("#vote-pair [data-state=voted]", timeout=PATIENCE_MS)
        camera.shoot("vote-after", at="#vote-pair .vt-verdict")
    page.get_by_label("Live").check()
    page.fill("#vote-question textarea", question)
    page.click("#vote-ask")
    page.wait_for_selector(
        "#vote-live-pair [data-state=open], #vote-live-pair [data-state=nothing]", timeout=PATIENCE_MS
    )
    camera.shoot("vote-live", at="#vote-live-pair .vt-question")


def chat(page: Page, question: str) -> None:
    """Ask one model, then another."""
    page.get_by_role("tab", name="Chat").click()
    for number, (model, text) in enumerate(((1, question), (-1, FOLLOW_UP)), start=1):
        models = page.locator("#chat-model label")
        models.nth(model - 1 if model > 0 else models.count() - 1).click()
        page.fill("#chat-question textarea", text)
        page.click("#send")
        page.wait_for_function(
            "n => document.querySelectorAll('.ml-turn').length === n && !document.querySelector('#send').disabled",
            arg=number,
            timeout=PATIENCE_MS,
        )


if __name__ == "__main__":
    sys.exit(main())
