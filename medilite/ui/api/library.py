"""`sources`: the library's passages for a question; and the source in the result of `compare`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import cast

from medilite.errors import ArgumentError
from medilite.prompts import clean_question
from medilite.settings import Settings
from medilite.sources.records import Passage
from medilite.sources.shelf import Shelf, Sought
from medilite.ui.api.arguments import quoted
from medilite.ui.api.schemas import Collection, MarkTold, PassageTold, Sourced
from medilite.ui.compare.comparison import Pane
from medilite.ui.guard.address import caller, network_of
from medilite.ui.guard.limits import Admission
from medilite.ui.page.source import WAIT_S, passage_grade

MOST = 20
NOTICE = (
    "Passages of the collection as it was taken, quoted word for word. The pages may say more or something else today, "
    "and no passage is advice for one person."
)


class Sources:
    """Looks questions up in the shelf's library, and stores none of them."""

    def __init__(
        self, shelf: Shelf, settings: Settings, admission: Admission, who: Callable[[], str | None] = caller
    ) -> None:
        self._shelf = shelf
        self._settings = settings
        self._admission = admission
        self._who = who

    def sources(self, question: str, count: int = 5) -> Sourced:
        """Return up to `count` passages, best first; none if nothing fits, or without a library.

        Raises QuestionError, ArgumentError, RateLimitError.
        """
        asked = clean_question(question, self._settings.max_question_chars)
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
            raise ArgumentError(f"count={quoted(count)} can't be used: give a whole number from 1 to {MOST}.")
        self._admission.reading(f"programs at {network_of(self._who() or '')}")
        try:
            sought = self._shelf.seek(asked, count).result(10 * WAIT_S)
        except Exception:  # it takes longer than anybody waits, or the app is being stopped
            sought = Sought(self._shelf.state)
        return sourced(asked, sought)


def sourced(question: str, sought: Sought) -> Sourced:
    """Return the result of looking a question up, as plain data."""
    found, about = sought.found, sought.about
    return {
        "question": question,
        "library": sought.state.kind,
        "message": sought.state.message,
        "fits": found.fits if found else None,
        "passages": [_told(hit.passage) for hit in found.hits] if found and found.fits else [],
        "collection": None if about is None else cast("Collection", asdict(about)),
        "notice": NOTICE,
    }


def marks_of(pane: Pane) -> list[MarkTold] | None:
    """Return an answer's marks as plain data; None if it was not compared with a source."""
    return None if pane.checked is None else [cast("MarkTold", asdict(mark)) for mark in pane.checked]


def _told(passage: Passage) -> PassageTold:
    return cast("PassageTold", {**asdict(passage), "flesch_kincaid_grade": passage_grade(passage.text)})
