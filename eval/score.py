"""Scores of a run's answers, no model needed: `python -m eval.score [--run FOLDER] [--split SET/SPLIT]`.

Reads answers.jsonl, joins questions and references by qid, and writes
scores.jsonl, questions.json and scoring.json (see eval.scores), and the scores
of systems that know nothing or all beside them (eval.floors). An empty answer
is scored as empty; a question without an answer has no line.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.answers import NO_PRECISION, AnswerFile, SavedAnswer, read_answers
from eval.command import add_run, chosen, run_command, run_of
from eval.floors import floor_rows
from eval.metrics.answer import Scores, own_scores, question_scores, reference_scores, similarity_or_empty
from eval.metrics.catalogue import METRICS, SCORED
from eval.metrics.claimed import claim_scores
from eval.metrics.overlap import References, signatures
from eval.processes import mapped
from eval.questions import Question, about_split, evaluated_splits, fingerprint_of, load_questions, text_hash
from eval.run import CODE, DATA, PACKAGES, Run
from eval.scores import About, Row, questions_as_columns, write_lines
from medilite.cli.terminal import Say, progress_line
from medilite.content import Encoder, topic_similarities
from medilite.errors import DataError, WeightsError
from medilite.files import write_whole
from medilite.machine import usable_cpus
from medilite.provenance import commit, versions

MANY_ANSWERS = 2000
"""From this many answers on it pays to start a process for each processor, which takes seconds."""

SIMILARITIES_AT_ONCE = 256
"""Answers whose embeddings are computed together: enough for full batches, few enough to show progress."""


def score(
    run: Run,
    data: Path,
    splits: Sequence[str],
    encoder: Encoder | None = None,
    known: Mapping[tuple[str, str, str, str], float | None] | None = None,
) -> dict[str, int]:
    """Score a run against splits and write the files; return the number of scored answers by split.

    Without an encoder (it can't be had from here) topic similarity is null, and
    scoring.json says why. Raises DataError where answers or data can't be used.
    """
    file = read_answers(run.answers)
    if not file.answers:
        raise DataError(f"{run.answers} holds no answers. Run `python -m eval.generate` first.")
    if file.dropped:
        print(file.dropped, file=sys.stderr)
    if file.answers[0].setup.precision is None:
        print(f"{run.answers}: {NO_PRECISION}", file=sys.stderr)
    questions = {split: load_questions(data, split) for split in splits}
    check_joins(run.answers, file, fingerprint_of(data, splits), questions)

    with progress_line() as say:
        rows = score_rows(file.answers, questions, say)
        rows, failed = add_similarity(rows, file.answers, questions, encoder, say, known)
        workers = 1 if len(file.answers) < MANY_ANSWERS else usable_cpus()
        floors = floor_rows(questions, data, encoder, say, workers, known=known)
    write_whole(run.floors, write_lines(floors))
    write_whole(run.scores, write_lines(rows))
    about = {split: [About.of(question) for question in some] for split, some in questions.items()}
    write_whole(run.folder / "questions.json", _json(questions_as_columns(about)))
    write_whole(run.folder / "scoring.json", _json(scoring_record(file, failed)))
    return {split: sum(row.split == split for row in rows) for split in splits}


def check_joins(path: Path, file: AnswerFile, fingerprint: str, questions: Mapping[str, Sequence[Question]]) -> None:
    """Raise DataError where answers are to other data, or to another wording of a question."""
    made_for = file.answers[0].setup.data
    if made_for != fingerprint:
        raise DataError(
            f"{path} answers data with the fingerprint {made_for[:12]}…, the data here has {fingerprint[:12]}…. "
            "Give the folder that was answered with --data, or answer this one in another --run."
        )
    texts = {question.qid: text_hash(question.text) for some in questions.values() for question in some}
    for answer, number in zip(file.answers, file.lines, strict=True):
        if answer.question != texts.get(answer.qid, answer.question):
            raise DataError(
                f"{path}, line {number}: {answer.qid} was asked in other words than the data's. Answer it again."
            )


def score_rows(
    answers: Sequence[SavedAnswer],
    questions: Mapping[str, Sequence[Question]],
    say: Say = lambda text: None,
    workers: int | None = None,
) -> list[Row]:
    """Return every answer's scores against every split that asks its question, topic similarity still missing.

    Rows come by split, in the order of its questions. Many answers are scored
    on all processors, unless `workers` gives the number of processes.
    """
    answered: dict[str, list[SavedAnswer]] = {}
    for answer in answers:
        answered.setdefault(answer.qid, []).append(answer)
    asked: dict[str, list[tuple[str, Question]]] = {}
    for split, some in questions.items():
        for question in some:
            if question.qid in answered:
                asked.setdefault(question.qid, []).append((split, question))
    tasks = [(in_splits, answered[qid]) for qid, in_splits in asked.items()]

    workers = workers or (1 if len(answers) < MANY_ANSWERS else usable_cpus())
    by_split: dict[str, list[Row]] = {split: [] for split in questions}
    for number, rows in enumerate(mapped(_score_question, tasks, workers), 1):
        say(f"scoring question {number:,} of {len(tasks):,}")
        for row in rows:
            by_split[row.split].append(row)
    place = {(split, question.qid): i for split, some in questions.items() for i, question in enumerate(some)}
    return [row for split, rows in by_split.items() for row in sorted(rows, key=lambda row: place[row.split, row.qid])]


_Task = tuple[list[tuple[str, Question]], list[SavedAnswer]]
"""One question as each split has it, and its answers."""


def _score_question(task: _Task) -> list[Row]:
    """Score one question's answers; what depends on the answer alone, or on references that splits share, once."""
    in_splits, answers = task
    _, first = in_splits[0]
    own = {
        answer.model: own_scores(answer.text, answer.tokens, answer.stopped) | question_scores(first.text, answer.text)
        for answer in answers
    }
    against: dict[tuple[str, ...], dict[str, tuple[Scores, dict[str, list[int]]]]] = {}
    rows = []
    for split, question in in_splits:
        if question.references not in against:
            prepared = References(question.references)
            against[question.references] = {
                answer.model: (
                    reference_scores(question.text, question.references, prepared, answer.text)
                    | claim_scores(question.text, question.references, answer.text),
                    prepared.bleu_counts(answer.text),
                )
                for answer in answers
            }
        for answer in answers:
            scores, bleu = against[question.references][answer.model]
            rows.append(Row(split, answer.qid, answer.model, text_hash(answer.text), own[answer.model] | scores, bleu))
    return rows


def add_similarity(
    rows: Sequence[Row],
    answers: Sequence[SavedAnswer],
    questions: Mapping[str, Sequence[Question]],
    encoder: Encoder | None = None,
    say: Say = lambda text: None,
    known: Mapping[tuple[str, str, str, str], float | None] | None = None,
) -> tuple[list[Row], str | None]:
    """Return the rows with topic similarity, in the catalogue's order, and why it is missing if it can't be had.

    `known` are values by (split, qid, model, hash of the answer) that needn't be computed again.
    """
    known = known or {}
    texts = {(answer.qid, answer.model): answer.text for answer in answers}
    references = {(split, q.qid): q.references for split, some in questions.items() for q in some}
    values: list[float | None] = [None] * len(rows)
    failed = None
    # By question: what splits share is encoded once, for `topic_similarities` encodes a text once.
    order = sorted(range(len(rows)), key=lambda i: rows[i].qid)
    keys = [(row.split, row.qid, row.model, row.answer) for row in rows]
    values = [known.get(key) for key in keys]
    order = [i for i in order if values[i] is None]
    try:
        for start in range(0, len(order), SIMILARITIES_AT_ONCE):
            say(f"topic similarity: {start:,} of {len(order):,}")
            places = order[start : start + SIMILARITIES_AT_ONCE]
            part = [rows[i] for i in places]
            said = [texts[row.qid, row.model] for row in part]
            close = topic_similarities(said, [references[row.split, row.qid] for row in part], encoder)
            for i, value, text in zip(places, close, said, strict=True):
                values[i] = similarity_or_empty(value, text)
    except WeightsError as error:
        failed, values = f"topic similarity could not be computed: {error}", [None] * len(rows)
    return [
        replace(row, scores={key: value if key == "topic_similarity" else row.scores[key] for key in SCORED})
        for row, value in zip(rows, values, strict=True)
    ], failed


def scoring_record(file: AnswerFile, failed: str | None) -> dict[str, Any]:
    """Return what computed the scores."""
    head, dirty = commit(CODE)
    return {
        "data": file.answers[0].setup.data,
        "commit": head,
        "commit_dirty": dirty,
        "versions": versions(PACKAGES),
        "signatures": signatures(),
        "missing": [failed] if failed else [],
    }


def summary(rows: Sequence[Row], models: Sequence[str]) -> Iterator[str]:
    """Yield a short table: the mean of a few metrics by split and model, n of each."""
    shown = ("flesch_kincaid_grade", "words", "content_precision", "content_f1", "loops")
    for split in dict.fromkeys(row.split for row in rows):
        yield f"{split:16}" + "".join(f"{METRICS[key].label:>18}" for key in shown)
        for model in models:
            own = [row.scores for row in rows if (row.split, row.model) == (split, model)]
            if not own:
                yield f"  {model:14}no answers"
                continue
            cells = []
            for key in shown:
                there = [value for scores in own if (value := scores[key]) is not None]
                mean = f"{sum(there) / len(there):.{METRICS[key].digits}f}" if there else "–"
                cells.append(f"{f'{mean} (n {len(there):,})':>18}")
            yield f"  {model:14}" + "".join(cells)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m eval.score", description="Score a run's answers.")
    add_run(parser)
    add_data_and_split(parser)
    return parser


def add_data_and_split(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the references."""
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the prepared splits (default: %(default)s)")
    parser.add_argument(
        "--split",
        action="append",
        metavar="SET/SPLIT",
        help="split whose references count; may be given several times (default: as eval.generate)",
    )


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    from eval.scores import read_lines

    _, profile = chosen(options)
    place = run_of(options, profile)
    splits = tuple(options.split or evaluated_splits(profile))
    scored = score(place, options.data, splits)
    print("\n".join(summary(read_lines(place.scores), profile.ids)))
    for split, count in scored.items():
        print(f"{split}: {count:,} answers scored. {about_split(split)}")
    missing = json.loads((place.folder / "scoring.json").read_text(encoding="utf-8"))["missing"]
    print("\n".join([*missing, f"Written to {place.scores}"]))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when the scores are written, 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
