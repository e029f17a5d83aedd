"""Check of a committed board: every number is recomputed, every difference reported.

Needs no model. What depends on MedQuAD's text is recomputed if the data is there; what was left out is reported, with
how to get it. Sentence embeddings of all answers would take minutes, so topic similarity is recomputed for a seeded
sample.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eval.answers import SavedAnswer
from eval.board import hashes_of, tables_of, trained_on
from eval.board_files import columns_of, flat, read_parquet
from eval.committed import saved_answers
from eval.floors import FLOORS, floor_rows
from eval.metrics.answer import own_scores
from eval.questions import Question, fingerprint_of, load_questions, text_hash
from eval.reading.labels import reading_of
from eval.score import MANY_ANSWERS, add_similarity, score_rows
from eval.scores import About, Row, questions_as_columns, questions_from_columns, rows_of, split_scores
from eval.statements import statements, with_echo
from medilite.claims.reliability import reliability
from medilite.content import Encoder
from medilite.errors import DataError, ModelUnavailableError, ProfileError
from medilite.leaderboard import Board, load_board
from medilite.machine import usable_cpus
from medilite.models import Profile, load_profile
from medilite.provenance import adapter_sha256

TOLERANCE = 2e-6
"""Tables have six digits after the point; the last may differ with another machine's order of summing."""

P_TOLERANCE = 2e-3
"""p-values have four significant digits: theirs is relative."""

SIMILARITY_TOLERANCE = 1e-3
"""Embeddings are float32 and depend on the machine's kernels; tables show three digits."""

P_COLUMNS = ("p_value", "p_holm")

SAMPLE = 40
"""How many answers' topic similarity is recomputed, unless all are asked for."""

SEED = 42


@dataclass(slots=True)
class Report:
    """What was recomputed (a sentence each), what was left out and why, what differs, and remarks."""

    checked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def compare(self, what: str, pairs: Iterable[tuple[str, Any, Any]], tolerance: float = TOLERANCE) -> None:
        """Compare (where, committed, made again) and note how many there were."""
        count = 0
        for where, committed, again in pairs:
            count += 1
            relative = P_TOLERANCE if where.endswith(P_COLUMNS) else 0.0
            if not same(committed, again, 0.0 if relative else tolerance, relative):
                self.differences.append(f"{where}: committed {committed!r}, made again {again!r}")
        self.checked.append(f"{count:,} {what}")


def check(folder: Path, data: Path | None, sample: int | None = SAMPLE, encoder: Encoder | None = None) -> Report:
    """Recompute a measured board's numbers and return the report; `sample` None recomputes all topic similarity.

    Raises DataError where a file of the board is missing or broken.
    """
    board, report = load_board(folder), Report()
    scores, answers = board.scores(), saved_answers(board)
    rows = [row for split, columns in scores.items() for row in rows_of(split, columns)]

    here = adapters_here(board)
    report.notes += stale_adapters(here)
    report.compare("answers by their hashes", hash_pairs(rows, answers))
    questions = find_questions(board, data, report)
    if data and questions:
        reference_pairs(report, board, rows, answers, questions, data, sample, encoder)
    else:
        report.compare("scores of answers alone", own_pairs(rows, answers))
    abouts = questions_from_columns(board.questions())
    bootstrap = board.about["provenance"]["bootstrap"]
    stacked = {model["id"]: model["stacked_on"] for model in board.about["models"]}
    floors = [row for split, columns in board.floors().items() for row in rows_of(split, columns)]
    tables = tables_of(
        split_scores(rows, abouts, tuple(stacked)),
        split_scores(floors, abouts, tuple(FLOORS)) if floors else [],
        stacked,
        bootstrap["resamples"],
        bootstrap["seed"],
    )
    for name, made in tables.items():
        report.compare(f"numbers of {name}", table_pairs(name, board.tables[name], made))
    # Sentences and descriptions are made of the committed tables, which were just compared: of numbers that differ
    # in the last digit another may be rounded.
    report.compare("descriptions in board.json", about_pairs(board, answers.values(), here, report))
    for name in tables:
        columns = columns_of(board.tables[name])
        report.compare(
            f"columns of {name}.parquet", column_pairs(name, columns, read_parquet(folder / f"{name}.parquet"))
        )
    report.compare(
        "columns of scores.parquet", column_pairs("scores", flat(scores), read_parquet(folder / "scores.parquet"))
    )
    return report


def adapters_here(board: Board) -> dict[str, bool]:
    """Return, by model whose adapter is here, whether it is the one that answered."""
    profile = _profile(board)
    if profile is None:
        return {}
    found = {}
    for model in board.about["models"]:
        if model["id"] not in profile.ids or model["adapter"] is None:
            continue
        if any(isinstance(profile.adapter_path(link), str) for link in profile.chain(model["id"])):
            continue  # On the Hub: a check downloads nothing.
        with suppress(ModelUnavailableError):
            found[model["id"]] = adapter_sha256(profile, model["id"]) == model["adapter"]
    return found


def _profile(board: Board) -> Profile | None:
    """Return the board's profile; None for a user's own that isn't here."""
    try:
        return load_profile(board.about["profile"])
    except ProfileError:
        return None


def stale_adapters(here: Mapping[str, bool]) -> list[str]:
    """Return a sentence on models whose adapters here are other ones than those that answered; [] if there are none.

    The numbers are still right for the adapters that they name.
    """
    stale = [model for model, own in here.items() if not own]
    if not stale:
        return []
    return [f"the adapters here are not those that answered: {', '.join(stale)}. To measure these: make leaderboard"]


def about_pairs(
    board: Board, answers: Iterable[SavedAnswer], here: Mapping[str, bool], report: Report
) -> Iterator[tuple[str, Any, Any]]:
    """Yield what board.json says of readers, metrics, kinds of claims, rewards and models, and the same made again.

    What training rewarded is read from the adapters here, where they are those that answered.
    """
    about = board.about
    reading, unread = reading_of(about["profile"], hashes_of(answers))
    yield from leaf_pairs("reading", about.get("reading"), reading)
    for said in unread:
        yield f"missing: {said}", said in about["missing"], True
    yield from leaf_pairs("metrics", about["metrics"], [metric.as_dict() for metric in with_echo(board.tables)])
    yield from leaf_pairs("claims", about.get("claims"), {kind: asdict(row) for kind, row in reliability().items()})
    profile = _profile(board)
    if profile is None:
        report.left_out.append(
            f"what is said of each model, and what training rewarded: the profile {about['profile']} isn't here. To "
            "check it: put its YAML file into medilite/profiles"
        )
        return
    yield from leaf_pairs("statements", about["statements"], statements(board.tables, profile, reading))
    for model in about["models"]:
        if here.get(model["id"]):
            yield f"trained_on of {model['id']}", model["trained_on"], trained_on(profile, model["id"])


def leaf_pairs(where: str, committed: Any, again: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield (where, committed, made again) of every value in two trees of dicts and lists."""
    if isinstance(committed, Mapping) and isinstance(again, Mapping):
        for key in sorted(committed.keys() | again.keys()):
            yield from leaf_pairs(f"{where}, {key}", committed.get(key), again.get(key))
    elif isinstance(committed, list) and isinstance(again, list) and len(committed) == len(again):
        for number, (one, other) in enumerate(zip(committed, again, strict=True), 1):
            yield from leaf_pairs(f"{where}, {number}", one, other)
    else:
        yield where, committed, again


def hash_pairs(rows: Sequence[Row], answers: Mapping[tuple[str, str], SavedAnswer]) -> Iterator[tuple[str, Any, Any]]:
    """Yield whether each row of scores is about the answer that is there."""
    for row in rows:
        answer = answers.get((row.qid, row.model))
        yield f"{row.split}, {row.qid}, {row.model}: hash of the answer", row.answer, answer and text_hash(answer.text)


def own_pairs(rows: Sequence[Row], answers: Mapping[tuple[str, str], SavedAnswer]) -> Iterator[tuple[str, Any, Any]]:
    """Yield every score that the answer's text alone gives."""
    again = {key: own_scores(answer.text, answer.tokens, answer.stopped) for key, answer in answers.items()}
    for row in rows:
        for metric, value in again.get((row.qid, row.model), {}).items():
            yield f"{row.split}, {row.qid}, {row.model}: {metric}", row.scores[metric], value


def find_questions(board: Board, data: Path | None, report: Report) -> dict[str, list[Question]] | None:
    """Return the questions with their text if the board's data is there; else report that it isn't."""
    wanted = board.about["provenance"]["setup"]["data"]
    names = [split["name"] for split in board.about["splits"]]
    remedy = "make data (or python -m training.prepare_medquad), then check again"
    try:
        if data is None:
            raise DataError("no folder was given")
        here = fingerprint_of(data, names)
        if here == wanted:
            return {name: load_questions(data, name) for name in names}
        reason = f"{data} has the fingerprint {here[:12]}…, the board was made with {wanted[:12]}…"
    except DataError as error:
        reason = str(error)
    report.left_out.append(
        "everything that needs questions or references (claims, BLEU, chrF++, ROUGE-L, key terms, topic similarity, "
        f"echo, floors): {reason}. To check it: {remedy}"
    )
    return None


def reference_pairs(
    report: Report,
    board: Board,
    rows: Sequence[Row],
    answers: Mapping[tuple[str, str], SavedAnswer],
    questions: Mapping[str, Sequence[Question]],
    data: Path,
    sample: int | None,
    encoder: Encoder | None,
) -> None:
    """Recompute what needs questions and references, and compare."""
    about = questions_as_columns({split: [About.of(q) for q in some] for split, some in questions.items()})
    pairs = (
        column_pairs(f"questions of {split}", columns, about[split]) for split, columns in board.questions().items()
    )
    report.compare("columns of questions", itertools.chain.from_iterable(pairs))

    again = {(row.split, row.qid, row.model): row for row in score_rows(list(answers.values()), questions)}
    report.compare("scores of answers, by themselves and against references", score_pairs(rows, again))
    if committed := [row for split, columns in board.floors().items() for row in rows_of(split, columns)]:
        workers = 1 if len(committed) < MANY_ANSWERS else usable_cpus()
        made_again = floor_rows(questions, data, workers=workers, similar=False)
        floors = {(row.split, row.qid, row.model): row for row in made_again}
        report.compare("scores of floors", score_pairs(committed, floors))
    if any("topic similarity" in sentence for sentence in board.about["missing"]):
        return
    chosen = list(rows)
    if sample is not None and sample < len(chosen):
        chosen = random.Random(SEED).sample(chosen, sample)
    close, failed = add_similarity(chosen, list(answers.values()), questions, encoder)
    if failed:
        report.left_out.append(failed)
        return
    key = "topic_similarity"
    made = [
        (f"{row.split}, {row.qid}, {row.model}: {key}", row.scores[key], new.scores[key])
        for row, new in zip(chosen, close, strict=True)
    ]
    report.compare(f"topic similarities, of {len(rows):,}", made, SIMILARITY_TOLERANCE)
    if len(chosen) < len(rows):
        report.left_out.append(
            f"topic similarity of {len(rows) - len(chosen):,} answers (a seeded sample is made again): --all"
        )


def score_pairs(rows: Sequence[Row], again: Mapping[Any, Row]) -> Iterator[tuple[str, Any, Any]]:
    """Yield every score, topic similarity and what a judge gave aside."""
    for row in rows:
        where = f"{row.split}, {row.qid}, {row.model}"
        new = again.get((row.split, row.qid, row.model))
        if new is None:
            yield where, "an answer", None
            continue
        for metric, value in new.scores.items():
            if metric != "topic_similarity":
                yield f"{where}: {metric}", row.scores[metric], value
        for kind, counts in new.bleu.items():
            yield f"{where}: {kind}", row.bleu[kind], counts


def table_pairs(
    name: str, committed: Sequence[Mapping[str, Any]], again: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield every cell of a table."""
    yield f"{name}: rows", len(committed), len(again)
    for number, (row, new) in enumerate(zip(committed, again, strict=False), 1):
        for key in new.keys() | row.keys():
            yield f"{name}, row {number}, {key}", row.get(key), new.get(key)


def column_pairs(
    name: str, committed: Mapping[str, Sequence[Any]], again: Mapping[str, Sequence[Any]]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield whole columns: they are copies, so nothing may differ."""
    for key in committed.keys() | again.keys():
        one, other = list(committed.get(key, ())), list(again.get(key, ()))
        if one == other:
            yield f"{name}: {key}", True, True
        else:
            row = next(
                (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
            )
            yield f"{name}: {key}, row {row + 1}", one[row : row + 1], other[row : row + 1]


def same(committed: Any, again: Any, tolerance: float, relative: float = 0.0) -> bool:
    """Return whether two values agree; numbers within either tolerance, everything else exactly."""
    if isinstance(committed, float | int) and isinstance(again, float | int) and not isinstance(again, bool):
        return math.isclose(committed, again, rel_tol=relative, abs_tol=tolerance)
    return bool(committed == again)
