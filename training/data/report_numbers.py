"""The numbers behind the report: lengths, grades and repeats, without any drawing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medilite.data import question_key
from medilite.records import Example
from training.data.progress import watched

UNNAMED = "(not named)"


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution in seven numbers; percentiles by linear interpolation."""

    n: int
    p5: float
    p25: float
    median: float
    p75: float
    p95: float
    largest: float


@dataclass(frozen=True, slots=True)
class Exploration:
    """What the report shows of the pairs with an answer.

    `words` and `grades` run along with `examples`; a grade is None where the
    text has none. `answers_per_question` counts, for each number of answers,
    the questions (case and white space folded) that have as many.
    """

    examples: list[Example]
    words: list[int]
    grades: list[float | None]
    answers_per_question: Counter[int]
    most_answered: list[tuple[str, int]]
    kept_ids: frozenset[str]


def explore(examples: Sequence[Example], kept: Iterable[Example]) -> Exploration:
    """Measure every answer; takes about 5 ms for each different one, with progress on stderr."""
    from medilite.readability import measure

    different = dict.fromkeys(example.answer for example in examples)
    grades = {
        answer: measure(answer).flesch_kincaid_grade
        for answer in watched(different, "measuring readability", "answers", total=len(different))
    }
    spelled: dict[str, str] = {}
    answers: Counter[str] = Counter()
    for example in examples:
        key = question_key(example.question)
        spelled.setdefault(key, example.question)
        answers[key] += 1
    return Exploration(
        examples=list(examples),
        words=[len(example.answer.split(" ")) for example in examples],
        grades=[grades[example.answer] for example in examples],
        answers_per_question=Counter(answers.values()),
        most_answered=[(spelled[key], count) for key, count in answers.most_common(10) if count > 1],
        kept_ids=frozenset(example.qid for example in kept),
    )


def spread(values: Sequence[float]) -> Spread:
    """Return the distribution of at least one value."""
    import numpy as np

    p5, p25, median, p75, p95 = np.percentile(values, [5, 25, 50, 75, 95]).tolist()
    return Spread(len(values), p5, p25, median, p75, p95, float(max(values)))


def by_source(examples: Sequence[Example], values: Sequence[float | None]) -> dict[str, Spread]:
    """Return the distribution of the values that are there, by source, the largest source first."""
    grouped: defaultdict[str, list[float]] = defaultdict(list)
    for example, value in zip(examples, values, strict=True):
        if value is not None:
            grouped[example.source or UNNAMED].append(value)
    return {source: spread(found) for source, found in sorted(grouped.items(), key=lambda item: -len(item[1]))}


def histogram(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    """Count values between neighbouring edges, lower edge included; what lies beyond counts in the outer bins."""
    import numpy as np

    inside = np.clip(values, edges[0], np.nextafter(edges[-1], edges[0]))
    return np.histogram(inside, bins=np.asarray(edges))[0].tolist()
