"""Sure or lucky?: eight seeds a model, and what is said in how many of the eight answers."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr

from medilite.lab.luck import SEEDS, TEMPERATURE, Counts, decoding, most_typical, requests
from medilite.models import ModelSpec
from medilite.records import SHOWN_DECODING, Step
from medilite.ui.compare.cards import SHORT_NOTICE
from medilite.ui.compare.comparison import Pane
from medilite.ui.html import Markup, templates
from medilite.ui.lab.view import Shown, View, Work
from medilite.ui.leaderboard.chart import SYMBOLS, Chart, Table, axis, figure
from medilite.ui.leaderboard.chart import points as drawn
from medilite.ui.leaderboard.chart_slot import ChartSlot
from medilite.ui.page.answering import Stage
from medilite.ui.page.controls import html_slot
from medilite.ui.page.decoding import decoding_words
from medilite.ui.page.words import number_text

TEMPLATE = "lab/luck.html"

WORDS_SHOWN = 24
"""Words of each list that are shown; the rest are counted."""


class LuckView(View):
    """Asks every model eight times, with eight seeds."""

    key, label, verb = "luck", "Sure or lucky?", "Ask eight times"
    about = (
        "Would it say the same again? Each model answers eight times, with its words drawn at random (temperature 0.7; "
        "a seed is one run of random numbers, and all models get the same eight). What it says every time, it is sure "
        "of; what it says once may be luck. These are counts, not marks for being right: a model can be sure of "
        "something wrong."
    )

    def build_result(self) -> None:
        """Lay out the cards and the spread of the grades."""
        self.result = html_slot(templates(TEMPLATE).empty(), "lab-luck", "ml-slot")
        self.spread = ChartSlot("lab-spread")

    @property
    def parts(self) -> list[Any]:
        """What the view fills."""
        return [self.result, *self.spread.parts]

    def work(self, work: Work) -> Iterator[Shown]:
        """Ask model by model, eight rows at once, showing each as it is done."""
        yield Shown(Stage("asking"), "", {self.spread.section: gr.Column(visible=False)})
        how = decoding(SHOWN_DECODING.max_new_tokens)
        done: list[Eight] = []
        specs = work.profile.models
        for number, spec in enumerate(specs):
            eight = Eight(spec)
            for stage in work.ask(requests(spec.id, work.messages, how, work.visitor), eight.advance):
                yield Shown(stage, f"{number} of {len(specs)} models done")
            eight.finish()
            done.append(eight)
            shown = templates(TEMPLATE).all(
                work.question, decoding_words(how, 0).rpartition(" · ")[0], len(SEEDS), [luck_html(one) for one in done]
            )
            yield Shown(Stage("writing"), "", {self.result: shown, **self.spread.show(spread(done))})
            if work.stop.is_set():
                return


@dataclass(slots=True)
class Eight:
    """One model's eight answers."""

    spec: ModelSpec
    panes: list[Pane] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.panes = [Pane(self.spec) for _ in SEEDS]

    def advance(self, step: Step) -> None:
        """Add one step of the engine."""
        if not step.waiting:
            for pane, row in zip(self.panes, step.rows, strict=True):
                pane.take(row)

    def finish(self) -> None:
        """End what was stopped."""
        for pane in self.panes:
            if not pane.stopped:
                pane.finish("cancelled")

    @property
    def whole(self) -> list[Pane]:
        """The answers that ended by themselves or at their limit; one that failed or was stopped says nothing."""
        return [pane for pane in self.panes if pane.stopped in ("end", "length")]

    def grades(self) -> list[float]:
        """Return the grades of whole answers that have one."""
        found = [pane.scores.flesch_kincaid_grade if pane.scores else None for pane in self.whole]
        return [float(grade) for grade in found if grade is not None]


def luck_html(eight: Eight) -> Markup:
    """Return one model's card: its most typical answer shaded, and what was said nearly always and once."""
    texts = [pane.text for pane in eight.whole]
    counts = Counts.of(texts)
    typical = most_typical(texts, counts)
    shaded, place = Markup(), 0
    text = texts[typical] if typical is not None else ""
    for span in counts.spans(text):
        shaded += text[place : span.start]
        shaded += templates(TEMPLATE).word(text[span.start : span.end], span.count, counts.answers)
        place = span.end
    errors = [pane.error for pane in eight.panes if pane.stopped == "error"]
    grades = eight.grades()
    ends = list(dict.fromkeys(number_text(end, 1) for end in (min(grades), max(grades)))) if grades else []
    return templates(TEMPLATE).card(
        eight.spec, len(texts), len(eight.panes), None if typical is None else shaded + text[place:],
        *(_listed(words) for words in (counts.nearly_always(), counts.once())),
        f"{'grades' if len(ends) > 1 else 'grade'} {' to '.join(ends)}" if ends else "",
        len({pane.text for pane in eight.whole}), errors[0] if errors else "", SHORT_NOTICE,
        list(enumerate(texts, start=1)),
    )  # fmt: skip


def _listed(words: Sequence[str]) -> tuple[list[str], int]:
    return list(words[:WORDS_SHOWN]), max(len(words) - WORDS_SHOWN, 0)


def spread(done: Sequence[Eight]) -> Chart | None:
    """Return every answer's grade, a line a model; None if none has a grade."""
    known = [(number, eight, eight.grades()) for number, eight in enumerate(done)]
    if not any(grades for _, _, grades in known):
        return None
    traces = [
        drawn(
            eight.spec.label, eight.spec.colour, grades, [escape(eight.spec.label)] * len(grades),
            SYMBOLS[number % len(SYMBOLS)], hovertemplate="grade %{x:.1f}<extra></extra>", opacity=0.75,
        )
        for number, eight, grades in known if grades
    ]  # fmt: skip
    return Chart(
        "How far the grade is luck",
        f"The grade of every one of the {len(SEEDS)} answers a model. Where two models’ points lie among each other, a "
        "difference between single answers of theirs may be luck. Easier is not better: a grade says nothing about "
        "whether an answer is right.",
        figure(
            "luck", traces, 90 + 44 * len(done), showlegend=False, xaxis=axis("← easier · grade"),
            yaxis=axis(autorange="reversed"),
        ),
        Table(
            "Grades of the answers of each model",
            ("Model", "Answers with a grade", "Lowest", "Median", "Highest"),
            [
                (
                    eight.spec.label, f"{len(grades)} of {len(SEEDS)}",
                    *(number_text(f(grades) if grades else None, 1) for f in (min, statistics.median, max)),
                )
                for _, eight, grades in known
            ],
        ),
        f"One question, {len(SEEDS)} answers a model at temperature {TEMPERATURE:g}.",
    )  # fmt: skip
