"""One visitor: what they do, how long they think, and what they check on the page."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from bench.crowd import reading
from bench.crowd.browser import Browser
from bench.crowd.tally import CastVote, QueueFullError, Tally, WentWrongError
from medilite.arena.records import REASONS, UNSAFE
from medilite.errors import DataError

MIX = {"compare": 0.25, "chat": 0.25, "vote": 0.30, "live vote": 0.05, "leaderboard": 0.10, "come back": 0.05}
"""What a visitor does next, and how likely: of every action, not of the time."""

CHOICES = ("left", "right", "equal", "both_bad")
DETAILS = (UNSAFE, *REASONS)
TURNS = 3
"""After so many turns of a chat a visitor begins again: a longer one may not fit."""

ENDED = {"end", "length"}


@dataclass(frozen=True, slots=True)
class Thinking:
    """How long a visitor reads and thinks before the next action: lognormal, in seconds, never above `longest_s`."""

    median_s: float
    sigma: float = 0.6
    longest_s: float = 60.0

    def draw(self, rng: random.Random) -> float:
        """Return one time in seconds."""
        return min(self.median_s * rng.lognormvariate(0.0, self.sigma), self.longest_s)


class Visitor:
    """A person with one browser; what they do depends on the seed, when they do it on the app as well."""

    mix: Mapping[str, float] = MIX

    def __init__(
        self, browser: Browser, tally: Tally, rng: random.Random, thinking: Thinking, questions: Sequence[str]
    ) -> None:
        self.browser, self.tally, self.rng, self.thinking = browser, tally, rng, thinking
        self.questions = questions
        self.leaves = asyncio.Event()
        """Set when the time is over: running actions are finished, no new ones begun."""

    async def stay(self, arrives_s: float) -> None:
        """Arrive after so many seconds and do one thing after another until it is time to leave."""
        await self._pause(arrives_s)
        here = False
        while not self.leaves.is_set():
            action = self.rng.choices(list(self.mix), list(self.mix.values()))[0] if here else "arrive"
            here = await self._do(action) or here
            await self._pause(self.thinking.draw(self.rng))
        await self.browser.close()

    async def _do(self, action: str) -> bool:
        """Do one thing and count its outcome; return whether it succeeded or was turned away with a message."""
        act = getattr(self, action.replace(" ", "_"), self.come_back)
        try:
            await act()
        except QueueFullError as error:
            self.tally.full[action] += 1
            self.tally.full_said[str(error)] += 1
            return True
        except (WentWrongError, DataError, httpx.HTTPError) as error:
            self.tally.fail(action, error)
            return False
        self.tally.done[action] += 1
        return True

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.leaves.wait(), seconds)
        except TimeoutError:
            return

    async def come_back(self) -> None:
        """Open the page again, as after a while or by a reload."""
        await self.browser.open()
        self.begin()
        if 'class="ml-advice"' not in "".join(str(value) for value in self.browser.shown.values()):
            raise WentWrongError("The page came without its notice that it is no medical advice.")

    def begin(self) -> None:
        """Forget what was on the page before."""
        self.turns = 0
        self.tab_open = self.board_open = False

    # --- questions -----------------------------------------------------------------------

    async def compare(self) -> None:
        """Ask some models, mostly all, and see that every answer is whole."""
        page = self.browser.page
        known = [model for _, model in page.parts[page.number("models")]["props"]["choices"]]
        models = known
        if self.rng.random() < 0.3:
            models = sorted(self.rng.sample(known, min(3, len(known))), key=known.index)
        question = self.rng.choice(self.questions)
        await self._ask("compare", "ask", "answers", question=question, models=models)
        self._check(reading.cards(self.browser.html("answers")), models, "All answers are here.", "compare")

    async def chat(self) -> None:
        """Say something to one model; begin again after a few turns."""
        page = self.browser.page
        if self.turns == TURNS:
            await self.browser.run(page.click("clear"), "clear")
            self.turns = 0
        known = [model for _, model in page.parts[page.number("chat-model")]["props"]["choices"]]
        model = self.rng.choice(known)
        await self._ask("chat", "send", "transcript", chat_question=self.rng.choice(self.questions), chat_model=model)
        self.turns += 1
        answers = reading.cards(self.browser.html("transcript"))
        if len(answers) != self.turns:
            raise WentWrongError(f"A chat of {self.turns} turns shows {len(answers)} answers.")
        self._check(answers[-1:], [model], "The answer is here.", "chat")

    async def _ask(self, tab: str, button: str, place: str, **given: object) -> None:
        """Press the button and watch until it is over; raises QueueFullError and WentWrongError for what it says."""
        browser = self.browser
        began, first, ahead = time.perf_counter(), None, 0
        before = browser.html(place)
        async for _ in browser.stream(browser.page.click(button), **given):
            ahead = max(ahead, reading.ahead(browser.html(f"{tab}-status")))
            now = browser.html(place)
            if first is None and now != before and self._has_begun(tab, now):
                first = time.perf_counter() - began
        if said := reading.error(browser.html(f"{tab}-error")):
            raise QueueFullError(said) if reading.is_full(said) else WentWrongError(said)
        if ahead:
            self.tally.waited.append(ahead)
        if first is not None:
            self.tally.seconds[f"{tab}, first words"].append(first)
        self.tally.seconds[f"{tab}, whole"].append(time.perf_counter() - began)

    def _has_begun(self, tab: str, html: str) -> bool:
        answers = reading.cards(html)
        if tab == "vote":
            return any(card.text for card in answers)
        return any(card.tokens for card in (answers if tab == "compare" else answers[self.turns :]))

    def _check(self, answers: list[reading.Card], models: list[str], said: str, tab: str) -> None:
        """Raise WentWrongError unless every model has answered to the end, under the notice."""
        if said not in self.browser.html(f"{tab}-status"):
            raise WentWrongError(f"The status line doesn't say {said!r} at the end.")
        if [card.model for card in answers] != models:
            raise WentWrongError(f"{models} were asked, {[card.model for card in answers]} answered.")
        for card in answers:
            if card.state not in ENDED or not card.tokens or not card.text.strip():
                raise WentWrongError(f"An answer of {card.tokens} tokens is {card.state!r} at the end.")
            if not card.marked:
                raise WentWrongError("An answer came without its notice that it is no medical advice.")
        self.tally.answers += len(answers)

    # --- votes ---------------------------------------------------------------------------

    async def vote(self) -> None:
        """Take one to three ready-made pairs and vote on each."""
        for _ in range(self.rng.randint(1, 3)):
            token = await self.draw()
            if token is None or self.leaves.is_set():
                return
            await self._pause(self.thinking.draw(self.rng))
            await self.cast(token, self.rng.choice(CHOICES), "vote-pair")

    async def draw(self) -> str | None:
        """Take the next ready-made pair and return its token, None if there is none."""
        browser, page = self.browser, self.browser.page
        events = [page.click("vote-do-next")] if self.tab_open else page.opening("vote")
        for event in events:
            await browser.run(event, "draw a pair", call=self._call())
        self.tab_open = True
        self._must_not_say("vote-error")
        browser.voter = reading.voter(browser.html("vote-voter")) or browser.voter
        state, token = reading.pair(browser.html("vote-pair"))
        if state == "nothing":
            title = reading.title(browser.html("vote-pair"))
            self.tally.nothing[title] += 1
            return None
        self._must_be_open(state, token, "vote-pair")
        return token

    async def cast(self, token: str, choice: str, place: str) -> None:
        """Vote on a pair and reveal its names; raises WentWrongError unless the app confirms both."""
        browser = self.browser
        details = {side: self.rng.sample(DETAILS, self.rng.randint(0, 2)) for side in ("left", "right")}
        call = self._call(token=token, choice=choice, **details)
        for act, about, then in (("cast", "cast a vote", "taken"), ("reveal", "asked for the names", "voted")):
            await browser.run(browser.page.click(f"vote-do-{act}"), about, call=call)
            self._must_not_say("vote-error")
            state, voted = reading.pair(browser.html(place))
            if (state, voted) != (then, token):
                raise WentWrongError(f"After a visitor {about} the pair is {state!r} without a word, not {then!r}.")
        assert browser.voter is not None
        self.tally.votes.append(CastVote(browser.voter, token, choice))

    async def live_vote(self) -> None:
        """Have two models answer the visitor's own question, and vote on them."""
        browser = self.browser
        question = self.rng.choice(self.questions)
        await self._ask("vote", "vote-ask", "vote-live-pair", vote_question=question, call=self._call())
        browser.voter = reading.voter(browser.html("vote-voter")) or browser.voter
        state, token = reading.pair(browser.html("vote-live-pair"))
        if state == "nothing":
            # Two models may write the same; there is nothing to choose then.
            self.tally.nothing[reading.title(browser.html("vote-live-pair"))] += 1
            return
        self._must_be_open(state, token, "vote-live-pair")
        self.tally.answers += 2
        await self._pause(self.thinking.draw(self.rng))
        await self.cast(token, self.rng.choice(CHOICES), "vote-live-pair")

    def _must_be_open(self, state: str, token: str, place: str) -> None:
        answers = reading.cards(self.browser.html(place))
        if state != "open" or not token or len(answers) != 2 or not all(card.text and card.marked for card in answers):
            raise WentWrongError(f"A pair to vote on is {state!r}, with {len(answers)} answers.")

    def _must_not_say(self, place: str) -> None:
        if said := reading.error(self.browser.html(place)):
            raise WentWrongError(said)

    def _call(self, **given: object) -> dict[str, object]:
        """Return what the page's script sends along with each action in the tab."""
        return {
            "voter": self.browser.voter, "token": None, "standing": False, "choice": None, "left": [], "right": [],
        } | given  # fmt: skip

    # --- the leaderboard -----------------------------------------------------------------

    async def leaderboard(self) -> None:
        """Open the leaderboard, and look at another question once it is open."""
        browser, page = self.browser, self.browser.page
        if not self.board_open:
            await asyncio.gather(*(browser.run(event, "leaderboard") for event in page.opening("leaderboard")))
            self.board_open = True
        else:
            await browser.run(page.click("lb-next"), "a question of the leaderboard")
        for place in ("lb-error", "votes-error"):
            self._must_not_say(place)
        if "<table" not in browser.html("lb-means"):
            raise WentWrongError("The leaderboard came without its table.")
