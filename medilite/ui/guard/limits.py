"""How often one visitor, and one network address, may ask for answers, draw pairs, have texts measured, sign in.

Those who make up new visitors all the time are limited by their address; a class behind
one address is not held up by one of its own. Addresses are in memory alone, as
hashes under a key that ends with the process.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from medilite.errors import EngineError, RateLimitError
from medilite.settings import rate_limits
from medilite.ui.guard.address import caller, network_of

if TYPE_CHECKING:
    from limits import RateLimitItem

    from medilite.settings import Settings

What = Literal["answers", "pairs", "readings", "sign-ins", "events", "sessions"]

_ASKED: dict[What, str] = {
    "answers": "asked for answers", "pairs": "taken pairs to vote on",
    "readings": "had texts measured, or read the leaderboard or its votes",
    "sign-ins": "started or finished signing in",
    "events": "used the page", "sessions": "opened the page",
}  # fmt: skip
_LATER: dict[What, str] = {
    "answers": "Your question is still here: ask again", "pairs": "Nothing is lost: take the next pair",
    "readings": "Send it again", "sign-ins": "You can vote without signing in: try again",
    "events": "Nothing is lost: go on", "sessions": "Open it",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Rule:
    """One limit, and whether it applies to a visitor or to an address."""

    item: RateLimitItem
    whose: Literal["visitor", "address"]


class VisitorLimits:
    """Counts in moving windows; safe to use from several threads. `who` returns whose event is being handled."""

    def __init__(self, settings: Settings, who: Callable[[], str | None] = caller) -> None:
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self._who = who
        self._key = secrets.token_bytes(32)
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._lock = threading.Lock()
        self._rules: dict[What, list[_Rule]] = {
            "answers": _rules(settings, "answers_per_visitor", "answers_per_address"),
            "pairs": _rules(settings, "pairs_per_visitor", "pairs_per_address"),
            "readings": [_Rule(item, "address") for item in _items(settings, "readings_per_address")],
            "events": [_Rule(item, "address") for item in _items(settings, "events_per_address")],
            "sessions": [_Rule(item, "address") for item in _items(settings, "sessions_per_address")],
            "sign-ins": [_Rule(item, "address") for item in _items(settings, "sign_ins_per_address")],
        }

    def count(self, what: What, visitor: str = "", address: str | None = None) -> None:
        """Count one more of `what`; raises RateLimitError, and counts nothing if it would be one too many.

        `address` is for who knows it better than `who`: outside of any event.
        """
        address = address or self._who()
        whose = {"visitor": visitor, "address": network_of(address) if address else ""}
        counted = [
            (rule, what, rule.whose, self._hidden(whose[rule.whose])) for rule in self._rules[what] if whose[rule.whose]
        ]
        with self._lock:
            for rule, *key in counted:
                if not self._window.test(rule.item, *key):
                    reset = self._window.get_window_stats(rule.item, *key).reset_time
                    raise _too_many(what, rule, max(1.0, reset - time.time()))
            for rule, *key in counted:
                self._window.hit(rule.item, *key)

    def _hidden(self, text: str) -> str:
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._key, digest_size=16).hexdigest()


class Admission:
    """Counts those who ask or wait; turns away those over the limit, and those who come too often.

    One network address has half of the seats that others don't hold, at most: so
    nobody who makes up visitors takes them all, and several who do leave some.
    """

    def __init__(self, limit: int, limits: VisitorLimits | None = None, who: Callable[[], str | None] = caller) -> None:
        self._limit = limit
        self._limits = limits
        self._who = who
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def seat(self, visitor: str) -> Iterator[None]:
        """Hold a seat for the length of a `with`; raises EngineError when none is free, RateLimitError as below."""
        address = network_of(self._who() or "")
        self._take(address)
        try:
            if self._limits:
                self._limits.count("answers", visitor)
            yield
        finally:
            with self._lock:
                self._taken[address] -= 1
                if not self._taken[address]:
                    del self._taken[address]

    def _take(self, address: str) -> None:
        with self._lock:
            if self._taken.total() >= self._limit:
                raise EngineError(
                    f"{self._limit} visitors are asking at the moment, which is the limit. "
                    "Your question is still here: ask again in a minute."
                )
            others = self._taken.total() - self._taken[address]
            share = max((self._limit - others) // 2, 1)
            if address and self._taken[address] >= share:
                raise EngineError(
                    f"{share} visitors at your network address are asking at the moment, which is the limit for one "
                    "address. Your question is still here: ask again in a minute."
                )
            self._taken[address] += 1

    def pair(self, voter_id: str) -> None:
        """Count a pair that a voter takes; raises RateLimitError when it is one too many in this time."""
        if self._limits:
            self._limits.count("pairs", voter_id)

    def reading(self, program: str) -> None:
        """Count a text measured, or a leaderboard read, for a program or the page; raises RateLimitError as above."""
        if self._limits:
            self._limits.count("readings", program)


def _rules(settings: Settings, visitor: str, address: str) -> list[_Rule]:
    """Read both settings; the address comes first, so that made-up visitors leave no trace once it is spent."""
    return [
        *(_Rule(item, "address") for item in _items(settings, address)),
        *(_Rule(item, "visitor") for item in _items(settings, visitor)),
    ]


def _items(settings: Settings, name: str) -> list[RateLimitItem]:
    return rate_limits(str(getattr(settings, name)))


def limits_in_words(settings: Settings, name: str) -> str:
    """Return a setting of limits as words ("20 a minute and 300 an hour"), "" where it is off."""
    return " and ".join(f"{item.amount:,} {_span(item)}" for item in _items(settings, name))


def _span(item: RateLimitItem) -> str:
    unit = item.GRANULARITY.name
    return f"in {item.multiples} {unit}s" if item.multiples > 1 else f"{'an' if unit == 'hour' else 'a'} {unit}"


def _too_many(what: What, rule: _Rule, wait_s: float) -> RateLimitError:
    span = _span(rule.item).removeprefix("in ")
    often = "once" if rule.item.amount == 1 else f"{rule.item.amount:,} times"
    who = "You have" if rule.whose == "visitor" else "You and others at your network address have"
    return RateLimitError(
        f"{who} {_ASKED[what]} {often} within {span}, which is the limit. {_LATER[what]} in {_words(wait_s)}.",
        wait_s,
    )


def _words(wait_s: float) -> str:
    if wait_s < 90:
        seconds = math.ceil(wait_s)
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{math.ceil(wait_s / 60)} minutes"
