"""What changes from answer to answer along a way: grade, sentences found in the source, its key terms, as one plot."""

from __future__ import annotations

from collections.abc import Sequence

from medilite.models import ModelSpec
from medilite.readability import grade_word
from medilite.ui.compare.comparison import Pane
from medilite.ui.leaderboard.chart import Chart, Spec, Table, axis, figure, points, row_of
from medilite.ui.page.scores import score_text

GAP = 0.2
"""Share of a plot's height that is left above it for the titles of its axes."""


def along(
    name: str, title: str, about: str, xs: Sequence[float], panes: Sequence[Pane], end: ModelSpec, unit: Spec,
    terms: Sequence[int] | None = None,
) -> Chart | None:  # fmt: skip
    """Return a chart of `panes` over `xs`, in the colour of `end`; None if no answer has a grade.

    `name` is what `xs` are, `unit` their axis, `terms` how many of the source's key terms each says, where known.
    """
    grades = [pane.scores.flesch_kincaid_grade if pane.scores else None for pane in panes]
    if not any(grade is not None for grade in grades):
        return None
    held = [pane.checked for pane in panes]
    found = [None if marks is None else sum(mark.verdict == "found" for mark in marks) for marks in held]
    rows: list[tuple[str, str, Sequence[float | None], str, str]] = [
        ("Grade", "↓ easier · grade", grades, "circle", "grade %{y:.1f}")
    ]
    if any(count is not None for count in found):
        rows.append(("Sentences found in the source", "sentences found", found, "square", "%{y} found"))
    if terms is not None:
        rows.append(("Key terms of the source", "key terms", terms, "diamond", "%{y} key terms"))
    traces, layout = [], {"xaxis": unit}
    for row, (label, told, values, symbol, hover) in enumerate(rows, 1):
        number = "" if row == 1 else str(row)
        drawn = points(
            label, end.colour, list(xs), list(values), symbol, hovertemplate=f"%{{x}}: {hover}<extra></extra>"
        )
        traces.append(
            {**drawn, "mode": "lines+markers", "yaxis": f"y{number}", "connectgaps": False, "cliponaxis": False}
        )
        counts = {} if row == 1 else {"rangemode": "tozero", "dtick": int(max(v or 0 for v in values)) // 5 + 1}
        layout[f"yaxis{number}"] = axis(told, domain=row_of(row, len(rows), GAP), **counts)
    if len(rows) > 1:
        layout["xaxis"] = {**unit, "anchor": f"y{len(rows)}"}
    heads = ["Grade", "In words", "Words", "Sentences found", *(["Key terms"] if terms is not None else [])]
    numbers = [
        (
            f"{x:g}", score_text("", grade), grade_word(grade), str(pane.scores.words) if pane.scores else "–",
            "–" if count is None or marks is None else f"{count} of {len(marks)} marked",
            *([str(terms[place])] if terms is not None else []),
        )
        for place, (x, grade, pane, count, marks) in enumerate(zip(xs, grades, panes, found, held, strict=True))
    ]  # fmt: skip
    no_source = "" if any(marks is not None for marks in held) else " No source was found to hold the answers against."
    return Chart(
        title,
        f"{about} Easier is not better: a plainer answer can say less, or something wrong.{no_source}",
        figure(name, traces, 180 + 100 * len(rows), showlegend=len(rows) > 1, **layout),
        Table(f"{title}: grade, length and what the source has, by {name}", (name.capitalize(), *heads), numbers),
        "One question, one answer a point: a story about this question, not a measurement of the models.",
    )
