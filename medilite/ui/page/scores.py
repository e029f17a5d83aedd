"""Scores as HTML: a grade as word, number and colour; the others in a list that explains itself."""

from __future__ import annotations

from html import escape

from medilite.readability import METRICS, Metric, Readability, grade_band, grade_word

HEADLINE = ("flesch_kincaid_grade", "flesch_reading_ease", "words")
"""The scores that every card shows; the rest are a click away."""

REST = tuple(name for name in METRICS if name not in HEADLINE)

_UNITS = {"US school grade": "grade", "points": "", "words": "", "sentences": "", "s": "s"}
_NO_SCORE = "–"


def score_text(name: str, value: float | int | None) -> str:
    """Return one score as people read it: counts whole, scores with one decimal, a dash for none."""
    if value is None:
        return _NO_SCORE
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}".replace("-", "−")


def metric_help(metric: Metric) -> str:
    """Return what a metric means and which way is better, in one breath."""
    better = {"lower": " Lower is easier to read.", "higher": " Higher is easier to read."}.get(metric.better or "", "")
    return f"{metric.explanation}{better}"


def term_html(label: str, explanation: str) -> str:
    """Return a word that explains itself on hover, focus or tap."""
    return (
        f'<span class="ml-term" tabindex="0" role="note" data-tip="{escape(explanation)}" '
        f'aria-label="{escape(f"{label}: {explanation}")}">{escape(label)}</span>'
    )


_TOKENS = term_html("Tokens", "The pieces, words or parts of words, in which the model wrote the answer.")


def grade_html(scores: Readability | None, *, pending: bool = False) -> str:
    """Return the grade as a word, a number and a coloured band together."""
    if pending:
        return (
            '<span class="ml-grade ml-band-none"><span class="ml-grade-word">Grade</span>'
            '<span class="ml-grade-number">…</span></span>'
        )
    return grade_badge_html(scores.flesch_kincaid_grade if scores else None)


def grade_badge_html(grade: float | None) -> str:
    """Return a grade that is known without the other scores, as `grade_html` does."""
    band = grade_band(grade)
    number = "" if grade is None else f'<span class="ml-grade-number">{score_text("", float(grade))}</span>'
    return (
        f'<span class="ml-grade ml-band-{band.key}" tabindex="0" role="note" '
        f'data-tip="{escape(_grade_help(grade))}" aria-label="{escape(_grade_label(grade))}">'
        f'<span class="ml-grade-word">{escape(grade_word(grade))}</span>{number}'
        f'<span class="ml-band-word">{escape(band.label)}</span></span>'
    )


def _grade_help(grade: float | None) -> str:
    if grade is None:
        return "A text without English words has no grade."
    return (
        f"Flesch–Kincaid grade. {metric_help(METRICS['flesch_kincaid_grade'])} "
        "6th to 8th grade is recommended for patients."
    )


def _grade_label(grade: float | None) -> str:
    if grade is None:
        return "No grade"
    return f"{grade_word(grade)}, {grade:.1f}, {grade_band(grade).label}"


def headline_html(scores: Readability | None, *, pending: bool = False) -> str:
    """Return reading ease and words, the two scores beside the grade."""
    parts = []
    for name in HEADLINE[1:]:
        value = getattr(scores, name) if scores else None
        text = "…" if pending else score_text(name, value)
        parts.append(f'<div class="ml-fact">{_definition(name, text)}</div>')
    return f'<dl class="ml-facts">{"".join(parts)}</dl>'


def rest_html(scores: Readability, tokens: int) -> str:
    """Return what stands behind "All scores", each with its unit and explanation; the answer's tokens last."""
    rows = []
    for name in REST:
        value = getattr(scores, name)
        unit = _UNITS.get(METRICS[name].unit, METRICS[name].unit)
        suffix = f' <span class="ml-unit">{escape(unit)}</span>' if unit and value is not None else ""
        arrow = _direction(METRICS[name])
        rows.append(f'<div class="ml-score">{_definition(name, score_text(name, value), suffix, arrow)}</div>')
    rows.append(f'<div class="ml-score"><dt>{_TOKENS}</dt><dd>{tokens}</dd></div>')
    return f'<dl class="ml-scores">{"".join(rows)}</dl>'


def _direction(metric: Metric) -> str:
    if metric.better is None:
        return ""
    sign, words = ("↓", "lower is easier") if metric.better == "lower" else ("↑", "higher is easier")
    return f' <span class="ml-better" aria-hidden="true" title="{words}">{sign}</span>'


def _definition(name: str, text: str, suffix: str = "", arrow: str = "") -> str:
    return (
        f"<dt>{term_html(METRICS[name].label, metric_help(METRICS[name]))}{arrow}</dt><dd>{escape(text)}{suffix}</dd>"
    )
