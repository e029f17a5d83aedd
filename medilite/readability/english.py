"""Whether a text is English, judged by its letters and commonest words: grades are formulas for English alone."""

from __future__ import annotations

import re

_OTHERS = frozenset(
    re.findall(
        r"[\w']+",
        """el los las del que y una por para se su es más pero puede como cuando también está muy le les des du et est
        une dans pour avec sur qui pas vous sont ou au aux cette peut être der das und ist nicht ein eine mit von zu
        den dem sich auf für sind wird auch oder bei werden il gli di che è della delle sono nel anche può essere
        più dei alla questo os uma com não por são mais dos das em ao pode ou também het een van dat voor niet zijn
        op ook wordt bij naar ve bir bu için ile olarak daha się nie jest oraz lub przez jak dla là và của các được
        trong có một yang dan dengan untuk ini atau dari pada adalah och att det som är för inte av med kan""",
    )
)
"""Commonest words of eleven other languages in Latin letters, without those that are English words too."""

_ENGLISH = frozenset(
    re.findall(
        r"[\w']+",
        """the of and to in a is that for it as with are or be this by on can you your have may not from at which if an
        will was has their they more when other these also it's do does what how i my""",
    )
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LEAST, _SHARE = 3, 0.12
"""How many different words of other languages there have to be, and what share of all words they make up: names
bring in some, and a list of pages on one disease repeats its name (von Hippel-Lindau)."""

_LATIN = 0x250
"""Letters below it are Latin, and so are those of a block far above, with the signs of Vietnamese."""


def is_english(text: str) -> bool:
    """Return False if a text is plainly something else: other letters, or another language's commonest words.

    Texts too short to judge, lists of names and numbers count as English.
    """
    letters = [c for c in text if c.isalpha()]
    foreign = sum(ord(c) >= _LATIN and not "\u1e00" <= c <= "\u1eff" for c in letters)
    if 2 * foreign > len(letters):
        return False
    words = [word.casefold() for word in _WORD.findall(text)]
    others = [word for word in words if word in _OTHERS]
    english = sum(word in _ENGLISH for word in words)
    return len(set(others)) < _LEAST or len(others) < _SHARE * len(words) or len(others) <= english
