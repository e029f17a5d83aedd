"""Questions to search with: reworded ones, made from a collection's own entries by a seed.

Each is about one topic and, mostly, of one kind. A topic belongs to one half, by
a seed: what chose the search's rules is of the first half, what is reported of
the second, and the two have different wordings.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from medilite.sources.records import Entry

Half = Literal["choosing", "reporting"]

WORDINGS: Mapping[Half, Mapping[str, tuple[str, ...]]] = {
    "choosing": {
        "treatment": (
            "can anything be done about {}?",
            "my sister has {}, what helps",
            "doctor says i have {}. do i need surgery or is there medicine",
            "how do they treat {}",
        ),
        "symptoms": (
            "how would i know if i have {}",
            "my baby may have {}, what should i look out for?",
            "warning signs of {} please",
            "what does {} feel like",
        ),
        "causes": ("why do people get {}?", "how did i get {}", "where does {} come from"),
        "inheritance": (
            "will my kids get {} from me?",
            "does {} run in the family",
            "my father had {}, can it be passed down",
        ),
        "genetic changes": ("which gene is behind {}?", "what mutation gives {}"),
        "frequency": ("how rare is {}?", "how many folks have {}"),
        "information": (
            "tell me about {}",
            "Hello, my son was just diagnosed with {} and I would like to learn more. Thank you",
            "{}?",
            "explain {} in simple words",
        ),
        "exams and tests": ("what tests find {}?", "how do doctors check for {}"),
        "prevention": ("how can i keep from getting {}?", "avoid {}"),
        "outlook": ("is {} deadly?", "how long can you live with {}"),
        "susceptibility": ("am i in danger of getting {}?", "who gets {} most"),
        "research": ("any new trials for {}?",),
        "considerations": ("what can i eat with {}?",),
        "complications": ("what problems can {} lead to",),
        "stages": ("what stages does {} have",),
    },
    "reporting": {
        "treatment": (
            "is there a pill for {}",
            "options for somebody living with {}",
            "what do specialists give patients against {}?",
            "Mom was told it is {}. What now?",
        ),
        "symptoms": (
            "which complaints are typical of {}?",
            "could these spots be {}? what else would show",
            "how does {} show itself in a toddler",
            "what happens to the body in {}",
        ),
        "causes": ("what brings on {}?", "did stress give me {}", "what is {} triggered by"),
        "inheritance": (
            "my grandmother had {}. should I worry about my daughter?",
            "is {} dominant or recessive",
            "odds that a second child has {} too",
        ),
        "genetic changes": ("which DNA change leads to {}?", "what is altered in people with {}"),
        "frequency": ("number of people with {} in the US", "is {} something unusual?"),
        "information": (
            "what exactly is {}",
            "need basics on {}",
            "My niece's chart says {}; nobody explained it to us. Could you?",
            "{} meaning",
        ),
        "exams and tests": ("which blood work or scan confirms {}?", "how sure can one be that it is {}"),
        "prevention": ("steps so that my family never gets {}", "does a healthy life lower the odds of {}?"),
        "outlook": ("will somebody with {} grow old?", "does {} go away by itself"),
        "susceptibility": ("which people come down with {}?", "are older adults prone to {}"),
        "research": ("what are scientists studying about {}",),
        "considerations": ("meal plan for {}",),
        "complications": ("can {} harm other organs",),
        "stages": ("how far along can {} be when it is found",),
    },
}
"""Wordings of MedQuAD's kinds of questions; those of "reporting" before any result, and no fit saw them."""

STORIES: Mapping[Half, tuple[str, ...]] = {
    "choosing": (
        "Hello. I am 45 and work nights in a factory. Last spring the doctor told me that I may have {n}. My wife is "
        "worried and we have two kids and no insurance. {q} Thank you for your time.",
        "dear sir {q} my aunt in Ohio has had {n} since 2009 and takes a lot of pills for her heart and pressure , "
        "please reply soon",
        "{q} I read on the internet that it could be bad. I am female, 32, weight 150 lbs, and I exercise and do not "
        "smoke.",
    ),
    "reporting": (
        "Good evening, I drive a truck and am away for weeks. When I came home my husband said the clinic called "
        "about {n}. {q} We live far from any hospital, so please answer by mail.",
        "{q} i am a student from Kenya writing a paper , my teacher said {n} is a good topic but the library is closed",
        "Sorry for my English. {q} My friend, 61, retired nurse, had two operations on the knee and now this.",
    ),
}

How = Literal["plain", "lower", "typo", "synonym", "long", "described"]
LONG_SHARE, DESCRIBED_SHARE = 0.2, 0.15
_FROM = 6
"""Shortest word that gets a typo, in letters."""

_NOT_A_NAME = ("what", "how", "causes")


@dataclass(frozen=True, slots=True)
class Reworded:
    """A question about one topic of the collection, of one kind (None where it only describes it); how it is put."""

    text: str
    topic: str
    kind: str | None
    how: How


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
    wordings, stories = WORDINGS[half], STORIES[half]
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
