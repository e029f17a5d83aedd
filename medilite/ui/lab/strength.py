"""Strength: five points on the way from one model to another, answered in one batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from medilite.lab.strengths import STRONGEST, USUAL_OWN, WEAKEST, Line, points, strength
from medilite.models import ModelSpec, Profile
from medilite.records import SHOWN_DECODING
from medilite.ui.compare.comparison import Comparison
from medilite.ui.html import Markup, templates
from medilite.ui.lab.along import along
from medilite.ui.lab.view import Shown, View, Work, cards_html
from medilite.ui.leaderboard.chart import Chart, axis
from medilite.ui.leaderboard.chart_slot import ChartSlot
from medilite.ui.page.answering import Stage
from medilite.ui.page.controls import html_slot
from medilite.ui.page.source import Seeking

TEMPLATE = "lab/strength.html"


class StrengthView(View):
    """Answers a question at five strengths, and draws what changes along the way."""

    key, label, verb = "strength", "Strength", "Answer at five strengths"
    about = (
        "How much of the training shows? What training made is an adapter, a small change that is added to the model, "
        "and it can be added in part: "
        "0 is the model without it, 1 is the trained model, beyond 1 is more of the same change than training made. "
        "You get five answers along that way, one at the strength that you choose, all with the same random numbers."
    )

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        last = next((spec for spec in reversed(profile.models) if spec.stacked_on), profile.models[-1])
        base = profile.base_model or profile.models[0]
        self.usual = (last.stacked_on or base.id, last.id)

    def build(self) -> None:
        """Lay out the two ends and the visitor's own strength."""
        choices = [(spec.label, spec.id) for spec in self.profile.models]
        with gr.Row(elem_classes="lb-row"):
            self.start = gr.Dropdown(
                choices, value=self.usual[0], label="From (strength 0)", filterable=False, elem_id="lab-start",
                min_width=200,
            )  # fmt: skip
            self.end = gr.Dropdown(
                choices, value=self.usual[1], label="To (strength 1)", filterable=False, elem_id="lab-end",
                min_width=200,
            )  # fmt: skip
            self.own = gr.Slider(
                WEAKEST, STRONGEST, value=USUAL_OWN, step=0.05, label="Your strength",
                info="Beside 0, 0.5, 1 and 1.3, which are always answered.", elem_id="lab-strength", min_width=280,
            )  # fmt: skip

    def build_result(self) -> None:
        """Lay out the cards and the curve."""
        self.result = html_slot(templates(TEMPLATE).empty(), "lab-strengths", "ml-grid-slot")
        self.curve = ChartSlot("lab-curve")

    @property
    def controls(self) -> list[Any]:
        """Both ends, and the strength."""
        return [self.start, self.end, self.own]

    @property
    def parts(self) -> list[Any]:
        """What the view fills."""
        return [self.result, *self.curve.parts]

    def check(self, profile: Profile, start: object, end: object, own: object) -> None:
        """Raise DecodingError or UnknownModelError for a line or a strength that there is not."""
        Line.between(profile, start, end)
        strength(own)

    def work(self, work: Work, start: object, end: object, own: object) -> Iterator[Shown]:
        """Answer at five strengths, in step, then draw the curve."""
        line, five = Line.between(work.profile, start, end), points(strength(own))
        specs = [_spec(work.profile, line, value) for value in five]
        seeking = Seeking(work.shelf, work.question)
        run = Comparison.of(work.question, work.profile, specs, SHOWN_DECODING, 0)
        yield Shown(Stage("asking"), "", {self.curve.section: gr.Column(visible=False)})
        for stage in work.ask(line.requests(five, work.messages, SHOWN_DECODING, 0, work.visitor), run.advance):
            update: dict[Any, Any] = {}
            if stage.kind in ("done", "stopped"):
                run.cancel()
                if (sought := seeking.come(wait=True)) is not None:
                    run.check = True
                    run.take_source(sought)
                update |= self.curve.show(curve(run, line, five))
            if stage.kind not in ("loading", "waiting"):
                update[self.result] = strengths_html(run, line)
            yield Shown(stage, f"{run.stopped} of {len(five)} done", update)


def _spec(profile: Profile, line: Line, value: float) -> ModelSpec:
    """Return what a point of a line is called and how it is coloured: as the nearer end."""
    nearer = profile.get(line.end if value > 0.5 else line.start)
    whole = {0.0: profile.get(line.start).label, 1.0: profile.get(line.end).label}
    label = f"Strength {value:g}" + (f" ({whole[value]})" if value in whole else "")
    return nearer.model_copy(update={"label": label, "id": f"strength-{value:g}"})


def strengths_html(run: Comparison, line: Line) -> Markup:
    """Return the five cards, weakest first."""
    start, end = (run.profile.get(model).label for model in (line.start, line.end))
    return templates(TEMPLATE).five(start, end, cards_html(run, "-strength", run.question))


def curve(run: Comparison, line: Line, five: tuple[float, ...]) -> Chart | None:
    """Return grade and what was found in the source over the strength; None if no answer has a grade."""
    start, end = (run.profile.get(model) for model in (line.start, line.end))
    about = (
        f"From {start.label} (0) to {end.label} (1) and a little beyond: each answer’s grade and, where the library "
        "has the topic, how many of its sentences are found in the source."
    )
    unit = axis("strength", range=[-0.05, 1.35])
    return along("strength", "What changes along the way", about, five, run.panes, end, unit)
