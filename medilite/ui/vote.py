"""The tab Blind vote: two answers without names, one choice; then who it was.

The page keeps the pair's token and the voter's id and sends both along, so the
server needs to remember nothing between two requests: a vote can be tried again
after anything, a restart included. Every check is the booth's.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import gradio as gr

from medilite.arena.booth import Booth, Nothing
from medilite.arena.live import LiveRun
from medilite.arena.records import Pair
from medilite.engine.protocol import Engine
from medilite.errors import StoreError
from medilite.models import Profile
from medilite.prompts import clean_question
from medilite.settings import Settings
from medilite.ui import notices
from medilite.ui.controls import LIGHT, MODEL_EVENTS, html_slot
from medilite.ui.generate import Stage, message_of, run
from medilite.ui.loading import wait_until_ready
from medilite.ui.session import Admission, Session
from medilite.ui.vote_cards import (
    Texts,
    closed_html,
    drawing_html,
    nothing_html,
    open_html,
    start_html,
    undone_html,
    unkept_html,
    voted_html,
    writing_html,
)
from medilite.ui.vote_own import own_html, way_html
from medilite.ui.vote_tour import intro_html, tour_html

READY, LIVE = "ready", "live"

_CALL = "(...given) => [null, window.medilite.vote.call(), ...given.slice(2)]"
"""What an event sends: voter, token, choice and details, as the page has them at that moment."""

_SETTLED = "() => window.medilite.vote.settled()"

_UNEXPECTED = (
    "Something went wrong in the app; its log tells where. Try again: nothing is lost, and nothing is counted twice."
)

_UNCONFIRMED = (
    "Your vote is not confirmed yet. Both answers stay here: press your choice again in a moment; it counts once, "
    "however often you press."
)
"""Not "not counted": where the answer to a commit is lost, nobody can know."""

_KEPT = "Otherwise your vote is kept, and of the texts only a keyed hash that gives nothing away."
_MIRRORED = " What is kept is also copied to a repository of this app’s owner on the Hugging Face Hub."

Update = dict[Any, Any]


class VoteTab:
    """Builds the tab and answers its events; a live pair in the making is in the visitor's Session."""

    def __init__(
        self, engine: Engine, profile: Profile, settings: Settings, admission: Admission, booth: Booth
    ) -> None:
        self.engine = engine
        self.profile = profile
        self.settings = settings
        self.admission = admission
        self.booth = booth

    # --- what is on the page -------------------------------------------------------------

    def build(self, session: gr.State, tab: gr.Tab) -> None:
        """Lay out the tab inside the current Blocks; `tab` is the one that it stands in."""
        html_slot(intro_html(), "vote-intro", "vt-slot")
        self.mode = gr.Radio(
            [("Ready-made", READY), ("Live", LIVE)],
            value=READY,
            label="Answers",
            elem_id="vote-mode",
            elem_classes="vt-mode",
        )
        with gr.Column(elem_classes="vt-live vt-ask ml-ask"):
            self.question = gr.Textbox(
                label="Your health question",
                placeholder="For example: What helps against hay fever?",
                lines=1,
                max_lines=8,
                elem_id="vote-question",
                elem_classes="ml-question",
            )
            self.keep = gr.Checkbox(
                False,
                label="My question and both answers may be kept with my vote",
                info=_KEPT + (_MIRRORED if self.settings.is_mirrored and not self.settings.forgets else ""),
                elem_id="vote-keep",
            )
            with gr.Row(elem_classes="ml-actions vt-actions"):
                self.ask = gr.Button("Ask", variant="primary", elem_id="vote-ask", elem_classes="ml-button", scale=0)
                self.stop = gr.Button("Stop", interactive=False, elem_id="vote-stop", elem_classes="ml-button", scale=0)
                self.status = html_slot(notices.progress_html(self.engine.progress()), "vote-status", "ml-status-slot")
            self.emergency = html_slot("", "vote-emergency", "ml-slot")
        self.error = html_slot("", "vote-error", "ml-slot")
        with gr.Column(elem_classes="vt-ready"):
            self.pair = html_slot(drawing_html(), "vote-pair", "vt-slot")
        with gr.Column(elem_classes="vt-live"):
            self.live_pair = html_slot(start_html(), "vote-live-pair", "vt-slot")
        self.own = html_slot("", "vote-own", "ml-slot")
        self.voter = html_slot("", "vote-voter", "ml-slot ml-hidden")
        html_slot(tour_html(), "vote-tour", "vt-slot")
        self._wire(session, tab)

    def _wire(self, session: gr.State, tab: gr.Tab) -> None:
        # Never filled: the page's script puts in what it sends.
        call = gr.JSON(visible=False)
        sent = [session, call]
        shown = [self.error, self.voter, self.pair, self.live_pair, self.own]
        tab.select(self.enter, sent, shown, js=_CALL, **LIGHT)
        for name, act in (
            ("next", self.next), ("cast", self.cast), ("undo", self.undo), ("own", self.show_own),
            ("again", self.register_again),
        ):  # fmt: skip
            button = gr.Button(visible="hidden", elem_id=f"vote-do-{name}")
            button.click(act, sent, shown, js=_CALL, trigger_mode="multiple", **LIGHT).then(None, js=_SETTLED, **LIGHT)
        self.mode.input(None, self.mode, None, js="(mode) => window.medilite.vote.mode(mode)", **LIGHT)
        gr.on(
            [self.ask.click, self.question.submit],
            self.answer,
            [*sent, self.question, self.keep],
            [*shown, self.ask, self.stop, self.status, self.emergency],
            js=_CALL,
            trigger_mode="once",
            **MODEL_EVENTS,
        )
        self.stop.click(lambda held: held.vote.request_stop(), session, None, **LIGHT)

    # --- ready-made pairs ----------------------------------------------------------------

    def enter(self, session: Session, call: object) -> Update:
        """Return the first pair when the tab is opened; one that stands there already stays."""
        return gr.skip() if _given(call).get("standing") else self.next(session, call)

    def next(self, session: Session, call: object) -> Update:
        """Return the next ready-made pair, or why there is none."""
        try:
            voter_id = self.booth.welcome(_given(call).get("voter"))
            self.admission.pair(voter_id)
            drawn = self.booth.draw(voter_id)
            own = way_html(self.booth.given(voter_id))
        except Exception as error:
            return {self.error: self._error(error), self.pair: closed_html()}
        return {
            self.error: "",
            self.voter: _voter_html(voter_id),
            self.pair: nothing_html(drawn) if isinstance(drawn, Nothing) else open_html(drawn, READY),
            self.own: own,
        }

    # --- votes ---------------------------------------------------------------------------

    def cast(self, session: Session, call: object) -> Update:
        """Take a vote; what went wrong is said above the pair, which stays to be tried again."""
        given = _given(call)
        token = given.get("token")
        try:
            outcome = self.booth.vote(
                token, given.get("voter"), given.get("choice"), given.get("left"), given.get("right")
            )
        except StoreError as error:
            return {self.error: notices.error_html(f"{_UNCONFIRMED} {message_of(error)}")}
        except Exception as error:
            return {self.error: self._error(error)}
        pair = outcome.vote.pair
        texts = outcome.texts or _live_texts(session, pair)
        return {
            self.error: "",
            self._slot(pair): voted_html(outcome, texts, str(token), self.profile),
            self.own: way_html(outcome.given),
        }

    def undo(self, session: Session, call: object) -> Update:
        """Take a vote back, if it isn't too late."""
        given = _given(call)
        token = given.get("token")
        try:
            undone = self.booth.undo(token, given.get("voter"))
        except Exception as error:
            return {self.error: self._error(error)}
        if undone is None:
            return {self.error: notices.note_html("It is too late to take this vote back: it stands.")}
        pair, texts = undone
        return {
            self.error: "",
            self._slot(pair): undone_html(pair, texts or _live_texts(session, pair), str(token), self.profile),
        }

    def show_own(self, session: Session, call: object) -> Update:
        """Return the voter's own table."""
        try:
            table = self.booth.own(_given(call).get("voter"))
        except Exception as error:
            return {self.error: self._error(error)}
        return {self.error: "", self.own: own_html(table, self.profile) if table else ""}

    def _slot(self, pair: Pair) -> gr.HTML:
        return self.live_pair if pair.kind == LIVE else self.pair

    # --- live pairs ------------------------------------------------------------------------

    def answer(self, session: Session, call: object, question: str, keep: bool) -> Iterator[Update]:
        """Have two models answer the visitor's question, in step; the pair can be voted on once both have stopped."""
        try:
            asked = clean_question(question, self.settings.max_question_chars)
            voter_id = self.booth.welcome(_given(call).get("voter"))
            own = way_html(self.booth.given(voter_id))
        except Exception as error:
            yield {self.error: self._error(error)}
            return
        live: LiveRun | None = None
        try:
            with self.admission.seat(session.visitor), session.vote.running() as stop:
                yield {
                    self.error: "",
                    self.voter: _voter_html(voter_id),
                    self.own: own,
                    self.ask: gr.Button(interactive=False),
                    self.stop: gr.Button(interactive=True),
                    self.status: notices.status_html("Asking.", "busy"),
                    self.emergency: notices.emergency_html(asked),
                    self.live_pair: writing_html(asked, "", ""),
                }
                for progress in wait_until_ready(self.engine, stop):
                    yield {self.status: notices.progress_html(progress, asked=True)}
                if not stop.is_set():
                    able = {model: state.available for model, state in self.engine.availability().items()}
                    live = session.live = self.booth.begin_live(voter_id, asked, keep is True, able)
                    for stage in run(self.engine, live.requests(), stop, self._taker(live)):
                        yield self._writing(live, stage)
            yield self._end(live)
        except Exception as error:
            broken = nothing_html(Nothing.FAILED, asked, live.shown()) if live and any(live.texts) else start_html()
            yield {
                self.error: self._error(error),
                self.live_pair: broken,
                **self._idle(notices.status_html("No answer this time.", "error")),
            }

    def _taker(self, live: LiveRun) -> Any:
        return lambda step: self.booth.advance(live, step)

    def _writing(self, live: LiveRun, stage: Stage) -> Update:
        if stage.kind == "loading" and stage.progress:
            return {self.status: notices.progress_html(stage.progress, asked=True)}
        if stage.kind == "waiting":
            return {self.status: notices.waiting_html(stage.ahead)}
        return {
            self.status: notices.status_html("Writing.", "busy"),
            self.live_pair: writing_html(live.question, *live.shown()),
        }

    def _end(self, live: LiveRun | None) -> Update:
        """Make a pair of two answers that have stopped."""
        if live is None:
            return {self.live_pair: start_html(), **self._idle(notices.status_html("Stopped.", "ready"))}
        stopped = not live.done
        live.cancel()
        said = "Stopped. Choose between what is there." if stopped else "Both answers are here. Choose."
        return {**self._registered(live), **self._idle(notices.status_html(said, "ready"))}

    def _registered(self, live: LiveRun) -> Update:
        left, right = live.shown()
        try:
            made = self.booth.finish_live(live)
        except StoreError as error:
            return {self.error: self._error(error), self.live_pair: unkept_html(live.question, left, right)}
        if isinstance(made, Nothing):
            return {self.error: "", self.live_pair: nothing_html(made, live.question, (left, right))}
        return {self.error: "", self.live_pair: open_html(made, LIVE)}

    def register_again(self, session: Session, call: object) -> Update:
        """Try once more to store a live pair whose answers are there."""
        live = session.live
        if live is None or not live.done or session.vote.busy:
            return {self.error: notices.error_html("These answers are not here any more: ask your question again.")}
        try:
            return self._registered(live)
        except Exception as error:
            return {self.error: self._error(error)}

    def _idle(self, status: str) -> Update:
        return {self.ask: gr.Button(interactive=True), self.stop: gr.Button(interactive=False), self.status: status}

    def _error(self, error: Exception) -> str:
        return notices.error_html(message_of(error, _UNEXPECTED))


def _given(call: object) -> dict[str, Any]:
    """Return what the page (or a raw request) has sent, as far as it can be anything."""
    return call if isinstance(call, dict) else {}


def _voter_html(voter_id: str) -> str:
    return f'<span data-voter="{escape(voter_id)}"></span>'


def _live_texts(session: Session, pair: Pair) -> Texts | None:
    live = session.live
    return (live.question, *live.shown()) if live is not None and live.pair_id == pair.id else None
