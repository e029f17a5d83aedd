"""Scores as HTML: a grade as word, number and colour; the others in a list that explains itself."""

from __future__ import annotations

from medilite.readability import METRICS, Metric, Readability, grade_band, grade_word
from medilite.ui.html import Markup, templates

HEADLINE = ("flesch_kincaid_grade", "flesch_reading_ease", "words")
"""The scores that every card shows; the others are a click away."""

REST = tuple(name for name in METRICS if name not in HEADLINE)

_UNITS = {"US school grade": "grade", "points": "", "words": "", "sentences": "", "s": "s"}
_NO_SCORE = "–"
TEMPLATE = "page/parts.html"


def score_text(name: str, value: float | int | None) -> str:
    """Return one score as text: counts whole, scores with one decimal, a dash for None."""
    if value is None:
        return _NO_SCORE
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}".replace("-", "−")


def metric_help(metric: Metric) -> str:
    """Return what a metric means and which way is better."""
    better = {"lower": " Lower is easier to read.", "higher": " Higher is easier to read."}.get(metric.better or "", "")
    return f"{metric.explanation}{better}"


def grade_html(scores: Readability | None, *, pending: bool = False) -> Markup:
    """Return the grade as a word, a number and a coloured band together."""
    if pending:
        return templates(TEMPLATE).pending_grade()
    if scores and scores.is_foreign:
        help = "This answer is not in English, and the formulas of grades are for English alone."
        return templates(TEMPLATE).grade("Not English", "", grade_band(None), help, f"Not English. {help}")
    return grade_badge_html(scores.flesch_kincaid_grade if scores else None)


def grade_badge_html(grade: float | None) -> Markup:
    """Return a grade without its other scores, as `grade_html` does."""
    word, band = grade_word(grade), grade_band(grade)
    if grade is None:
        help, said, number = "A text without English words has no grade.", "No grade", ""
    else:
        about = metric_help(METRICS["flesch_kincaid_grade"])
        help = f"Flesch–Kincaid grade. {about} 6th to 8th grade is recommended for patients."
        said, number = f"{word}, {grade:.1f}, {band.label}", score_text("", float(grade))
    return templates(TEMPLATE).grade(word, number, band, help, said)


def headline_html(scores: Readability | None, *, pending: bool = False) -> Markup:
    """Return reading ease and words, the two scores beside the grade."""
    values = {name: getattr(scores, name) if scores else None for name in HEADLINE[1:]}
    return templates(TEMPLATE).headline(
        (METRICS[name].label, metric_help(METRICS[name]), "…" if pending else score_text(name, value))
        for name, value in values.items()
    )


def rest_html(scores: Readability, tokens: int) -> Markup:
    """Return what is behind "All scores", each with its unit and explanation; the answer's tokens last."""
    rows = []
    for name in REST:
        metric, value = METRICS[name], getattr(scores, name)
        unit = "" if value is None else _UNITS.get(metric.unit, metric.unit)
        rows.append((metric.label, metric_help(metric), metric.better, score_text(name, value), unit))
    return templates(TEMPLATE).rest(rows, tokens)
