"""What to do with a finished comparison: reopen it by a link, download it; and what the marks mean."""

from __future__ import annotations

from medilite.readability import LONG_SENTENCE_WORDS
from medilite.ui.compare.comparison import Comparison
from medilite.ui.compare.downloads import as_csv, as_json, data_uri
from medilite.ui.compare.links import link_of
from medilite.ui.compare.report import as_report
from medilite.ui.html import Markup, templates

TEMPLATE = "compare/cards.html"


def toolbar_html(comparison: Comparison | None) -> Markup:
    """Return the links of a finished comparison; without one they are greyed out, so that nothing moves."""
    if comparison is None:
        return templates(TEMPLATE).toolbar()
    return templates(TEMPLATE).toolbar(
        # A link holds one question, so none leads back to what a follow-up follows.
        "" if comparison.before else link_of(comparison),
        data_uri(as_json(comparison), "application/json"),
        data_uri(as_csv(comparison), "text/csv"),
        data_uri(as_report(comparison), "text/html"),
        bool(comparison.sought and comparison.sought.references),
    )


def legend_html(base: str) -> Markup:
    """Return what the marks mean; each line shows only while its marks do."""
    return templates(TEMPLATE).legend(base, LONG_SENTENCE_WORDS)
