"""Take the screenshots of docs/screenshots: the real app, a real question, real answers.

    .venv/bin/python scripts/screenshots.py [--out FOLDER] [--question TEXT]

Every picture is taken wide (1280 pixels) and on a phone (390), light and dark.
The pictures show whatever the models say, good or bad: nothing is picked.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.browser import REMEDY, find_browser
from scripts.running import ROOT, running_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

QUESTION = "What is asthma, and what sets it off?"
FOLLOW_UP = "What can I do about it at home?"
SIZES = {"": (1280, 900), "-phone": (390, 844)}
SCHEMES = ("light", "dark")
PATIENCE_MS = 600_000
"""An answer on a busy machine takes minutes."""


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
        with running_app() as app, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(path), args=["--no-sandbox", "--disable-gpu"])
            for suffix, size in SIZES.items():
                for scheme in SCHEMES:
                    take(browser, app.url, size, scheme, options.out, suffix, options.question)
            browser.close()
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def take(browser: Browser, url: str, size: tuple[int, int], scheme: str, out: Path, suffix: str, question: str) -> None:
    """Ask in both tabs at one size and in one scheme, and write a picture of each screen."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#compare-status .ml-status-ready", timeout=PATIENCE_MS)
    if not suffix:
        shoot(page, out / f"start{suffix}-{scheme}.png")
    page.fill("#question textarea", question)
    page.click("#ask")
    page.wait_for_function("document.querySelector('#answers .ml-card')?.dataset.tokens > 30", timeout=PATIENCE_MS)
    shoot(page, out / f"writing{suffix}-{scheme}.png")
    page.wait_for_selector("#ask:enabled", timeout=PATIENCE_MS)
    # On a phone the whole page is taller than anybody wants to look at: the window is enough.
    shoot(page, out / f"compare{suffix}-{scheme}.png", whole=not suffix)
    page.locator("#mark-hard input").check()
    page.locator("#mark-differs input").check()
    page.locator("#answers summary").first.click()
    page.locator(".ml-tools").scroll_into_view_if_needed()
    shoot(page, out / f"marks{suffix}-{scheme}.png")
    chat(page, question)
    shoot(page, out / f"chat{suffix}-{scheme}.png")
    page.get_by_role("tab", name="About").click()
    page.wait_for_selector(".ml-about")
    page.evaluate("window.scrollTo(0, 0)")
    shoot(page, out / f"about{suffix}-{scheme}.png")
    context.close()


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


def shoot(page: Page, path: Path, *, whole: bool = False) -> None:
    """Write one picture, once everything stands still."""
    page.mouse.move(0, 0)
    if whole:
        page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_timeout(700)
    page.screenshot(path=str(path), full_page=whole)
    print(path, flush=True)


if __name__ == "__main__":
    sys.exit(main())
