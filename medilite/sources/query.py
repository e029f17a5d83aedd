"""What a question is about, read by rules: its words, put right, and what of a disease it asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from medilite.content.common_words import FUNCTION_WORDS
from medilite.content.words import words

MOST_WORDS = 400
"""Words of a question that are looked at: 2,000 characters have no more."""

NAME_WORDS = 9
"""Longest name of a disease, in words."""

_POLITE = """
please thank thanks hello hi dear sir madam tell know want like would learn question questions information
anything something advise advice reply help soon concerned worried
"""
STOP_WORDS = FUNCTION_WORDS | set(_POLITE.split())
_JOINERS = {"the", "of", "and", "a", "an", "in"}

_KINDS = {
    "treatment": r"\b(?:treat\w*|cur(?:e[ds]?|able)|medic(?:ines?|ations?)|drugs?|surg\w+|therap\w+|helps?|relie[fv]\w*"
    r"|remed\w+|manag\w+|prescri\w+|doses?|antibiotics?|get rid)\b"
    r"|\b(?:can|should) (?:be|i|we|you|he|she|they) (?:do|done)\b",
    "symptoms": r"\b(?:symptoms?|signs?|feels? like|looks? (?:like|out)|notice\w*)\b|\b(?:know|tell) if\b",
    "causes": r"\b(?:caus\w+|come from|reasons?|due to|spread\w*|contag\w+|catch)\b|\bwhy (?:do|does|did|are|is)\b"
    r"|\bhow (?:do|does|did) (?:i|you|we|people|one|it|someone) (?:get|start|begin|happen)\b",
    "inheritance": r"\b(?:inherit\w*|runs? in|heredit\w+|passed|pass (?:it|this|on))\b"
    r"|\b(?:kids?|child\w*|baby|babies|sons?|daughters?) (?:also )?(?:get|have|inherit)\b",
    "genetic changes": r"\b(?:genes?|mutations?|chromosom\w+|genetic(?:ally|s)?)\b",
    "frequency": r"\bhow (?:rare|common|many|often)\b|\b(?:prevalen\w+|inciden\w+)\b",
    "exams and tests": r"\b(?:test(?:s|ed|ing)?|di[oa]gn[oe]?[sz]\w+|detect\w*|scans?|screen\w*|x-?rays?|biops\w+)\b",
    "prevention": r"\b(?:prevent\w*|avoid\w*|keep from|protect\w*|vaccin\w+)\b",
    "outlook": r"\b(?:deadly|fatal|dies?|deaths?|surviv\w+|live with|life expect\w+|prognos\w+|outlook|progress\w*"
    r"|gets? worse|worsen\w*)\b",
    "susceptibility": r"\b(?:risks?|at risk|danger|who gets|likely|chances?)\b",
    "research": r"\b(?:trials?|research\w*)\b",
    "considerations": r"\b(?:eat\w*|diets?|foods?)\b",
    "stages": r"\bstages?\b",
    "complications": r"\b(?:complications?|problems can)\b",
}
KINDS = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}
"""Of what MedQuAD's question types are asked with, in whatever words."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question taken apart: its words, those that carry content, possible names in it, and the kinds it asks for."""

    words: tuple[str, ...]
    content: tuple[str, ...]
    kinds: frozenset[str]
    about: tuple[str, ...] = ()
    """Of `content`, what is left without the words that say what kind of answer is wanted ("treated", "symptoms")."""

    @property
    def text(self) -> str:
        """The question in its words, as it is encoded."""
        return " ".join(self.words)

    def spans(self) -> Iterable[tuple[int, int, str]]:
        """Yield (first, behind the last, key) for each run of words that a name may be, longest first."""
        kept = [name_word(word) for word in self.named_words()]
        for length in range(min(NAME_WORDS, len(kept)), 0, -1):
            for start in range(len(kept) - length + 1):
                yield start, start + length, " ".join(kept[start : start + length])

    def named_words(self) -> list[str]:
        """Return the words that `spans` counts: those that a name may have."""
        return [word for word in self.words if word not in _JOINERS]


def take_apart(question: str, mend: Callable[[str], str] = lambda word: word) -> Asked:
    """Return what a question asks; `mend` puts a misspelt word right."""
    found = tuple(mend(word) for word in words(question)[:MOST_WORDS])
    content = tuple(dict.fromkeys(word for word in found if word not in STOP_WORDS))
    plain = " ".join(found)
    asking = {kind: [match[0] for match in pattern.finditer(plain)] for kind, pattern in KINDS.items()}
    said = {word for matches in asking.values() for match in matches for word in match.split()}
    return Asked(
        words=found,
        content=content,
        kinds=frozenset(kind for kind, matches in asking.items() if matches),
        about=tuple(word for word in content if word not in said),
    )


def name_key(name: str) -> str:
    """Return what two spellings of a name share: case, accents, plural and small words left out; "" for none."""
    kept = [name_word(word) for word in words(name) if word not in _JOINERS]
    return " ".join(kept) if 0 < len(kept) <= NAME_WORDS else ""


def name_word(word: str) -> str:
    """Return a word as names are compared by: without the 's of a possessive, or the s of a plural."""
    word = word.removesuffix("'s")
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "is", "us")):
        return word[:-1]
    return word
