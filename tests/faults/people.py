"""Visitors of the whole app, over the page's own protocol: they vote, press again where they are told to, and ask."""

from __future__ import annotations

import html
import json
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.security.visitor import API, Visitor

CHOICES = ("left", "right", "equal", "both_bad")
PAUSE_S = 0.1
VOTES_EACH = 15
"""After so many somebody else sits down there: more than 20 a minute are refused."""

PATIENCE_S = 300.0


def until(what: Callable[[], object], why: Callable[[], object] = lambda: "", timeout_s: float = PATIENCE_S) -> None:
    """Wait until something is so."""
    end = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < end, f"it never came about: {why()}"
        time.sleep(0.05)


def words(text: object) -> str:
    """Return the words of a piece of HTML."""
    return html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", str(text)))).strip()


class Page(Visitor):
    """An open page."""

    def press(self, elem_id: str, **call: object) -> dict[str, str]:
        """Press one of the vote's buttons; return what changes, by the id of its place. Raises httpx.HTTPError."""
        event = self.event(elem_id)
        reply = self.run(self.body(event, self.values(event, call=call)))
        reply.raise_for_status()
        places = (self.parts[id]["props"].get("elem_id") for id in event["outputs"])
        return {place: new for place, new in zip(places, reply.json()["data"], strict=True) if isinstance(new, str)}


class Voter:
    """Somebody who votes on ready-made pairs; the page keeps pair and choice until the vote is acknowledged."""

    def __init__(self, url: str, known: dict[str, Any] | None = None) -> None:
        self.page = Page(url, known=known)
        self.id: str | None = None
        self.token: str | None = None
        self.choice = random.choice(CHOICES)

    def draw(self) -> str:
        """Take the next pair; return what the page says of an error, or nothing."""
        shown = self.page.press("vote-do-next", voter=self.id, token=self.token)
        if error := words(shown.get("vote-error")):
            return error
        self.id = re.search(r'data-voter="([^"]+)"', shown["vote-voter"])[1]  # type: ignore[index]
        token = re.search(r'data-token="([^"]+)"', shown["vote-pair"])
        assert token, words(shown["vote-pair"])
        self.token, self.choice = token[1], random.choice(CHOICES)
        return ""

    def cast(self) -> str:
        """Press the choice; return what the page says of an error, or nothing once the vote is acknowledged."""
        told = {"voter": self.id, "token": self.token, "choice": self.choice, "left": [], "right": []}
        shown = self.page.press("vote-do-cast", **told)
        if error := words(shown.get("vote-error")):
            assert "vote-pair" not in shown, "the pair has to stay, to be pressed again"
            return error
        assert 'data-state="taken"' in shown["vote-pair"]
        return ""


@dataclass
class Crowd:
    """Voters who vote all the time, in threads; `acknowledged` has the choice by the pair's token."""

    url: str
    people: int = 3
    acknowledged: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    broken: list[BaseException] = field(default_factory=list)
    unanswered: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> Crowd:
        """Have everybody come in."""
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
            config = client.get(f"{self.url}/config").json()
        self._threads = [
            threading.Thread(target=self._vote, args=(Voter(self.url, config),), daemon=True)
            for _ in range(self.people)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def _vote(self, voter: Voter) -> None:
        given = 0
        try:
            while not self._stop.is_set():
                if self._until_said(voter.draw) and self._until_said(voter.cast):
                    assert voter.token
                    self.acknowledged[voter.token] = voter.choice
                    given += 1
                    if given % VOTES_EACH == 0:
                        voter.id = None
                self._stop.wait(PAUSE_S)
        except BaseException as error:
            self.broken.append(error)
        finally:
            voter.page.close()

    def _until_said(self, act: Callable[[], str]) -> bool:
        """Press again until it is done; False where everybody has to leave."""
        while not self._stop.is_set():
            try:
                said = act()
            except httpx.HTTPError:
                self.unanswered += 1
                said = "no answer"
            else:
                if not said:
                    return True
                self.errors.append(said)
            self._stop.wait(PAUSE_S)
        return False

    @property
    def votes(self) -> int:
        return len(self.acknowledged)

    def more(self, votes: int) -> None:
        """Wait until so many votes more are acknowledged."""
        wanted = self.votes + votes
        until(lambda: self.broken or self.votes >= wanted, lambda: self.errors[-3:])
        assert not self.broken, self.broken

    def leave(self) -> None:
        """Have everybody leave."""
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "somebody waits for ever"
        assert not self.broken, self.broken


class Asking(threading.Thread):
    """Somebody who asks two models in Compare, one in Chat, or two in a blind vote, and reads to the end."""

    def __init__(self, url: str, tab: str = "compare", tokens: int = 20) -> None:
        super().__init__(daemon=True)
        self._page, self._tab, self._tokens = Page(url), tab, tokens
        self.messages: list[dict[str, Any]] = []
        self.failed: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._ask()
        except (httpx.HTTPError, ConnectionError) as error:
            self.failed = error
        finally:
            self._page.close()

    def _ask(self) -> None:
        page, tab = self._page, self._tab
        event = page.event({"compare": "ask", "chat": "send", "vote": "vote-ask"}[tab])
        field_name = {"compare": "question", "chat": "chat_question", "vote": "vote_question"}[tab]
        given: dict[str, object] = {field_name: "What is asthma?", "models": ["base", "grpo"], "call": {"voter": None}}
        given |= {f"{tab}_max_new_tokens": self._tokens}
        page.join(page.body(event, page.values(event, **given))).raise_for_status()
        params = {"session_hash": page.session}
        with page.http.stream("GET", f"{API}/queue/data", params=params) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    self.messages.append(json.loads(line[5:]))
                    if self.messages[-1]["msg"] in ("close_stream", "unexpected_error"):
                        return

    def over(self) -> Asking:
        """Wait until the stream has ended."""
        self.join(PATIENCE_S)
        assert not self.is_alive(), "it waits for ever"
        return self

    @property
    def text(self) -> str:
        """Everything that the page was sent."""
        return html.unescape(json.dumps(self.messages, ensure_ascii=False))

    @property
    def whole(self) -> bool:
        """Whether the event ended as one that went well does for Gradio: what went wrong the page says in words."""
        return any(one["msg"] == "process_completed" and one["success"] for one in self.messages)
