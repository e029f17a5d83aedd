"""Marks on votes that say little about the answers: too fast, one-sided, patterned, repeated.

A marked vote is stored and shown in the public counts, and left out of the
ratings. Marks depend on one voter's votes alone and can be computed again at
any time (`python -m medilite votes recheck`).
"""

from __future__ import annotations

from collections.abc import Sequence

from medilite.arena.records import Vote

HASTY, ONE_SIDED, PATTERN, REPEATED = "hasty", "one-sided", "pattern", "repeated"
CROWDED, FAVOURS, SELECTIVE, SERIES = "crowded", "favours", "selective", "series"

MARKS = {
    HASTY: "decided faster than a person can read",
    ONE_SIDED: "part of a long run of one side",
    PATTERN: "part of a choice pattern that repeats",
    REPEATED: "the same two answers, voted on before",
    CROWDED: "more from one network address in a day than count",
    FAVOURS: "by somebody who prefers one model far more often than others do",
    SELECTIVE: "by somebody who votes where one model is shown, and skips elsewhere",
    SERIES: "by new voters who came from one network address one after another",
}
"""Every mark, and what it means. The last four need all votes, and are given when votes are rated (`trust`)."""

FASTEST_WORDS_PER_S = 1000 / 60
"""A thousand words a minute: four times the mean of silent reading (238, Brysbaert 2019, J Mem Lang 109:104047)."""

SHARE_READ = 0.5
"""Share of the two answers that one has to have read to prefer one of them."""

LEAST_S = 1.0
"""Least seconds to read two answers of any length."""

LONGEST_RUN = 12
"""This many choices of one side in a row are no coincidence: less than 1 in 2,000 with random sides."""

LONGEST_PERIOD = 4
"""Longest pattern that is looked for, in choices."""

PATTERN_VOTES = 16
"""…in runs of at least this many votes."""


def mark(votes: Sequence[Vote]) -> list[tuple[str, ...]]:
    """Return the marks of each of one voter's votes, given in the order in which they were cast."""
    found: list[set[str]] = [set() for _ in votes]
    seen: set[tuple[str, ...]] = set()
    for vote, marks in zip(votes, found, strict=True):
        if vote.decide_s is not None and vote.decide_s < least_time_s(vote):
            marks.add(HASTY)
        answers = (vote.pair.question_key, *sorted((vote.pair.left.key, vote.pair.right.key)))
        if answers in seen:
            marks.add(REPEATED)
        seen.add(answers)
    choices = [vote.ballot.choice for vote in votes]
    for i in _run(choices):
        found[i].add(ONE_SIDED)
    for i in _patterned(choices):
        found[i].add(PATTERN)
    return [tuple(name for name in MARKS if name in marks) for marks in found]


def least_time_s(vote: Vote) -> float:
    """Return the shortest time, in seconds, in which somebody can have read enough to decide."""
    words = vote.pair.left.words + vote.pair.right.words
    return max(LEAST_S, SHARE_READ * words / FASTEST_WORDS_PER_S)


def _run(choices: Sequence[str]) -> set[int]:
    """Return the places of choices in runs of one side; "equal" and "both bad" are no side and end a run."""
    members: set[int] = set()
    start = 0
    for i in range(1, len(choices) + 1):
        if i == len(choices) or choices[i] != choices[start]:
            if choices[start] in ("left", "right") and i - start >= LONGEST_RUN:
                members.update(range(start, i))
            start = i
    return members


def _patterned(choices: Sequence[str]) -> set[int]:
    """Return the places of choices in stretches that repeat with a short period; a run of one choice is no pattern."""
    members: set[int] = set()
    for period in range(2, LONGEST_PERIOD + 1):
        start = 0
        for i in range(period, len(choices) + 1):
            if i == len(choices) or choices[i] != choices[i - period]:
                if i - start >= PATTERN_VOTES and len(set(choices[start : start + period])) > 1:
                    members.update(range(start, i))
                start = i - period + 1
    return members
