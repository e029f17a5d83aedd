"""How much of a gain is due to fewer loops: `python -m eval.decoding RUN [RUN …] --model grpo --against sft-r16-high`.

Each run holds both models' answers to the same questions under one decoding (`eval.generate --repetition-penalty 1.1
--run runs/penalty`). The table has, for each, how often either loops, the median grade without loops, the mean grade
with them as it was once reported, and the difference. A gain that shrinks under a repetition penalty could be had by
the penalty alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.answers import read_answers
from eval.command import run_command, write_result
from eval.intervals import METHOD, clusters_of, mean_intervals, middle_intervals
from eval.metrics.answer import own_scores
from eval.metrics.claimed import claim_scores
from eval.questions import Question, load_questions
from eval.run import CODE, DATA, Run
from medilite.errors import DataError
from medilite.provenance import commit

SPLIT = "distinct/val"
GRADE = "flesch_kincaid_grade"
SHOWN = ("loops", "ended", "words", "content_precision", "claims_at_odds")


def row_of(run: Run, questions: dict[str, Question], model: str, against: str) -> dict[str, Any]:
    """Return the row of one decoding. Raises DataError if a run lacks one of the models."""
    answers = {(answer.qid, answer.model): answer for answer in read_answers(run.answers).answers}
    qids = [qid for qid in questions if (qid, model) in answers and (qid, against) in answers]
    if len(qids) < 2:
        raise DataError(f"{run.answers} has no two questions that both {model} and {against} answered.")
    columns: dict[str, dict[str, np.ndarray]] = {}
    for name in (model, against):
        scores = []
        for qid in qids:
            answer, question = answers[qid, name], questions[qid]
            own = own_scores(answer.text, answer.tokens, answer.stopped)
            scores.append(own | claim_scores(question.text, question.references, answer.text))
        keys = (GRADE, *SHOWN)
        # A score that is None becomes NaN.
        columns[name] = {key: np.array([one[key] for one in scores], float) for key in keys}
    clusters = clusters_of([(questions[qid].source, questions[qid].qtype) for qid in qids])
    loops = {name: columns[name]["loops"] == 1 for name in columns}
    either = loops[model] | loops[against]
    change = columns[model][GRADE] - columns[against][GRADE]
    without = np.where(either, np.nan, change)
    means = mean_intervals(change[:, None], clusters=clusters)
    middle = middle_intervals(without[:, None], clusters=clusters)
    decoding = next(iter(answers.values())).setup.decoding
    return {
        "temperature": decoding.temperature,
        "repetition_penalty": decoding.repetition_penalty,
        "n": len(qids),
        "models": {
            name: {
                "median_grade": round(float(np.nanmedian(np.where(loops[name], np.nan, of[GRADE]))), 2),
                "mean_grade_with_loops": round(float(np.nanmean(of[GRADE])), 2),
                **{key: round(float(np.nanmean(of[key])), 3) for key in SHOWN},
            }
            for name, of in columns.items()
        },
        "mean_difference_with_loops": [round(float(v[0]), 2) for v in (means.mean, means.low, means.high)],
        "median_difference": [round(float(v[0]), 2) for v in (middle.median, middle.median_low, middle.median_high)],
        "loops_left_out": int(either.sum()),
    }


def table(rows: Sequence[dict[str, Any]], model: str, against: str) -> str:
    """Return the rows as Markdown."""
    lines = [
        f"| decoding | n | {model}: loops, median grade | {against}: loops, median grade "
        "| difference, mean with loops | difference, median without loops |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        how = "greedy" if not row["temperature"] else f"temperature {row['temperature']:g}"
        if row["repetition_penalty"] != 1:
            how += f", repetition penalty {row['repetition_penalty']:g}"
        both = [row["models"][name] for name in (model, against)]
        cells = [f"{one['loops']:.0%}, {one['median_grade']:.1f}" for one in both]
        for key in ("mean_difference_with_loops", "median_difference"):
            value, low, high = row[key]
            cells.append(" to ".join([f"{value:+.1f} ({low:+.1f}", f"{high:+.1f})"]).replace("-", "−"))
        lines.append(f"| {how} | {row['n']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m eval.decoding", description="Compare two models by decoding.")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folder of a run, one a way of decoding")
    parser.add_argument("--model", default="grpo")
    parser.add_argument("--against", default="sft-r16-high")
    parser.add_argument("--data", type=Path, default=DATA, help="(default: %(default)s)")
    parser.add_argument("--split", default=SPLIT, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    questions = {question.qid: question for question in load_questions(options.data, options.split)}
    rows = [row_of(Run(folder), questions, options.model, options.against) for folder in options.runs]
    about = {"split": options.split, "intervals": METHOD, "commit": commit(CODE)[0], "rows": rows}
    write_result(about, table(rows, options.model, options.against), options.json)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when the table is printed, 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
