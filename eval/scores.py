"""Scores on file and in memory.

A line of `runs/NAME/scores.jsonl`:

    split, qid, model   which answer, scored against which split's references
    answer              hash of the answer's text (questions.text_hash)
    scores              value or null by metric (metrics.catalogue.SCORED)
    bleu, bleu_study    the ten counts of metrics.overlap.BLEU_COUNTS

`questions.json` beside it says of each split's questions, in order and without
their text, what slices need: qid, source, qtype, number of references and
their mean length in words. `scoring.json` says what computed the scores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.intervals import Clusters, clusters_of
from eval.metrics.catalogue import METRICS, WITHOUT_LOOPS
from eval.metrics.overlap import BLEU_COUNTS, BLEU_KINDS
from eval.questions import Question
from medilite.errors import DataError
from medilite.models import Profile

Array = npt.NDArray[np.float64]

REMEDY = "Run `python -m eval.score` again."


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a question without its text; `reference_words` is the mean over its references."""

    qid: str
    source: str
    qtype: str
    references: int
    reference_words: float

    @classmethod
    def of(cls, question: Question) -> About:
        """Describe a question."""
        words = [len(reference.split()) for reference in question.references]
        mean = round(sum(words) / len(words), 1)
        return cls(question.qid, question.source, question.qtype, len(words), mean)


@dataclass(frozen=True, slots=True)
class Row:
    """One answer's scores against one split."""

    split: str
    qid: str
    model: str
    answer: str
    scores: Mapping[str, float | None]
    bleu: Mapping[str, Sequence[int]]

    def to_json(self) -> str:
        """Return the line, without its line break."""
        own = {name: getattr(self, name) for name in ("split", "qid", "model", "answer", "scores")}
        return json.dumps(own | dict(self.bleu), ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class SplitScores:
    """All scores of a split as arrays: values[metric] is (questions, models), bleu[kind] (questions, models, 10).

    What is missing (no answer, or a score that failed) is NaN.
    """

    split: str
    questions: tuple[About, ...]
    models: tuple[str, ...]
    values: Mapping[str, Array]
    bleu: Mapping[str, Array]

    @property
    def clusters(self) -> Clusters:
        """Each question's cluster: all questions of one source and one kind."""
        return clusters_of([(about.source, about.qtype) for about in self.questions])

    @property
    def answering(self) -> tuple[str, ...]:
        """The models that have answers here."""
        return tuple(model for model in self.models if not np.isnan(self.column("words", model)).all())

    def column(self, metric: str, model: str) -> Array:
        """Return one model's scores, a question each."""
        return self.values[metric][:, self.models.index(model)]

    def counts(self, kind: str, model: str) -> Array:
        """Return one model's BLEU counts, (questions, 10)."""
        return self.bleu[kind][:, self.models.index(model)]

    def only(self, which: npt.NDArray[np.bool_], metrics: Iterable[str]) -> SplitScores:
        """Return some of the metrics on some of the questions, without BLEU."""
        return replace(
            self,
            questions=tuple(about for about, chosen in zip(self.questions, which, strict=True) if chosen),
            values={metric: self.values[metric][which] for metric in metrics},
            bleu={},
        )


def arrange(
    split: str, questions: Sequence[About], models: Sequence[str], metrics: Iterable[str], rows: Iterable[Row]
) -> SplitScores:
    """Arrange a split's rows as arrays; answers that loop have no value for metrics that leave loops out."""
    place = {about.qid: i for i, about in enumerate(questions)}
    shape = len(questions), len(models)
    values = {metric: np.full(shape, np.nan) for metric in metrics}
    bleu = {kind: np.full((*shape, len(BLEU_COUNTS)), np.nan) for kind in BLEU_KINDS}
    for row in rows:
        at = place[row.qid], models.index(row.model)
        for metric, value in row.scores.items():
            if value is not None:
                values[metric][at] = value
        for kind, counts in row.bleu.items():
            bleu[kind][at] = counts
    if "loops" in values:
        for metric in WITHOUT_LOOPS:
            if metric in values:
                values[metric][values["loops"] == 1] = np.nan
    return SplitScores(split, tuple(questions), tuple(models), values, bleu)


def split_scores(
    rows: Sequence[Row], questions: Mapping[str, Sequence[About]], models: Sequence[str]
) -> list[SplitScores]:
    """Return the rows as arrays, a split each."""
    return [
        arrange(split, some, models, METRICS, [row for row in rows if row.split == split])
        for split, some in questions.items()
    ]


def write_lines(rows: Iterable[Row]) -> bytes:
    """Return scores.jsonl's content."""
    return "".join(f"{row.to_json()}\n" for row in rows).encode()


def read_lines(path: Path) -> list[Row]:
    """Read scores.jsonl, or floors.jsonl, whose lines have no BLEU; raises DataError naming the line that is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror or error}). {REMEDY}") from error
    rows = []
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        try:
            fields = json.loads(line)
            bleu = {kind: fields.pop(kind) for kind in BLEU_KINDS if kind in fields}
            rows.append(Row(**fields, bleu=bleu))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}, line {number}: not a line of scores ({error}). {REMEDY}") from error
    return rows


def load_run(folder: Path, profile: Profile) -> tuple[list[Row], dict[str, list[About]], dict[str, Any]]:
    """Return (scores, questions by split, what computed the scores) as `eval.score` left them in a run's folder.

    Raises DataError where one of its files can't be used or scores a model that the profile doesn't have.
    """
    rows = read_lines(folder / "scores.jsonl")
    questions = questions_from_columns(_load(folder / "questions.json"))
    if strange := {row.model for row in rows} - set(profile.ids):
        raise DataError(
            f"{folder} scores {', '.join(sorted(strange))}, which profile {profile.name} does not have. "
            "Give the profile that answered with --profile."
        )
    return rows, questions, _load(folder / "scoring.json")


def score_columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Return a split's scores, one list a column."""
    found: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in ("qid", "model", "answer")}
    found |= {metric: [row.scores.get(metric) for row in rows] for metric in METRICS}
    kinds = [kind for kind in BLEU_KINDS if rows and kind in rows[0].bleu]
    return found | {kind: [list(row.bleu[kind]) for row in rows] for kind in kinds}


def rows_of(split: str, columns: Mapping[str, Sequence[Any]]) -> list[Row]:
    """Return what `score_columns` was made of."""
    return [
        Row(
            split,
            columns["qid"][i],
            columns["model"][i],
            columns["answer"][i],
            {metric: columns[metric][i] for metric in METRICS},
            {kind: columns[kind][i] for kind in BLEU_KINDS if kind in columns},
        )
        for i in range(len(columns["qid"]))
    ]


def questions_as_columns(questions: Mapping[str, Sequence[About]]) -> dict[str, dict[str, list[Any]]]:
    """Return, by split, one list a field."""
    return {
        split: {name: [getattr(about, name) for about in some] for name in About.__slots__}
        for split, some in questions.items()
    }


def questions_from_columns(columns: Mapping[str, Mapping[str, Sequence[Any]]]) -> dict[str, list[About]]:
    """Return what `questions_as_columns` was made of."""
    return {
        split: [About(*fields) for fields in zip(*(some[name] for name in About.__slots__), strict=True)]
        for split, some in columns.items()
    }


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} can't be read ({error}). {REMEDY}") from error
