"""Numbers and counts as text."""

from __future__ import annotations

from typing import Protocol

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class Ends(Protocol):
    """Anything with the ends of an interval, each None if unknown."""

    @property
    def low(self) -> float | None:
        """The lower end."""

    @property
    def high(self) -> float | None:
        """The upper end."""


def number_word(number: int) -> str:
    """Return a count as a word up to ten, in figures above."""
    return _WORDS[number] if 0 <= number < len(_WORDS) else f"{number:,}"


def number_text(value: float | None, digits: int = 0) -> str:
    """Return a number with `digits` decimals and a real minus sign, a dash for None."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}"
    # No "−0.0".
    return text.removeprefix("-") if not text.strip("-0.,") else text.replace("-", "−")


def interval_text(ends: Ends, digits: int = 0, factor: float = 1.0) -> str:
    """Return "11.9 to 12.4", each end times `factor`, or "" without an interval."""
    if ends.low is None or ends.high is None:
        return ""
    return f"{number_text(factor * ends.low, digits)} to {number_text(factor * ends.high, digits)}"


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share as per cent, a dash for None."""
    return "–" if share is None else f"{number_text(100 * share, digits)} %"


def counted(number: int, noun: str) -> str:
    """Return "1 vote", "1,234 votes"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
