"""Text with marks, as HTML: what is hard to read, what differs from the base's answer.

The marks are always in the HTML of a finished answer and stay invisible until
the page switches them on, so a toggle needs neither the server nor the model.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from medilite.readability import Span
from medilite.ui.html import Markup

Mark = tuple[int, int, str]
"""(start, end, class): the characters text[start:end] carry the CSS class."""


def hard_marks(spans: Iterable[Span]) -> list[Mark]:
    """Return the marks of what is hard to read."""
    return [(span.start, span.end, f"ml-{span.kind}") for span in spans]


def marked_html(text: str, marks: Iterable[Mark]) -> Markup:
    """Return `text` escaped, with every marked stretch in a span that carries the classes of its marks.

    Marks may overlap and nest: the text is cut at every start and end, so the
    spans never cross. Marks outside the text are clipped to it.
    """
    spans = [(max(0, start), min(len(text), end), name) for start, end, name in marks]
    spans = [(start, end, name) for start, end, name in spans if start < end]
    if not spans:
        return Markup.escape(text)
    cuts = sorted({0, len(text), *(start for start, _, _ in spans), *(end for _, end, _ in spans)})
    pieces = Markup()
    for left, right in pairwise(cuts):
        names = sorted({name for start, end, name in spans if start <= left and right <= end})
        piece = text[left:right]
        pieces += Markup('<span class="{}">{}</span>').format(" ".join(names), piece) if names else piece
    return pieces
