"""The tab Blind vote: two answers without names, one choice; then who it was.

The page keeps the pair's token and the voter's id and sends both along, so the
server needs to remember nothing between two requests: a vote can be tried again
after anything, a restart included. Those who are signed in are known by the session
that Gradio reads from their cookie, and by nothing that the page sends. Every
check is the booth's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from medilite.arena.booth import Booth, NoPair, Outcome, Shown
from medilite.arena.live import LiveRun
from medilite.arena.voters import SignedIn, is_account
from medilite.engine.protocol import Engine
from medilite.errors import MediLiteError, QuestionError, StoreError, TokenError
from medilite.models import Profile
from medilite.prompts import clean_question
from medilite.settings import Settings
from medilite.sources.shelf import Shelf
from medilite.ui.compare.comparison import MOST_EARLIER
from medilite.ui.guard.address import caller
from medilite.ui.guard.limits import Admission
from medilite.ui.html import Markup, templates
from medilite.ui.page import notices
from medilite.ui.page.answering import Stage, message_of, run
from medilite.ui.page.asking import AskingTab, streamed
from medilite.ui.page.controls import LIGHT, MODEL_EVENTS, html_slot, question_field
from medilite.ui.page.kept import kept_conversation
from medilite.ui.page.loading import wait_until_ready
from medilite.ui.page.session import Session
from medilite.ui.page.source import Seeking, source_html
from medilite.ui.vote.account import (
    EARLIER,
    ENDED,
    NOT_YOURS,
    NOT_YOURS_TO_REVEAL,
    NOT_YOURS_TO_UNDO,
    account_html,
    account_of,
    failure_html,
)
from medilite.ui.vote.cards import (
    CUT_SHORT,
    GONE_BY,
    NOT_ADDED,
    NOT_ASKED,
    NOT_OPEN,
    TAKEN_BACK,
    closed_html,
    drawing_html,
    ended_html,
    left_out_html,
    nothing_html,
    open_html,
    start_html,
    taken_html,
    undone_html,
    unkept_html,
    unreached_html,
    voted_html,
    writing_html,
)
from medilite.ui.vote.own_table import own_html, way_html

READY, LIVE = "ready", "live"

_CALL = "(...given) => [null, window.medilite.vote.call(), ...given.slice(2)]"
"""What an event sends: voter, token, choice, details and consent, as the page has them at that moment."""

_SETTLED = "() => { window.medilite.vote.settled(); window.medilite.tab.pairsAreThere(); }"

_UNEXPECTED = (
    "Something went wrong in the app; its log says where. Try again: nothing is lost, and nothing is counted twice."
)

_UNCONFIRMED = (
    "Your vote is not confirmed yet. Both answers stay here: press your choice again in a moment; it counts once, "
    "however often you press."
)
"""Not "not counted": where the answer to a commit is lost, it is unknown."""

_UNKEPT = (
    "The page was reloaded after these answers came. Your vote counts, but the question and answers are not kept with "
    "it, even if you agreed to that."
)

_KEPT = (
    "Otherwise no text is kept: only your vote, with roughly how long, how hard to read and how alike the answers were."
)
_MIRRORED = " What is kept is also copied to a repository of this app’s owner on the Hugging Face Hub."

Update = dict[Any, Any]

Signed = gr.OAuthProfile | None
"""What Gradio puts into a parameter of this type, by the session: the profile of the person who is signed in."""


class VoteTab(AskingTab):
    """Builds the tab and answers its events; a live pair in the making is in the visitor's Session."""

    def __init__(
        self, engine: Engine, profile: Profile, settings: Settings, admission: Admission, booth: Booth,
        shelf: Shelf | None = None,
    ) -> None:  # fmt: skip
        super().__init__(engine, profile, settings, admission, shelf)
        self.booth = booth

    # --- what is on the page -------------------------------------------------------------

    def build(self, session: gr.State, tab: gr.Tab) -> None:
        """Lay out the tab inside the current Blocks; `tab` is the one that it is in."""
        html_slot(templates("vote/cards.html").intro(), "vote-intro", "vt-slot")
        self.mode = gr.Radio(
            [("Ready-made", READY), ("Live", LIVE)],
            value=READY,
            label="Answers",
            elem_id="vote-mode",
            elem_classes="vt-mode",
        )
        with gr.Column(elem_classes="vt-live vt-ask ml-ask"):
            self.question = question_field("vote-question")
            self.keep = gr.Checkbox(
                False,
                label="What I ask and both models’ answers may be kept with my vote",
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
            with gr.Column(elem_classes="vt-further"):
                self.further = question_field(
                    "vote-further", "Not sure yet? Ask both a further question", "For example: How long does it take?",
                    "Each model continues from its own answers. You vote once, on all of them together.",
                )  # fmt: skip
                self.follow = gr.Button("Follow up", elem_id="vote-follow", elem_classes="ml-button", scale=0)
        self.own = html_slot("", "vote-own", "ml-slot")
        self.account = html_slot("", "vote-account", "ml-slot") if self.settings.signs_in else None
        self.voter = html_slot("", "vote-voter", "ml-slot ml-hidden")
        html_slot(templates("vote/cards.html").tour(self.settings.signs_in), "vote-tour", "vt-slot")
        self._wire(session, tab)

    def _wire(self, session: gr.State, tab: gr.Tab) -> None:
        # Never filled: the page's script puts in what it sends.
        call = gr.JSON(visible=False)
        sent = [session, call]
        shown = [self.error, self.voter, self.pair, self.live_pair, self.own]
        shown += [self.account] if self.account else []
        entered = tab.select(self.enter, sent, [*shown, self.emergency], js=_CALL, **LIGHT)
        entered.success(None, js="() => window.medilite.tab.pairsAreThere()", **LIGHT)
        for name, act in (
            ("next", self.next), ("cast", self.cast), ("reveal", self.reveal), ("undo", self.undo),
            ("own", self.show_own), ("again", self.register_again),
        ):  # fmt: skip
            button = gr.Button(visible="hidden", elem_id=f"vote-do-{name}")
            button.click(act, sent, shown, js=_CALL, trigger_mode="multiple", **LIGHT).then(None, js=_SETTLED, **LIGHT)
        self.mode.input(None, self.mode, None, js="(mode) => window.medilite.vote.mode(mode)", **LIGHT)
        told = [*shown, self.ask, self.follow, self.stop, self.status, self.emergency]
        for triggers, asked, field, more in (
            ([self.ask.click, self.question.submit], self.answer, self.question, []),
            ([self.follow.click, self.further.submit], self.follow_up, self.further, [self.further]),
        ):
            given = [*sent, field, self.keep]
            gr.on(triggers, asked, given, [*told, *more], js=_CALL, trigger_mode="once", **MODEL_EVENTS)
        self.stop.click(lambda held: held.vote.request_stop(), session, None, **LIGHT)

    # --- ready-made pairs ----------------------------------------------------------------

    def enter(self, session: Session, call: object, signed: Signed = None) -> Update:
        """Return the first pair when the tab is opened, or the pairs that were here before the page was reloaded."""
        if _given(call).get("standing"):
            return gr.skip()
        ready, live = self._ready_again(session, call, signed), self._live_again(session, call, signed)
        found = ready or self._draw(call, signed)
        # Why there is no pair says more than that one was restored.
        said = live.get(self.error) or found.get(self.error) or (notices.restored_html() if ready or live else "")
        return {**found, **live, self.error: said}

    def _again(self, session: Session, call: object, kind: str, signed: Signed) -> Update:
        """Return a pair that the page had before a reload, in the state of its vote now; {} if it is gone."""
        kept = _given(_given(_given(call).get("kept")).get(kind))
        turns, token, account = kept_conversation(kept), kept.get("token"), account_of(signed)
        voter_id = _voter_id(_given(call).get("voter"), account)
        *earlier, texts = turns or (None,)
        state = kept.get("state")
        # A follow-up that was being written, or that could not be stored, is no part of the pair.
        cut = state in ("writing", "unkept") and bool(earlier)
        given = state in ("taken", "voted")
        try:
            found = self.booth.reopen(
                token, voter_id, earlier.pop() if cut else texts, tuple(earlier), to_vote=not given
            )
            if found is None:
                return {}
            shown, kind, run = found
            if cut:
                pair = left_out_html(shown, None)
            elif not given:
                pair = open_html(shown, kind)
            else:
                pair = voted_html(self.booth.reveal(token, voter_id, run), str(token), self.profile)
            own = way_html(self.booth.given(voter_id))
        except TokenError:
            return {}
        except MediLiteError as error:
            # The pair may be there in a moment: it is neither gone nor to be replaced.
            pair = unreached_html(turns, kind)
            return {self.error: self._error(error), self._slot(kind): pair, **self._as_whom(account)}
        session.live = run or session.live
        return {self._slot(kind): pair, self.own: own, **self._as_whom(account)}

    def _ready_again(self, session: Session, call: object, signed: Signed) -> Update:
        """Return the ready-made pair that the page had before it was reloaded; {} if there is none to go on with."""
        kept = _given(_given(_given(call).get("kept")).get("ready"))
        return self._again(session, call, READY, signed) if kept.get("token") else {}

    def _live_again(self, session: Session, call: object, signed: Signed) -> Update:
        """Return the live pair that the page had before it was reloaded, or why it can't be voted on."""
        kept = _given(_given(_given(call).get("kept")).get("live"))
        turns = kept_conversation(kept)
        if not turns or session.vote.busy or session.live is not None:
            return {}
        if kept.get("token"):
            pair = self._again(session, call, LIVE, signed) or {self.live_pair: ended_html(turns, GONE_BY)}
        else:
            why = CUT_SHORT if kept.get("state") == "writing" else NOT_OPEN
            pair = {self.live_pair: ended_html(turns, why)}
        return {**pair, self.emergency: notices.emergency_html(*(question for question, *_ in turns))}

    def _live(self, session: Session, given: Mapping[str, Any], voter_id: object) -> LiveRun | None:
        """Return the visitor's live pair; made of what the page shows where the server has forgotten it."""
        kept = _given(given.get("live"))
        if session.live is None and kept.get("token") and kept["token"] == given.get("token"):
            *earlier, texts = kept_conversation(kept) or (None,)
            found = self.booth.reopen(kept["token"], voter_id, texts, tuple(earlier))
            session.live = found[2] if found else None
        return session.live

    def next(self, session: Session, call: object, signed: Signed = None) -> Update:
        """Return the next ready-made pair, or why there is none; first the one that a reload could not bring back."""
        again = self._ready_again(session, call, signed)
        return {self.error: "", **again} if again else self._draw(call, signed)

    def _draw(self, call: object, signed: Signed) -> Update:
        account = account_of(signed)
        try:
            browser = self.booth.welcome(_given(call).get("voter"))
            self.admission.pair(account or browser)
            voter_id = _voter_id(browser, account)
            drawn = self.booth.draw(voter_id)
            own = way_html(self.booth.given(voter_id))
        except Exception as error:
            return {self.error: self._error(error), self.pair: closed_html(), **self._as_whom(account)}
        return {
            self.error: _on_the_way(_given(call), account),
            self.voter: _voter_html(browser),
            self.pair: nothing_html(drawn) if isinstance(drawn, NoPair) else open_html(drawn, READY),
            self.own: own,
            **self._as_whom(account),
        }

    # --- votes ---------------------------------------------------------------------------

    def cast(self, session: Session, call: object, signed: Signed = None) -> Update:
        """Take a vote; what went wrong is said above the pair, which stays to be tried again."""
        given, account = _given(call), account_of(signed)
        token, voter_id = given.get("token"), _voter_id(given.get("voter"), account)
        try:
            taken = self.booth.vote(
                token, voter_id, given.get("choice"), given.get("left"), given.get("right"),
                run=self._live(session, given, voter_id), keep=given.get("keep") is True,
                network=self.booth.network(caller()),
            )  # fmt: skip
        except TokenError as error:
            return {self.error: self._lost(error, given, account), **self._as_whom(account)}
        except StoreError as error:
            return {self.error: notices.error_html(f"{_UNCONFIRMED} {message_of(error)}")}
        except Exception as error:
            return {self.error: self._error(error)}
        return {
            self.error: self._unkept(session, taken.kind, taken.kept),
            self._slot(taken.kind): taken_html(taken, str(token)),
            self.own: way_html(taken.given),
            **self._as_whom(account),
        }

    def reveal(self, session: Session, call: object, signed: Signed = None) -> Update:
        """Show the names of a pair whose vote is given; it can no longer be taken back."""
        given, account = _given(call), account_of(signed)
        token, voter_id = given.get("token"), _voter_id(given.get("voter"), account)
        try:
            outcome = self.booth.reveal(token, voter_id, self._live(session, given, voter_id))
        except TokenError as error:
            return {self.error: self._lost(error, given, account, NOT_YOURS_TO_REVEAL), **self._as_whom(account)}
        except Exception as error:
            return {self.error: self._error(error)}
        pair = outcome.vote.pair
        return {
            self.error: notices.note_html(EARLIER)
            if account and not is_account(pair.voter)
            else self._unkept(session, pair.kind, outcome.kept),
            self._slot(pair.kind): voted_html(outcome, str(token), self.profile, self._source(outcome)),
        }

    def _unkept(self, session: Session, kind: str, kept: bool) -> Markup:
        """Return that a live pair's texts are not kept with its vote, where they came back from the page alone.

        They are `kept` all the same where the vote was stored before the reload, and only its reply was lost.
        """
        run = session.live
        return notices.note_html(_UNKEPT) if kind == LIVE and run and run.reopened and not kept else Markup()

    def _source(self, outcome: Outcome) -> str:
        """Return what the library says to a pair's question, once the vote is given; "" if nothing fits."""
        if outcome.texts is None or self.shelf.state.kind != "ready":
            return ""
        earlier = [question for question, *_ in outcome.earlier]
        sought = Seeking(self.shelf, outcome.texts[0], earlier).come(wait=True)
        return source_html(sought, key="vote") if sought and sought.found and sought.found.fits else ""

    def undo(self, session: Session, call: object, signed: Signed = None) -> Update:
        """Take a vote back, if its names were not shown and it isn't too late; its pair can be voted on again."""
        given, account = _given(call), account_of(signed)
        token, voter_id = given.get("token"), _voter_id(given.get("voter"), account)
        try:
            undone = self.booth.undo(token, voter_id, self._live(session, given, voter_id))
        except TokenError as error:
            return {self.error: self._lost(error, given, account, NOT_YOURS_TO_UNDO), **self._as_whom(account)}
        except Exception as error:
            return {self.error: self._error(error)}
        if undone is None:
            return {self.error: notices.note_html("It is too late to take this vote back: it counts.")}
        shown, kind = undone
        html = open_html(shown, kind, said=TAKEN_BACK) if shown else undone_html(kind)
        return {self.error: "", self._slot(kind): html}

    def show_own(self, session: Session, call: object, signed: Signed = None) -> Update:
        """Return the voter's own table."""
        try:
            table = self.booth.own(_voter_id(_given(call).get("voter"), account_of(signed)))
        except Exception as error:
            return {self.error: self._error(error)}
        return {self.error: "", self.own: own_html(table, self.profile) if table else ""}

    def _slot(self, kind: str) -> gr.HTML:
        return self.live_pair if kind == LIVE else self.pair

    # --- live pairs ------------------------------------------------------------------------

    @streamed
    def answer(
        self, session: Session, call: object, question: str, keep: bool, signed: Signed = None
    ) -> Iterator[Update]:
        """Have two models answer the visitor's question, in step; the pair can be voted on once both have stopped."""
        yield from self._answer(session, call, question, keep, signed)

    @streamed
    def follow_up(
        self, session: Session, call: object, question: str, keep: bool, signed: Signed = None
    ) -> Iterator[Update]:
        """Have both models of the pair that is open answer a further question, each after its own answers."""
        given = _given(call)
        try:
            last = self._live(session, given, _voter_id(given.get("voter"), account_of(signed)))
            if session.vote.busy or last is None or not isinstance(last.made, Shown):
                raise QuestionError("There are no two answers to follow up on yet: press Ask, and let both end.")
            if len(last.runs) > MOST_EARLIER:
                raise QuestionError(
                    f"You have asked {len(last.runs)} questions in a row, which is the limit. Choose, or press Ask "
                    "for two other answers."
                )
        except Exception as error:
            yield self.refused(message_of(error, _UNEXPECTED), question)
            return
        yield from self._answer(session, call, question, keep, signed, last)

    def _answer(
        self, session: Session, call: object, question: str, keep: bool, signed: Signed, last: LiveRun | None = None
    ) -> Iterator[Update]:
        """Answer a question, after `last` if it is a follow-up: then the pair stays as it was until both have ended."""
        account = account_of(signed)
        try:
            asked = clean_question(question, self.settings.max_question_chars)
            browser = self.booth.welcome(_given(call).get("voter"))
            voter_id = _voter_id(browser, account)
            own = way_html(self.booth.given(voter_id))
        except Exception as error:
            yield self.refused(message_of(error, _UNEXPECTED), question)
            return
        live: LiveRun | None = None
        begun = False
        try:
            with self.admission.seat(session.visitor), session.vote.running() as stop:
                begun = True
                yield {
                    **({self.further: ""} if last else {}),
                    self.error: _on_the_way(_given(call), account),
                    self.voter: _voter_html(browser),
                    self.own: own,
                    **self._as_whom(account),
                    self.ask: gr.Button(interactive=False),
                    self.follow: gr.Button(interactive=False),
                    self.stop: gr.Button(interactive=True),
                    self.status: notices.status_html("Asking.", "busy"),
                    self.emergency: notices.emergency_html(*(last.questions if last else ()), asked),
                    self.live_pair: writing_html(asked, None, last),
                }
                for progress in wait_until_ready(self.engine, stop):
                    yield {self.status: notices.progress_html(progress, asked=True)}
                if not stop.is_set():
                    able = {model: state.available for model, state in self.engine.availability().items()}
                    if last is not None:
                        live = self.booth.follow_live(last, voter_id, asked, keep is True, able)
                    else:
                        live = session.live = self.booth.begin_live(voter_id, asked, keep is True, able)
                    for stage in run(self.engine, live.requests(), stop, self._taker(live), blind=True):
                        yield self._writing(live, stage)
            yield self._end(session, live, last, question)
        except Exception as error:
            idle = self._idle(notices.status_html("No answer this time.", "error"))
            lost = last is not None and isinstance(error, TokenError) and _was_signed_in(_given(call), account)
            words = NOT_YOURS if lost else message_of(error, _UNEXPECTED)
            yield {
                **self.refused(words, *(last.questions if last else ()), asked),
                **idle,
                **({} if not begun else self._broken(asked, live) if last is None else {
                    self.live_pair: self._before(session, voter_id, error, live, last, lost=lost),
                    self.further: question,
                }),
            }  # fmt: skip

    def _broken(self, asked: str, live: LiveRun | None) -> Update:
        """Return what is shown once something has gone wrong, instead of what was being written."""
        some = live is not None and any(live.texts)
        return {self.live_pair: nothing_html(NoPair.FAILED, asked, live.shown()) if live and some else start_html()}

    def _before(
        self, session: Session, voter_id: object, error: Exception, live: LiveRun | None, last: LiveRun, *,
        lost: bool = False,
    ) -> Markup:  # fmt: skip
        """Return the pair `last` after an error in its follow-up: as it was, or ended if it is no longer there.

        `lost` is whether it is an account's whose session has ended: with the next one it is there again.
        """
        assert isinstance(last.made, Shown), "only a finished pair is followed up on"
        session.live = last
        if isinstance(error, TokenError) and not lost and self._is_gone(last, voter_id):
            session.live = None
            return ended_html((*last.earlier, (last.question, *last.shown())), GONE_BY)
        answered = live is not None and live.done and not live.failed
        return left_out_html(last.made, NOT_ASKED if live is None else NOT_ADDED if answered else NoPair.FAILED)

    def _is_gone(self, last: LiveRun, voter_id: object) -> bool:
        """Whether a live pair has expired or isn't this voter's; one that is voted on is there."""
        try:
            texts = (last.question, *last.shown())
            return self.booth.reopen(last.token, voter_id, texts, last.earlier, to_vote=True) is None
        except TokenError:
            return True
        except MediLiteError:
            return False

    def _taker(self, live: LiveRun) -> Any:
        return lambda step: self.booth.advance(live, step)

    def _writing(self, live: LiveRun, stage: Stage) -> Update:
        status = notices.stage_html(stage)
        if stage.kind in ("loading", "waiting"):
            return {self.status: status}
        pair = writing_html(live.question, live, live.before)
        # How it ended is said once the pair is stored (`_end`).
        return (
            {self.live_pair: pair} if stage.kind in ("done", "stopped") else {self.status: status, self.live_pair: pair}
        )

    def _end(self, session: Session, live: LiveRun | None, last: LiveRun | None, typed: str) -> Update:
        """Make a pair of two answers that have stopped, or add them to the pair that they follow up on."""
        stopped = live is None or not live.done
        idle = self._idle(notices.status_html("Stopped." if stopped else "Both answers are here. Choose.", "ready"))
        if live is not None:
            live.cancel()
            shown = self._registered(session, live)
            # What was asked without an answer is in its field again.
            return {**shown, **idle, **({self.further: typed} if last is not None and session.live is last else {})}
        if last is not None and isinstance(last.made, Shown):
            return {**idle, self.live_pair: left_out_html(last.made, NoPair.STOPPED), self.further: typed}
        return {**idle, self.live_pair: start_html()}

    def _registered(self, session: Session, live: LiveRun) -> Update:
        try:
            made = self.booth.finish_live(live)
        except StoreError as error:
            session.live = live
            return {self.error: self._error(error), self.live_pair: unkept_html(live)}
        if isinstance(made, Shown):
            session.live = live
            return {self.error: "", self.live_pair: open_html(made, LIVE)}
        if live.before is not None and isinstance(live.before.made, Shown):
            return {self.error: "", self.live_pair: left_out_html(live.before.made, made)}
        return {self.error: "", self.live_pair: nothing_html(made, live.question, live.shown())}

    def register_again(self, session: Session, call: object, signed: Signed = None) -> Update:
        """Try again to store a live pair whose answers are there, or to get back the one from before a reload."""
        if again := self._live_again(session, call, signed):
            # The emergency's notice, which no event of a pair fills, came with the first try.
            return {self.error: "", **{slot: html for slot, html in again.items() if slot is not self.emergency}}
        live = session.live
        if live is None or not live.done or session.vote.busy:
            return {self.error: notices.error_html("These answers are no longer available: ask your question again.")}
        try:
            return self._registered(session, live)
        except Exception as error:
            said = {self.error: self._error(error)}
            if not isinstance(error, TokenError) or live.before is None:
                return said
            voter_id = _voter_id(_given(call).get("voter"), account_of(signed))
            return {**said, self.live_pair: self._before(session, voter_id, error, live, live.before)}

    def _idle(self, status: str) -> Update:
        return {
            self.ask: gr.Button(interactive=True),
            self.follow: gr.Button(interactive=True),
            self.stop: gr.Button(interactive=False),
            self.status: status,
        }

    @property
    def form(self) -> list[Any]:
        """The fields, in the order in which the page keeps them (assets/style/tab.js)."""
        return [self.mode, self.question, self.keep, self.further]

    # --- who is voting ----------------------------------------------------------------------

    def _as_whom(self, account: str | None) -> Update:
        return {self.account: account_html(account is not None)} if self.account else {}

    def _lost(self, error: TokenError, given: Mapping[str, Any], account: str | None, words: str = NOT_YOURS) -> str:
        """Return why a pair isn't the visitor's: most often a sign-in that has ended since it was drawn."""
        return notices.error_html(words) if _was_signed_in(given, account) else self._error(error)

    def _error(self, error: Exception) -> str:
        return notices.error_html(message_of(error, _UNEXPECTED))


def _given(call: object) -> dict[str, Any]:
    """Return what the page (or a raw request) has sent, as far as it can be anything."""
    return call if isinstance(call, dict) else {}


def _voter_id(browser: object, account: str | None) -> object:
    return browser if account is None else SignedIn(account, browser)


def _was_signed_in(given: Mapping[str, Any], account: str | None) -> bool:
    """Whether the page still shows somebody as signed in who isn't."""
    return given.get("signed_in") is True and account is None


def _on_the_way(given: Mapping[str, Any], account: str | None) -> str:
    """Return what to say about signing in, with a new pair; mostly nothing."""
    if account is not None:
        return ""
    return notices.note_html(ENDED) if _was_signed_in(given, account) else failure_html(given.get("came"))


def _voter_html(voter_id: str) -> str:
    return templates("vote/cards.html").voter(voter_id)
