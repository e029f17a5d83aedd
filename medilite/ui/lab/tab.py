"""The tab Lab: one question, several ways to see why the answers differ.

Its views share the question, the buttons and the line that says what is happening;
seats, limits and Stop are those of Compare. Nothing of it loads before it is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from medilite.draining import DrainedEngine
from medilite.errors import MediLiteError
from medilite.lab.own_adapter import Brought
from medilite.lab.saves import SavedModels
from medilite.models import Profile
from medilite.prompts import clean_question
from medilite.settings import Settings
from medilite.sources.shelf import Shelf
from medilite.ui.guard.limits import Admission
from medilite.ui.html import templates
from medilite.ui.lab.forks import ForksView
from medilite.ui.lab.learned import LearnedView
from medilite.ui.lab.luck import LuckView
from medilite.ui.lab.own import OwnView
from medilite.ui.lab.strength import StrengthView
from medilite.ui.lab.view import Shown, Update, View, Work
from medilite.ui.lab.wording import WordingView
from medilite.ui.page import notices
from medilite.ui.page.answering import message_of
from medilite.ui.page.asking import AskingTab, streamed
from medilite.ui.page.controls import LIGHT, MODEL_EVENTS, html_slot, question_field
from medilite.ui.page.session import Session

TEMPLATE = "lab/parts.html"

_UNLESS_TYPED = "(asked, question) => question || window.medilite.tab.typed('lab') || asked"
"""What the field holds once the tab is open: what was typed, also before a reload, or else Compare's question."""


class LabTab(AskingTab):
    """Builds the tab and answers its events."""

    def __init__(
        self, engine: DrainedEngine, profile: Profile, settings: Settings, admission: Admission, shelf: Shelf
    ) -> None:
        super().__init__(engine, profile, settings, admission, shelf)
        self.forks = ForksView(profile)
        self.own = OwnView(profile, settings, Brought(engine, profile, settings))
        self.learned = LearnedView(profile, SavedModels(engine, profile))
        views = (self.forks, StrengthView(profile), LuckView(), WordingView(), self.learned, self.own)
        self.views: dict[str, View] = {view.key: view for view in views}

    # --- what is on the page -------------------------------------------------------------

    def build(self, session: gr.State, tab: gr.Tab) -> None:
        """Lay out the tab inside the current Blocks; `tab` is the one that it is in."""
        first = next(iter(self.views))
        html_slot(templates(TEMPLATE).intro(), "lab-intro", "ml-slot")
        with gr.Column(elem_classes="ml-ask"):
            self.question = question_field("lab-question")
            self.error = html_slot("", "lab-error", "ml-slot")
            self.view = gr.Radio(
                [(view.label, view.key) for view in self.views.values()],
                value=first,
                label="View",
                elem_id="lab-view",
                elem_classes="lb-pick",
            )
            self.about = html_slot(self._about(first), "lab-about", "ml-slot")
        self.columns: dict[str, gr.Column] = {}
        for key, view in self.views.items():
            with gr.Column(visible=key == first, elem_classes="ml-ask") as self.columns[key]:
                view.build()
        with gr.Row(elem_classes="ml-actions"):
            self.run = gr.Button(
                self.views[first].verb, variant="primary", elem_id="lab-run", elem_classes="ml-button", scale=0
            )
            self.stop = gr.Button("Stop", interactive=False, elem_id="lab-stop", elem_classes="ml-button", scale=0)
            self.status = html_slot(notices.status_html(""), "lab-status", "ml-status-slot")
        self.emergency = html_slot("", "lab-emergency", "ml-slot")
        self.places: dict[str, gr.Column] = {}
        for key, view in self.views.items():
            with gr.Column(visible=key == first, elem_classes="lab-result") as self.places[key]:
                view.build_result()
        self._wire(session, tab)

    def _about(self, key: str) -> str:
        return templates(TEMPLATE).about(self.views[key].about)

    # --- what happens --------------------------------------------------------------------

    def _wire(self, session: gr.State, tab: gr.Tab) -> None:
        controls = [part for view in self.views.values() for part in view.controls]
        parts = [part for view in self.views.values() for part in view.parts]
        outputs = [self.error, self.run, self.stop, self.status, self.emergency, *parts]
        # The page decides: what was typed while this was asked for stays.
        asked = gr.Textbox(visible=False)
        opened = tab.select(self.open, session, asked, **LIGHT)
        opened.success(None, [asked, self.question], self.question, js=_UNLESS_TYPED, **LIGHT)
        # By the visitor's own choice alone: `restore` shows the view that a reload fills in.
        self.view.input(self.choose, [session, self.view], self.restored, **LIGHT)
        gr.on(
            [self.run.click, self.question.submit],
            self.answer,
            [session, self.question, self.view, *controls],
            outputs,
            trigger_mode="once",
            **MODEL_EVENTS,
        )
        self.forks.go_on.click(self.go_on, [session, *self.forks.places], outputs, trigger_mode="once", **MODEL_EVENTS)
        self.own.compare.click(
            self.compare_own, [session, *self.own.board_controls], outputs, trigger_mode="once", **MODEL_EVENTS
        )
        self.stop.click(lambda held: held.lab.request_stop(), session, None, **LIGHT)

    def open(self, session: Session) -> str:
        """Return the question that Compare answered, to continue with here; "" for none."""
        return session.comparison.questions[0] if session.comparison else ""

    def choose(self, session: Session, key: str) -> Update:
        """Show a view; what the others show stays."""
        if key not in self.views:
            return gr.skip()
        return {
            self.about: self._about(key),
            self.run: gr.Button(self.views[key].verb),
            self.error: "",
            # What it said was of another view, unless that is still at work.
            **({} if session.lab.busy else {self.status: notices.status_html("")}),
            **{column: gr.Column(visible=name == key) for name, column in self.columns.items()},
            **{column: gr.Column(visible=name == key) for name, column in self.places.items()},
        }

    def restore(self, session: Session, question: str, key: str) -> Update:
        """Show the view that the page had before it was reloaded, its fields filled; what it had found is not kept."""
        if key not in self.views or not (question or "").strip():
            return self.choose(session, key)
        lost = f"Results of the Lab are not kept: press “{self.views[key].verb}” for them."
        return {**self.choose(session, key), self.error: notices.restored_html(lost)}

    @property
    def form(self) -> list[Any]:
        """The fields, in the order in which the page keeps them (assets/style/tab.js): new ones come last.

        A page that outlives an update is filled by the order in which the one before kept its fields.
        """
        before = [view for view in self.views.values() if view is not self.learned]
        controls = [part for view in before for part in view.controls]
        return [self.question, self.view, *controls, *self.own.board_controls, *self.learned.controls]

    @property
    def restored(self) -> list[Any]:
        """The components that `choose` and `restore` fill."""
        return [self.about, self.run, self.error, self.status, *self.columns.values(), *self.places.values()]

    @streamed
    def answer(self, session: Session, question: str, key: str, *values: object) -> Iterator[Update]:
        """Check what was asked, then let the view work; what is wrong is said next to the field."""
        try:
            asked = clean_question(question, self.settings.max_question_chars)
            view = self.views[key] if key in self.views else next(iter(self.views.values()))
            own = self._own(view, values)
            view.check(self.profile, *own)
        except MediLiteError as error:
            yield self.refused(str(error), question)
            return
        yield from self._worked(session, asked, lambda work: view.work(work, *own))

    @streamed
    def go_on(self, session: Session, model: object, tokens: object) -> Iterator[Update]:
        """Let every model continue from the first tokens of an answer of the map."""
        if session.forks is None:
            yield {self.error: notices.error_html("There is no map yet: press Map the forks first.")}
            return
        asked = session.forks.question
        yield from self._worked(session, asked, lambda work: self.forks.continued(work, model, tokens))

    @streamed
    def compare_own(self, session: Session, against: object, size: object) -> Iterator[Update]:
        """Compare the adapter that was brought with another model, question by question."""
        yield from self._worked(session, "", lambda work: self.own.boarded(work, against, size))

    def _worked(self, session: Session, asked: str, begin: Any) -> Iterator[Update]:
        """Hold a seat while a view works, as Compare does, and say how it goes."""
        try:
            with self.admission.seat(session.visitor), session.lab.running() as stop:
                work = Work(asked, session, stop, self.engine, self.profile, self.shelf)
                yield {
                    self.error: "",
                    self.run: gr.Button(interactive=False),
                    self.stop: gr.Button(interactive=True),
                    self.status: notices.status_html("Asking.", "busy"),
                    self.emergency: notices.emergency_html(asked) if asked else "",
                }
                for shown in begin(work):
                    yield self._shown(shown)
                said = "Stopped. What was written so far is kept." if stop.is_set() else "All of it is here."
                status = notices.status_html(said, "ready")
        except Exception as error:
            yield self.refused(message_of(error), asked)
            status = notices.status_html("No answer this time.", "error")
        yield {self.run: gr.Button(interactive=True), self.stop: gr.Button(interactive=False), self.status: status}

    def _shown(self, shown: Shown) -> Update:
        status = notices.stage_html(shown.stage, writing="Working.", done="One part is done.", detail=shown.detail)
        return {**(shown.update or {}), self.status: status}

    def _own(self, view: View, values: tuple[object, ...]) -> tuple[object, ...]:
        """Return the values of a view's own controls out of those of all views."""
        first = 0
        for other in self.views.values():
            if other is view:
                return values[first : first + len(view.controls)]
            first += len(other.controls)
        raise AssertionError("a view that is not in the tab")
