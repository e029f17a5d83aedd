"""Questions to search with: reworded ones, made from a collection's own entries by a seed.

Each is about one topic and, mostly, of one kind. A topic belongs to one half, by
a seed: what chose the search's rules is of the first half, what is reported of
the second, and the two have different wordings.
"""

from __future__ import annotations

import csv
import random
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from medilite.sources.records import Entry

Half = Literal["choosing", "reporting"]

How = Literal["plain", "lower", "typo", "synonym", "long", "described"]
LONG_SHARE, DESCRIBED_SHARE = 0.2, 0.15
_FROM = 6
"""Shortest word that gets a typo, in letters."""

_NOT_A_NAME = ("what", "how", "causes")

FILE = Path(__file__).with_name("wordings.tsv")
_STORY = "story"


@dataclass(frozen=True, slots=True)
class Reworded:
    """A question about one topic of the collection, of one kind (None where it only describes it); how it is put."""

    text: str
    topic: str
    kind: str | None
    how: How


def read_wordings() -> dict[Half, dict[str, list[str]]]:
    """Return the wordings of MedQuAD's kinds of questions by half, and under "story" long messages around a question.

    In a wording {} is the topic's name; in a story {n} is, and {q} the question. Those of the half
    "reporting" were written before its first result, and no fit saw them.
    """
    found: dict[Half, dict[str, list[str]]] = {"choosing": defaultdict(list), "reporting": defaultdict(list)}
    with FILE.open(encoding="utf-8", newline="") as file:
        for half, kind, wording in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            found[cast("Half", half)][kind].append(wording)
    return found


def halves(entries: Sequence[Entry]) -> dict[Half, list[str]]:
    """Return the collection's topics in two halves, by one seed."""
    topics = sorted({e.topic for e in entries if e.topic and not e.topic.lower().startswith(_NOT_A_NAME)})
    random.Random(7).shuffle(topics)
    middle = len(topics) // 2
    return {"choosing": topics[:middle], "reporting": topics[middle:]}


def reworded(
    entries: Sequence[Entry], topics: Collection[str], half: Half, count: int, seed: int, *, described: bool = True
) -> list[Reworded]:
    """Return `count` questions about `topics`, sources equally often, in this half's wordings.

    With `described` some name no disease and give part of an answer's sentence.
    """
    rng = random.Random(seed)
    wordings = read_wordings()[half]
    stories = wordings.pop(_STORY)
    by_source: dict[str, list[Entry]] = defaultdict(list)
    known = set(topics)
    for entry in entries:
        if entry.topic in known and entry.kind in wordings:
            by_source[entry.source].append(entry)
    found: list[Reworded] = []
    while len(found) < count:
        entry = rng.choice(by_source[rng.choice(sorted(by_source))])
        name, how = _name(entry, rng)
        text = rng.choice(wordings[entry.kind]).format(name)
        draw = rng.random()
        if draw < LONG_SHARE:
            found.append(
                Reworded(rng.choice(stories).format(n=entry.topic.lower(), q=text), entry.topic, entry.kind, "long")
            )
        elif described and draw < LONG_SHARE + DESCRIBED_SHARE and (part := _described(entry, rng)):
            found.append(Reworded(part, entry.topic, None, "described"))
        else:
            found.append(Reworded(text, entry.topic, entry.kind, how))
    return found


def _name(entry: Entry, rng: random.Random) -> tuple[str, How]:
    """Return what a question calls an entry's topic: as it is, in lower case, with a typo, or by another name."""
    how: How = rng.choice(("plain", "lower", "typo", "synonym"))
    others = [name for name in entry.names if name.casefold() != entry.topic.casefold()]
    if how == "synonym" and others:
        return rng.choice(others), how
    if how == "typo":
        return with_typo(entry.topic.lower(), rng), how
    return (entry.topic, how) if how == "plain" else (entry.topic.lower(), "lower")


def with_typo(name: str, rng: random.Random) -> str:
    """Return a name with two letters of its longest word swapped, one left out, or one doubled."""
    parts = name.split()
    longest = max(range(len(parts)), key=lambda place: len(parts[place]))
    word = parts[longest]
    if len(word) < _FROM:
        return name
    at = rng.randrange(1, len(word) - 2)
    parts[longest] = rng.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[: at + 1] + word[at] + word[at + 1 :],
        )
    )
    return " ".join(parts)


def _described(entry: Entry, rng: random.Random) -> str:
    """Return two thirds of one of an answer's first sentences without the topic's name; "" where there is none."""
    if entry.kind not in ("information", "symptoms", "causes"):
        return ""
    sentences = [s for s in re.split(r"(?<=[.]) ", entry.answer) if 10 <= len(s.split()) <= 40][:3]
    if not sentences:
        return ""
    plain = re.sub(re.escape(entry.topic), "this", rng.choice(sentences), flags=re.IGNORECASE)
    parts = re.sub(r"\([A-Z0-9-]+\)", "", plain).split()
    count = max(6, int(len(parts) * 0.66))
    first = rng.randrange(0, len(parts) - count + 1) if len(parts) > count else 0
    return " ".join(parts[first : first + count]).lower()
