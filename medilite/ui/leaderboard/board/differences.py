"""Two models compared question by question: differences with intervals, and which of them are clear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medilite.leaderboard import LEAST_QUESTIONS, Row
from medilite.ui.html import Markup, templates
from medilite.ui.leaderboard.board.view import (
    AT_ODDS,
    F1,
    GRADE,
    LOOPS,
    PRECISION,
    RECALL,
    SIMILARITY,
    WORDS,
    Column,
    View,
)
from medilite.ui.page.words import number_text, percent

FIRST = (
    *(GRADE, "smog_index", "coleman_liau_index", "dale_chall_score", "gunning_fog", "grade_8", LOOPS, WORDS),
    *(PRECISION, RECALL, F1, "unsupported_terms", AT_ODDS, "claims_not_found", "false_explanation"),
    *("inheritance_from_nowhere", "invented_prevalence", SIMILARITY, "bleu_study"),
)
"""Columns that are visible; the others are folded away."""

SLICED = (GRADE, PRECISION, F1, AT_ODDS)
"""Columns of the table of slices."""

DIMENSIONS = {"source": "Source", "qtype": "Type of question", "reference_words": "Length of the reference"}

CLEAR = 0.05
"""A difference is clear if its corrected p-value is below this."""

Pair = tuple[str, str]


def differences_html(view: View, split: str, pair: Pair) -> Markup:
    """Return the table of one pair, with other metrics and slices folded away; "" if nothing was compared."""
    compared = view.rows("comparisons", split=split)
    rows = [row for row in compared if (row["model"], row["against"]) == pair and row["difference"] is not None]
    if not rows:
        return Markup()
    labels = {spec.id: spec.label for spec in view.models}
    first = sorted((row for row in rows if row["metric"] in FIRST), key=lambda row: FIRST.index(row["metric"]))
    others = [row for row in rows if row["metric"] not in FIRST]
    return templates("leaderboard/board.html").differences(
        labels[pair[0]],
        labels[pair[1]],
        [_told(row, view.column(row["metric"])) for row in first],
        [_told(row, view.column(row["metric"])) for row in others],
        sum(row["p_holm"] is not None for row in compared),
        CLEAR,
        _slices(view, split, pair),
        next(iter(view.rows("formulas", split=split, model=pair[0], against=pair[1])), None),
        _between(view, pair),
    )


def p_text(p: float | None) -> str:
    """Return a p-value as text."""
    if p is None:
        return "–"
    return "below 0.001" if p < 0.001 else number_text(p, 3)


def likely_text(probability: float | None) -> str:
    """Return an estimated probability in per cent, never as certain: 0.998 is "over 99 %"."""
    if probability is None:
        return "–"
    if not 0.005 <= probability < 0.995:
        return "over 99 %" if probability > 0.5 else "below 1 %"
    return percent(probability)


def verdict(row: Row, column: Column) -> str:
    """Return the verdict on a difference in a word or two: never better or worse if it may be chance.

    The p-value is the mean's; where a median leads, its interval has to leave out zero on the same side. Of a measure
    of ease it says which is higher: what is easier, four of five formulas decide together.
    """
    if row["p_holm"] is None or row["p_holm"] >= CLEAR or not row["difference"]:
        return "not clear"
    up = row["difference"] > 0
    if _leads_with_median(row, column) and not (row["median_low"] > 0 if up else row["median_high"] < 0):
        return "not clear"
    if column.better is None:
        return "more" if up else "less"
    if column.of_ease:
        return "higher" if up else "lower"
    return "better" if up == (column.better == "higher") else "worse"


def _leads_with_median(row: Row, column: Column) -> bool:
    return column.lead == "median" and row.get("median") is not None


def signed(value: float, digits: int) -> str:
    """Return a difference with its sign; without one if it rounds to 0."""
    text = number_text(value, digits)
    return f"+{text}" if value > 0 and text != number_text(0.0, digits) else text


def _told(row: Row, column: Column) -> dict[str, Any]:
    """Return a difference for the table: the median of the paired differences if a median leads, else their mean."""
    middle = _leads_with_median(row, column)
    keys = ("median", "median_low", "median_high") if middle else ("difference", "low", "high")
    value, low, high = (signed(row[key], column.digits) for key in keys)
    return {
        "column": column,
        "difference": value,
        "between": f"{low} to {high}",
        "verdict": verdict(row, column),
        "likely": likely_text(row["probability_better"]),
        "p": p_text(row["p_holm"]),
        "n": row["n"],
    }


def _slices(view: View, split: str, pair: Pair) -> dict[str, Any]:
    """Return the columns of the table of slices, and its rows by dimension: (name, questions, cells).

    A cell is None where fewer than LEAST_QUESTIONS were compared.
    """
    rows = view.rows("slices", split=split, model=pair[0], against=pair[1])
    columns = [view.column(key) for key in SLICED if any(row["metric"] == key for row in rows)]
    by_dimension = []
    for dimension, name in DIMENSIONS.items():
        slices: dict[str, dict[str, Row]] = {}
        for row in rows:
            if row["dimension"] == dimension:
                slices.setdefault(row["slice"], {})[row["metric"]] = row
        if slices:
            by_dimension.append((name, [_slice(one, metrics, columns) for one, metrics in slices.items()]))
    return {"columns": columns, "rows": by_dimension}


def _between(view: View, pair: Pair) -> dict[str, Any] | None:
    """Return the pair's differences in runs from several seeds, by split; None if it has no such runs."""
    measured = view.between
    found = [row for row in measured["rows"] if (row["model"], row["against"]) == pair] if measured else []
    columns = {column.key: column for column in view.columns}
    rows = []
    for row in sorted(found, key=lambda row: FIRST.index(row["metric"]) if row["metric"] in FIRST else len(FIRST)):
        column = columns.get(row["metric"])
        if column is None or row["low"] is None:
            continue
        value, low, high = (signed(row[key], column.digits) for key in ("difference", "low", "high"))
        runs = ", ".join(signed(value, column.digits) for value in row["each"])
        rows.append({"column": column, "difference": value, "between": f"{low} to {high}", "runs": runs, "n": row["n"]})
    if not measured or not rows:
        return None
    of = found[0]
    return {"rows": rows, "runs": of["runs"], "split": of["split"], "commit": (measured["commit"] or "")[:10]}


def _slice(name: str, metrics: Mapping[str, Row], columns: Sequence[Column]) -> tuple[str, int, list[Any]]:
    cells = []
    for column in columns:
        row = metrics.get(column.key)
        cells.append(None if row is None or row["low"] is None or row["n"] < LEAST_QUESTIONS else _told(row, column))
    return name, max((row["of"] for row in metrics.values()), default=0), cells
