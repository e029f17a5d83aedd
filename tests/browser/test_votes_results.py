"""What the votes say, in a browser: by keyboard, with downloads. How it looks is in test_axe.py."""

from __future__ import annotations

import json

import pytest

from medilite.arena.contestants import contestants
from medilite.arena.store import Store
from tests.arena.filled import OWN, keep, made_votes
from tests.browser.pages import PATIENCE_MS

pytestmark = pytest.mark.browser


@pytest.fixture
def voted(serve, visit, made_boards, tmp_path, lite):
    """The tab of an app with 300 votes."""
    store = Store(tmp_path / "votes" / "votes.db")
    keep(store, made_votes(contestants(lite), 300))
    store.database.close()
    here = visit(serve(made_boards[0])[0])
    here.tab("Leaderboard")
    here.page.wait_for_selector("#votes-timeline .main-svg", timeout=PATIENCE_MS)
    return here.page


def test_votes_are_told_and_can_be_downloaded(voted):
    for summary in voted.locator(".vb-results .lb-fold > summary").all():
        summary.press("Enter")
    voted.emulate_media(color_scheme="dark")
    assert voted.locator(".vb-results details[open]").count() == 3
    text = voted.locator(".vb-results").inner_text()
    assert "the left one is chosen" in text
    assert "300" in text
    with voted.expect_download() as waiting:
        voted.get_by_role("link", name="JSONL").press("Enter")
    assert waiting.value.suggested_filename == "votes.jsonl"
    lines = waiting.value.path().read_text(encoding="utf-8").splitlines()
    assert len(lines) == 300
    assert OWN not in "".join(lines)
    assert json.loads(lines[0])["choice"] in ("left", "right", "equal", "both_bad")
