"""Sentences with a negation, and those that omit a reference's negation."""

from __future__ import annotations

import re

_CUE = re.compile(
    r"\b(?:not|no|never|none|neither|nor|cannot|without|nobody|nothing)\b|n['’]t\b"
    r"|\b(?:don|doesn|didn|isn|aren|wasn|weren|won|can|couldn|shouldn|wouldn|hasn|haven)t\b",
    re.I,
)
_NO_CUE = re.compile(
    r"\bnot only\b|\bno longer than\b|\bwhether or not\b|\bor not\b|\bno more than\b|\bnot always\b", re.I
)


def cues(text: str) -> list[re.Match[str]]:
    """Return a text's negating words, in order; "not only" and the like don't count."""
    none = [match.span() for match in _NO_CUE.finditer(text)]
    return [cue for cue in _CUE.finditer(text) if not any(start <= cue.start() < end for start, end in none)]


def says_no(text: str) -> bool:
    """Return whether a sentence has a negation."""
    return bool(cues(text))
