"""What the votes say, in a browser: at both widths and in both schemes, by keyboard, with downloads."""

from __future__ import annotations

import json

import pytest

from medilite.arena.contestants import contestants
from medilite.arena.store import Store
from tests.arena.filled import OWN, keep, made_votes
from tests.browser.pages import PATIENCE_MS
from tests.browser.test_looks import CONTRAST, NAMELESS

pytestmark = pytest.mark.browser


@pytest.fixture
def voted(serve, visit, made_boards, tmp_path, lite):
    """Return a function that opens the tab of an app with 300 votes."""

    def start(size="desktop"):
        store = Store(tmp_path / "votes" / "votes.db")
        keep(store, made_votes(contestants(lite), 300))
        store.database.close()
        url, _ = serve(made_boards[0])
        here = visit(url, size)
        here.tab("Leaderboard")
        here.page.wait_for_selector("#votes-timeline .main-svg", timeout=PATIENCE_MS)
        return here

    return start


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_it_looks_as_it_should(voted, size):
    here = voted(size)
    page = here.page
    for summary in page.locator(".vb-results .lb-fold > summary").all():
        # By keyboard.
        summary.press("Enter")
    for scheme in here.schemes():
        assert page.evaluate(CONTRAST) == [], scheme
    assert page.locator(".vb-results details[open]").count() == 3
    assert here.overflow() <= 0
    assert page.evaluate(NAMELESS) == []
    text = page.locator(".vb-results").inner_text()
    assert "left is chosen" in text
    assert "300" in text


def test_votes_can_be_downloaded(voted):
    page = voted().page
    with page.expect_download() as waiting:
        page.get_by_role("link", name="JSONL").press("Enter")
    assert waiting.value.suggested_filename == "votes.jsonl"
    lines = waiting.value.path().read_text(encoding="utf-8").splitlines()
    assert len(lines) == 300
    assert OWN not in "".join(lines)
    assert json.loads(lines[0])["choice"] in ("left", "right", "equal", "both_bad")


def test_without_votes(serve, visit, tmp_path):
    url, _ = serve(tmp_path)
    here = visit(url)
    here.tab("Leaderboard")
    here.page.wait_for_selector(".vb-empty", timeout=PATIENCE_MS)
    assert "Blind vote" in here.page.locator(".vb-empty").text_content()
