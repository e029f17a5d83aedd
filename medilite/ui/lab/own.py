"""Your adapter: one that a visitor brings answers beside the others, and on a small paired board."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from medilite.content import repeated_ngrams
from medilite.errors import DecodingError, MediLiteError, ModelUnavailableError
from medilite.lab.board import SIZES, Paired
from medilite.lab.own_adapter import (
    COLOURS,
    HIGHEST_RANK,
    LONGEST_NAME,
    MOST_BYTES,
    NOT_TAKEN,
    Brought,
    Facts,
    allowed,
    local,
)
from medilite.models import ModelSpec, Profile
from medilite.prompts import question_messages
from medilite.questions import load_questions
from medilite.readability import measure
from medilite.records import SHOWN_DECODING, Request, Step
from medilite.settings import Settings
from medilite.ui.compare.comparison import Comparison, Pane
from medilite.ui.html import Markup, templates
from medilite.ui.lab.view import Shown, View, Work, cards_html
from medilite.ui.page.answering import Stage
from medilite.ui.page.controls import html_slot

TEMPLATE = "lab/own.html"

TOGETHER = 6
"""Questions of the board that both models answer at once: as many rows as two comparisons."""

LOOP = 0.25
"""From this share of repeated 4-grams on an answer is in a loop, as on the leaderboard; its grade means nothing."""


class OwnView(View):
    """Brings an adapter, asks it beside all others, and compares it with one of them."""

    key, label, verb = "own", "Your adapter", "Bring it and ask"
    about = (
        "How does your own adapter answer? If you have trained one on this page’s base (a LoRA adapter), name it, and "
        "it answers beside the others, with the same random numbers. Then compare it with one of them on some "
        "questions of this project: is the difference in grade clear, or how many questions would it take?"
    )

    def __init__(self, profile: Profile, settings: Settings, brought: Brought) -> None:
        self.profile, self.settings, self.brought = profile, settings, brought
        self.open = allowed(settings)

    def build(self) -> None:
        """Lay out where the adapter is, and what to call it."""
        html_slot(
            templates(TEMPLATE).limits(self.open, local(self.settings), HIGHEST_RANK, MOST_BYTES >> 20),
            "lab-own-limits", "ml-slot",
        )  # fmt: skip
        choices = [(spec.label, spec.id) for spec in self.profile.models]
        with gr.Row(elem_classes="lb-row", visible=self.open):
            where = "owner/name@commit" + (", or a folder" if local(self.settings) else "")
            self.where = gr.Textbox(label="Adapter", placeholder=where, max_lines=1, elem_id="lab-own-where", scale=2)
            self.name = gr.Textbox(
                "My adapter", label="Name", max_lines=1, max_length=LONGEST_NAME, elem_id="lab-own-name"
            )
            self.colour = gr.Dropdown(list(COLOURS), label="Colour", filterable=False, elem_id="lab-own-colour")
            base = self.profile.base_model or self.profile.models[0]
            self.beneath = gr.Dropdown(
                choices, value=base.id, label="Trained on top of", filterable=False, elem_id="lab-own-beneath"
            )

    def build_result(self) -> None:
        """Lay out the seven panes, and under them the board."""
        self.result = html_slot(templates(TEMPLATE).empty(self.open), "lab-own", "ml-grid-slot")
        with gr.Column(visible=False, elem_classes="ml-ask") as self.boarding:
            html_slot(templates(TEMPLATE).board_head(), "lab-board-head", "ml-slot")
            with gr.Row(elem_classes="lb-row"):
                self.against = gr.Dropdown(
                    [(spec.label, spec.id) for spec in self.profile.models], value=self.profile.ids[-1],
                    label="Against", filterable=False, elem_id="lab-board-against", min_width=200,
                )  # fmt: skip
                # The guard lets a dropdown have nothing but text (guard/calls.py).
                self.size = gr.Dropdown(
                    [(f"{size} questions", str(size)) for size in SIZES], value=str(SIZES[0]), label="On",
                    filterable=False, elem_id="lab-board-size", min_width=160,
                )  # fmt: skip
                self.compare = gr.Button("Compare on these", elem_id="lab-board-run", elem_classes="ml-button", scale=0)
        self.board = html_slot("", "lab-board", "ml-slot")

    @property
    def controls(self) -> list[Any]:
        """Where the adapter is, its name and colour, and its parent."""
        return [self.where, self.name, self.colour, self.beneath]

    @property
    def board_controls(self) -> list[Any]:
        """Against which model, and on how many questions."""
        return [self.against, self.size]

    @property
    def parts(self) -> list[Any]:
        """What the view fills."""
        return [self.result, self.boarding, self.board]

    def check(self, profile: Profile, where: object, name: object, colour: object, beneath: object) -> None:
        """Raise ModelUnavailableError or UnknownModelError for what can't be brought here, before anything is read."""
        if not self.open:
            raise ModelUnavailableError(NOT_TAKEN)
        if not str(where or "").strip():
            raise ModelUnavailableError("No adapter is named yet: give owner/name@commit of the Hub, or a folder.")
        profile.get(str(beneath or ""))

    def work(self, work: Work, where: object, name: object, colour: object, beneath: object) -> Iterator[Shown]:
        """Take the adapter in, and ask all models and it."""
        for stage in work.loading():
            yield Shown(stage)
        if work.stop.is_set():
            return
        able = work.able()
        spec, facts = self.brought.bring(
            str(where), str(name or ""), str(colour or ""), str(beneath), work.session.own_adapter
        )
        work.session.own_adapter = spec.id
        run = Comparison.of(work.question, work.profile, [*able, spec], SHOWN_DECODING, 0)
        yield Shown(Stage("writing"), "", {self.board: "", self.boarding: gr.Column(visible=True)})
        for stage in work.ask(run.requests(work.visitor), run.advance):
            if stage.kind in ("done", "stopped"):
                run.cancel()
            update = {} if stage.kind in ("loading", "waiting") else {self.result: own_html(run, spec, facts)}
            yield Shown(stage, f"{run.stopped} of {len(run.panes)} done", update)

    def boarded(self, work: Work, against: object, size: object) -> Iterator[Shown]:
        """Have the adapter and another model answer some questions, and say whether they differ."""
        spec, other = self.brought.get(work.session.own_adapter), work.profile.get(str(against or ""))
        if str(size) not in [str(known) for known in SIZES]:
            raise DecodingError(f"{size!r:.40} questions can't be asked: choose {', '.join(map(str, SIZES))}.")
        asked = [question.question for question in load_questions()[: int(str(size))]]
        pairs: list[tuple[Pane, Pane]] = []
        for first in range(0, len(asked), TOGETHER):
            some = asked[first : first + TOGETHER]
            panes = [(Pane(spec), Pane(other)) for _ in some]

            def advance(step: Step, panes: list[tuple[Pane, Pane]] = panes) -> None:
                if not step.waiting:
                    flat = [pane for pair in panes for pane in pair]
                    for pane, row in zip(flat, step.rows, strict=True):
                        pane.take(row)

            requests = [
                Request(model.id, question_messages(question), SHOWN_DECODING, 0, work.visitor)
                for question in some for model in (spec, other)
            ]  # fmt: skip
            for stage in work.ask(requests, advance):
                yield Shown(stage, f"{first} of {len(asked)} questions answered by both")
            if work.stop.is_set():
                yield Shown(Stage("stopped"), "", {self.board: templates(TEMPLATE).stopped(len(pairs), len(asked))})
                return
            pairs += panes
        yield Shown(Stage("done"), "", {self.board: board_html(pairs, spec, other)})


def own_html(run: Comparison, spec: ModelSpec, facts: Facts) -> Markup:
    """Return the panes, the visitor's own last."""
    said = templates(TEMPLATE).facts(spec, facts.rank, facts.size / 2**20, facts.base)
    return said + cards_html(run, "-own", run.question)


def board_html(pairs: list[tuple[Pane, Pane]], spec: ModelSpec, other: ModelSpec) -> Markup:
    """Return what the board found."""
    differences, loops = [], [0, 0]
    for pair in pairs:
        grades = [_grade(pane) for pane in pair]
        for place, pane in enumerate(pair):
            loops[place] += _loops(pane)
        differences.append(None if None in grades else grades[0] - grades[1])  # type: ignore[operator]
    same = sum(one.text == two.text and one.stopped == two.stopped != "error" for one, two in pairs)
    failed = sum(any(pane.stopped == "error" for pane in pair) for pair in pairs)
    return templates(TEMPLATE).board(spec, other, Paired.of(differences, same), loops, failed)


def _loops(pane: Pane) -> bool:
    return (repeated_ngrams(pane.text) or 0.0) >= LOOP


def _grade(pane: Pane) -> float | None:
    """Return the grade of an answer that counts: one that failed or loops has none."""
    if pane.stopped not in ("end", "length") or _loops(pane):
        return None
    try:
        found = pane.scores or measure(pane.text)
    except MediLiteError:
        return None
    return None if found.flesch_kincaid_grade is None else float(found.flesch_kincaid_grade)
