"""The links to download the votes."""

from __future__ import annotations

from medilite.arena.export import WRITERS
from medilite.ui.html import Markup, templates
from medilite.ui.page.routes import votes_path

_LABELS = {".jsonl": "JSONL", ".csv": "CSV", ".parquet": "Parquet"}


def downloads_html() -> Markup:
    """Return the links, and what the files leave out."""
    files = [(votes_path(suffix), f"votes{suffix}", _LABELS[suffix]) for suffix in WRITERS]
    return templates("leaderboard/votes.html").downloads(files)
