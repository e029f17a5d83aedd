"""Numbers as words, where a sentence reads better with them."""

from __future__ import annotations

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def number_word(number: int) -> str:
    """Return a count as a word up to ten, in figures above."""
    return _WORDS[number] if 0 <= number < len(_WORDS) else f"{number:,}"
