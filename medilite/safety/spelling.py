"""Key words that people in a hurry misspell, put right."""

from __future__ import annotations

import re
from functools import lru_cache

_LONGER = re.compile(r"([a-z])\1{2,}")
_WORD = re.compile(r"[a-z]{6,}")

_FAR_OFF = (
    (r"o\.?d'?e?d|o\.d\.'d", "overdosed"),
    (r"od'?ing|od(?= on\b)", "overdosing"),
    (r"(?:he|hea|ha|hear)rt[\s-]*att?ac[kh]s?|heart[\s-]*atta(?:k|ch)s?", "heart attack"),
    (r"stroek|storke|srtoke|strok|stoke", "stroke"),
    (r"chst|chset|cheast", "chest"),
    (r"siezing|seezing", "seizing"),
    (r"seizer|seizers|seezure|ceizure", "seizure"),
    (r"anafila\w+|anafala\w+|anaphila\w+", "anaphylaxis"),
    (r"suacid\w+|suiccid\w+|sueside", "suicide"),
    (r"un\W?con\w{0,3}[cs]i?ous", "unconscious"),
    (r"breat?he?ing|breething|brething|breathin", "breathing"),
    (r"a\s?&\s?e", "a and e"),
)
"""Misspellings more than a letter off, as regular expressions, and what they mean."""

_FAR_OFF_PATTERN = re.compile("|".join(rf"\b(?P<w{i}>{wrong})\b" for i, (wrong, _) in enumerate(_FAR_OFF)))

_KEY_WORDS = re.findall(
    r"\w+",
    """suicide suicidal overdose overdosed anaphylaxis anaphylactic seizure seizures unconscious unresponsive choking
    choked bleeding breathing breathe breath swallowed poisoned poisoning heavily collapsed swelling swollen paralyzed
    paralysed drowning convulsing convulsions numbness drooping allergic ambulance fainted slurred electrocuted pregnant
    stroke attack tightness tongue throat""",
)

_REAL_WORDS = frozenset(
    re.findall(
        r"\w+",
        """breeding bleating breather breathed breathes smelling spelling dwelling dropping tainted painted fainter
        overdone strike strokes stroked stroker attach attacks attic threat thrust wreath wreaths breadth breaths
        heaving heavenly tongues throats lightness rightness swallows stolen swelled poisons stacking""",
    )
)
"""Words a letter away from a key word that mean something else."""


def mended(text: str) -> str:
    """Return lower-case `text` with misspelt key words put right and letters drawn out ("heeelp") cut to two."""
    text = _FAR_OFF_PATTERN.sub(_meant, _LONGER.sub(r"\1\1", text))
    return _WORD.sub(lambda match: _nearest(match[0]), text)


def _meant(match: re.Match[str]) -> str:
    assert match.lastgroup is not None
    return _FAR_OFF[int(match.lastgroup[1:])][1]


@lru_cache(maxsize=4096)
def _nearest(word: str) -> str:
    """Return the key word from which one letter is missing, too many, wrong or swapped with the next; else `word`."""
    from rapidfuzz.distance import OSA

    if word in _REAL_WORDS:
        return word
    near = (right for right in _KEY_WORDS if OSA.distance(word, right, score_cutoff=1) <= 1)
    return word if word in _KEY_WORDS else next(near, word)
