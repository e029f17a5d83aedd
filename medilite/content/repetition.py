"""Repetition within an answer, and of the question."""

from __future__ import annotations

from medilite.content.words import words

ECHO_WORDS = 4
"""Fewest words in a row that count as copied from the question."""

_ASKING = """
what which who whom whose when where why how
is are am was were be been do does did done can could may might must shall should will would has have had
i me my mine myself we us our ours you your yours he him his she her hers it its they them their theirs
tell explain describe give please
"""

ASKING = frozenset(_ASKING.split())
"""Words that make a stretch of the question more than its subject's name: interrogatives, auxiliaries, pronouns."""


def repeated_ngrams(text: str, n: int = 4) -> float | None:
    """Return the share (0..1) of the n-grams of words in `text` that occurred before in it; None if it has none.

    1 − distinct n-grams / n-grams: "a b c d a b c d" has five 4-grams, the last
    of which is the first again, so 0.2. Case and punctuation do not matter.
    """
    tokens = words(text)
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else None


def echo_share(question: str, answer: str) -> float | None:
    """Return the share (0..1) of the answer's words that are copied from the question; None without a word.

    Copied is a run of at least ECHO_WORDS words that the question has in the same order (the whole question, if it has
    just three), and has a word of ASKING in it. So "what are the symptoms of gout" is an echo, and a name or any other
    phrase without such a word ("the symptoms of type two diabetes"), however long and often used, is none: an answer
    has to name its subject.
    """
    asked, said = words(question), words(answer)
    if not said:
        return None
    shortest = min(ECHO_WORDS, max(3, len(asked)))
    longest = _longest_runs(asked, said)
    copied = at = 0
    while at < len(said):
        length = longest[at]
        if length >= shortest and not ASKING.isdisjoint(said[at : at + length]):
            copied += length
            at += length
        else:
            at += 1
    return copied / len(said)


def longest_copied(source: str, answer: str) -> int:
    """Return how many words in a row, at most, an answer has from `source`; case and punctuation do not matter."""
    return max(_longest_runs(words(source), words(answer)), default=0)


def _longest_runs(source: list[str], said: list[str]) -> list[int]:
    """Return, for every place in `said`, how many words from there on `source` has in a row as well.

    From the end on, a run is one longer than that of the next word at the next
    place, so no run is counted out twice.
    """
    starts: dict[str, list[int]] = {}
    for start, word in enumerate(source):
        starts.setdefault(word, []).append(start)
    longest = [0] * len(said)
    after: dict[int, int] = {}
    for at in range(len(said) - 1, -1, -1):
        after = {start: 1 + after.get(start + 1, 0) for start in starts.get(said[at], ())}
        longest[at] = max(after.values(), default=0)
    return longest
