"""The results of the endpoints: plain data, from whose types both schemas (Gradio's and MCP's) are made.

A value that failed, or isn't there yet, is null, never 0.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

State = Literal["loading", "waiting", "writing", "done"]


class Scores(TypedDict):
    """How hard a text is to read; `medilite.readability.METRICS` says what each number means."""

    flesch_kincaid_grade: float | None
    flesch_reading_ease: float | None
    smog_index: float | None
    gunning_fog: float | None
    coleman_liau_index: float | None
    automated_readability_index: float | None
    dale_chall_score: float | None
    words: int
    sentences: int
    long_words: int
    difficult_words: int
    reading_time_s: float | None


class Emergency(TypedDict):
    """The notice to a question that speaks of an emergency: show it before any answer."""

    kind: str
    title: str
    text: str


class DecodingUsed(TypedDict):
    """How the words were chosen."""

    max_new_tokens: int
    temperature: float
    top_p: float
    repetition_penalty: float


class ModelAnswer(TypedDict):
    """One model's answer.

    `ended` is whether the model ended it by itself: false where it was cut
    (`stopped` says by what), null while it is being written. `answer` is null
    where the model failed before its first word; `error` says why.
    """

    model: str
    label: str
    answer: str | None
    tokens: int
    ended: bool | None
    stopped: Literal["end", "length", "cancelled", "error"] | None
    error: str | None
    readability: Scores | None
    grade: str | None
    notice: str


class AboutAnswers(TypedDict):
    """What was asked and how far it is; `ahead` visitors come first while `state` is "waiting"."""

    state: State
    ahead: int
    question: str
    emergency: Emergency | None
    profile: str
    decoding: DecodingUsed
    seed: int
    version: str


class Asked(ModelAnswer, AboutAnswers):
    """What `ask` returns."""


class MarkTold(TypedDict):
    """What came of holding a sentence, `answer[start:end]`, against the source; `quote` is the source's sentence."""

    start: int
    end: int
    verdict: Literal["found", "not_found", "at_odds"]
    quote: str
    why: str


class ComparedAnswer(ModelAnswer):
    """One of `compare`'s answers; `marks` is null where it was not held against a source."""

    marks: list[MarkTold] | None


class PassageTold(TypedDict):
    """A passage of the library: whole sentences of one answer, and where it comes from."""

    id: str
    text: str
    question: str
    topic: str
    kind: str
    source: str
    institute: str
    address: str
    flesch_kincaid_grade: float | None


class Collection(TypedDict):
    """What the library was made of."""

    title: str
    licence: str
    credit: str
    date: str
    fingerprint: str


class Sourced(TypedDict):
    """What `sources` returns.

    `library` is whether there is one, `message` says it in words. `fits` is null
    where none was searched, false where no passage answers the question: then
    there are no passages.
    """

    question: str
    library: Literal["off", "preparing", "ready", "missing"]
    message: str
    fits: bool | None
    passages: list[PassageTold]
    collection: Collection | None
    notice: str


class Compared(AboutAnswers):
    """What `compare` returns: the answers in the profile's order, whatever the order of asking.

    `source` is null where it was not asked for, or not found in time.
    `answered_from` is the id of the passage that the models were given.
    """

    answers: list[ComparedAnswer]
    source: Sourced | None
    answered_from: str | None
    notice: str


class Measured(TypedDict):
    """What `readability` returns; `recommended_grades` are the lowest and highest that health agencies ask for."""

    scores: Scores
    grade: str
    recommended_grades: list[float]
    notice: str


class Figure(TypedDict):
    """One number of the leaderboard: the mean over `n` of `of` answers, with its 95 % interval from low to high.

    `origin` is "measured" (by this repository, and `provenance` says how) or
    "reported" (by others, as printed in `reported`; without an interval or n
    where they gave none).
    """

    model: str
    label: str
    metric: str
    split: str
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    of: int | None
    rank: int | None
    origin: Literal["measured", "reported"]
    reported: str | None


class MetricTold(TypedDict):
    """What a metric is, and which way is better (null: neither, or it measures how easy a text is to read)."""

    metric: str
    label: str
    unit: str
    better: Literal["lower", "higher"] | None
    explanation: str


class SplitTold(TypedDict):
    """Which questions a split has."""

    split: str
    about: str
    questions: int | None


class Board(TypedDict):
    """What `leaderboard` returns: one metric's figures, and what else there is to ask for."""

    board: str
    title: str
    origin: Literal["measured", "reported"]
    by: str | None
    notes: list[str]
    metric: MetricTold
    split: SplitTold
    figures: list[Figure]
    provenance: dict[str, Any] | None
    boards: list[str]
    metrics: list[str]
    splits: list[str]
