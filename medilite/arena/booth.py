"""The voting booth: what a visitor can do, from the first pair to their own table. The page uses only this.

Which model gave which answer is known only here and in the store until a vote is durable. What is sent before (`Shown`)
has texts and a token, and nothing that depends on the models except the texts, with names masked.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from medilite import __version__, metrics
from medilite.arena.bank import bank_folder
from medilite.arena.contestants import base_contestant, contestants
from medilite.arena.drawing import Knowledge, draw_again, draw_place, draw_sides, draw_two
from medilite.arena.hiding import is_hidden
from medilite.arena.knowledge import knowledge_of
from medilite.arena.live import LiveRun, Texts, able_contestants
from medilite.arena.marks import mark
from medilite.arena.networks import Networks
from medilite.arena.ratings import rate
from medilite.arena.ready import Had, NoPair, Ready, ReadyAnswers
from medilite.arena.records import (
    OWN_QUESTION,
    Ballot,
    Candidate,
    Choice,
    Contestant,
    Kind,
    Pair,
    Vote,
    conversation_text,
    text_key,
)
from medilite.arena.table import read_table
from medilite.arena.trust import TRUSTED_AFTER_S, TRUSTED_DAYS, judge
from medilite.arena.voter_counts import OwnTable, orient, own_table
from medilite.arena.voters import is_account, new_voter_id, voter_of, voters_of
from medilite.arena.votes import Votes
from medilite.errors import EngineError, MediLiteError, StoreError, TokenError
from medilite.models import Profile
from medilite.readability import measure
from medilite.records import Decoding, Step

if TYPE_CHECKING:
    from medilite.arena.store import Limits, Store

log = logging.getLogger(__name__)

PAIR_LIFETIME_S = 3600.0
"""Seconds for which a pair can be voted on."""

NAMES_S = 3.0
"""Seconds after a vote at which the page asks for the names, unless the voter is taking it back."""

UNDO_S = 10.0
UNDO_GRACE_S = 2.0
"""Seconds in which a vote can be taken back, before its names are revealed: ten on the page's clock, plus the network's
time."""

OWN_TABLE_VOTES = 10
"""Least votes for a voter's own table: fewer say nothing."""

REFRESH_S = 300.0
"""Most seconds that the ratings used for drawing pairs may be old."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a visitor gets to see of a pair before they vote; `earlier` are the turns before a follow-up."""

    token: str
    question: str
    left: str
    right: str
    earlier: tuple[Texts, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What a visitor gets once their vote is durable: no names yet, and nothing else that depends on the models.

    `fresh` is False if they had voted on the pair already; the earlier vote counts. `texts` are question, left and
    right as they were shown, if still available, `earlier` the same of the turns before a follow-up; `given` is how
    many votes the voter has given, None if unknown. `kept` is whether texts are stored with the vote that counts.
    """

    ballot: Ballot
    kind: Kind
    fresh: bool
    texts: Texts | None
    given: int | None
    earlier: tuple[Texts, ...] = ()
    kept: bool = False


class Crowd(NamedTuple):
    """How many votes came from a network on a day, and how many they count as; `aged` voters are no newcomers."""

    given: int
    counted: int
    aged: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a visitor sees once their vote can't be taken back any more: the pair, with its names.

    `others` counts the other counted votes on the two answers, by choice in this order; None if they can't be read.
    `texts` and `earlier` as in `Taken`. `crowd` is about the votes of such voters from the voter's network today, when
    votes were last rated, where they count as fewer than they are; else None.
    """

    vote: Vote
    others: Mapping[Choice, int] | None
    texts: Texts | None
    crowd: Crowd | None = None
    earlier: tuple[Texts, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether texts are stored with the vote."""
        return not is_hidden(self.vote.pair)


class Booth:
    """Draws pairs, takes votes; safe to use from several threads.

    A `voter_id` is the id that a browser sends, or a `SignedIn`. A signed-in visitor gets pairs for their account; a
    pair that their browser got before is theirs too, and is voted on under the id that it was drawn for.

    Nothing is opened or read before a visitor needs it, or `read_ahead` is called. `folder` has the ready-made answers.
    `clock` gives seconds since 1970; `aside` runs work in the background.
    """

    def __init__(
        self,
        profile: Profile,
        votes: Votes,
        *,
        folder: Path | None = None,
        private: Path | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        aside: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.profile, self.votes = profile, votes
        self._answers = ReadyAnswers(profile, folder or bank_folder(profile), private)
        self._limits = limits
        self._clock = clock
        self._rng = rng or random.SystemRandom()
        self._aside = aside or _in_a_thread
        self._lock = threading.RLock()
        self._here: dict[str, Contestant] | None = None
        self._networks = Networks()
        self._crowds: tuple[Mapping[str, tuple[int, int]], ...] = ({}, {})
        self._knowledge = Knowledge()
        self._refreshed_at: float | None = None
        self._refreshing = False

    # --- who votes -----------------------------------------------------------------------

    def welcome(self, voter_id: object) -> str:
        """Return a browser's voter id, or a new one if it has none that was given out here. Raises StoreError."""
        try:
            voter_of(self.store, voter_id)
        except TokenError:
            return new_voter_id(self.store)
        return str(voter_id)

    def given(self, voter_id: object) -> int:
        """Return how many votes a voter has given and not taken back. Raises TokenError or StoreError."""
        return self.store.given_by(voter_of(self.store, voter_id))

    def own(self, voter_id: object) -> OwnTable | None:
        """Return how a voter has voted, model by model; None before there are OWN_TABLE_VOTES votes."""
        store = self.store
        # Votes that may still be taken back are left out: the table would reveal their models.
        votes = store.votes(voter=voter_of(store, voter_id), before=self._clock() - UNDO_S - UNDO_GRACE_S)
        return own_table(votes, self.here) if self.given(voter_id) >= OWN_TABLE_VOTES else None

    def network(self, address: str | None) -> str:
        """Return a name for the votes from one network address on one day; "" if the address is unknown."""
        return self._networks.of(self.store, address, self._clock()) if address else ""

    # --- ready-made pairs ----------------------------------------------------------------

    def read_ahead(self) -> None:
        """Read the ready-made answers in advance; what is wrong with them is said when a pair is drawn."""
        with contextlib.suppress(MediLiteError):
            self._answers.get(self.here)

    def draw(self, voter_id: object) -> Shown | NoPair:
        """Return the voter's next pair of ready-made answers, or why there is none.

        A pair that they have voted on comes again now and then, once (`draw_again`); one that they skipped, or had on
        this browser before they signed in, does not, as long as it is remembered (a week after it expired). Raises
        TokenError, StoreError, or DataError for answers that can't be read.
        """
        store = self.store
        voters = voters_of(store, voter_id)
        ready = self._answers.get(self.here)
        if isinstance(ready, NoPair):
            return ready
        self._keep_up(ready)
        places = ready.unseen(set[Had]().union(*map(store.seen_by, voters)))
        voted = ready.voted(store.voted_on(voters[0]))
        with self._lock:
            drawn = draw_again(ready.places, voted, self._rng) or draw_place(places, self._knowledge, self._rng)
            if drawn is None:
                return NoPair.SEEN
            left, right, sided = draw_sides(drawn.two, self._knowledge, self._rng)
            place = drawn.place
            self._knowledge.note(left, right, place.question)
        row = ready.bank.answers[place.question, place.seed]
        question, now = ready.bank.questions[place.question], self._clock()
        pair = self._pair(
            "ready", voters[0], (place.question, text_key(question), question), row[left], row[right],
            place.similarity, ready.bank.decoding, now, now, bank=ready.bank.name,
            two_probability=drawn.two_probability * sided, place_probability=drawn.place_probability,
        )  # fmt: skip
        token = store.add_pair(pair)
        return Shown(token, question, self._answers.masked(row[left].text), self._answers.masked(row[right].text))

    # --- pairs written now ---------------------------------------------------------------

    def begin_live(self, voter_id: object, question: str, keep: bool, able: Mapping[str, bool]) -> LiveRun:
        """Return two models that are to answer a visitor's own question.

        `question` is clean, `keep` whether its text may be kept, `able` which models can answer.
        Raises EngineError if those are fewer than two, TokenError, StoreError.
        """
        voter = voter_of(self.store, voter_id)
        candidates = able_contestants(self.here, able)
        if len(candidates) < 2:
            raise EngineError(
                f"{len(candidates)} of the models can answer at the moment, and a vote needs two. "
                "Please inform the person who runs this app; its log says what is wrong with the others."
            )
        with self._lock:
            two, probability = draw_two(candidates, self._knowledge, self._rng)
            left, right, sided = draw_sides(two, self._knowledge, self._rng)
            self._knowledge.note(left, right, OWN_QUESTION)
        return LiveRun(
            voter, question, keep, (left, right), self._rng.randrange(2**31), self._answers.names,
            two_probability=probability * sided,
        )  # fmt: skip

    def follow_live(
        self, run: LiveRun, voter_id: object, question: str, keep: bool, able: Mapping[str, bool]
    ) -> LiveRun:
        """Return the run in which both models of a finished live pair are asked a further question.

        Its answers become part of the pair by `finish_live`. Until then, and for good if they break off, the pair stays
        as it is, and can be voted on. Raises EngineError if a model can't answer any more, TokenError once the pair is
        voted on, has expired or isn't this voter's, and StoreError.
        """
        if not all(able.get(contestant.model) for contestant in run.contestants):
            raise EngineError(
                "One of the two models can't answer at the moment, so there is no follow-up. You can still vote on "
                "what they have answered."
            )
        self.store.note_follow_up(_checked(run.token), self._owner(run.token, voter_id), self._clock())
        return run.follow(question, keep)

    def advance(self, run: LiveRun, step: Step) -> None:
        """Add one step of the engine to a live pair."""
        run.advance(step, self._clock())

    def finish_live(self, run: LiveRun) -> Shown | NoPair:
        """Return the pair of both answers, or why there is none; asked again, it returns the same.

        May be tried again after StoreError. The time to decide is counted from the first word, since people read as it
        is written.
        """
        with run.finishing:
            if run.made is None:
                run.made = self._finished(run)
            return run.made

    def _finished(self, run: LiveRun) -> Shown | NoPair:
        from medilite.arena.store import new_token

        if run.failed:
            return NoPair.FAILED
        if run.cut_short:
            return NoPair.STOPPED
        if not all(measure(text).words for text in run.texts):
            return NoPair.WORDLESS
        now = self._clock()
        if run.before is not None:
            assert run.before.pair is not None, "only a finished pair is followed up on"
            run.pair = self._with_turns(run.before.pair, run, now)
            self.store.extend_pair(_checked(run.token), run.pair, now)
            return Shown(_checked(run.token), run.question, *run.shown(), run.earlier)
        if run.pair is None:
            question = (OWN_QUESTION, text_key(run.question), run.question)
            began = now if run.began_at is None else run.began_at
            run.pair = self._pair(
                "live", run.voter, question, *run.sides(), run.decoding, began, now,
                two_probability=run.two_probability,
            )  # fmt: skip
            run.token = new_token()
        one, other = run.shown()
        if one == other:
            self.store.add_same(run.pair)
            return NoPair.SAME
        # If our reply was lost, the pair is there already: storing it again under its token changes nothing.
        token = self.store.add_pair(run.pair, run.token)
        return Shown(token, run.question, one, other)

    def _with_turns(self, pair: Pair, run: LiveRun, now: float) -> Pair:
        """Return a live pair as it is with the turns of `run`."""
        if run.reopened:
            # The page may have sent back other texts than it was given, so nothing is measured by them: what the
            # answers had in words and in common stays as it was measured here, and no grade is known of these turns.
            left, right = (dataclasses.replace(side, grade=None) for side in (pair.left, pair.right))
            return dataclasses.replace(
                pair, left=left, right=right, expires_at=now + PAIR_LIFETIME_S, turns=len(run.runs)
            )
        left, right, alike = run.sides()
        question = conversation_text(run.questions)
        return dataclasses.replace(
            pair, question=question, question_key=text_key(question), left=left, right=right, similarity=alike,
            expires_at=now + PAIR_LIFETIME_S, turns=len(run.runs),
        )  # fmt: skip

    def reopen(
        self, token: object, voter_id: object, texts: Texts | None = None, earlier: tuple[Texts, ...] = (), *,
        to_vote: bool = False,
    ) -> tuple[Shown, Kind, LiveRun | None] | None:  # fmt: skip
        """Return a pair that a page had before it was reloaded; None if it is another voter's, or no longer here.

        `to_vote` is whether it is to be voted on, which an expired pair can't be.
        `texts` are a live pair's question and answers, `earlier` those of the turns before, which only the page has:
        they are shown to its voter again, and never stored or measured, even with consent. If the last answers of a
        follow-up were stored but never reached the page, the pair is set back to the turns that did. Raises TokenError,
        StoreError or DataError.
        """
        voter = self._owner(token, voter_id)
        pair = self.store.find_pair(_checked(token), voter)
        if pair is None:
            return None
        if pair.kind == "ready":
            self._answers.get(self.here)
            found = self._texts(pair, None) if self._clock() < pair.expires_at else None
            return (Shown(_checked(token), *found), pair.kind, None) if found else None
        if texts is None or len(earlier) >= pair.turns or (to_vote and self._clock() > pair.expires_at):
            return None
        sides, seed = (pair.left.contestant, pair.right.contestant), self._rng.randrange(2**31)
        first = LiveRun(voter, "", False, sides, seed, self._answers.names, pair.decoding, token=_checked(token))
        run = first.reopen((*earlier, texts))
        run.pair = pair
        if pair.turns > len(run.runs):
            run.pair = self._with_turns(pair, run, self._clock())
            self.store.extend_pair(_checked(token), run.pair, self._clock())
        run.made = Shown(_checked(token), run.question, *run.shown(), run.earlier)
        return run.made, pair.kind, run

    # --- votes ---------------------------------------------------------------------------

    def vote(
        self, token: object, voter_id: object, choice: object, left: object = (), right: object = (), *,
        run: LiveRun | None = None, keep: bool = True, network: str = "",
    ) -> Taken:  # fmt: skip
        """Take a vote; a second one changes nothing and returns the first.

        `left` and `right` list the details of each answer (`Ballot.parse`). `run` is the visitor's live pair, whose
        texts are kept with its vote where they agreed to it, and still do (`keep`); `network` is where the vote comes
        from (`Networks`). Raises BallotError, TokenError, LimitError or StoreError: then nothing was counted, and the
        same token may be tried again.
        """
        from medilite.arena.store import Limits

        store = self.store
        voter = self._owner(token, voter_id)
        ballot = Ballot.parse(choice, left, right)
        vote, fresh = store.cast(
            _checked(token), voter, ballot, self._clock(), self._limits or Limits(), mark,
            texts=lambda pair: self._kept(pair, run, keep), network=network,
        )  # fmt: skip
        if fresh:
            metrics.count_vote(vote.pair.kind, vote.ballot.choice)
        given = None
        try:
            given = store.given_by(voter)
        except StoreError as error:  # the vote is durable already, so this is no failure of it
            log.warning("A vote is stored, but its texts and counts can't be read: %s", error)
        return Taken(
            vote.ballot, vote.pair.kind, fresh, self._texts(vote.pair, run), given, self._earlier(vote.pair, run),
            kept=not is_hidden(vote.pair),
        )  # fmt: skip

    def reveal(self, token: object, voter_id: object, run: LiveRun | None = None) -> Outcome:
        """Return which models they were; from then on the vote can't be taken back. Raises TokenError or StoreError.

        Words and grades of a live pair are exact if `run` is the pair's.
        """
        store = self.store
        vote = store.reveal(_checked(token), self._owner(token, voter_id), self._clock())
        others = crowd = None
        try:
            crowd = self._crowd(vote)
            others = orient(vote.pair, store.choices_on(vote.pair.left.key, vote.pair.right.key, vote.pair.id))
        except StoreError as error:  # the names are revealed already, so this is no failure of it
            log.warning("A pair's names are revealed, but its texts and counts can't be read: %s", error)
        shown = _measured(vote, run)
        return Outcome(shown, others, self._texts(vote.pair, run), crowd, self._earlier(vote.pair, run))

    def _crowd(self, vote: Vote) -> Crowd | None:
        """Return what a voter's network has given today, where that counts as fewer votes."""
        if is_account(vote.pair.voter) or not any(vote.network in crowds for crowds in self._crowds):
            return None
        first, days = self.store.first_vote(vote.pair.voter)
        aged = self._clock() - first >= TRUSTED_AFTER_S and days >= TRUSTED_DAYS
        found = self._crowds[aged].get(vote.network)
        return Crowd(*found, aged) if found else None

    def undo(self, token: object, voter_id: object, run: LiveRun | None = None) -> tuple[Shown | None, Kind] | None:
        """Take a vote back and return its pair, to choose again; None if it is too late.

        The pair is None if its texts are no longer available. Raises TokenError or StoreError.
        """
        store = self.store
        voter = self._owner(token, voter_id)
        if not store.undo(_checked(token), voter, self._clock(), UNDO_S + UNDO_GRACE_S, mark):
            return None
        pair = store.find_pair(_checked(token), voter)
        assert pair is not None, "a vote has just been found by this token"
        texts = self._texts(pair, run)
        return (Shown(_checked(token), *texts, self._earlier(pair, run)) if texts else None), pair.kind

    def _owner(self, token: object, voter_id: object) -> str:
        """Return the voter ID that owns this pair, or the one that a new pair would get."""
        first, *others = voters_of(self.store, voter_id)
        return next((voter for voter in others if self.store.find_pair(_checked(token), voter)), first)

    # --- store and ratings -----------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The store of the votes."""
        return self.votes.store

    @property
    def here(self) -> dict[str, Contestant]:
        """The contestants by model id, read once: the engine doesn't change its models either."""
        with self._lock:
            if self._here is None:
                self._here = contestants(self.profile)
            return self._here

    def refresh(self) -> None:
        """Read the votes and rate them again, for drawing the next pairs."""
        ready = self._answers.get(self.here)
        trust = judge(read_table(self.store, self.here.values()))
        table = trust.table
        base = base_contestant(self.profile, self.here)
        known = knowledge_of(table, rate(table, base), {} if isinstance(ready, NoPair) else ready.keys)
        with self._lock:
            self._knowledge, self._crowds = known, (trust.crowds(), trust.crowds(trusted=True))

    def _kept(self, pair: Pair, run: LiveRun | None, keep: bool) -> Pair:
        """Return a pair with the texts that its vote may store: the project's own, and a visitor's with consent."""
        if pair.kind == "live":
            mine = run is not None and run.keep and keep and run.pair is not None and run.pair.id == pair.id
            return dataclasses.replace(run.pair, asked=pair.asked) if mine and run and run.pair else pair
        found = self._answers.row_of(pair)
        if found is None:
            return pair
        question, left, right = found
        return dataclasses.replace(
            pair,
            question=question,
            left=dataclasses.replace(pair.left, text=left.text),
            right=dataclasses.replace(pair.right, text=right.text),
        )

    def _earlier(self, pair: Pair, run: LiveRun | None) -> tuple[Texts, ...]:
        """Return a live pair's turns before the last one, as they were shown, if they are still available."""
        return run.earlier if run is not None and run.pair is not None and run.pair.id == pair.id else ()

    def _texts(self, pair: Pair, run: LiveRun | None) -> Texts | None:
        """Return question and answers of a pair as they were shown, if they are still available."""
        if pair.kind == "live":
            mine = run is not None and run.pair is not None and run.pair.id == pair.id
            return (run.question, *run.shown()) if mine and run else None
        found = self._answers.row_of(pair)
        return (found[0], self._answers.masked(found[1].text), self._answers.masked(found[2].text)) if found else None

    def _pair(
        self, kind: Kind, voter: str, question: tuple[str, str, str | None], left: Candidate, right: Candidate,
        alike: float, decoding: Decoding, shown_at: float, now: float, **drawn: Any,
    ) -> Pair:  # fmt: skip
        from medilite.arena.store import new_id

        return Pair(
            new_id(), kind, self.profile.name, voter, *question, left, right, alike, decoding, shown_at,
            now + PAIR_LIFETIME_S, __version__, **drawn,
        )  # fmt: skip

    # --- now and then ------------------------------------------------------------------------

    def _keep_up(self, ready: Ready) -> None:
        """Rate again if it is time to; only the first visitor waits for it."""
        now = self._clock()
        with self._lock:
            first = self._refreshed_at is None
            due = first or abs(now - (self._refreshed_at or 0)) >= REFRESH_S
            if not due or self._refreshing:
                return
            self._refreshed_at, self._refreshing = now, True
        if first:
            self._refresh_or_say()
        else:
            self._aside(lambda: self._refresh_or_say())

    def _refresh_or_say(self) -> None:
        try:
            self.refresh()
        except MediLiteError as error:  # pairs are then drawn by the last ratings
            log.warning("The votes could not be rated for the next pairs: %s", error)
        except Exception:
            log.exception("The votes could not be rated for the next pairs.")
        finally:
            self._refreshing = False


def _measured(vote: Vote, run: LiveRun | None) -> Vote:
    """Return a vote on a live pair with words and grades as they are; of private texts only coarse ones are stored."""
    if run is None or run.pair is None or run.pair.id != vote.pair.id:
        return vote
    left, right = (
        dataclasses.replace(stored, words=exact.words, grade=exact.grade)
        for stored, exact in zip((vote.pair.left, vote.pair.right), run.sides()[:2], strict=True)
    )
    return dataclasses.replace(vote, pair=dataclasses.replace(vote.pair, left=left, right=right))


def _checked(token: object) -> str:
    if isinstance(token, str) and _TOKEN.fullmatch(token):
        return token
    raise TokenError("This is not the token of a pair, so nothing was counted. Take the next pair.")


def _in_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="medilite-ratings", daemon=True).start()
