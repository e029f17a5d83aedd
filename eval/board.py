"""A run put together as a board: tables, answers, scores and where they come from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from eval.answers import EARLIER_INT8, NO_PRECISION, SavedAnswer, read_answers
from eval.board_files import BoardFiles
from eval.compare import Pair, compare, pairs_of
from eval.floors import FLOORS
from eval.intervals import LEVEL, METHOD
from eval.judgments import FILE, NONE, about, join, read_judgments
from eval.metrics.catalogue import BLEU_ABOUT, TRAINED_BY
from eval.metrics.overlap import BLEU_KINDS
from eval.questions import about_split, text_hash
from eval.reading.labels import reading_of
from eval.run import CODE, Run
from eval.scores import (
    About,
    Row,
    SplitScores,
    load_run,
    questions_as_columns,
    read_lines,
    score_columns,
    split_scores,
)
from eval.statements import statements, with_echo
from eval.tables import bleu_rows, kind_rows, metric_rows
from eval.trade import QUARTERS
from medilite.checkpoints import read_training_record
from medilite.claims.reliability import reliability
from medilite.leaderboard import FORMAT, TABLES
from medilite.models import Profile
from medilite.provenance import commit

Questions = Mapping[str, Sequence[About]]


def board_of(run: Run, profile: Profile, resamples: int, seed: int) -> BoardFiles:
    """Return the files of a run that has been scored. Raises DataError where a stage's file can't be used."""
    answers = read_answers(run.answers).answers
    rows, questions, scoring = load_run(run.folder, profile)
    judgments = read_judgments(run.folder / FILE)
    rows = in_order(join(rows, judgments), questions, profile.ids)
    floors = read_lines(run.floors)
    stacked = {spec.id: spec.stacked_on for spec in profile.models}
    tables = tables_of(
        split_scores(rows, questions, profile.ids),
        split_scores(floors, questions, tuple(FLOORS)),
        stacked,
        resamples,
        seed,
    )
    reading, unread = reading_of(profile.name, hashes_of(answers))
    return BoardFiles(
        about={
            "format": FORMAT,
            "profile": profile.name,
            "title": profile.title,
            "reported": False,
            "models": [model_about(profile, model, answers) for model in profile.ids],
            "splits": [
                {"name": split, "about": about_split(split), "questions": len(some)}
                for split, some in questions.items()
            ],
            "floors": [{"id": key, "label": label, "about": about} for key, (label, about) in FLOORS.items()],
            "metrics": [metric.as_dict() for metric in with_echo(tables)],
            "bleu": {kind: dict(zip(("label", "explanation"), BLEU_ABOUT[kind], strict=True)) for kind in BLEU_KINDS},
            "quarters": QUARTERS,
            "statements": statements(tables, profile, reading),
            "claims": {kind: asdict(row) for kind, row in reliability().items()},
            "reading": reading,
            "missing": [
                *([] if answers[0].setup.precision else [NO_PRECISION]),
                *([EARLIER_INT8] if answers[0].setup.precision == "int8" else []),
                *scoring["missing"],
                *unread,
                *([] if judgments else [NONE]),
            ],
            "provenance": {
                "setup": setup_about(answers),
                "generation": run.sessions(),
                "scoring": {key: value for key, value in scoring.items() if key != "missing"},
                "judge": about(judgments),
                "bootstrap": {"resamples": resamples, "seed": seed, "level": LEVEL, "method": METHOD},
                "commit": dict(zip(("id", "dirty"), commit(CODE), strict=True)),
            },
        },
        tables=tables,
        questions=questions_as_columns(questions),
        answers=[answer_row(answer) for answer in sorted(answers, key=lambda a: (a.qid, profile.ids.index(a.model)))],
        scores={split: score_columns([row for row in rows if row.split == split]) for split in questions},
        floors={split: score_columns([row for row in floors if row.split == split]) for split in questions},
    )


def tables_of(
    splits: Sequence[SplitScores],
    floors: Sequence[SplitScores],
    stacked: Mapping[str, str | None],
    resamples: int,
    seed: int,
) -> dict[str, list[dict[str, Any]]]:
    """Return every table of medilite.leaderboard.TABLES, all splits below each other."""
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for floor in floors:
        tables["floors"] += [{**row, "rank": None} for row in metric_rows(floor, resamples, seed) if row["n"]]
        tables["kinds"] += [row for row in kind_rows(floor, resamples, seed) if row["n"]]
    for scores in splits:
        tables["means"] += metric_rows(scores, resamples, seed)
        tables["kinds"] += [row for row in kind_rows(scores, resamples, seed) if row["n"]]
        tables["bleu"] += bleu_rows(scores, resamples, seed)
        pairs: Sequence[Pair] = pairs_of(stacked, scores.answering)
        for name, rows in compare(scores, pairs, resamples, seed).items():
            tables[name] += rows
    return tables


def in_order(rows: Sequence[Row], questions: Questions, models: Sequence[str]) -> list[Row]:
    """Return the rows by split, question and model."""
    place = {
        (split, one.qid): (s, i) for s, (split, some) in enumerate(questions.items()) for i, one in enumerate(some)
    }
    return sorted(rows, key=lambda row: (place[row.split, row.qid], models.index(row.model)))


def hashes_of(answers: Iterable[SavedAnswer]) -> dict[tuple[str, str], str]:
    """Return the hash of each answer's text by (qid, model), by which readings and scores name it."""
    return {(answer.qid, answer.model): text_hash(answer.text) for answer in answers}


def answer_row(answer: SavedAnswer) -> dict[str, Any]:
    """Return an answer as committed; what all share is in board.json, once."""
    return {name: getattr(answer, name) for name in ("qid", "question", "model", "text", "tokens", "stopped")}


def model_about(profile: Profile, model: str, answers: Sequence[SavedAnswer]) -> dict[str, Any]:
    """Return what the board says of a model: which adapter answered, and what it was trained for."""
    spec = profile.get(model)
    record = read_training_record(profile, spec)
    return {
        **{key: getattr(spec, key) for key in ("id", "label", "colour", "colour_dark", "stacked_on")},
        "adapter": next((answer.adapter for answer in answers if answer.model == model), None),
        "training": record and training_about(record),
        "trained_on": trained_on(profile, model),
    }


def trained_on(profile: Profile, model: str) -> list[str]:
    """Return the metrics that rewards used in the training of a model or its parents.

    The rewards are read from the adapters' training.json.
    """
    records = [read_training_record(profile, link) or {} for link in profile.chain(model)]
    rewards = [record.get("config", {}).get("rewards") or {} for record in records]
    used = {name for weights in rewards for name, weight in weights.items() if weight and name in TRAINED_BY}
    return sorted({metric for name in used for metric in TRAINED_BY[name]})


def training_about(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the main facts of a training record: the method and the data."""
    wanted = ("method", "rank", "learning_rate", "seed", "data_fingerprint", "commit")
    return {key: record.get(key) for key in wanted} | {"splits": record.get("config", {}).get("data", {}).get("splits")}


def setup_about(answers: Sequence[SavedAnswer]) -> dict[str, Any]:
    """Return what all answers share, with decoding spelled out."""
    fields: dict[str, Any] = json.loads(answers[0].to_json())
    return {name: fields[name] for name in ("profile", "base", "precision", "data", "decoding", "seed")}
