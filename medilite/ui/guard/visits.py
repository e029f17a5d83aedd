"""Which pages there are, and from where: what one network address may have of sessions and events."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict

from medilite.errors import RateLimitError
from medilite.ui.guard.address import network_of
from medilite.ui.guard.asgi import App, Receive, Scope, Send, refuse, retry_after
from medilite.ui.guard.doors import API, MCP, WRITE
from medilite.ui.guard.limits import VisitorLimits, What

_KNOWN = 50_000
"""How many sessions' addresses are remembered; a name and a hash each."""

LEFT = "/left/"
"""Where a page that is closed says so, by the name of its session."""

VOTES = "/votes/"
"""Where the votes can be downloaded, by the name of a file."""


class Visits:
    """Sessions by network address, which are being answered and which left; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._from: OrderedDict[str, str] = OrderedDict()
        self._open: Counter[str] = Counter()
        self._left: set[str] = set()

    def knows(self, session: str) -> bool:
        """Whether a session has been seen."""
        return session in self._from

    def left(self, session: str) -> None:
        """Note that the page of a session was closed; without effect for one that hasn't been seen."""
        with self._lock:
            if session in self._from:
                self._left.add(session)

    def has_left(self, session: str) -> bool:
        """Whether a session's page was closed and has sent nothing since."""
        return session in self._left

    def heard_from(self, session: str) -> bool:
        """Note that a session has sent something, so its page is open; return whether it has been seen before."""
        with self._lock:
            self._left.discard(session)
            return session in self._from

    def note(self, session: str, network: str) -> None:
        """Note where a session is from, the first time that it is seen."""
        with self._lock:
            self._from.setdefault(session, network)
            if len(self._from) > _KNOWN:
                gone = next((one for one in self._from if not self._open[one]), None)
                if gone is not None:
                    del self._from[gone]
                    self._left.discard(gone)

    def opened(self, session: str) -> None:
        """Note that a connection of a session has been opened."""
        with self._lock:
            self._open[session] += 1

    def closed(self, session: str) -> None:
        """Note that one has been closed."""
        with self._lock:
            self._open[session] -= 1
            if self._open[session] <= 0:
                del self._open[session]

    def whose_turn_to_go(self, sessions: list[str]) -> str:
        """Return which of these sessions, the one used longest ago first, is to be forgotten.

        One of the address that has most of them, and there a closed page before an
        open one, and any before one that is being answered: a visitor who opens
        thousands loses their own.
        """
        with self._lock:
            counts = Counter(self._from.get(one, "") for one in sessions)
            most = max(counts.values())
            crowded = [one for one in sessions if counts[self._from.get(one, "")] == most]
            alone = crowded if most > 1 else sessions
            # The order among equals is theirs.
            return min(alone, key=lambda one: (bool(self._open[one]), one not in self._left))


class Paced:
    """Counts events, downloads and new sessions by address, and notes which sessions are being answered."""

    def __init__(self, app: App, limits: VisitorLimits, visits: Visits) -> None:
        self.app, self.limits, self.visits = app, limits, visits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; see the class."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        address = (scope.get("client") or ("", 0))[0]
        if what := _counts_as(scope):
            try:
                self.limits.count(what, address=address)
            except RateLimitError as error:
                await refuse(send, 429, str(error), [retry_after(error)])
                return
        session = _session_of(scope)
        if not session:
            await self.app(scope, receive, send)
            return
        if not self.visits.knows(session):
            try:
                self.limits.count("sessions", address=address)
            except RateLimitError as error:
                await refuse(send, 429, str(error), [retry_after(error)])
                return
            self.visits.note(session, network_of(address))
        self.visits.opened(session)
        try:
            await self.app(scope, receive, send)
        finally:
            self.visits.closed(session)


def _counts_as(scope: Scope) -> What | None:
    """Return as what a request counts whatever it turns out to ask for, None for one that costs next to nothing."""
    path = scope["path"]
    if scope["method"] == "POST" and (path in MCP or WRITE.fullmatch(path)):
        return "events"
    return "readings" if path.startswith(VOTES) else None


def _session_of(scope: Scope) -> str:
    """Return the session whose stream a request opens, "" for none."""
    if scope["path"] == f"{API}/queue/data":
        from urllib.parse import parse_qs

        return (parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session_hash") or [""])[0]
    return ""
