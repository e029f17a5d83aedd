"""The committed leaderboard as files: what `eval.leaderboard` writes and the app shows, no model needed.

`assets/leaderboard/PROFILE/` holds

board.json      what the tables are about:
                format, profile, title; reported: false for what this repository
                measured, true for numbers reported by others (then `by`, `notes`);
                models: id, label, colour, colour_dark, stacked_on, adapter (SHA-256),
                  training (how the adapter was trained, or null), trained_on (metrics
                  that a reward of its training works on);
                splits: name, about, questions;
                metrics: the fields of eval.metrics.catalogue.Metric, in the order of tables;
                bleu: label and explanation by way of BLEU; quarters: label by quarter;
                floors: id, label, about, in the order of tables (eval.floors);
                statements: by model a sentence of what is known of it; claims: how often claims are
                  misread, by kind; reading: what blind readers said (eval.reading), or null;
                missing: sentences about what could not be computed;
                provenance: setup (profile, base, precision, data fingerprint, decoding, seed),
                  generation (an entry each time it ran: commit, versions, device, duration_s,
                  answers, tokens; kept: how many of its answers are still here, if some were made
                  again by another adapter), scoring (commit, versions, signatures), bootstrap
                  (resamples, seed, level), commit

Tables, each NAME.json (an array of objects, one a line) and the same as NAME.parquet:

means           split, model, metric, mean, low, high, n, of, median, median_low, median_high, trimmed,
                trimmed_low, trimmed_high, rank
                The last six numbers are null for metrics that a mean leads. rank: 1 + how many
                models' intervals, of what leads, lie wholly on the better side; null for a metric
                without a better way. No answers: n 0 and mean null. Answers that loop are left out
                of what says so (eval.metrics.catalogue.WITHOUT_LOOPS).
floors          the same for systems that know nothing, or all (rank null)
kinds           split, kind (of question), model (or floor), metric, value (what leads), low, high, n, of
bleu            split, model, bleu ("bleu_study" or "bleu"), part, value, low, high, n, of, rank
                part: score, precision_1 … precision_4, brevity_penalty, length_ratio
comparisons     split, model, against, metric, difference (model − against), low, high, n, of, the six of
                median and trimmed mean (of the paired differences), probability_better (that the mean
                difference is to the better: share of resamples; null without a better way), p_value,
                p_holm (corrected over all comparisons of the split)
formulas        split, model, against, formulas (how many of the five could be compared), easier, harder
                (by how many the interval of the median paired difference is below, above 0), easier_by,
                harder_by, verdict ("easier" or "harder" by at least 4, else "neither"), n, loops_left_out
slices          the same with dimension ("source", "qtype", "reference_words") and slice
quarters        split, model, against, measure ("content_recall" or "content_precision"), n, left_out,
                quarter, label, share, low, high
easier          split, model, against, measure, n, left_out, easier (questions whose grade fell),
                and of those: grade_change, change (of the measure), each with _low and _high

low and high are the ends of 95 % intervals: eval.intervals.METHOD. Missing is null, never 0.

What single questions are drawn from:

questions.json    by split, one list a field, in order: qid, source, qtype, references, reference_words
answers.jsonl.gz  qid, question (hash), model, text, tokens, stopped; one line an answer
floors.json.gz    as scores.json.gz, of the floors, without BLEU
scores.json.gz    by split, one list a column: qid, model, answer (hash of its text), every metric, and
                  the ten counts of each way of BLEU; the same rows as scores.parquet (with `split`)

between.json      optional (eval.between): rows of split, model, against, metric, statistic, n, runs, each (a
                  difference a run), difference (their mean), low, high (over questions and runs), sd; and
                  resamples, seed, commit, versions, adapters (SHA-256 by id), statements (by model, what
                  other seeds say of its ease)

MedQuAD's own text is not here: rows go by qid, and the text is joined where the
data is at hand (medilite.data). A reported board has board.json and those of the
tables that were reported, with `reported` beside each number: it as printed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from medilite.errors import DataError
from medilite.models import ROOT

FOLDER = ROOT / "assets" / "leaderboard"

LEAST_QUESTIONS = 20
"""A part of the questions has a number only where at least so many were scored: an interval of fewer says nothing."""

FORMAT = 2
"""1 had no floors, kinds and formulas, and called topic similarity closeness; it is read as what it has."""

BOARD_FILE = "board.json"
QUESTIONS_FILE = "questions.json"
ANSWERS_FILE = "answers.jsonl.gz"
SCORES_FILE = "scores.json.gz"
FLOORS_FILE = "floors.json.gz"
BETWEEN_FILE = "between.json"

TABLES = ("means", "floors", "kinds", "bleu", "comparisons", "formulas", "slices", "quarters", "easier")
_SINCE_2 = ("floors", "kinds", "formulas")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Board:
    """One profile's board: what board.json says, and the tables that there are."""

    folder: Path
    about: Mapping[str, Any]
    tables: Mapping[str, list[Row]] = field(default_factory=dict)

    def questions(self) -> dict[str, dict[str, list[Any]]]:
        """Return questions.json. Raises DataError as `load_board` does, like the other two."""
        return _read(self.folder / QUESTIONS_FILE)

    def answers(self) -> list[Row]:
        """Return every answer."""
        return _read_lines(self.folder / ANSWERS_FILE)

    def scores(self) -> dict[str, dict[str, list[Any]]]:
        """Return every score, by split and column."""
        scores: dict[str, dict[str, list[Any]]] = _read(self.folder / SCORES_FILE)
        return {split: {_NOW.get(name, name): values for name, values in own.items()} for split, own in scores.items()}

    def between(self) -> dict[str, Any] | None:
        """Return how far runs from other seeds differ; None if that isn't measured."""
        path = self.folder / BETWEEN_FILE
        return _read(path) if path.is_file() else None

    def statements(self) -> dict[str, str]:
        """Return, by model, what is known of it, and what training it from other seeds gave.

        The latter only where it is of the adapter that answered.
        """
        between = self.between() or {}
        measured, here = between.get("adapters", {}), {one["id"]: one.get("adapter") for one in self.about["models"]}
        more = {
            model: said
            for model, said in between.get("statements", {}).items()
            if here.get(model) and measured.get(model) == here[model]
        }
        return {model: f"{said} {more.get(model, '')}".strip() for model, said in self.about["statements"].items()}

    def floors(self) -> dict[str, dict[str, list[Any]]]:
        """Return the scores of the floors, by split and column; {} for a board of format 1."""
        floors: dict[str, dict[str, list[Any]]] = _read(self.folder / FLOORS_FILE) if self.about["floors"] else {}
        return floors


def boards(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the profiles that `folder` has a board of."""
    return tuple(sorted(path.parent.name for path in folder.glob(f"*/{BOARD_FILE}")))


def current_board(folder: Path) -> Board:
    """Return a board as it is now; it is read again only once it has been made again. Raises as `load_board` does."""
    try:
        changed_ns = (folder / BOARD_FILE).stat().st_mtime_ns
    except OSError as error:
        raise _broken(folder / BOARD_FILE, error) from error
    return _board_of(folder, changed_ns)


@lru_cache(maxsize=4)
def _board_of(folder: Path, changed_ns: int) -> Board:
    return load_board(folder)


def load_board(folder: Path) -> Board:
    """Read a board's description and tables (not its answers and scores).

    Raises DataError naming the file that is missing, broken or of another format.
    """
    about = _read(folder / BOARD_FILE)
    if about.get("format") not in (1, FORMAT):
        raise DataError(
            f"{folder / BOARD_FILE} has format {about.get('format')!r}, this version reads 1 and {FORMAT}. "
            "Make the leaderboard again: make leaderboard"
        )
    first = about["format"] == 1
    paths = {name: folder / f"{name}.json" for name in TABLES if not (first and name in _SINCE_2)}
    tables = {name: _read(path) for name, path in paths.items() if path.exists() or not about["reported"]}
    return Board(folder, *_of_today(about, tables)) if first else Board(folder, about, tables)


_NOW = {"closeness": "topic_similarity"}
"""What a metric of format 1 is called today."""


def _of_today(about: dict[str, Any], tables: dict[str, list[Row]]) -> tuple[dict[str, Any], dict[str, list[Row]]]:
    """Return a board of format 1 as one of today's: names changed, nothing made up."""
    named = ("metric", "measure")
    for rows in tables.values():
        for row in rows:
            row.update({name: _NOW.get(row[name], row[name]) for name in named if name in row})
    metrics = [
        {"lead": "mean", **metric, "key": _NOW.get(metric["key"], metric["key"])}
        | ({"label": "Topic similarity"} if metric["key"] in _NOW else {})
        for metric in about["metrics"]
    ]
    models = [
        {**model, "trained_on": [_NOW.get(key, key) for key in model.get("trained_on", ())]}
        for model in about["models"]
    ]
    return {"floors": [], "statements": {}, **about, "metrics": metrics, "models": models}, tables


def _read(path: Path) -> Any:
    try:
        content = path.read_bytes()
        return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    except (OSError, EOFError, ValueError) as error:
        raise _broken(path, error) from error


def _read_lines(path: Path) -> list[Row]:
    try:
        return [json.loads(line) for line in gzip.decompress(path.read_bytes()).split(b"\n")[:-1]]
    except (OSError, EOFError, ValueError) as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} can't be read ({error}). Restore it from the repository, or make it: make leaderboard")
