"""Analyse a question by rules: its words, spelling corrected, and what it asks about a disease."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from medilite.content.common_words import FUNCTION_WORDS
from medilite.content.words import words

MOST_WORDS = 400
"""Words of a question that are used; 2,000 characters have no more."""

NAME_WORDS = 9
"""Longest name of a disease, in words."""

_POLITE = """
please thank thanks hello hi dear sir madam tell know want like would learn question questions information
anything something advise advice reply help soon concerned worried
"""
STOP_WORDS = FUNCTION_WORDS | set(_POLITE.split())
_JOINERS = {"the", "of", "and", "a", "an", "in", "with"}

_KINDS = {
    "treatment": r"\b(?:treat\w*|cur(?:e[ds]?|able)|medic(?:ines?|ations?)|drugs?|surg\w+|therap\w+|helps?|relie[fv]\w*"
    r"|remed\w+|manag\w+|prescri\w+|doses?|antibiotics?|get rid|pills?|tablets?|operations?|heal(?:ed|s)?|cope|coping"
    r"|reduc\w+|lower(?:ing)? (?:it|this|my|the)|options?|deal(?:ing)? with)\b"
    r"|\b(?:can|should|could|must|to) (?:be|i|we|you|he|she|they|one) (?:do|done|take|taken|try|use)\b"
    r"|\bwhat (?:now|next|to do|works)\b",
    "symptoms": r"\b(?:symptoms?|signs?|feels? like|looks? (?:like|out)|notice\w*|complaints?|shows? (?:up|itself)"
    r"|happens? to (?:the|your|a|my))\b|\b(?:know|tell) if\b",
    "causes": r"\b(?:caus\w+|come from|reasons?|due to|spread\w*|contag\w+|catch|trigger\w*|brings? (?:it |this )?on"
    r"|results? (?:of|from))\b|\bwhy (?:do|does|did|are|is)\b"
    r"|\bhow (?:do|does|did) (?:i|you|we|he|she|people|one|it|someone|somebody) (?:get|start|begin|happen|develop)\b",
    "inheritance": r"\b(?:inherit\w*|runs? in|heredit\w+|passed|pass (?:it|this|on)|dominant|recessive|carriers?"
    r"|offspring)\b"
    r"|\b(?:kids?|child\w*|baby|babies|sons?|daughters?) (?:also )?(?:get|have|has|inherit)\b",
    "genetic changes": r"\b(?:genes?|mutations?|chromosom\w+|genetic(?:ally|s)?|dna)\b",
    "frequency": r"\bhow (?:rare|common|many|often|unusual|widespread)\b|\b(?:prevalen\w+|inciden\w+)\b"
    r"|\bnumber of (?:people|cases|patients)\b|\bis (?=(?:\w+ ){1,5}(?:rare|common|unusual)\b)",
    "exams and tests": r"\b(?:test(?:s|ed|ing)?|di[oa]gn[oe]?s(?:is|e|ing|tic\w*)|detect\w*|scans?|screen\w*|x-?rays?"
    r"|biops\w+|blood ?work|confirm\w*|check(?:ed|s)? for)\b"
    r"|(?<!was )(?<!been )(?<!were )(?<!just )(?<!newly )(?<!recently )\bdi[oa]gn[oe]?[sz]ed\b"
    r"(?! (?:with|as|in|at|on|by)\b)",
    "prevention": r"\b(?:prevent\w*|avoid\w*|keep from|protect\w*|vaccin\w+|never gets?)\b",
    "outlook": r"\b(?:deadly|fatal|dies?|deaths?|surviv\w+|live with|life ?(?:expect\w+|spans?)|prognos\w+|outlook"
    r"|progress\w*|gets? (?:worse|better)|worsen\w*|recover\w*|live (?:long|to)|grow old|go(?:es)? away|come back"
    r"|recur\w*|terminal|dangerous|serious)\b|\bhow long\b",
    "susceptibility": r"\b(?:risks?|at risk|danger|who gets|likely|chances?|prone|which people|odds)\b",
    "research": r"\b(?:trials?|research\w*|scientists?|studies)\b",
    "considerations": r"\b(?:eat\w*|diets?|foods?|meals?|nutrition\w*)\b",
    "stages": r"\bstages?\b|\bhow far\b",
    "complications": r"\b(?:complications?|problems can|harm\w*|lead to|damage\w*)\b",
}
KINDS = {kind: re.compile(pattern) for kind, pattern in _KINDS.items()}
"""The words that ask for each of MedQuAD's question types."""

_SENTENCE_END = re.compile(r"(?<=[.?!])\s+|\n+")
_ASKS = re.compile(
    r"\?|^\W*(?:(?:and|but|so|also|or|then) )?(?:what|how|why|who|which|where|when|can|could|is|are|do|does|did|will"
    r"|would|should|may|might|any)\b"
    r"|\b(?:please|tell me|wonder\w*|looking for|(?:want|need|like|wish|try\w*) to|information|info|advi[cs]e"
    r"|suggest\w*|questions?|help)\b"
)
"""Finds the sentences that ask something, among those that describe a situation."""


ILLNESS = ("disease", "disorder", "illness", "illnesse", "condition", "problem", "trouble")
"""Words, as `name_word` (which makes "illnesse" of "illnesses"), that mean the same in a name: "mental
illness" is "Mental Disorders". Not "syndrome", which often tells one disease from another."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An analysed question: its words, those with content, and the kinds of answer that it asks for."""

    words: tuple[str, ...]
    content: tuple[str, ...]
    kinds: frozenset[str]
    about: tuple[str, ...] = ()
    """`content` without the words that ask for a kind of answer ("treated", "symptoms")."""
    asking: tuple[str, ...] = ()
    """The words of the sentences that ask something."""

    def gist(self, weights: Mapping[str, float], most: int) -> str:
        """Return the text to encode: the question's words in order, at most `most` of them.

        A longer question keeps the words of the sentences that ask, then those with the greatest `weights`.
        """
        if len(self.words) <= most:
            return " ".join(self.words)
        asking = set(self.asking)
        worth = {word: (word in asking, weights.get(word, 0.0)) for word in self.words}
        if len(asking) > most:
            worth = {word: (False, weight) for word, (_, weight) in worth.items()}
        kept = set(sorted(worth, key=worth.__getitem__, reverse=True)[:most])
        return " ".join(word for word in dict.fromkeys(self.words) if word in kept)

    def spans(self) -> Iterable[tuple[int, int, str]]:
        """Yield (start, end, key as `name_key`) for each run of words that may be a name, longest first.

        A run with one word of `ILLNESS` also yields the keys with each of the others in its place.
        """
        kept = [name_word(word) for word in self.named_words()]
        for length in range(min(NAME_WORDS, len(kept)), 0, -1):
            for start in range(len(kept) - length + 1):
                run = kept[start : start + length]
                yield start, start + length, " ".join(sorted(run))
                rest = [word for word in run if word not in ILLNESS]
                if rest and len(rest) == length - 1:
                    for word in ILLNESS:
                        yield start, start + length, " ".join(sorted([*rest, word]))

    def named_words(self) -> list[str]:
        """Return the words that the positions of `spans` refer to: those that a name may have."""
        return [word for word in self.words if word not in _JOINERS]

    def beside(self, keys: Collection[str]) -> tuple[str, ...] | None:
        """Return the words just before and after the longest of the names `keys` in the question; None if none is."""
        kept = self.named_words()
        for start, stop, key in self.spans():
            if key in keys:
                return tuple(kept[at] for at in (start - 1, stop) if 0 <= at < len(kept))
        return None


def take_apart(question: str, mend: Callable[[str], str] = lambda word: word) -> Asked:
    """Return what a question asks; `mend` corrects the spelling of a word."""
    found: list[str] = []
    asking: list[str] = []
    for sentence in _SENTENCE_END.split(question):
        part = [mend(word) for word in words(sentence)[: MOST_WORDS - len(found)]]
        found += part
        asking += part if _ASKS.search(sentence.casefold()) else []
    content = tuple(dict.fromkeys(word for word in found if word not in STOP_WORDS))
    everywhere = _kinds_in(found)
    kinds = _kinds_in(asking) or everywhere
    said = {word for phrases in everywhere.values() for phrase in phrases for word in phrase.split()}
    return Asked(
        words=tuple(found),
        content=content,
        kinds=frozenset(kinds),
        about=tuple(word for word in content if word not in said),
        asking=tuple(asking),
    )


def _kinds_in(some: Sequence[str]) -> dict[str, list[str]]:
    """Return the phrases by which words ask for a kind of answer, by kind."""
    plain = " ".join(some)
    found = {kind: [match[0] for match in pattern.finditer(plain)] for kind, pattern in KINDS.items()}
    return {kind: phrases for kind, phrases in found.items() if phrases}


def name_key(name: str) -> str:
    """Return a key that two spellings of a name share: its words sorted, without plurals and small words; "" for none.

    So "Dementia with Lewy Bodies" and "Lewy body dementia" are one name.
    """
    kept = sorted(name_word(word) for word in words(name) if word not in _JOINERS)
    return " ".join(kept) if 0 < len(kept) <= NAME_WORDS else ""


def name_word(word: str) -> str:
    """Return a word as it is compared in names: without the 's of a possessive or the s of a plural."""
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "is", "us")):
        return word[:-1]
    return word
