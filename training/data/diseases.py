"""Which pairs are about the same disease: those whose focus areas share a name, a synonym's names included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from medilite.records import Example

_WORD = re.compile(r"\w+")


def disease_of(examples: Iterable[Example], synonyms: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the disease of each pair by `qid`: one name for all pairs that any chain of shared names connects.

    Names are compared by their words, without case and punctuation. An abbreviation that two diseases share makes them
    one: rather too few diseases than too many, so that a held-out disease has no other name in training.
    """
    names = {
        example.qid: [name for text in (example.focus_area, *synonyms.get(example.qid, ())) if (name := plain(text))]
        for example in examples
    }
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parent.setdefault(name, name)) != name:
            parent[name] = name = parent[above]
        return name

    for first, *others in filter(None, names.values()):
        for other in others:
            low, high = sorted((root(first), root(other)))
            parent[high] = low
    return {qid: root(own[0]) if own else "" for qid, own in names.items()}


def plain(name: str) -> str:
    """Return a name's words, without case and punctuation."""
    return " ".join(_WORD.findall(name.casefold()))
