"""Did it get easier by saying less? Every question's change in grade against its change in content."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from medilite.ui.compare.cards import colours
from medilite.ui.leaderboard.board.view import CLOSENESS, GRADE, KEY_TERMS, View, number_text
from medilite.ui.page.words import number_word

MEASURES = {KEY_TERMS: "Key terms", CLOSENESS: "Closeness"}
ABOVE, BELOW = ("easier_no_less", "harder_no_less"), ("easier_less", "harder_less")
"""Where each quarter stands: easier to the left, says no less on top. Its label is outside the plot: dots are in it."""

SHOWN = 0.98
"""Share of the changes, each way, that the axes hold; what lies beyond is drawn at the edge."""

Pair = tuple[str, str]


def pairs(view: View, split: str) -> list[Pair]:
    """Return every (model, against) that was compared, the last stacked one against its parent first."""
    found = list(dict.fromkeys((row["model"], row["against"]) for row in view.rows("quarters", split=split)))
    stacked = {spec.id: spec.stacked_on for spec in view.models}
    return sorted(found, key=lambda pair: (stacked[pair[0]] != pair[1], found.index(pair)))


def pair_label(view: View, pair: Pair) -> str:
    """Return "GRPO against SFT r8 high"."""
    labels = {spec.id: spec.label for spec in view.models}
    return f"{labels[pair[0]]} against {labels[pair[1]]}"


def measures(view: View, split: str, pair: Pair) -> list[str]:
    """Return the measures of content that the pair was compared by."""
    rows = view.rows("quarters", split=split, model=pair[0], against=pair[1])
    return [key for key in MEASURES if any(row["measure"] == key for row in rows)]


def changes(view: View, split: str, pair: Pair, measure: str) -> list[tuple[float, float]]:
    """Return (change in grade, change in the measure) of every question where both answers have both."""
    model, against = pair
    found = []
    for qid in view.questions[split]["qid"]:
        grade = _change(view, split, qid, model, against, GRADE)
        content = _change(view, split, qid, model, against, measure)
        if grade is not None and content is not None:
            found.append((grade, content))
    return found


def _change(view: View, split: str, qid: str, model: str, against: str, metric: str) -> float | None:
    new, old = view.score(split, qid, model, metric), view.score(split, qid, against, metric)
    return None if new is None or old is None else new - old


def quarters_html(view: View, split: str, pair: Pair, measure: str) -> str:
    """Return the plot of one pair by one measure, with what it says in a sentence and all pairs in a table."""
    rows = view.rows("quarters", split=split, model=pair[0], against=pair[1], measure=measure)
    if not rows:
        return '<p class="ml-quiet">These two have no questions in common that could be compared.</p>'
    spec = next(spec for spec in view.models if spec.id == pair[0])
    name = MEASURES[measure]
    above, below = (_edge(rows, quarters) for quarters in (ABOVE, BELOW))
    found = changes(view, split, pair, measure)
    wide, high = (_reach([change[i] for change in found]) for i in (0, 1))
    said = "; ".join(f"{row['label']}: {_percent(row['share'])}" for row in rows)
    return (
        f'<div class="lb-quarters" role="img" aria-label="{escape(f"{pair_label(view, pair)}, {name}. {said}")}" '
        f'{colours(spec)}>{above}<div class="lb-cloud">{_dots(found, wide, high)}</div>'
        f'<div class="lb-quarters-axis ml-fine"><span>← easier</span><span>harder →</span></div>{below}</div>'
        f'<p class="ml-fine">The frame is {number_text(wide, 1)} grades each way from the middle, and '
        f"{number_text(high, 2)} of {escape(name.lower())} up and down; what lies beyond is drawn at its edge.</p>"
        f'<p class="lb-said">{escape(sentence(view, split, pair, measure))}</p>'
        f"{_all_pairs(view, split, measure)}"
    )


def sentence(view: View, split: str, pair: Pair, measure: str) -> str:
    """Return what the easier answers lost, in words."""
    (row,) = view.rows("easier", split=split, model=pair[0], against=pair[1], measure=measure)
    labels = {spec.id: spec.label for spec in view.models}
    new, old = labels[pair[0]], labels[pair[1]]
    left_out = f" Left out, without a grade or a score: {row['left_out']:,}." if row["left_out"] else ""
    if not row["easier"]:
        return f"No answer of {new} is easier than {old}’s, of {row['n']:,} questions.{left_out}"
    what = "key terms" if measure == KEY_TERMS else "closeness"
    change, low, high = row["change"], row["change_low"], row["change_high"]
    between = "" if low is None else f" ({number_text(low, 3)} to {number_text(high, 3)})"
    clear = low is not None and (high < 0 or low > 0)
    way = ("less" if change < 0 else "more") if clear else "neither clearly less nor clearly more"
    grades = number_text(abs(row["grade_change"]), 1)
    return (
        f"On {row['easier']:,} of {row['n']:,} questions {new}’s answer is easier than {old}’s, by {grades} grades on "
        f"average. Those answers say {way}: their {what} change by {number_text(change, 3)}{between}.{left_out}"
    )


def _edge(rows: Sequence[dict[str, Any]], quarters: Sequence[str]) -> str:
    by_quarter = {row["quarter"]: row for row in rows}
    return f'<div class="lb-edge">{"".join(_corner(by_quarter[quarter]) for quarter in quarters)}</div>'


def _corner(row: dict[str, Any]) -> str:
    between = "" if row["low"] is None else f"{_percent(row['low'])} to {_percent(row['high'])}"
    return (
        f'<div class="lb-corner" data-quarter="{row["quarter"]}">'
        f"<strong>{_percent(row['share'])}</strong><span>{escape(row['label'])}</span>"
        f'<span class="lb-interval">{between}</span></div>'
    )


def _dots(found: Sequence[tuple[float, float]], wide: float, high: float) -> str:
    """Return one dot a question as a single path, so that a thousand weigh little."""
    dots = "".join(f"M{_place(grade, wide):.1f} {1000 - _place(content, high):.1f}h0" for grade, content in found)
    return (
        '<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="lb-zero" d="M500 0V1000M0 500H1000"/>'
        f'<path class="lb-dots" d="{dots}"/></svg>'
    )


def _reach(values: Sequence[float]) -> float:
    """Return how far from 0 the axis goes: as far as SHOWN of the values."""
    sizes = sorted(abs(value) for value in values)
    return (sizes[min(len(sizes) - 1, int(SHOWN * len(sizes)))] if sizes else 0.0) or 1.0


def _place(value: float, reach: float) -> float:
    return 500 + 490 * min(max(value / reach, -1.0), 1.0)


def _all_pairs(view: View, split: str, measure: str) -> str:
    listed = [pair for pair in pairs(view, split) if measure in measures(view, split, pair)]
    first = view.rows("quarters", split=split, model=listed[0][0], against=listed[0][1], measure=measure)
    head = "".join(f'<th scope="col">{escape(row["label"])}</th>' for row in first)
    body = ""
    for pair in listed:
        rows = view.rows("quarters", split=split, model=pair[0], against=pair[1], measure=measure)
        cells = "".join(
            f'<td><span class="lb-mean">{_percent(row["share"])}</span>'
            f'<span class="lb-interval">{_percent(row["low"])} to {_percent(row["high"])}</span></td>'
            for row in rows
        )
        body += (
            f'<tr><th scope="row">{escape(pair_label(view, pair))}<span class="lb-n">n {rows[0]["n"]:,}</span></th>'
            f"{cells}</tr>"
        )
    count = number_word(len(listed))
    return (
        f'<details class="lb-fold" data-keep="lb-pairs"><summary>The same for all {count} comparisons</summary>'
        '<div class="lb-table-scroll" tabindex="0" role="region" aria-label="All comparisons">'
        f'<table class="lb-small"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div></details>'
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"
