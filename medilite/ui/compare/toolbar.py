"""What to do with a finished comparison: reopen it by a link, download it; and what the marks mean."""

from __future__ import annotations

from html import escape

from medilite.readability import LONG_SENTENCE_WORDS
from medilite.ui.compare.comparison import Comparison
from medilite.ui.compare.downloads import as_csv, as_json, data_uri
from medilite.ui.compare.links import encode_link


def toolbar_html(comparison: Comparison | None) -> str:
    """Return the links of a finished comparison; without one they stand there greyed out, so that nothing moves."""
    if comparison is None:
        items = "".join(
            f'<span class="ml-tool ml-tool-off" aria-disabled="true">{label}</span>'
            for label in ("Copy link", "JSON", "CSV")
        )
        return f'<div class="ml-toolbar" role="group" aria-label="Keep this comparison">{items}</div>'
    models = [pane.spec.id for pane in comparison.panes]
    link = encode_link(comparison.question, models, comparison.decoding, comparison.seed)
    return (
        '<div class="ml-toolbar" role="group" aria-label="Keep this comparison">'
        f'<a class="ml-tool" id="share-link" href="{escape(link)}" data-copy="link" '
        'data-tip="Copies a link that reopens this question with these models and settings.">Copy link</a>'
        f'<a class="ml-tool" id="download-json" download="medilite-comparison.json" '
        f'href="{data_uri(as_json(comparison), "application/json")}" aria-label="Download as JSON">JSON</a>'
        f'<a class="ml-tool" id="download-csv" download="medilite-comparison.csv" '
        f'href="{data_uri(as_csv(comparison), "text/csv")}" aria-label="Download as CSV">CSV</a></div>'
    )


def legend_html(base: str) -> str:
    """Return what the marks mean; each line shows only while its marks do."""
    return (
        '<p class="ml-legend ml-legend-hard"><span class="ml-hard-word">hard word</span> two or more syllables and not '
        'on a list of familiar words · <span class="ml-long-sentence">long sentence</span> over '
        f"{LONG_SENTENCE_WORDS} words</p>"
        f'<p class="ml-legend ml-legend-differs"><span class="ml-differs">differs</span> is not in the answer of '
        f"{escape(base)}, word by word</p>"
    )
