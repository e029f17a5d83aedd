"""A comparison as one HTML file to keep, send or print: no script, no server, nothing fetched."""

from __future__ import annotations

import platform
from datetime import UTC, datetime

import medilite
from medilite.readability import Readability, grade_band, grade_word
from medilite.safety import NOT_MEDICAL_ADVICE_LONG, emergency_notice
from medilite.sources.records import Passage
from medilite.ui.compare.comparison import Comparison, Pane
from medilite.ui.compare.marks import marked_html
from medilite.ui.html import templates
from medilite.ui.page.decoding import decoding_words
from medilite.ui.page.scores import score_text


def as_report(comparison: Comparison, now: datetime | None = None) -> str:
    """Return a finished comparison as a whole HTML document, with all that it takes to make it again."""
    chains = {pane.spec.id: reversed(comparison.profile.chain(pane.spec.id)) for pane in comparison.panes}
    adapters = [(pane.spec.label, pane.spec.id, " on ".join(link.id for link in chains[pane.spec.id]))
                for pane in comparison.panes]  # fmt: skip
    return str(
        templates("compare/report.html").report(
            comparison.question,
            next(filter(None, map(emergency_notice, reversed(comparison.questions))), None),
            NOT_MEDICAL_ADVICE_LONG,
            [{**_row(pane), "earlier": comparison.turns(pane.spec.id)} for pane in comparison.panes],
            comparison.base.spec.label if comparison.base else "",
            decoding_words(comparison.decoding, comparison.seed),
            comparison,
            adapters,
            _sources(comparison),
            {"MediLite": medilite.__version__, "Python": platform.python_version()},
            (now or datetime.now(UTC)).strftime("%d %B %Y, %H:%M UTC"),
        )
    )


def _sources(comparison: Comparison) -> list[tuple[str, list[Passage]]]:
    """Return what the answers had to do with the library: a heading each, and its passages."""
    found = comparison.sought.found if comparison.sought else None
    sources = []
    if comparison.given:
        sources.append(("The passage that they answered from", [comparison.given]))
    if found and any(pane.checked is not None for pane in comparison.panes):
        passages = [hit.passage for hit in found.compared]
        sources.append(("The sources that they were compared with", passages))
    if found and found.fits and not sources:
        sources.append(("The passages that were shown beside them", [hit.passage for hit in found.hits]))
    return sources


def _row(pane: Pane) -> dict[str, object]:
    """Return what the report shows of one answer."""
    scores = pane.scores
    grade = scores.flesch_kincaid_grade if scores else None
    marks = None if pane.checked is None else {
        kind: sum(mark.verdict == kind for mark in pane.checked) for kind in ("found", "not_found", "at_odds")
    }  # fmt: skip
    return {
        "spec": pane.spec,
        "text": marked_html(pane.text, [(span.start, span.end, "d") for span in pane.differs]),
        "empty": not pane.text.strip(),
        "grade": _grade_words(scores),
        "band": grade_band(grade).label if grade is not None else "",
        "ease": score_text("", scores.flesch_reading_ease if scores else None),
        "words": score_text("", scores.words if scores else None),
        "tokens": pane.tokens,
        "stopped": {"end": "ended by itself", "length": "cut at the limit", "cancelled": "stopped", "error": "failed"}[
            pane.stopped or "cancelled"
        ],
        "error": pane.error,
        "marks": marks,
    }


def _grade_words(scores: Readability | None) -> str:
    if scores is None or scores.flesch_kincaid_grade is None:
        return "not English, so without a grade" if scores and scores.is_foreign else "no grade"
    return f"{grade_word(scores.flesch_kincaid_grade)}, {scores.flesch_kincaid_grade:.1f}"
