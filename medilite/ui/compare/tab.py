"""The tab Compare: one question, up to six answers side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gradio as gr

from medilite.errors import MediLiteError, QuestionError
from medilite.prompts import clean_question
from medilite.questions import load_questions, topics
from medilite.sources.shelf import Sought
from medilite.ui.compare.cards import empty_grid_html, grid_html
from medilite.ui.compare.comparison import MOST_EARLIER, Comparison, Pane
from medilite.ui.compare.grade_line import plot_html
from medilite.ui.compare.links import decode_link
from medilite.ui.compare.toolbar import legend_html, toolbar_html
from medilite.ui.page import notices
from medilite.ui.page.answering import Stage, message_of, run
from medilite.ui.page.asking import AskingTab, streamed
from medilite.ui.page.controls import LIGHT, MODEL_EVENTS, decoding_controls, html_slot, model_choices, question_field
from medilite.ui.page.decoding import as_decoding, as_seed
from medilite.ui.page.kept import broke_off, kept_comparison
from medilite.ui.page.loading import wait_until_ready
from medilite.ui.page.session import Session
from medilite.ui.page.source import Seeking, place_html, source_html
from medilite.ui.page.source import legend_html as source_legend_html

ALL_TOPICS = "All topics"
EXAMPLES = 4
EXAMPLE_CHARS = 38
"""Longest question that makes a good button."""


class CompareTab(AskingTab):
    """Builds the tab and answers its events."""

    # --- what is on the page -------------------------------------------------------------

    def build(self, session: gr.State) -> None:
        """Lay out the tab inside the current Blocks."""
        with gr.Column(elem_classes="ml-ask"):
            self.question = question_field("question")
            self.error = html_slot("", "compare-error", "ml-slot")
            self._build_bank()
            self.models = gr.CheckboxGroup(
                model_choices(self.profile),
                value=list(self.profile.ids),
                label="Models",
                elem_id="models",
                elem_classes="ml-models",
            )
            self.unavailable = html_slot("", "unavailable", "ml-slot")
            self.from_source = gr.Checkbox(
                False,
                label="Answer from the source",
                info=self._about_source(),
                elem_id="from-source",
            )
            self.settings_controls = decoding_controls("compare")
        with gr.Row(elem_classes="ml-actions"):
            self.ask = gr.Button("Ask", variant="primary", elem_id="ask", elem_classes="ml-button", scale=0)
            self.follow = gr.Button(
                "Follow up", interactive=False, elem_id="follow-up", elem_classes="ml-button", scale=0
            )
            self.stop = gr.Button("Stop", interactive=False, elem_id="stop", elem_classes="ml-button", scale=0)
            self.status = html_slot(notices.progress_html(self.engine.progress()), "compare-status", "ml-status-slot")
        self.emergency = html_slot("", "emergency", "ml-slot")
        with gr.Row(elem_classes="ml-tools"):
            self.mark_hard = gr.Checkbox(False, label="Mark what is hard to read", elem_id="mark-hard")
            self.mark_differs = gr.Checkbox(
                False, label=f"Show what differs from {self._base_label()}", elem_id="mark-differs"
            )
            self.check = gr.Checkbox(False, label="Check against the source", elem_id="check-source")
            self.toolbar = html_slot(toolbar_html(None), "toolbar", "ml-toolbar-slot")
        html_slot(legend_html(self._base_label()) + source_legend_html(), "legend", "ml-legend-slot")
        self.source = html_slot("", "source", "ml-source-slot")
        self.grid = html_slot(empty_grid_html(self.profile.models), "answers", "ml-grid-slot")
        self.plot = html_slot(self._empty_plot(), "plot", "ml-plot-slot")
        self._wire(session)

    def _build_bank(self) -> None:
        questions = load_questions()
        by_topic = {topic: [q.question for q in questions if q.topic == topic] for topic in topics()}
        with gr.Row(elem_classes="ml-examples"):
            html_slot('<span class="ml-examples-label">Try one:</span>', "examples-label", "ml-examples-slot")
            self.examples = [
                gr.Button(question, size="sm", elem_classes="ml-example", scale=0)
                for question in _examples(list(by_topic.values()))
            ]
        with (
            gr.Accordion(f"More questions, by topic ({len(questions)})", open=False, elem_classes="ml-fold"),
            gr.Row(elem_classes="ml-bank"),
        ):
            self.topic = gr.Dropdown(
                [ALL_TOPICS, *by_topic],
                value=ALL_TOPICS,
                label="Topic",
                filterable=False,
                elem_id="topic",
                min_width=200,
            )
            self.bank = gr.Dropdown(
                [q.question for q in questions], value=None, label="Question", elem_id="bank", scale=3, min_width=240
            )

        def of_topic(topic: str) -> Any:
            listed = by_topic.get(topic) or [q.question for q in questions]
            return gr.Dropdown(choices=listed, value=None)

        self.topic.change(of_topic, self.topic, self.bank, **LIGHT)

    def _about_source(self) -> str:
        labels = [spec.label for spec in self.profile.rewriters]
        more = f" {' and '.join(labels)}, trained for this alone, answers too." if labels else ""
        return (
            "The models get the passage that fits your question, to say it in plain words. "
            f"They can still get it wrong.{more}"
        )

    def _empty_plot(self) -> str:
        return plot_html([Pane(spec) for spec in self.profile.models], asked=False)

    def _base_label(self) -> str:
        return self.profile.base_model.label if self.profile.base_model else "the base"

    # --- what happens --------------------------------------------------------------------

    def _wire(self, session: gr.State) -> None:
        inputs = [session, self.question, self.models, *self.settings_controls, self.from_source]
        outputs = [
            self.error, self.ask, self.follow, self.stop, self.status, self.emergency, self.toolbar, self.source,
            self.grid, self.plot,
        ]  # fmt: skip
        gr.on([self.ask.click, self.question.submit], self.answer, inputs, outputs, trigger_mode="once", **MODEL_EVENTS)
        # The answers go along, for a server that has been restarted, or has forgotten a page that slept for a night.
        kept, answers = gr.JSON(visible=False), "window.medilite.tab.now.answers()"
        follows = [session, self.question, *self.settings_controls, self.from_source, kept]
        self.follow.click(
            self.follow_up, follows, outputs, js=f"(...given) => [...given.slice(0, -1), {answers}]",
            trigger_mode="once", **MODEL_EVENTS,
        )  # fmt: skip
        self.stop.click(lambda held: held.compare.request_stop(), session, None, **LIGHT)
        # Picking fills the field; asking stays a decision of its own.
        self.bank.input(None, self.bank, self.question, js="(picked) => picked || ''", **LIGHT)
        for button in self.examples:
            button.click(None, None, self.question, js=f"() => {_js_string(button.value)}", **LIGHT)
        self.check.change(
            self.hold_against_source, [session, self.check, kept], [self.toolbar, self.grid],
            js=f"(...given) => [...given.slice(0, 2), {answers}]", **LIGHT,
        )  # fmt: skip
        for box, mark in ((self.mark_hard, "hard"), (self.mark_differs, "differs"), (self.check, "source")):
            box.change(None, box, None, js=f"(on) => window.medilite.mark('{mark}', on)", **LIGHT)

    @streamed
    def answer(
        self,
        session: Session,
        question: str,
        models: list[str],
        max_new_tokens: object,
        temperature: object,
        top_p: object,
        repetition_penalty: object,
        seed: object,
        from_source: bool = False,
        following: Comparison | None = None,
    ) -> Iterator[dict[Any, Any]]:
        """Check what was asked, then answer it step by step; what is wrong is said next to the field.

        Each model continues from what it said in `following`, if that is given.
        """
        rewriters = {spec.id for spec in self.profile.rewriters}
        try:
            asked = clean_question(question, self.settings.max_question_chars)
            if not set(models) - rewriters:
                raise QuestionError("No model is chosen: pick at least one.")
            specs = self.profile.select([model for model in models if model not in rewriters])
            decoding = as_decoding(max_new_tokens, temperature, top_p, repetition_penalty)
            comparison = Comparison.of(asked, self.profile, specs, decoding, as_seed(seed), session.next_run())
        except MediLiteError as error:
            yield self.refused(str(error), question)
            return
        before, comparison.before = session.comparison, following
        comparison.check, comparison.rewriters = session.checks_source, self.profile.rewriters
        seeking = Seeking(self.shelf, asked, comparison.questions[:-1])
        try:
            with self.admission.seat(session.visitor), session.compare.running() as stop:
                # Before the first update: a box ticked while the model loads applies to these answers.
                session.comparison = comparison
                yield self._begin(comparison)
                scored = 0
                if from_source:
                    for progress in wait_until_ready(self.engine, stop):
                        yield self._show(comparison, Stage("loading", progress=progress))
                    if stop.is_set():  # giving a passage would wait until the model is loaded
                        comparison.from_source = True
                    else:
                        yield {self.source: self._give(comparison, seeking)}
                for stage in run(self.engine, comparison.requests(session.visitor), stop, comparison.advance):
                    update = self._show(comparison, stage)
                    if (sought := seeking.come(wait=stage.kind in ("done", "stopped"))) is not None:
                        comparison.take_source(sought)
                        update[self.source] = source_html(sought)
                        if stage.kind in ("done", "stopped"):
                            update |= {self.grid: grid_html(comparison), self.toolbar: toolbar_html(comparison)}
                    if comparison.stopped > scored:
                        scored = comparison.stopped
                        update[self.plot] = plot_html(comparison.panes, given=comparison.given)
                    yield update
        except Exception as error:
            yield self._failed(session, comparison, before, error)

    def follow_up(self, session: Session, question: str, *given: Any) -> Iterator[dict[Any, Any]]:
        """Ask the models that answered last a further question, with the settings as they are now.

        `given` are settings and source as for `answer`, then the answers that the page shows.
        """
        *controls, shown = given
        if session.comparison is None and not session.compare.busy:
            self.restore(session, shown)
        last = session.comparison
        able = [pane.spec.id for pane in last.panes if pane.text.strip()] if last and last.done else []
        if last is None or not able:
            yield self.refused("There is no answer to follow up on yet: press Ask first.", question)
        elif len(last.questions) > MOST_EARLIER:
            said = f"You have asked {len(last.questions)} questions in a row, which is the limit. "
            yield self.refused(f"{said}Press Ask to start a new comparison.", question)
        else:
            yield from self.answer(session, question, able, *(*controls, last))

    def _give(self, comparison: Comparison, seeking: Seeking) -> str:
        """Have the models answer from what the library says; return what is shown of it."""
        sought = seeking.come(wait=True)
        comparison.give(sought, self.engine)
        if sought is not None:
            comparison.take_source(sought)
        return source_html(sought or Sought(self.shelf.state), missed=comparison.missed_source)

    def _begin(self, comparison: Comparison) -> dict[Any, Any]:
        return {
            self.error: "",
            self.ask: gr.Button(interactive=False),
            self.follow: gr.Button(interactive=False),
            self.stop: gr.Button(interactive=True),
            self.status: notices.status_html("Asking.", "busy"),
            self.emergency: notices.emergency_html(*comparison.questions),
            self.toolbar: toolbar_html(None),
            self.source: place_html(self.shelf.state),
            self.grid: grid_html(comparison),
            self.plot: plot_html(comparison.panes),
        }

    def hold_against_source(self, session: Session, check: bool, given: object = None) -> dict[Any, Any]:
        """Mark the answers on the page (`given`) by their source, or show them without marks."""
        session.checks_source = bool(check)
        if session.comparison is None and not session.compare.busy:
            self.restore(session, given)
        comparison = session.comparison
        if comparison is None:
            return gr.skip()
        comparison.hold_against_source(session.checks_source)
        shown: dict[Any, Any] = {self.grid: grid_html(comparison)}
        return shown | ({self.toolbar: toolbar_html(comparison)} if comparison.done else {})

    def _show(self, comparison: Comparison, stage: Stage) -> dict[Any, Any]:
        detail = f"{comparison.stopped} of {len(comparison.panes)} done" if comparison.stopped else ""
        status = notices.stage_html(stage, done="All answers are here.", detail=detail)
        if stage.kind in ("loading", "waiting"):
            return {self.status: status}
        if stage.kind == "writing":
            return {self.status: status, self.grid: grid_html(comparison)}
        comparison.cancel()
        return self._end(comparison, status)

    def _end(self, comparison: Comparison, status: str) -> dict[Any, Any]:
        return {
            self.ask: gr.Button(interactive=True),
            self.follow: gr.Button(interactive=any(pane.text.strip() for pane in comparison.panes)),
            self.stop: gr.Button(interactive=False),
            self.status: status,
            self.toolbar: toolbar_html(comparison),
            self.grid: grid_html(comparison),
            self.plot: plot_html(comparison.panes, given=comparison.given),
        }

    def _failed(
        self, session: Session, comparison: Comparison, before: Comparison | None, error: Exception
    ) -> dict[Any, Any]:
        """Say what went wrong; keep what was written, or what was on the page before if nothing was."""
        message = message_of(error)
        status = notices.status_html("No answer this time.", "error")
        asked = comparison.questions
        if any(pane.text for pane in comparison.panes):
            comparison.fail(message)
            update = self._end(comparison, status)
        elif before is not None:
            session.comparison = before
            before.hold_against_source(session.checks_source)
            # Its answers are on the page again, and the question that failed is in the field.
            asked = (*before.questions, *asked)
            update = self._end(before, status) | {
                self.source: source_html(before.sought, missed=before.missed_source) if before.sought else "",
            }
        else:
            session.comparison = None
            update = {
                self.ask: gr.Button(interactive=True),
                self.stop: gr.Button(interactive=False),
                self.status: status,
                self.toolbar: toolbar_html(None),
                self.source: "",
                self.grid: empty_grid_html(self.profile.models),
                self.plot: self._empty_plot(),
            }
        return {**update, **self.refused(message, *asked)}

    def restore(self, session: Session, given: object) -> dict[Any, Any]:
        """Show the answers that the page had before it was reloaded; `given` is what its browser has kept of them."""
        if session.compare.busy or session.comparison is not None:
            return gr.skip()
        comparison = kept_comparison(given, self.profile, self.settings.max_question_chars)
        if comparison is None:
            return {self.error: notices.restored_html("Press Ask for the answers.")}
        session.comparison = comparison
        cut = "The answers break off where the page was left: press Ask for whole ones."
        shown: dict[Any, Any] = {
            self.error: notices.restored_html(*[cut] if broke_off(comparison.panes) else []),
            self.emergency: notices.emergency_html(*comparison.questions),
            self.follow: gr.Button(interactive=True),
        }
        sought = Seeking(self.shelf, comparison.question, comparison.questions[:-1]).come(wait=True)
        if sought is not None:
            comparison.check = session.checks_source
            comparison.take_source(sought)
        if comparison.given:
            # The library may not be open yet, or be another by now: the id says what they answered from all the same.
            comparison.given = self.shelf.passage(comparison.given.id) or comparison.given
        shown[self.source] = source_html(sought or Sought(self.shelf.state), missed=comparison.missed_source)
        return shown | {
            self.grid: grid_html(comparison),
            self.toolbar: toolbar_html(comparison),
            self.plot: plot_html(comparison.panes, given=comparison.given),
        }

    # --- the opened link -----------------------------------------------------------------

    def open_link(self, address: str) -> list[Any]:
        """Return what a link sets: question, models, settings, seed, and a note; nothing if it is no such link."""
        linked = decode_link(address, self.profile, self.settings.max_question_chars)
        if linked is None:
            return [gr.skip()] * len(self.link_outputs)
        d = linked.decoding
        note = notices.note_html("Opened from a link. Press Ask for the answers.", *linked.notes)
        return [
            linked.question, list(linked.models), d.max_new_tokens, d.temperature, d.top_p, d.repetition_penalty,
            linked.seed, linked.from_source, note,
        ]  # fmt: skip

    @property
    def form(self) -> list[Any]:
        """The fields, in the order in which the page keeps them (assets/style/tab.js)."""
        marks = [self.mark_hard, self.mark_differs, self.check]
        return [self.question, self.models, *self.settings_controls, self.from_source, *marks]

    @property
    def restored(self) -> list[Any]:
        """The components that `restore` fills."""
        return [self.error, self.follow, self.emergency, self.toolbar, self.source, self.grid, self.plot]

    @property
    def link_outputs(self) -> list[Any]:
        """The components that `open_link` fills, in its order."""
        return [self.question, self.models, *self.settings_controls, self.from_source, self.error]


def _js_string(text: str) -> str:
    return json.dumps(text)


def _examples(listed: list[list[str]]) -> list[str]:
    """Return the first short question of each topic, as many as there are buttons for."""
    short = (next((question for question in questions if len(question) <= EXAMPLE_CHARS), None) for questions in listed)
    return [question for question in short if question][:EXAMPLES]
