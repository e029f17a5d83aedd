"""The library's passages for a question as HTML, looked up while the answer is being written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future

from medilite.claims import sentences
from medilite.errors import MediLiteError
from medilite.lab.lay_words import plain_words
from medilite.readability import hard_spans, measure
from medilite.sources.marks import Mark
from medilite.sources.shelf import Shelf, ShelfState, Sought
from medilite.ui.compare.marks import Mark as MarkedText
from medilite.ui.compare.marks import hard_marks, marked_html
from medilite.ui.html import Markup, templates
from medilite.ui.page.scores import grade_badge_html

TEMPLATE = "page/source.html"
NIH, CDC = "What the National Institutes of Health say", "What the Centers for Disease Control and Prevention say"


def source_html(sought: Sought, key: str = "compare", *, missed: bool = False) -> Markup | str:
    """Return the card with what was found, or that nothing fits, or why there is no library; "" if it is off.

    `key` distinguishes the cards of one page; `missed` says that the answers were to be from the source, and aren't.
    """
    if sought.found is None or sought.about is None:
        message = {"off": "", "ready": ""}.get(sought.state.kind, sought.state.message)
        if missed:
            return templates(TEMPLATE).missed(message)
        return templates(TEMPLATE).line(f"No source beside these answers yet. {message}") if message else ""
    if not sought.found.fits:
        return templates(TEMPLATE).nothing(NIH)
    first, *others = (hit.passage for hit in sought.found.hits)
    own = f"What {first.institute or sought.about.title} says"
    title = CDC if first.source == "CDC" else NIH if sought.about.title == "MedQuAD" else own
    badge = grade_badge_html(passage_grade(first.text))
    said = templates(TEMPLATE).missed("") if missed else Markup()
    return said + templates(TEMPLATE).card(
        title, first, passage_html(first.text), plain_words(first.text), sought.about, badge, others, key
    )


def passage_html(text: str) -> Markup:
    """Return a passage with what is hard to read in it marked, as in answers: invisible until the page shows marks."""
    try:
        return marked_html(text, hard_marks(hard_spans(text)))
    except MediLiteError:  # its dictionary can't be had: a passage without marks is still a passage
        return Markup.escape(text)


def passage_grade(text: str) -> float | None:
    """Return the Flesch–Kincaid grade of a passage, None if it can't be computed."""
    try:
        return measure(text).flesch_kincaid_grade
    except MediLiteError:
        return None


WAIT_S = 2.0
"""How long a finished answer waits for the library."""


class Seeking:
    """A question that is looked up while its answers are being written."""

    def __init__(self, shelf: Shelf, question: str, earlier: Sequence[str] = ()) -> None:
        self._future: Future[Sought] | None = shelf.seek(question, earlier=earlier)

    def come(self, *, wait: bool = False) -> Sought | None:
        """Return the result once; None before it is there, and afterwards. `wait` waits WAIT_S at most."""
        future = self._future
        if future is None or not (wait or future.done()):
            return None
        self._future = None
        try:
            return future.result(WAIT_S)
        except (TimeoutError, CancelledError):
            return None


def place_html(state: ShelfState) -> Markup | str:
    """Return a placeholder as large as the card, so that nothing moves when it comes."""
    return templates(TEMPLATE).looking() if state.kind == "ready" else source_html(Sought(state))


_SAID = {"found": "Found in the source", "not_found": "Not found in the source", "at_odds": "At odds with the source"}


def held_html(text: str, marks: Sequence[MarkedText], held: Sequence[Mark]) -> Markup:
    """Return an answer's text with its other marks, each sentence that was compared with the source in an element."""
    pieces, place = Markup(), 0
    for mark in sorted(held, key=lambda mark: mark.start):
        if mark.start < place:
            continue
        said = _SAID[mark.verdict] + (f": “{mark.quote}”" if mark.quote else ".")
        pieces += _part(text, marks, place, mark.start)
        pieces += templates(TEMPLATE).held(mark.verdict, said, _part(text, marks, mark.start, mark.end))
        place = mark.end
    return pieces + _part(text, marks, place, len(text))


def _part(text: str, marks: Sequence[MarkedText], start: int, end: int) -> Markup:
    inside = [(max(a, start) - start, min(b, end) - start, name) for a, b, name in marks if a < end and b > start]
    return Markup(marked_html(text[start:end], inside))


def count_html(text: str, held: Sequence[Mark] | None) -> Markup | str:
    """Return how many of an answer's sentences got which mark, and how many none; "" if it wasn't compared with any."""
    if held is None:
        return ""
    verdicts = Counter(mark.verdict for mark in held)
    said = len(sentences(text))
    return templates(TEMPLATE).count(verdicts["found"], verdicts["not_found"], verdicts["at_odds"], len(held), said)


def legend_html() -> Markup:
    """Return what the marks mean and how often they are wrong; visible only while the marks are."""
    return templates(TEMPLATE).legend()
