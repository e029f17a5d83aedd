"""A browser, the page served around a scripted engine, and the real app as a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from bench.running_app import running_app
from medilite.arena.booth import Booth
from medilite.leaderboard import FOLDER
from medilite.models import Profile
from medilite.settings import load_settings
from medilite.sources.shelf import Shelf
from tests.browser.pages import PATIENCE_MS, WIDTHS, Visit
from tests.support.fakes import ScriptedEngine

FLAGS = (
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
)


@pytest.fixture(scope="session")
def browser(browser_path: Path) -> Iterator[Browser]:
    """One Chromium for all tests; each gets a context of its own."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(browser_path), args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def serve(lite: Profile, tmp_path: Path) -> Iterator[Callable[..., tuple[str, ScriptedEngine]]]:
    """Return a function that serves the page around a scripted engine, and closes it after the test."""
    from medilite.ui.page.app import build_ui, serve
    from medilite.ui.page.loading import start_loading

    served = []

    def start(
        boards: Path = FOLDER, booth: Booth | None = None, shelf: Shelf | None = None, profile: Profile = lite,
        **script: object,
    ) -> tuple[str, ScriptedEngine]:  # fmt: skip
        engine = ScriptedEngine(profile, **script)  # type: ignore[arg-type]
        settings = load_settings(port=0, host="127.0.0.1", data_dir=tmp_path / "votes")
        page = build_ui(engine, profile, settings, boards, booth, shelf)
        start_loading(engine)
        served.append(page)
        return serve(page, profile, settings, block=False), engine

    start.served = served  # type: ignore[attr-defined]
    yield start
    for page in served:
        page.close(verbose=False)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Return a function that opens the app in a fresh context; afterwards nothing may have gone wrong behind it.

    Motion is reduced but on a phone: smooth scrolling and what else moves takes a fifth of a test's time.
    """
    visits: list[Visit] = []

    def start(url: str, size: str = "desktop", scheme: str = "light", fragment: str = "", **options: object) -> Visit:
        width, height = WIDTHS[size]
        options.setdefault("reduced_motion", "no-preference" if size == "phone" else "reduce")
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            has_touch=size == "phone",
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        made = Visit(context.new_page(), url)
        made.watch()
        visits.append(made)
        return made.open(fragment)

    yield start
    for made in visits:
        made.page.context.close()
    assert [url for made in visits for url in made.foreign] == [], "the page asks other hosts for something"
    assert [error for made in visits for error in made.errors] == []


@pytest.fixture(scope="session")
def real_app(weights: Path) -> Iterator[str]:
    """The address of `python app.py`, started as a person would, with the real weights."""
    with running_app(HF_HUB_OFFLINE="1", MEDILITE_PROFILE="lite", MEDILITE_WEIGHTS="") as app:
        yield app.url
    assert "Traceback" not in "".join(app.output), "".join(app.output)
