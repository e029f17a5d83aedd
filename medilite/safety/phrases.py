"""A small notation for phrases, compiled to regular expressions, so that the table of rules can be read by people.

A phrase is items parted by spaces, matched against lower-case words parted by
single spaces, "|" between sentences:

    word            this word; `word*` any word that begins so; \\d+ and the like work
    a|b|two_words   one of these; `_` joins words that follow each other
    <name>          inside alternatives: a named list of words
    a|b?            may be there or not
    ..              up to 3 words in between; .... up to 7; never past the end of a sentence
    -a|b            the next word is none of these
    --a|b           none of these comes within the next 9 words
    !a|b            the word before is none of these
    x & y           both phrases in one sentence, in either order
    ^ $             beginning and end of a sentence; END among alternatives is its end, too
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_GAPS = {"..": r"(?:\w+ ){0,3}?", "....": r"(?:\w+ ){0,7}?"}
_ENDS = {"^": r"(?:(?<=^ )|(?<=\| ))", "$": r"(?=\|)"}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A compiled phrase: patterns that all have to occur in one sentence."""

    patterns: tuple[re.Pattern[str], ...]

    def occurs(self, words: str) -> bool:
        """Return whether the phrase occurs in `words`, which the module's notation is about."""
        if len(self.patterns) == 1:
            return self.patterns[0].search(words) is not None
        return any(all(pattern.search(f"{part}|") for pattern in self.patterns) for part in words.split("|"))


def compile_phrase(phrase: str, names: Mapping[str, str]) -> Phrase:
    """Return one phrase, compiled; `names` maps each <name> to its alternatives. Raises KeyError for others."""
    phrase = re.sub(r"<(\w+)>", lambda match: _named(match[1], names), phrase)
    return Phrase(tuple(re.compile("(?<= )" + "".join(map(_item, part.split()))) for part in phrase.split(" & ")))


def phrases(table: str) -> Iterable[str]:
    """Yield the phrases of a table: one a line, without comments (from "#" on) and empty lines."""
    for line in table.splitlines():
        if phrase := line.partition("#")[0].strip():
            yield phrase


def _named(name: str, names: Mapping[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda match: _named(match[1], names), "|".join(names[name].split()))


def _item(item: str) -> str:
    if item in _GAPS:
        return _GAPS[item]
    if item in _ENDS:
        return _ENDS[item]
    if item.startswith("--"):
        return rf"(?!(?:\w+ ){{0,9}}?{_words(item[2:])} )"
    if item.startswith("-"):
        return f"(?!{_words(item[1:])} )"
    if item.startswith("!"):
        # Each alternative by itself: a look-behind has to have one width.
        return "".join(f"(?<! {word.replace('_', ' ')} )" for word in item[1:].split("|"))
    if item.endswith("?"):
        return f"(?:{_words(item[:-1])} )?"
    return f"{_words(item)} "


def _words(alternatives: str) -> str:
    words = [re.sub(r"(?<=\w)\*", r"\\w*", word.replace("_", " ")) for word in alternatives.split("|")]
    words = [r"\|" if word == "END" else word for word in words]
    return f"(?:{'|'.join(words)})"
