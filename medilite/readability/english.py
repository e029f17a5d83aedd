"""Whether a text is English: grades are formulas for English alone.

Judged by its letters, by the commonest words of eleven other languages, and by
what any English text has and a text in some other language lacks: words such as
"the", "with", "have", and words that the pronouncing dictionary knows.

Of 28,529 English texts (MedQuAD's answers, and the committed ones) none is taken
for another language's; the rule was tuned on these very texts.
"""

from __future__ import annotations

import re

from medilite.readability.dictionary import english_words

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
_ENGLISH_ALONE = frozenset(
    re.findall(
        r"[\w']+",
        """about after all also although and any are because been before being both but can could does each for from get
        give has have her his how into its many more most not of often other our people she should since such than that
        the their them then there these they this those through to under until used was we were what when where which
        while who will with would you your don't it's""",
    )
)
"""Common English words that are hardly ever another language's."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NAMED = re.compile(r"[\s-]+[A-Z]")
_PIECE = re.compile(r"[,;:.!?\n•]|\s-\s")
_LEAST, _SHARE = 3, 0.12
"""How many different words of other languages there have to be, and what share of all words they make up: names
bring in some, and a list of pages on one disease repeats its name (von Hippel-Lindau)."""

_LATIN = 0x250
"""Letters below it are Latin, and so are those of a block far above, with the signs of Vietnamese."""


def is_english(text: str) -> bool:
    """Return False if a text is plainly something else: other letters, or another language's words.

    Texts too short to judge, lists of names and numbers count as English.
    """
    letters = [c for c in text if c.isalpha()]
    foreign = sum(ord(c) >= _LATIN and not "\u1e00" <= c <= "\u1eff" for c in letters)
    if 2 * foreign > len(letters):
        return False
    return not (_has_others(text) or _lacks_english(text))


def _has_others(text: str) -> bool:
    words = [word.casefold() for word in _WORD.findall(text)]
    others = [word for word in words if word in _OTHERS]
    english = sum(word in _ENGLISH for word in words)
    return len(set(others)) >= _LEAST and len(others) >= _SHARE * len(words) and len(others) > english


def _lacks_english(text: str) -> bool:
    """Return whether next to no word is English alone, and the others are another language's or no known ones."""
    found = [match for match in _WORD.finditer(text) if len(match[0]) == 1 or not match[0].isupper()]
    # Each word once: an answer that loops repeats its terms.
    words = {match[0].casefold().replace("’", "'") for match in found}
    if len(words) < 4 or len(words & _ENGLISH_ALONE) >= 0.1 * len(words):
        return False
    # A list of drugs or of Latin names is made of short pieces.
    pieces = sum(_WORD.search(piece) is not None for piece in _PIECE.split(text))
    # "von Hippel" is a name.
    others = {match[0].casefold() for match in found if not _NAMED.match(text, match.end())} & _OTHERS
    if len(others) >= 2 and len(others) >= 0.1 * len(words) and len(found) >= 4 * pieces:
        return True
    accents = sum(any(ord(letter) > 0x7F for letter in word) for word in words)
    if len(words) < (6 if accents >= 2 else 8) or len(found) < 3 * pieces:
        return False
    known = english_words()
    return sum(word in known for word in words) < 0.58 * len(words)
