"""How words are weighed while a model answers from a passage: plain words, or the passage's own.

A small model that is asked to say a passage in plain words leaves its names out, and says hard words, inheritance and
"no" as it knows them from elsewhere. So every token's logit is shifted before the next one is chosen: the letters of
the passage's names (genes, abbreviations) gain NAME_GAIN until they are said. What neither passage nor question says
loses PATTERN_COST where it is a word for how a disease is inherited, OTHER_COST where it denies or is not plain. Plain
are tokens that begin a word of the list of Dale and Chall, in any of its forms, or that are one of its endings. 2 makes
a token e² = 7.4 times likelier, or less likely, beside the others. All of this was chosen on validation questions
(docs/sources.md): where names gained for good, rows repeated them, and where digits gained, which are tokens of their
own, other numbers were made of them.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from medilite.content.common_words import FUNCTION_WORDS, GENERAL_WORDS
from medilite.content.key_terms import stem
from medilite.prompts import clean_text
from medilite.readability import familiar_words
from medilite.readability.english import is_english

if TYPE_CHECKING:
    import numpy as np

NAME_GAIN = 2.0
OTHER_COST = 2.0
PATTERN_COST = 10.0

RULE = f"names {NAME_GAIN:+g}, others {-OTHER_COST:+g}, patterns of inheritance {-PATTERN_COST:+g}, no {-OTHER_COST:+g}"
"""Which words weigh what, for records of what was asked. Number it where other words come to count as one of these."""

_WORD = re.compile(r"\S+")
_LETTERS = re.compile(r"\w+")
_EDGES = re.compile(r"^\W+|\W+$")
_PATTERNS = frozenset(["autosomal", "dominant", "recessive", "mitochondrial", "sporadic"])
_SEX_LINKED = frozenset([" X", "X", " Y", "Y", "linked"])  # as tokens: " linked" is a word like any other
_DENYING = frozenset(["no", "not", "never", "neither", "nor", "without", "cannot"])
_ENDINGS = frozenset(["s", "es", "ed", "ing", "ly", "er", "est", "d", "r", "y", "al", "t", "re", "ve", "ll"])


class Wording:
    """The shifts of one tokenizer's tokens; `size` is how many logits the model has. Safe to use from several threads.

    The tokenizer is one of `prompts`; the first call reads all of its tokens, in less than a second.
    """

    def __init__(self, tokenizer: Any, size: int) -> None:
        self._tokenizer, self._size = tokenizer, size

    def shifts(self, passage: str, asked: str) -> np.ndarray:
        """Return what each token's logit gains or loses, (size,) float32; `asked` is the turn that has the passage.

        Nothing, where the passage is not English.
        """
        import numpy as np

        said = clean_text(passage)
        if not is_english(said):
            return np.zeros(self._size, np.float32)  # or English words, the plain ones, would take its words' place
        shifts: np.ndarray = -self._costs
        # Tokens differ at the beginning of a text, after a space, after a sign ("(recessive)"), and by case. A capital
        # is free only where it is said: with "not" and "no" in the passage, "No, …" is still no answer to begin with.
        words = " ".join(["", *_LETTERS.findall(clean_text(asked))])
        shifts[[token for form in (clean_text(asked), said, words, words.lower()) for token in self._tokens(form)]] = 0
        named = [word for found in _WORD.findall(said) if is_name(word := _EDGES.sub("", found))]
        tokens = {token for word in named for token in (*self._tokens(word), *self._tokens(f" {word}"))}
        shifts[[token for token in tokens if any(map(str.isalpha, self._text(token)))]] = NAME_GAIN
        return shifts

    def costs(self, passage: str, asked: str) -> dict[int, float]:
        """Return the shifts of words for inheritance and denial, by token: few enough to be sent to a server."""
        shifts = self.shifts(passage, asked)
        return {token: float(shifts[token]) for token in self._claiming if shifts[token] < 0}

    @cached_property
    def _claiming(self) -> list[int]:
        return [token for token in range(self._size) if _claims(self._text(token))]

    @cached_property
    def _costs(self) -> np.ndarray:
        """What each token loses where nobody has said it: (size,) float32."""
        import numpy as np

        known = familiar_words() | FUNCTION_WORDS | GENERAL_WORDS
        roots = {stem(word) for word in known}
        return np.array([_cost(self._text(token), known, roots) for token in range(self._size)], np.float32)

    def _text(self, token: int) -> str:
        text: str = self._tokenizer.decode([token], skip_special_tokens=True)
        return text

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return ids


def is_name(word: str) -> bool:
    """Return whether a word is one that no other can stand for: two capitals ("BRCA2", "NIH"), or letters and digits.

    Names of diseases and people are words like any other.
    """
    return sum(map(str.isupper, word)) >= 2 or (any(map(str.isdigit, word)) and any(map(str.isalpha, word)))


def _cost(text: str, known: frozenset[str], roots: set[str]) -> float:
    if _is_pattern(text):
        return PATTERN_COST
    return 0.0 if not _claims(text) and _is_plain(text, known, roots) else OTHER_COST


def _is_pattern(text: str) -> bool:
    return text.strip().lower() in _PATTERNS or text in _SEX_LINKED


def _claims(text: str) -> bool:
    return _is_pattern(text) or text.strip().lower() in _DENYING


def _is_plain(text: str, known: frozenset[str], roots: set[str]) -> bool:
    word = text.strip().lower()
    if any(map(str.isdigit, word)):
        return False
    if not any(map(str.isalpha, word)):
        return True  # punctuation, white space, a piece of a character, the end of the answer
    if text[0] == " " or text[0].isupper():
        return word in known or stem(word) in roots
    return word in _ENDINGS
