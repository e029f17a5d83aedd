"""The sections of the report: each a finding, a figure, how to read it, and the numbers as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log10
from typing import TYPE_CHECKING, Any

from training.data.report_charts import BOX_READING, SECOND, bars, boxes, columns, grouped_bars, mark_recommended
from training.data.report_numbers import UNNAMED, Exploration, Spread, by_source, histogram, spread

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TOP = 20


@dataclass(frozen=True, slots=True)
class Section:
    """A figure with its words; `finding` is the heading, `table` the numbers, header first, `more` a second table."""

    key: str
    finding: str
    reading: str
    figure: Figure
    table: list[Sequence[object]]
    more: Sequence[Sequence[object]] = ()


def all_sections(data: Exploration, manifest: dict[str, Any]) -> list[Section]:
    """Return every section that the data has something for, in the order of the page."""
    sections = (
        stages(manifest["counts"], manifest["filter"]),
        sources(data),
        question_types(data),
        focus_areas(data, manifest["counts"]["focus_area_missing"]),
        answer_lengths(data, manifest["filter"]["max_answer_words"]),
        lengths_by_source(data),
        grades(data),
        grades_by_source(data),
        several_answers(data),
        overlap(manifest["sets"]),
    )
    return [section for section in sections if section is not None]


def stages(counts: dict[str, int], rule: dict[str, Any]) -> Section:
    """What each step of the filter leaves."""
    short = counts["with_answer"] - counts["dropped_answer_too_long"]
    rows = [
        ("Pairs read", counts["pairs_read"]),
        ("with an answer", counts["with_answer"]),
        (f"of at most {rule['max_answer_words']:,} words", short),
        (f"in a focus area of {rule['min_rows_per_focus_area']} or more", counts["kept"]),
    ]
    return Section(
        "stages",
        f"The filter keeps {counts['kept']:,} of {counts['with_answer']:,} answered pairs "
        f"({_percent(counts['kept'], counts['with_answer'])})",
        f"Pairs left after each step, from the top. n = {counts['pairs_read']:,} pairs read; malformed items, "
        f"which are not among them: {counts['malformed_items']:,}.",
        bars(rows, "pairs"),
        [("Stage", "Pairs"), *rows],
    )


def sources(data: Exploration) -> Section | None:
    """Rows by source, and how many of them the filter keeps; None where none is named."""
    found = Counter(example.source or UNNAMED for example in data.examples)
    if set(found) == {UNNAMED}:
        return None
    kept = Counter(example.source or UNNAMED for example in data.examples if example.qid in data.kept_ids)
    rows = found.most_common()
    series = {
        "with an answer": [float(count) for _, count in rows],
        "kept by the filter": [float(kept[name]) for name, _ in rows],
    }
    figure = grouped_bars([name for name, _ in rows], series, "pairs")
    leading = rows[: 2 if len(rows) > 2 else 1]
    share = _percent(sum(count for _, count in leading), len(data.examples))
    return Section(
        "sources",
        f"{share} of the pairs come from {' and '.join(name for name, _ in leading)}",
        f"Pairs with an answer, by the source that published them, and those left by the filter. "
        f"n = {len(data.examples):,} pairs, {len(data.kept_ids):,} kept.",
        figure,
        [("Source", "Pairs", "Kept"), *((name, count, kept[name]) for name, count in rows)],
    )


def question_types(data: Exploration) -> Section | None:
    """Rows by question type; None where the source names no types."""
    found = Counter(example.qtype for example in data.examples if example.qtype)
    if not found:
        return None
    rows = found.most_common(TOP)
    total = sum(found.values())
    half = _fewest_for_half(found)
    return Section(
        "question-types",
        f"{half} of {len(found)} question types make up half of the pairs",
        f"Pairs by question type{_tail(found)}. n = {total:,} pairs with a type, of {len(data.examples):,}.",
        bars(rows, "pairs"),
        [("Question type", "Pairs"), *rows],
    )


def focus_areas(data: Exploration, missing: int) -> Section | None:
    """Rows by focus area, the largest and how long the tail is."""
    found = Counter(example.focus_area for example in data.examples)
    if len(found) < 2:
        return None
    rows = found.most_common(TOP)
    alone = sum(count == 1 for count in found.values())
    return Section(
        "focus-areas",
        f"{len(found):,} focus areas: the largest holds {rows[0][1]:,} pairs, {alone:,} hold one",
        f"The {len(rows)} largest focus areas (a disease, mostly){_tail(found)}. "
        f"{missing:,} pairs without a focus area count as “Others”. n = {len(data.examples):,} pairs.",
        bars(rows, "pairs"),
        [("Focus area", "Pairs"), *rows],
    )


def answer_lengths(data: Exploration, limit: int) -> Section:
    """How long the answers are, on a logarithmic axis, with the filter's limit."""
    top = log10(max(*data.words, limit) + 1)
    edges = [top * i / 40 for i in range(41)]
    counts = histogram([log10(words) for words in data.words], edges)
    figure = columns(edges, counts, "answers")
    ticks = [tick for tick in (1, 10, 100, 1000, 10_000) if log10(tick) <= top]
    figure.update_xaxes(
        title_text="words in the answer (logarithmic)",
        tickvals=[log10(tick) for tick in ticks],
        ticktext=[f"{tick:,}" for tick in ticks],
    )
    spans = [f"{ceil(10**low):,} to {ceil(10**high) - 1:,} words" for low, high in pairwise(edges)]
    figure.update_traces(customdata=spans, hovertemplate="%{customdata}: %{y:,} answers<extra></extra>")
    figure.add_vline(
        x=log10(limit),
        line={"color": SECOND, "width": 2},
        annotation={"text": f"limit: {limit:,} words", "xanchor": "right"},
    )
    over = sum(words > limit for words in data.words)
    whole = spread(data.words)
    return Section(
        "answer-lengths",
        f"Half of the answers have {whole.median:,.0f} words or fewer; {over:,} are over the limit of {limit:,}",
        f"Answers by length in words (split on spaces). Median {whole.median:,.0f}, 95th percentile {whole.p95:,.0f}, "
        f"longest {whole.largest:,.0f}. n = {whole.n:,} answers.",
        figure,
        [("Words", "Answers"), *((span, count) for span, count in zip(spans, counts, strict=True) if count)],
    )


def lengths_by_source(data: Exploration) -> Section | None:
    """Answer lengths of each source; None if there is only one."""
    spreads = by_source(data.examples, list(map(float, data.words)))
    if len(spreads) < 2:
        return None
    ordered = sorted(spreads.items(), key=lambda item: -item[1].median)
    figure = boxes(ordered)
    figure.update_xaxes(title_text="words in the answer")
    longest, shortest = ordered[0], ordered[-1]
    return Section(
        "lengths-by-source",
        f"The median answer has {longest[1].median:,.0f} words in {longest[0]} and {shortest[1].median:,.0f} in "
        f"{shortest[0]}",
        f"{BOX_READING} n = {len(data.words):,} answers, by source in the table.",
        figure,
        _spread_table(ordered, 0),
    )


def grades(data: Exploration) -> Section | None:
    """How hard the references are to read; None if none has a grade."""
    from medilite.readability import RECOMMENDED_GRADES

    scored = [grade for grade in data.grades if grade is not None]
    if not scored:
        return None
    low, high = RECOMMENDED_GRADES
    edges = list(range(26))
    counts = histogram(scored, edges)
    figure = columns(edges, counts, "answers")
    names = ["below 1", *(f"{i} to {i + 1}" for i in edges[1:-2]), "24 and above"]
    figure.update_traces(customdata=names, hovertemplate="grade %{customdata}: %{y:,} answers<extra></extra>")
    figure.update_xaxes(title_text="Flesch–Kincaid grade", dtick=2, range=[0, 25])
    mark_recommended(figure, low, high)
    within = sum(grade <= high for grade in scored)
    whole = spread(scored)
    return Section(
        "grades",
        f"The median reference reads at grade {whole.median:.1f}; {_percent(within, whole.n)} read at grade {high:.0f} "
        "or below",
        f"Flesch–Kincaid grade of the answers (years of US schooling; lower is easier). The green band, {low:.0f}th to "
        f"{high:.0f}th grade, is what health agencies recommend for patients. The outer bins hold all grades beyond. "
        f"n = {whole.n:,} answers; {len(data.grades) - whole.n:,} have no grade (no words to score).",
        figure,
        [("Grade", "Answers"), *zip(names, counts, strict=True)],
    )


def grades_by_source(data: Exploration) -> Section | None:
    """Readability of each source; None if there is only one."""
    from medilite.readability import RECOMMENDED_GRADES

    spreads = by_source(data.examples, data.grades)
    if len(spreads) < 2:
        return None
    ordered = sorted(spreads.items(), key=lambda item: item[1].median)
    figure = boxes(ordered)
    figure.update_xaxes(title_text="Flesch–Kincaid grade")
    mark_recommended(figure, *RECOMMENDED_GRADES)
    easiest, hardest = ordered[0], ordered[-1]
    return Section(
        "grades-by-source",
        f"{easiest[0]} is easiest to read (median grade {easiest[1].median:.1f}), {hardest[0]} hardest "
        f"({hardest[1].median:.1f})",
        f"{BOX_READING} Lower is easier; the green band is the recommended 6th to 8th grade. "
        f"n = {sum(found.n for found in spreads.values()):,} answers with a grade, by source in the table.",
        figure,
        _spread_table(ordered, 1),
    )


def several_answers(data: Exploration) -> Section:
    """How many answers a question has."""
    counts = data.answers_per_question
    questions = sum(counts.values())
    several = sum(n for answers, n in counts.items() if answers > 1)
    classes = {"1 answer": (1, 1), "2": (2, 2), "3": (3, 3), "4": (4, 4), "5 to 9": (5, 9), "10 or more": (10, None)}
    rows = [
        (name, sum(n for answers, n in counts.items() if low <= answers <= (high or answers)))
        for name, (low, high) in classes.items()
    ]
    figure = bars(rows, "questions")
    examples = [(f"“{question}”", count) for question, count in data.most_answered]
    return Section(
        "several-answers",
        f"{several:,} of {questions:,} questions ({_percent(several, questions)}) have more than one answer",
        "Questions by the number of their answers; questions that differ only in case or white space are one. A random "
        f"split by row lets such questions stand in training and test at once. n = {questions:,} questions, "
        f"{len(data.examples):,} answers.",
        figure,
        [("Answers to a question", "Questions"), *rows],
        [("Asked most", "Answers"), *examples] if examples else [],
    )


def overlap(sets: dict[str, Any]) -> Section:
    """How much the splits of each set share."""
    shared = ("question_exact", "question_folded", "answer_exact")
    table: list[Sequence[object]] = [
        ("Set", "Rows of", "also in", "Rows", "Same question", "… case ignored", "Same answer")
    ]
    series: dict[str, list[float]] = {}
    for name, about in sets.items():
        rows = about["overlap"]
        series[f"{name} split"] = [100 * row["question_folded"] / row["rows"] if row["rows"] else 0.0 for row in rows]
        table += [(name, row["rows_of"], row["also_in"], row["rows"], *(row[what] for what in shared)) for row in rows]
    labels = [f"{row['rows_of']} rows also in {row['also_in']}" for row in sets["study"]["overlap"]]
    figure = grouped_bars(labels, series, "% of the rows", digits=1)
    study, distinct = (
        next(row for row in about["overlap"] if (row["rows_of"], row["also_in"]) == ("test", "train"))
        for about in (sets["study"], sets["distinct"])
    )
    return Section(
        "overlap",
        f"{study['question_folded']:,} of the study's {study['rows']:,} test rows ask a question also in training "
        f"({study['question_exact']:,} word for word); of the distinct split's {distinct['rows']:,}, "
        f"{distinct['question_folded'] or 'none'}",
        "Share of a split's rows, in %, whose question (case and white space aside) is also in another. Boilerplate "
        "answers that many questions share stay in both sets, as the table shows.",
        figure,
        table,
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"


def _tail(found: Counter[str]) -> str:
    rest = found.most_common()[TOP:]
    return f"; {len(rest):,} more hold {sum(count for _, count in rest):,} pairs" if rest else ""


def _fewest_for_half(found: Counter[str]) -> int:
    total, running = sum(found.values()), 0
    for needed, (_, count) in enumerate(found.most_common(), 1):
        running += count
        if 2 * running >= total:
            return needed
    return len(found)


def _spread_table(spreads: Sequence[tuple[str, Spread]], digits: int) -> list[Sequence[object]]:
    header = ("Source", "n", "5 %", "25 %", "Median", "75 %", "95 %", "Largest")
    rows = [
        (name, s.n, *(f"{value:,.{digits}f}" for value in (s.p5, s.p25, s.median, s.p75, s.p95, s.largest)))
        for name, s in spreads
    ]
    return [header, *rows]
