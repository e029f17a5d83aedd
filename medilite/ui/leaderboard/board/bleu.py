"""The parts of BLEU side by side for all models, and a sentence on what they show.

In the study BLEU fell while its models' words got nearer to the references'.
The parts show why: an answer that is shorter than the joined references loses
by the brevity penalty what it gained in precision.
"""

from __future__ import annotations

from html import escape

from medilite.models import ModelSpec
from medilite.ui.leaderboard.board.view import Cell, View
from medilite.ui.leaderboard.chart import INK, Chart, Spec, Table, axis, figure, note, row_of
from medilite.ui.page.words import number_text

KIND = "bleu_study"
PARTS = {
    "score": ("BLEU", "of 100", 2, "the geometric mean of four precisions, times the brevity penalty."),
    "precision_1": ("Single words", "% found", 1, "the share of the answer’s words that are in the references."),
    "precision_4": ("Runs of four words", "% found", 1, "the share of its runs of four words that are in them."),
    "brevity_penalty": ("Brevity penalty", "factor", 2, "BLEU is multiplied by it; 1 is no penalty."),
    "length_ratio": ("Length", "of the references’", 2, "the answers’ words, divided by the references’ joined."),
}
"""Label, unit, digits and explanation of each part."""


def bleu(view: View, split: str) -> Chart | None:
    """Return a plot with a row of bars for each part, and the sentence; None without BLEU."""
    models = [spec for spec in view.models if view.part(split, spec.id, KIND, "score").value is not None]
    if not models:
        return None
    traces: list[Spec] = []
    layout: Spec = {"annotations": []}
    for row, (part, (label, unit, digits, _)) in enumerate(PARTS.items(), start=1):
        number = "" if row == 1 else str(row)
        domain = row_of(row, len(PARTS), gap=0.34)
        cells = [view.part(split, spec.id, KIND, part) for spec in models]
        known = [(cell.value or 0.0, cell.low, cell.high) for cell in cells]
        ends = {
            "array": [0.0 if high is None else high - value for value, _, high in known],
            "arrayminus": [0.0 if low is None else value - low for value, low, _ in known],
        }
        # One trace for all models, because each takes plotly time.
        traces.append({
            "type": "bar", "orientation": "h", "name": label, "xaxis": f"x{number}", "yaxis": f"y{number}",
            "x": [cell.value for cell in cells], "y": [escape(spec.label) for spec in models],
            "marker": {"color": [spec.colour for spec in models]}, "customdata": [cell.text(digits) for cell in cells],
            "error_x": {"type": "data", "symmetric": False, **ends, "color": INK, "thickness": 2, "width": 0},
            "hovertemplate": f"<b>%{{y}}</b><br>{label} %{{customdata}} {unit}<extra></extra>",
        })  # fmt: skip
        layout[f"xaxis{number}"] = axis(anchor=f"y{number}", rangemode="tozero")
        layout[f"yaxis{number}"] = axis(anchor=f"x{number}", domain=domain, autorange="reversed", showgrid=False)
        place = {"x": 0, "y": domain[1], "xanchor": "left", "yanchor": "bottom", "yshift": 4}
        layout["annotations"].append(note(f"<b>{label}</b>, {unit}", **place))
    return Chart(
        "Why BLEU alone misleads",
        paradox(view, split),
        figure("parts-of-bleu", traces, 40 + 190 * len(PARTS), showlegend=False, **layout),
        Table(
            "The parts of BLEU, with 95 % intervals",
            ("Model", "Answers", *(f"{label}, {unit}" for label, unit, _, _ in PARTS.values())),
            [
                (
                    spec.label,
                    view.part(split, spec.id, KIND, "score").counted,
                    *(view.part(split, spec.id, KIND, part).text(digits) for part, (_, _, digits, _) in PARTS.items()),
                )
                for spec in models
            ],
        ),
        " ".join(f"{label}: {about}" for label, _, _, about in PARTS.values()),
    )


def paradox(view: View, split: str) -> str:
    """Return what the parts say about the model that BLEU underrates most, or that it underrates none here.

    A model is underrated if more of its words are in the references than of
    another's, and still its BLEU is lower, or at least not higher: because it is
    short, or else because its words are not in the references' order.
    """
    if pair := _nearer_and_shorter(view, split):
        return _brevity(view, split, *pair)
    if pair := _nearer_and_lower(view, split):
        return _phrases(view, split, *pair)
    return (
        "BLEU counts shared runs of words, then takes off for brevity. Here no model shares clearly more words "
        "with the references than another without a higher BLEU; the parts show what each score is made of."
    )


def _nearer_and_shorter(view: View, split: str) -> tuple[ModelSpec, ModelSpec] | None:
    """Return two models of which the first is nearer word by word but loses by brevity; None without any.

    More of its single words and no fewer of its runs of four are in the
    references, its brevity penalty is harder, and its BLEU is lower or, where
    there is no such pair, not higher: each by intervals that don't overlap.
    """

    def above(one: ModelSpec, other: ModelSpec, part: str) -> bool:
        return _above(view.part(split, one.id, KIND, part), view.part(split, other.id, KIND, part))

    found = [
        (one, other)
        for one in view.models
        for other in view.models
        if above(one, other, "precision_1")
        and not above(other, one, "precision_4")
        and above(other, one, "brevity_penalty")
        and not above(one, other, "score")
    ]
    lower = [(one, other) for one, other in found if above(other, one, "score")]

    def gained(pair: tuple[ModelSpec, ModelSpec]) -> float:
        mine, its = (view.part(split, spec.id, KIND, "precision_1").value or 0.0 for spec in pair)
        return mine - its

    return max(lower or found, key=gained, default=None)


def _nearer_and_lower(view: View, split: str) -> tuple[ModelSpec, ModelSpec] | None:
    """Return the two models whose single words and BLEU disagree most; None without any.

    The first has more of its single words in the references, fewer of its runs
    of four and a lower BLEU, each by intervals that don't overlap.
    """

    def of(spec: ModelSpec, part: str) -> Cell:
        return view.part(split, spec.id, KIND, part)

    found = [
        (one, other)
        for one in view.models
        for other in view.models
        if _above(of(one, "precision_1"), of(other, "precision_1"))
        and _above(of(other, "precision_4"), of(one, "precision_4"))
        and _above(of(other, "score"), of(one, "score"))
    ]
    return max(
        found, key=lambda pair: (of(pair[1], "score").value or 0) - (of(pair[0], "score").value or 0), default=None
    )


def _brevity(view: View, split: str, spec: ModelSpec, other: ModelSpec) -> str:
    """Return the sentence that BLEU deducts for brevity what the first of two models gained in precision."""
    mine, its = (
        {part: number_text(view.part(split, who.id, KIND, part).value, PARTS[part][2]) for part in PARTS}
        for who in (spec, other)
    )
    lower = _above(view.part(split, other.id, KIND, "score"), view.part(split, spec.id, KIND, "score"))
    return (
        f"More of {spec.label}’s words are in the references than of {other.label}’s "
        f"({mine['precision_1']} % against {its['precision_1']} %), yet its BLEU is "
        f"{'lower' if lower else 'not clearly higher'} ({mine['score']} against {its['score']}). Its answers are only "
        f"{mine['length_ratio']} times as long as the references joined together, and for that BLEU is multiplied by "
        f"{mine['brevity_penalty']} (by {its['brevity_penalty']} for {other.label}). A short answer is punished as if "
        "it were a wrong one."
    )


def _phrases(view: View, split: str, spec: ModelSpec, other: ModelSpec) -> str:
    """Return the sentence that BLEU counts phrases, not content."""

    def both(part: str) -> tuple[str, str]:
        mine, its = (number_text(view.part(split, who.id, KIND, part).value, PARTS[part][2]) for who in (spec, other))
        return mine, its

    words, bleus, runs = both("precision_1"), both("score"), both("precision_4")
    return (
        f"More of {spec.label}’s words are in the references than of {other.label}’s ({words[0]} % against "
        f"{words[1]} %), yet its BLEU is lower ({bleus[0]} against {bleus[1]}): fewer of its runs of four words do "
        f"({runs[0]} % against {runs[1]} %). BLEU rewards the references’ own phrases; the same thing said in plainer "
        "words counts as wrong."
    )


def _above(one: Cell, other: Cell) -> bool:
    return one.low is not None and other.high is not None and one.low > other.high
