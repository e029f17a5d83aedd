"""Did it get easier by saying less? Every question's change in grade against its change in content."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from medilite.ui.leaderboard.board.view import GRADE, KEY_TERMS, PRECISION, RECALL, SIMILARITY, View
from medilite.ui.leaderboard.chart import MUTED, Chart, Spec, Table, axis, figure, note, points
from medilite.ui.page.words import number_text, percent

MEASURES = {
    RECALL: "What it says of the references",
    PRECISION: "How much of it is supported",
    # Metrics of boards in format 1.
    KEY_TERMS: "Key terms",
    SIMILARITY: "Topic similarity",
}

CORNERS = (
    *(("easier_more", "left", 1), ("harder_more", "right", 1)),
    *(("easier_less", "left", 0), ("harder_less", "right", 0)),
    # Boards in format 1 count an unchanged value as not less.
    *(("easier_no_less", "left", 1), ("harder_no_less", "right", 1)),
)
"""The place of each quarter: lower grades left, more on top. Its share is printed outside, since dots are inside."""

SHOWN = 0.98
"""Share of the changes, in each direction, that the axes show before zooming out."""

Pair = tuple[str, str]


def pairs(view: View, split: str) -> list[Pair]:
    """Return every (model, against) that was compared; the last stacked one against its parent is first."""
    found = list(dict.fromkeys((row["model"], row["against"]) for row in view.rows("quarters", split=split)))
    stacked = {spec.id: spec.stacked_on for spec in view.models}
    return sorted(found, key=lambda pair: (stacked[pair[0]] != pair[1], found.index(pair)))


def pair_label(view: View, pair: Pair) -> str:
    """Return "GRPO against SFT r8 high"."""
    labels = {spec.id: spec.label for spec in view.models}
    return f"{labels[pair[0]]} against {labels[pair[1]]}"


def measures(view: View, split: str, pair: Pair) -> list[str]:
    """Return the measures of content on which the pair was compared."""
    rows = view.rows("quarters", split=split, model=pair[0], against=pair[1])
    return [key for key in MEASURES if any(row["measure"] == key for row in rows)]


def changes(view: View, split: str, pair: Pair, measure: str) -> list[tuple[str, float, float]]:
    """Return (qid, change in grade, change in the measure) of every question for which both answers have both.

    Answers that loop have no grade here, as in the tables.
    """
    found = []
    for qid in view.questions[split]["qid"]:
        grade, content = (_change(view, split, qid, pair, metric) for metric in (GRADE, measure))
        if grade is not None and content is not None:
            found.append((qid, grade, content))
    return found


def _change(view: View, split: str, qid: str, pair: Pair, metric: str) -> float | None:
    new, old = (view.compared(split, qid, model, metric) for model in pair)
    return None if new is None or old is None else new - old


def quarters(view: View, split: str, pair: Pair, measure: str) -> Chart | None:
    """Return the plot of one pair by one measure; None if the two have no questions in common."""
    rows = view.rows("quarters", split=split, model=pair[0], against=pair[1], measure=measure)
    if not rows:
        return None
    spec = next(spec for spec in view.models if spec.id == pair[0])
    name = MEASURES[measure]
    found = changes(view, split, pair, measure)
    wide, high = _reach([grade for _, grade, _ in found]), _reach([content for _, _, content in found])
    by_quarter = {row["quarter"]: row for row in rows}
    zero = {"zeroline": True, "zerolinecolor": MUTED}
    return Chart(
        pair_label(view, pair),
        f"Each of the {len(found):,} dots is a question: further left the grade is lower, further up there is more: "
        f"{name.lower()}. Dots on a line belong to no quarter, and answers that loop are left out. The axes show "
        f"{percent(SHOWN)} of the questions; zoom out to see the others.",
        figure(
            "easier-by-saying-less",
            [_dots(spec.label, spec.colour, found, name.lower())],
            500,
            showlegend=False,
            margin={"l": 8, "r": 12, "t": 92, "b": 116},
            annotations=[_corner(by_quarter[part], side, top) for part, side, top in CORNERS if part in by_quarter],
            xaxis=axis("← lower · change in grade · higher →", range=[-wide, wide], **zero),
            yaxis=axis(f"Change in {name.lower()} ↑", range=[-high, high], **zero),
        ),
        _all_pairs(view, split, measure),
        sentence(view, split, pair, measure),
    )


def _dots(label: str, colour: str, found: Sequence[tuple[str, float, float]], name: str) -> Spec:
    qids, grades, contents = (list(column) for column in zip(*found, strict=True)) if found else ([], [], [])
    made = points(label, colour, grades, contents, text=[escape(qid) for qid in qids])
    hover = f"%{{text}}<br>grade %{{x:+.1f}}<br>{name} %{{y:+.2f}}<extra></extra>"
    return {**made, "marker": {"color": colour, "size": 6, "opacity": 0.45}, "hovertemplate": hover}


def _corner(row: dict[str, Any], side: str, top: int) -> Spec:
    text = f"<b>{percent(row['share'])}</b><br>{escape(row['label']).replace(', ', ',<br>')}"
    place = {"y": top, "yanchor": "bottom" if top else "top", "yshift": 4 if top else -52}
    return note(text, x=0 if side == "left" else 1, xanchor=side, align=side, **place)


def sentence(view: View, split: str, pair: Pair, measure: str) -> str:
    """Return a sentence about what answers with a lower grade lost."""
    (row,) = view.rows("easier", split=split, model=pair[0], against=pair[1], measure=measure)
    labels = {spec.id: spec.label for spec in view.models}
    new, old = labels[pair[0]], labels[pair[1]]
    left_out = f" Left out, without a grade or a score: {row['left_out']:,}." if row["left_out"] else ""
    if not row["easier"]:
        return f"No answer of {new} has a lower grade than {old}’s, of {row['n']:,} questions.{left_out}"
    what = MEASURES[measure].lower()
    change, low, high = row["change"], row["change_low"], row["change_high"]
    between = "" if low is None else f" ({number_text(low, 3)} to {number_text(high, 3)})"
    clear = low is not None and (high < 0 or low > 0)
    way = ("lower" if change < 0 else "higher") if clear else "neither clearly lower nor clearly higher"
    grades = number_text(row["grade_change"], 1)
    ends = row.get("grade_change_low"), row.get("grade_change_high")
    if None not in ends:
        grades += " ({} to {})".format(*(number_text(end, 1) for end in ends))
    return (
        f"On {row['easier']:,} of {row['n']:,} questions {new}’s answer has a lower grade than {old}’s. These differ "
        f"by {grades} grades on average; they were chosen for it, so any two models would have such a number. In "
        f"them “{what}” is {way}: it changes by {number_text(change, 3)}{between}.{left_out}"
    )


def _reach(values: Sequence[float]) -> float:
    """Return the axis's greatest distance from 0: it holds SHOWN of the values."""
    sizes = sorted(abs(value) for value in values)
    return (sizes[min(len(sizes) - 1, int(SHOWN * len(sizes)))] if sizes else 0.0) or 1.0


def _all_pairs(view: View, split: str, measure: str) -> Table:
    listed = [pair for pair in pairs(view, split) if measure in measures(view, split, pair)]
    found = [
        (pair, view.rows("quarters", split=split, model=pair[0], against=pair[1], measure=measure)) for pair in listed
    ]
    return Table(
        "The share of questions in each quarter, with 95 % intervals, for all comparisons",
        ("Comparison", "n", *(row["label"] for row in found[0][1])),
        [
            (
                *(pair_label(view, pair), f"{rows[0]['n']:,}"),
                *(f"{percent(row['share'])} ({percent(row['low'])} to {percent(row['high'])})" for row in rows),
            )
            for pair, rows in found
        ],
    )
