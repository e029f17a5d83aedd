"""A circuit: a server that fails again and again is left alone for a while, then tried with one request."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds of a monotonic clock."""


class Circuit:
    """Closed: requests go to the server. After `failures` failures in a row it opens for `rest_s` seconds.

    Then it is half-open: one request, the probe, may try. Its first token closes
    the circuit, with one failure left before it opens again; a whole answer takes
    back all failures. Used by one thread.
    """

    def __init__(self, failures: int, rest_s: float, clock: Clock = time.monotonic) -> None:
        self._most, self._rest_s, self._clock = failures, rest_s, clock
        self._failures = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether it is open, or half-open and not yet closed by a probe."""
        return self._open_until is not None

    @property
    def rests_s(self) -> float:
        """Seconds until the next probe; 0 if one may go now."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - self._clock())

    @property
    def probing(self) -> bool:
        """Whether a probe is under way."""
        return self._probing

    def admits(self) -> bool:
        """Whether a request may go to the server now."""
        return self._open_until is None or (self._clock() >= self._open_until and not self._probing)

    def enter(self) -> bool:
        """Note that a request starts; return whether it is the probe, for the method that notes its end."""
        if self._open_until is None:
            return False
        self._probing = True
        return True

    def answered(self, probe: bool) -> None:
        """Note a request's first token."""
        if probe and self._open_until is not None:
            self._open_until, self._probing, self._failures = None, False, self._most - 1

    def completed(self, probe: bool) -> None:
        """Note a whole answer."""
        self.answered(probe)
        self._failures = 0

    def failed(self, probe: bool) -> None:
        """Note a failure that is the server's own."""
        self._failures += 1
        if probe:
            self._probing = False
        if probe or self._failures >= self._most:
            self._open_until = self._clock() + self._rest_s

    def left(self, probe: bool) -> None:
        """Note an end that says nothing of the server: cancelled, or refused for what was asked."""
        if probe:
            self._probing = False
