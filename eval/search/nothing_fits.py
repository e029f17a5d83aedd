"""When a search should say that nothing fits: questions whose topic is in the library, and questions whose is not.

Topics of both halves are taken out of a collection, each with whatever is called
the same or is a part of it, and the rest is built into a library. A question
about a topic taken out has no answer there. `choose` fits the rule on the
choosing half; `rates` counts its errors, which are reported of the other half, on
questions in other wordings.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.search.questions import Half, Reworded, halves, reworded
from eval.search.sets import Example, is_about
from medilite.sources.build import build_library, distinct_questions
from medilite.sources.layout import MEANING
from medilite.sources.library import Library
from medilite.sources.names import names_of
from medilite.sources.query import name_key
from medilite.sources.ranking import SURE, Signs, confidence, fits
from medilite.sources.records import Entry

if TYPE_CHECKING:
    import numpy as np

Encode = Callable[[str], "np.ndarray"]
"""Turns a question into a unit vector, as `Library` takes it."""

SEED = 20
TOPICS = 300
"""Topics of each half that are taken out, and as many that are kept, sources equally often."""

QUESTIONS = 300
"""Questions about topics taken out and about topics kept, in each half."""

MOST_AKIN = 12
"""A topic that is a part of more others' names ("Cancer") is neither taken out nor asked about."""

COUNTS = {"example": 5.0, "off topic": 3.0}
"""How often one of these questions counts in the fit: there are few, and they are as visitors ask."""


class Akin:
    """Which topics of a collection are called the same, or one is a part of the other's name."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._keys: dict[str, set[str]] = defaultdict(set)
        for entry in entries:
            if entry.topic:
                self._keys[entry.topic] |= names_of(entry.topic, entry.answer, entry.names)
        self._called: dict[str, set[str]] = defaultdict(set)
        for topic, keys in self._keys.items():
            for key in keys:
                self._called[key].add(topic)
        self._words = {topic: set(name_key(topic).split()) for topic in self._keys}
        self._frequency = Counter(word for some in self._words.values() for word in some)

    def called(self, name: str) -> set[str]:
        """Return the topics that have a name."""
        return self._called.get(name_key(name), set())

    def to(self, topic: str) -> set[str]:
        """Return the topics akin to `topic`, itself among them."""
        same = {other for key in self._keys[topic] for other in self._called[key]} | {topic}
        found = set(same)
        for one in same:
            mine = self._words[one]
            found |= {other for other, its in self._words.items() if mine and (mine <= its or self._is_part(its, mine))}
        return found

    def _is_part(self, part: set[str], whole: set[str]) -> bool:
        return bool(part) and part <= whole and min(self._frequency[word] for word in part) <= MOST_AKIN


@dataclass(frozen=True, slots=True)
class Taken:
    """A collection without some topics, and the questions for each half."""

    entries: Sequence[Entry]
    gone: Mapping[Half, Sequence[Reworded]]
    kept: Mapping[Half, Sequence[Reworded]]
    akin: Akin


def take_out(entries: Sequence[Entry]) -> Taken:
    """Return the collection without TOPICS topics of each half, and questions about these and about others."""
    akin, rng = Akin(entries), random.Random(SEED)
    drawn = {half: _draw(entries, topics, akin, rng) for half, topics in halves(entries).items()}
    removed = {other for topics in drawn.values() for topic in topics[::2] for other in akin.to(topic)}
    seeds: dict[Half, int] = {"choosing": 31, "reporting": 32}
    gone, kept = {}, {}
    for half, topics in drawn.items():
        left = [topic for topic in topics[1::2] if topic not in removed]
        gone[half] = reworded(entries, topics[::2], half, QUESTIONS, seeds[half], described=False)
        kept[half] = reworded(entries, left, half, QUESTIONS, seeds[half] + 100, described=False)
    return Taken([entry for entry in entries if entry.topic not in removed], gone, kept, akin)


def _draw(entries: Sequence[Entry], topics: Collection[str], akin: Akin, rng: random.Random) -> list[str]:
    """Return 2 × TOPICS of the topics, sources by turns."""
    sources: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        sources[entry.topic].add(entry.source)
    by_source: dict[str, list[str]] = defaultdict(list)
    for topic in topics:
        if len(akin.to(topic)) <= MOST_AKIN:
            by_source[min(sources[topic])].append(topic)
    found: list[str] = []
    while len(found) < 2 * TOPICS and by_source:
        for source in sorted(by_source):
            found.append(by_source[source].pop(rng.randrange(len(by_source[source]))))
            if not by_source[source]:
                del by_source[source]
    return found


class _Known:
    """An encoder that has seen all it is asked for: a library's own vectors."""

    def __init__(self, entries: Sequence[Entry], full: Library) -> None:
        import numpy as np

        rows = np.load(full.folder / MEANING, mmap_mode="r")
        self._vectors = dict(zip(distinct_questions(entries), rows, strict=True))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        return np.stack([self._vectors[text] for text in texts])


def library_of(taken: Taken, entries: Sequence[Entry], full: Library, folder: Path, encode: Encode) -> Library:
    """Return the library of what is left, with the vectors of the full one, which is of `entries`."""
    about = replace(full.about, title="without-topics", fingerprint=f"{SEED}-{TOPICS}-{full.about.fingerprint}"[:40])
    return Library(build_library(taken.entries, about, folder, _Known(entries, full)), encode)


@dataclass(frozen=True, slots=True)
class Case:
    """One question: of which set, what speaks for its first passage, and whether that is about what was asked."""

    set: str
    right: bool
    signs: Signs | None

    @property
    def shown(self) -> bool:
        """Whether today's rule shows the passage."""
        return self.signs is not None and fits(confidence(self.signs))


def cases(
    half: Half, taken: Taken, less: Library, full: Library, examples: Sequence[Example], off_topic: Sequence[str]
) -> list[Case]:
    """Return the cases of one half: topics taken out and kept, and every second example and off-topic question."""
    found = []
    for name, questions in (("taken out", taken.gone[half]), ("kept", taken.kept[half])):
        for question in questions:
            first = less.signs(question.text)
            right = name == "kept" and first is not None and first[0] in taken.akin.to(question.topic)
            found.append(Case(name, right, first and first[1]))
    which = 0 if half == "choosing" else 1
    for number, example in enumerate(examples):
        if number % 2 == which and example.topics:
            first = full.signs(example.question)
            found.append(Case("example", first is not None and is_about(first[0], example), first and first[1]))
    for text in off_topic[which::2]:
        first = full.signs(text)
        found.append(Case("off topic", False, first and first[1]))
    return found


def rates(some: Sequence[Case]) -> dict[str, dict[str, int]]:
    """Return, by set, of how many right first passages how many are hidden, and of how many wrong ones shown."""
    return {
        name: {
            "right": sum(case.right for case in some if case.set == name),
            "right_hidden": sum(case.right and not case.shown for case in some if case.set == name),
            "wrong": sum(not case.right for case in some if case.set == name),
            "wrong_shown": sum(case.shown and not case.right for case in some if case.set == name),
        }
        for name in dict.fromkeys(case.set for case in some)
    }


def choose(some: Sequence[Case]) -> dict[str, Any]:
    """Return the weights of a logistic regression of "right", and error rates at several thresholds (10 folds)."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    known = [case for case in some if case.signs]
    names = list(SURE)
    x = np.array([[float(asdict(case.signs)[name]) for name in names] for case in known if case.signs])
    y = np.array([case.right for case in known])
    weights = np.array([COUNTS.get(case.set, 1.0) for case in known])

    def fit(rows: Any) -> Any:
        return LogisticRegression(C=3, max_iter=500).fit(x[rows], y[rows], sample_weight=weights[rows])

    said = np.zeros(len(known))
    for rows, others in StratifiedKFold(10, shuffle=True, random_state=0).split(x, [case.set for case in known]):
        said[others] = fit(rows).predict_proba(x[others])[:, 1]
    model = fit(np.arange(len(known)))
    table = {}
    for threshold in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6):
        row = {}
        for name in ("taken out", "kept", "example", "off topic"):
            here = np.array([case.set == name for case in known])
            row[name] = {
                "right_hidden": float(np.mean(said[here & y] < threshold)) if (here & y).any() else None,
                "wrong_shown": float(np.mean(said[here & ~y] >= threshold)) if (here & ~y).any() else None,
            }
        table[str(threshold)] = row
    return {
        "weights": dict(zip(names, model.coef_[0].round(2).tolist(), strict=True)),
        "at_zero": round(float(model.intercept_[0]), 2),
        "n": len(known),
        "by_threshold": table,
    }
