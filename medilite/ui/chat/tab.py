"""The tab Chat: one model at a time, several turns, the history kept when the model changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from medilite.errors import EngineError, MediLiteError, QuestionError
from medilite.prompts import clean_question
from medilite.records import Request, Step
from medilite.ui.chat.history import Turn, messages
from medilite.ui.chat.transcript import transcript_html
from medilite.ui.compare.comparison import Pane
from medilite.ui.page import notices
from medilite.ui.page.answering import Stage, message_of, run
from medilite.ui.page.asking import AskingTab, streamed
from medilite.ui.page.controls import LIGHT, MODEL_EVENTS, decoding_controls, html_slot, model_choices, question_field
from medilite.ui.page.decoding import MAX_SEED, as_decoding, as_seed
from medilite.ui.page.kept import broke_off, kept_turns
from medilite.ui.page.session import Session
from medilite.ui.page.source import Seeking, place_html, source_html

Update = dict[Any, Any]

_KEPT = "(...given) => [...given.slice(0, -1), window.medilite.tab.now.turns()]"
"""What the page sends with an event besides the fields: the conversation that it shows."""


class ChatTab(AskingTab):
    """Builds the tab and answers its events; the turns live in the visitor's Session."""

    # --- what is on the page -------------------------------------------------------------

    def build(self, session: gr.State) -> None:
        """Lay out the tab inside the current Blocks."""
        self.model = gr.Radio(
            model_choices(self.profile),
            value=self.profile.ids[-1],
            label="Model",
            elem_id="chat-model",
            elem_classes="ml-models",
        )
        self.settings_controls = decoding_controls("chat")
        self.transcript = html_slot(transcript_html(()), "transcript", "ml-chat-slot")
        self.source = html_slot("", "chat-source", "ml-source-slot")
        with gr.Column(elem_classes="ml-composer"):
            self.question = question_field("chat-question", "Your message", "Ask about your health")
            self.error = html_slot("", "chat-error", "ml-slot")
            with gr.Row(elem_classes="ml-actions"):
                self.send = _button("Send", "send", variant="primary")
                self.stop = _button("Stop", "chat-stop", interactive=False)
                self.retry = _button("Retry", "retry", interactive=False)
                self.undo = _button("Undo", "undo", interactive=False)
                self.clear = _button("Clear", "clear", interactive=False)
                self.status = html_slot(notices.progress_html(self.engine.progress()), "chat-status", "ml-status-slot")
        self._wire(session)

    def _wire(self, session: gr.State) -> None:
        outputs = [
            self.question, self.error, self.transcript, self.source, self.status,
            self.send, self.stop, self.retry, self.undo, self.clear,
        ]  # fmt: skip
        # The page sends its conversation along, because the server may have been restarted, or have dropped a page that
        # was idle overnight; the browser's copy is what the visitor sees.
        kept = gr.JSON(visible=False)
        asked = [session, self.question, self.model, *self.settings_controls, kept]
        gr.on(
            [self.send.click, self.question.submit], self.answer, asked, outputs, js=_KEPT, trigger_mode="once",
            **MODEL_EVENTS,
        )  # fmt: skip
        again = [session, self.model, *self.settings_controls, kept]
        self.retry.click(self.answer_again, again, outputs, js=_KEPT, trigger_mode="once", **MODEL_EVENTS)
        self.stop.click(lambda held: held.chat.request_stop(), session, None, **LIGHT)
        self.undo.click(self.take_back, [session, self.question, kept], outputs, js=_KEPT, **LIGHT)
        self.clear.click(self.start_over, session, outputs, **LIGHT)

    # --- what happens --------------------------------------------------------------------

    @streamed
    def answer(self, session: Session, text: str, model: str, *controls: object) -> Iterator[Update]:
        """Answer a new message; an error is shown next to the field, which keeps the message.

        `controls` are those of the settings; the page sends its conversation after them.
        """
        controls = self._taken_up(session, controls)
        try:
            question = clean_question(text, self.settings.max_question_chars)
            request, turn = self._prepare(session, session.turns, question, model, controls)
        except MediLiteError as error:
            yield {self.error: notices.emergency_html(text) + notices.error_html(str(error))}
            return
        yield from self._stream(session, list(session.turns), turn, request, typed=text)

    @streamed
    def answer_again(self, session: Session, model: str, *controls: object) -> Iterator[Update]:
        """Ask the last question again, of the model now chosen, with another seed."""
        controls = self._taken_up(session, controls)
        if not session.turns or session.chat.busy:
            return
        *earlier, last = session.turns
        try:
            request, turn = self._prepare(session, earlier, last.question, model, controls, last.attempt + 1)
        except MediLiteError as error:
            yield {self.error: notices.error_html(str(error))}
            return
        yield from self._stream(session, earlier, turn, request)
        if request.decoding.temperature == 0 and last.pane.spec.id == model and turn.pane.stopped in ("end", "length"):
            yield {
                self.error: notices.note_html(
                    "At temperature 0 a model gives the same answer every time. "
                    "Choose another model, or raise the temperature in the settings."
                )
            }

    def _prepare(
        self,
        session: Session,
        turns: list[Turn],
        question: str,
        model: str,
        controls: tuple[object, ...],
        attempt: int = 0,
    ) -> tuple[Request, Turn]:
        if not model:
            raise QuestionError("No model is chosen: pick one.")
        spec = self.profile.get(model)
        decoding = as_decoding(*controls[:-1])
        seed = (as_seed(controls[-1]) + attempt) % (MAX_SEED + 1)
        request = Request(spec.id, messages(turns, question), decoding, seed, session.visitor)
        return request, Turn(question, Pane(spec), decoding.max_new_tokens, attempt)

    def _stream(
        self,
        session: Session,
        earlier: list[Turn],
        turn: Turn,
        request: Request,
        typed: str | None = None,
    ) -> Iterator[Update]:
        """Show `turn` after `earlier` while it is written; if it fails without a word, restore everything.

        `typed` is what was in the field, if this turn empties it; without it this is a retry, which leaves the answer
        there was where it is stopped without a word, too.
        """
        before = list(session.turns)
        pane = turn.pane
        seeking = Seeking(self.shelf, turn.question, [one.question for one in earlier])

        def advance(step: Step) -> None:
            if not step.waiting:
                pane.take(step.rows[0])

        try:
            with self.admission.seat(session.visitor), session.chat.running() as stop:
                session.turns = [*earlier, turn]
                start = {self.error: ""} if typed is None else {self.question: "", self.error: ""}
                start[self.source] = place_html(self.shelf.state)
                yield {**start, **self._buttons(session, busy=True), **self._shown(session, Stage("asking"), pane)}
                for stage in run(self.engine, (request,), stop, advance):
                    if stage.kind == "stopped" and not pane.stopped:
                        pane.finish("cancelled")
                    wordless = typed is None and stage.kind in ("done", "stopped") and not pane.text.strip()
                    if wordless and pane.stopped == "error":
                        raise EngineError(pane.error or "The model gave no answer.")
                    if stayed := wordless and pane.stopped == "cancelled":
                        session.turns = before
                    update = self._shown(session, stage, pane)
                    if stayed:
                        update[self.status] = notices.status_html("Stopped. The answer before is still here.", "ready")
                    if (sought := seeking.come(wait=stage.kind in ("done", "stopped"))) is not None:
                        update[self.source] = source_html(sought, key="chat")
                    yield update
        except Exception as error:
            message = message_of(error)
            if pane.text:
                pane.finish("error", message)
            else:
                session.turns = before
            gone = typed is not None and not pane.text
            yield {
                **({self.question: typed} if gone else {}),
                # The turn is gone, and the notice above it with it.
                self.error: notices.emergency_html(typed if gone else None) + notices.error_html(message),
                self.transcript: transcript_html(session.turns),
                self.source: "",
                self.status: notices.status_html("No answer this time.", "error"),
            }
        yield self._buttons(session, busy=False)

    def _shown(self, session: Session, stage: Stage, pane: Pane) -> Update:
        status = notices.stage_html(stage, writing=f"{pane.spec.label} is writing.", done="The answer is here.")
        if stage.kind in ("loading", "waiting"):
            return {self.status: status}
        return {self.status: status, self.transcript: transcript_html(session.turns)}

    def _buttons(self, session: Session, *, busy: bool) -> Update:
        some = bool(session.turns) and not busy
        return {
            self.send: gr.Button(interactive=not busy),
            self.stop: gr.Button(interactive=busy),
            self.retry: gr.Button(interactive=some),
            self.undo: gr.Button(interactive=some),
            self.clear: gr.Button(interactive=some),
        }

    def take_back(self, session: Session, typed: str, *shown: object) -> Update:
        """Drop the last turn and put its question back into the field, unless something is being typed there."""
        self._take_up(session, shown)
        if not session.turns or session.chat.busy:
            return {self.error: ""}
        last = session.turns.pop()
        return {
            self.question: typed if typed.strip() else last.question,
            self.error: "",
            self.transcript: transcript_html(session.turns),
            self.source: "",
            self.status: notices.status_html("The last question and its answer are removed.", "ready"),
            **self._buttons(session, busy=False),
        }

    def _taken_up(self, session: Session, given: tuple[object, ...]) -> tuple[object, ...]:
        """Return the values of the settings, without the conversation after them (see `_take_up`)."""
        number = len(self.settings_controls)
        self._take_up(session, given[number:])
        return given[:number]

    def _take_up(self, session: Session, shown: tuple[object, ...]) -> None:
        """Take over the conversation that the page shows, if the server has none."""
        if shown and not session.turns and not session.chat.busy:
            session.turns = kept_turns(shown[0], self.profile, self.settings.max_question_chars)

    def restore(self, session: Session, given: object) -> Update:
        """Show the conversation that the page had before it was reloaded, as its browser kept it."""
        if session.turns or session.chat.busy:
            return gr.skip()
        self._take_up(session, (given,))
        cut = bool(session.turns) and broke_off([session.turns[-1].pane])
        said = ["The last answer breaks off where the page was left: press Retry for a whole one."] if cut else []
        return {
            self.error: notices.restored_html(*said),
            self.transcript: transcript_html(session.turns),
            **self._buttons(session, busy=False),
        }

    @property
    def form(self) -> list[Any]:
        """The fields, in the order in which the page stores them (assets/style/tab.js)."""
        return [self.model, self.question, *self.settings_controls]

    @property
    def restored(self) -> list[Any]:
        """The components that `restore` fills."""
        return [self.error, self.transcript, self.send, self.stop, self.retry, self.undo, self.clear]

    def start_over(self, session: Session) -> Update:
        """Drop the whole conversation, but keep what is being typed."""
        if session.chat.busy:
            return {self.error: ""}
        session.turns = []
        return {
            self.error: "",
            self.transcript: transcript_html(()),
            self.source: "",
            self.status: notices.status_html("A new conversation.", "ready"),
            **self._buttons(session, busy=False),
        }


def _button(label: str, elem_id: str, **options: Any) -> gr.Button:
    return gr.Button(label, elem_id=elem_id, elem_classes="ml-button", scale=0, **options)
