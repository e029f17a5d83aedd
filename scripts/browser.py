"""Find a Chromium for the browser tests and the screenshots, or install one.

    .venv/bin/python scripts/browser.py

`find_browser` looks among the system's browsers, then for Playwright's own.
Run as a script it installs one where it can: Debian's package as root (or by a
sudo that asks no password), else Playwright's download. Where neither works it
says what to do; that is an error only in CI.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.system import apt_install, works

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
"""Debian's headless shell first: the same Chromium without a window around each page, which costs as much as a page."""

MAC = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
REMEDY = (
    "No Chromium was found, so the browser tests are skipped. Install one: `apt install chromium` on Debian, "
    "Google Chrome elsewhere, or `.venv/bin/python -m playwright install chromium`."
)


def find_browser() -> Path | None:
    """Return the executable of a Chromium or Chrome on this machine, or None."""
    on_path = [Path(found) for name in NAMES if (found := shutil.which(name))]
    for path in [*on_path, *MAC]:
        # Ubuntu's chromium-browser may be a stand-in that only asks for a snap: it has to run.
        if path.is_file() and works([str(path), "--version"], quiet=True):
            return path
    return _playwrights_own()


def install_browser() -> Path | None:
    """Install a Chromium if none is here; return its executable, or None if that can't be done."""
    if found := find_browser():
        return found
    for package in ("chromium-headless-shell", "chromium"):  # Ubuntu has no headless shell
        if apt_install("the browser tests", package, "fonts-dejavu-core") and (found := find_browser()):
            return found
    print("Getting Playwright's Chromium for the browser tests", flush=True)
    works([sys.executable, "-m", "playwright", "install", "chromium"])
    return find_browser()


def main() -> int:
    """Install a Chromium if need be; return 1 where a missing one is an error (CI), else 0."""
    if install_browser():
        return 0
    print(REMEDY, file=sys.stderr)
    return 1 if os.environ.get("CI") else 0


def _playwrights_own() -> Path | None:
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            path = Path(playwright.chromium.executable_path)
    except Exception:  # not installed, or called from inside a running event loop: then it isn't to be had either
        return None
    return path if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
