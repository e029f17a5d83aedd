"""The names of a topic: those of its collection, and those that its own answers give."""

from __future__ import annotations

import re

from medilite.sources.query import name_key

HEAD_CHARS = 600
"""The beginning of an answer, where it gives its topic's other names."""

_ALSO = re.compile(
    r"\b(?:also (?:called|known as|referred to as)|sometimes called|(?:previously|formerly) (?:called|known as))\s+"
    r"([^.;:()]{3,60}?)(?=[.,;:()]|\s+(?:is|are|or)\s)"
)
_IN_BRACKETS = re.compile(r"(.*?)\s*\((?:also (?:called|known as)\s+)?(.*?)\)")


def names_of(topic: str, answer: str, given: tuple[str, ...] = ()) -> set[str]:
    """Return the keys (`query.name_key`) of all names of a topic that the collection or this answer gives."""
    names = {topic, *given}
    if inside := _IN_BRACKETS.match(topic):
        names |= {inside[1], inside[2]}
    if topic.count(",") == 1:
        before, after = topic.split(",")
        names.add(f"{after} {before}")
    head = answer[:HEAD_CHARS]
    if topic.casefold() in head.casefold():
        names |= {match[1].strip(" \"'") for match in _ALSO.finditer(head)}
        names |= set(re.findall(rf"(?i:{re.escape(topic)})[^()]{{0,3}}\(([A-Z][A-Za-z0-9-]{{1,9}})\)", head))
    return {key for name in names if (key := name_key(name))}
