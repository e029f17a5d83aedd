"""Several API keys used in turn; a key that reached a limit rests for as long as the server says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from medilite.errors import JudgeError, SettingsError

VARIABLE = "MEDILITE_JUDGE_KEYS"

Clock = Callable[[], float]
Sleep = Callable[[float], object]


@dataclass
class Key:
    """One API key; messages name its number, never the key."""

    number: int
    secret: str = field(repr=False)
    ready_at_s: float = 0.0
    last_used: int = 0
    refused: str | None = None


class KeysRest(JudgeError):
    """Every key rests for longer than `max_wait_s`."""


def split_keys(text: str) -> list[str]:
    """Return the keys in a comma-separated text; raises SettingsError, which repeats none, for what can't be one."""
    keys = [key.strip() for key in text.split(",") if key.strip()]
    for number, key in enumerate(keys, start=1):
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise SettingsError(
                f"Key {number} of {VARIABLE} can't be used: it holds a space or a sign that no key has. "
                "Separate several keys by commas."
            )
    return list(dict.fromkeys(keys))


class KeyRing:
    """Hands out keys, the one that rested longest first; safe for several threads.

    `clock` counts seconds, `sleep` waits for some; `max_wait_s` is the longest
    wait for a key to come back.
    """

    def __init__(
        self,
        secrets: Sequence[str],
        *,
        max_wait_s: float = 600.0,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._keys = [Key(number, secret) for number, secret in enumerate(secrets, start=1)]
        self._max_wait_s = max_wait_s
        self._clock, self._sleep = clock, sleep
        self._turns = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._keys)

    def take(self) -> Key:
        """Return the key whose turn it is, once one is ready.

        Raises KeysRest if none will be within `max_wait_s`, JudgeError if the
        server refused every one.
        """
        while True:
            with self._lock:
                usable = [key for key in self._keys if key.refused is None]
                if not usable:
                    reasons = "; ".join(f"key {key.number}: {key.refused}" for key in self._keys)
                    raise JudgeError(f"The judge's server takes none of the keys ({reasons}). Check {VARIABLE}.")
                now = self._clock()
                ready = [key for key in usable if key.ready_at_s <= now]
                if ready:
                    key = min(ready, key=lambda key: key.last_used)
                    self._turns += 1
                    key.last_used = self._turns
                    return key
                wait_s = min(key.ready_at_s for key in usable) - now
            if wait_s > self._max_wait_s:
                which = "The key has" if len(usable) == 1 else f"All {len(usable)} keys have"
                raise KeysRest(
                    f"{which} reached a limit of the judge's server; the next can be used in {in_words(wait_s)}. "
                    "Give the same command then: what is judged stays judged."
                )
            self._sleep(wait_s)

    def rest(self, key: Key, seconds: float) -> None:
        """Leave a key alone for so many seconds."""
        with self._lock:
            key.ready_at_s = max(key.ready_at_s, self._clock() + seconds)

    def refuse(self, key: Key, reason: str) -> None:
        """Leave a key out for good: the server doesn't take it."""
        with self._lock:
            key.refused = reason


def in_words(seconds: float) -> str:
    """Return a time as a person says it: "45 s", "12 min", "3 h 5 min", "more than a day"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes >= 24 * 60:
        return "more than a day"
    return f"{minutes // 60} h {minutes % 60} min"
