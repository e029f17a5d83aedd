"""A small notation for phrases, compiled to regular expressions, so that the table of rules can be read by people.

A phrase is items parted by spaces, matched against lower-case words parted by
single spaces, "|" between sentences:

    word            this word; `word*` any word that begins so; \\d+ and the like work
    a|b|two_words   one of these; `_` joins words that follow each other
    <name>          inside alternatives: a named list of words; a_<name> puts "a" before each
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

_A_WORD = re.compile(r"\S+")
_REMEMBERED = 20_000


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
    phrase = _with_names(phrase, names)
    return Phrase(tuple(re.compile("(?<= )" + "".join(map(_item, part.split()))) for part in phrase.split(" & ")))


class PhraseBook:
    """Many phrases, looked up by the words that they can begin with, so that a text takes time by its length alone."""

    def __init__(self, compiled: Iterable[tuple[str, Phrase]], names: Mapping[str, str]) -> None:
        """Take (phrase as written, phrase compiled)."""
        self._anywhere: list[Phrase] = []
        self._begun: list[tuple[re.Pattern[str], re.Pattern[str]]] = []
        for written, phrase in compiled:
            first = None if len(phrase.patterns) > 1 else _first_word(written, names)
            if first is None:
                self._anywhere.append(phrase)
            else:
                self._begun.append((first, phrase.patterns[0]))
        self._by_word: dict[str, tuple[re.Pattern[str], ...]] = {}

    def any_occurs(self, words: str) -> bool:
        """Return whether any of the phrases occurs in `words`."""
        for match in _A_WORD.finditer(words):
            if any(pattern.match(words, match.start()) for pattern in self._beginning_with(match[0])):
                return True
        return any(phrase.occurs(words) for phrase in self._anywhere)

    def _beginning_with(self, word: str) -> tuple[re.Pattern[str], ...]:
        found = self._by_word.get(word)
        if found is None:
            found = tuple(pattern for first, pattern in self._begun if first.fullmatch(word))
            if len(self._by_word) < _REMEMBERED:
                self._by_word[word] = found
        return found


def _first_word(written: str, names: Mapping[str, str]) -> re.Pattern[str] | None:
    """Return what the first word of a phrase can be, None if its notation doesn't determine that."""
    alternatives: list[str] = []
    for item in _with_names(written, names).split():
        if item == "^" or item[0] in "-!":
            continue
        if item in _GAPS or item in _ENDS or "(" in item or "END" in item.rstrip("?").split("|"):
            return None
        for word in item.rstrip("?").split("|"):
            # "self_?harm" is one word or two.
            alternatives += [word.partition("_")[0], word.replace("_?", "").partition("_")[0]]
        if not item.endswith("?"):
            return re.compile("|".join(re.sub(r"(?<=\w)\*", r"\\w*", word) for word in alternatives))
    return None


def phrases(table: str) -> Iterable[str]:
    """Yield the phrases of a table: one a line, without comments (from "#" on) and empty lines."""
    for line in table.splitlines():
        if phrase := line.partition("#")[0].strip():
            yield phrase


def _with_names(phrase: str, names: Mapping[str, str]) -> str:
    """Return a phrase with the words that each <name> stands for."""

    def words(match: re.Match[str]) -> str:
        before, name = match.groups()
        return _with_names("|".join(before + word for word in names[name].split()), names)

    return re.sub(r"((?:\w+_)?)<(\w+)>", words, phrase)


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
