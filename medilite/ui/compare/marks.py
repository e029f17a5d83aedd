"""Text with marks, as HTML: hard words, long sentences, what differs from the base's answer.

The marks are always in the HTML of a finished answer and stay invisible until
the page switches them on, so a toggle needs neither the server nor the model.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import pairwise

Mark = tuple[int, int, str]
"""(start, end, class): the characters text[start:end] carry the CSS class."""


def marked_html(text: str, marks: Iterable[Mark]) -> str:
    """Return `text` escaped, with every marked stretch in a span that carries the classes of its marks.

    Marks may overlap and nest: the text is cut at every start and end, so the
    spans never cross. Marks outside the text are clipped to it.
    """
    spans = [(max(0, start), min(len(text), end), name) for start, end, name in marks]
    spans = [(start, end, name) for start, end, name in spans if start < end]
    if not spans:
        return escape(text)
    cuts = sorted({0, len(text), *(start for start, _, _ in spans), *(end for _, end, _ in spans)})
    pieces = []
    for left, right in pairwise(cuts):
        names = sorted({name for start, end, name in spans if start <= left and right <= end})
        piece = escape(text[left:right])
        pieces.append(f'<span class="{escape(" ".join(names))}">{piece}</span>' if names else piece)
    return "".join(pieces)
