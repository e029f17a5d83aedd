"""One sentence a model of what is known; `python -m eval.statements` prints the tables of the documentation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from eval.command import run_command
from eval.compare import difference_rows
from eval.metrics.catalogue import METRICS, Metric
from eval.questions import load_questions
from eval.scores import questions_from_columns, rows_of, split_scores
from eval.tables import Row, metric_rows
from medilite.data import load_split
from medilite.leaderboard import FOLDER, Board, load_board
from medilite.models import Profile

MAIN_SPLITS = ("clean/known", "distinct/test")
"""Statements are of the first of these that a board has: none of its questions is asked in training."""


def main_split(tables: Mapping[str, Sequence[Row]]) -> str:
    """Return the split that statements are of; the board's first where it has none of MAIN_SPLITS, "" without any."""
    splits = list(dict.fromkeys(row["split"] for row in tables["means"]))
    return next((name for name in (*MAIN_SPLITS, *splits) if name in splits), "")


def with_echo(tables: Mapping[str, Sequence[Row]]) -> list[Metric]:
    """Return the catalogue, topic similarity with the value that the echoed question has."""
    return [_with_echo(metric, tables) if metric.key == "topic_similarity" else metric for metric in METRICS.values()]


def _with_echo(metric: Metric, tables: Mapping[str, Sequence[Row]]) -> Metric:
    """Return the metric with what the echo and the best model have, on the questions that statements are of."""
    split = main_split(tables)
    floors, means = (
        [
            (row["mean"], row["n"])
            for row in tables[name]
            if (row["split"], row["metric"]) == (split, metric.key)
            and row["mean"] is not None
            and (name == "means" or row["model"] == "floor-echo")
        ]
        for name in ("floors", "means")
    )
    if not floors:
        return metric
    echo, n = floors[0]
    beside = f", the best model {max(means)[0]:.3f}" if means else ""
    said = f"On {n:,} questions of {split} the echoed question has {echo:.3f}{beside}."
    return replace(metric, explanation=f"{metric.explanation} {said}")


def statements(
    tables: Mapping[str, Sequence[Row]], profile: Profile, reading: Mapping[str, Any] | None
) -> dict[str, str]:
    """Return, by model with answers, a sentence or a few: ease, its price, loops, and what readers said."""
    split = main_split(tables)
    cells = {(row["model"], row["metric"]): row for row in tables["means"] if row["split"] == split}
    return {
        spec.id: text
        for spec in profile.models
        if (text := _statement(spec.id, cells, tables, split, profile, reading))
    }


def _statement(
    model: str,
    cells: Mapping[tuple[str, str], Row],
    tables: Mapping[str, Sequence[Row]],
    split: str,
    profile: Profile,
    reading: Mapping[str, Any] | None,
) -> str:
    grade, plain, supported, odds, loops = (
        cells.get((model, metric))
        for metric in ("flesch_kincaid_grade", "grade_8", "content_precision", "claims_at_odds", "loops")
    )
    if not grade or grade["median"] is None or not (plain and supported and odds and loops):
        return ""
    if None in (plain["mean"], supported["mean"], odds["mean"], loops["mean"]):
        return ""
    parts = [
        f"{_percent(loops['mean'])} of its answers loop. The others have a median grade of {grade['median']:.1f}, "
        f"{_percent(plain['mean'])} of them 8.0 or lower. {_percent(supported['mean'])} of what its answers say beyond "
        f"the question is in the references, {odds['mean']:.2f} claims an answer are at odds with them."
    ]
    parent = profile.get(model).stacked_on
    if parent:
        parts.append(_against(model, parent, tables, split, profile.get(parent).label))
    parts.append(_read(model, parent, reading, profile) if reading else "")
    return " ".join(filter(None, parts))


def _read(model: str, parent: str | None, reading: Mapping[str, Any], profile: Profile) -> str:
    """Return what the blind readers found of a model, beside its parent where that was read too."""
    read = reading["models"]
    if model not in read:
        return ""

    def shares(label: str) -> tuple[str, str]:
        found = read[label]
        return f"{100 * found['right_or_partly']['value']:.1f} %", f"{100 * (found['wrong'] + found['harmful']):.1f} %"

    good, bad = shares(model)
    said = (
        f"Of {read[model]['n']} answers that two language models read blind, {good} were right or partly right and "
        f"{bad} wrong or harmful"
    )
    if not parent or parent not in read:
        return f"{said}."
    said += f"; of {profile.get(parent).label}’s, {' and '.join(shares(parent))}"
    wanted = {"model": model, "against": parent, "share": "wrong_or_harmful"}
    row = next((r for r in reading.get("differences", ()) if all(r[k] == v for k, v in wanted.items())), None)
    if row:
        value, low, high = (_signed(100 * row[key]) for key in ("value", "low", "high"))
        said += f" (wrong or harmful {value} points, {low} to {high})"
    return f"{said}."


def _against(model: str, parent: str, tables: Mapping[str, Sequence[Row]], split: str, label: str) -> str:
    """Return what a stacked model gained over its parent, and what it paid, in one sentence."""
    wanted = {"split": split, "model": model, "against": parent}
    formulas = next((r for r in tables["formulas"] if all(r[k] == v for k, v in wanted.items())), None)
    rows = {r["metric"]: r for r in tables["comparisons"] if all(r[k] == v for k, v in wanted.items())}
    precision = rows.get("content_precision")
    if not formulas or not precision or precision["low"] is None:
        return ""
    ease = f"Against {label} it is easier by {formulas['easier']} of {formulas['formulas']} formulas"
    if formulas["harder"]:
        ease += f" and harder by {formulas['harder']}"
    points = f"{abs(100 * precision['difference']):.1f} points"
    if precision["high"] < 0:
        price = f"less of what it says is supported ({points})"
    elif precision["low"] > 0:
        price = f"more of what it says is supported ({points})"
    else:
        low, high = (_signed(100 * precision[key]) for key in ("low", "high"))
        price = f"no difference in how much of what it says is supported is shown ({low} to {high} points)"
    return f"{ease}, and {price}."


def over_seeds(row: Row, label: str, chosen: bool) -> str:
    """Return what runs from several seeds say of a model's ease: `row` is of `eval.between`, `label` the parent's.

    The first run is the placed adapter; `chosen` says whether that was for its result.
    """
    first, *others = (_signed(value) for value in row["each"])
    questions = "validation questions" if row["split"].endswith("val") else f"questions of {row['split']}"
    alone = "does not explain" if row["high"] < 0 or row["low"] > 0 else "may explain"
    fair = "; this one was chosen for its result" if chosen else ""
    return (
        f"From other seeds the same training gives other results: its median grade differs from {label}’s by {first}, "
        f"theirs by {' and '.join(others)} ({row['n']} {questions} on which none of them loops). Over "
        f"questions and runs that is {_signed(row['difference'])} ({_signed(row['low'])} to {_signed(row['high'])}), "
        f"which a change of seed alone {alone}{fair}."
    )


def _signed(value: float) -> str:
    text = f"{value:+.1f}".replace("-", "−")
    return text if value and text[1:] != "0.0" else "0.0"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


SHOWN = (
    *("flesch_kincaid_grade", "grade_8", "loops", "ended", "content_precision", "content_recall", "content_f1"),
    *("unsupported_terms", "claims_not_found", "claims_at_odds", "false_explanation", "inheritance_from_nowhere"),
    *("invented_prevalence", "topic_similarity"),
)
"""The rows of `figures` and `differences`."""

CONTENT = ("content_precision", "content_recall", "content_f1")
"""What is shown without the questions whose answers training has."""


def figures(board: Board, split: str, metrics: Sequence[str] = SHOWN) -> str:
    """Return what leads in each of the metrics, by model and with intervals, as a Markdown table."""
    models = board.about["models"]
    cells = {(row["model"], row["metric"]): row for row in board.tables["means"] if row["split"] == split}
    lines = [f"| | {' | '.join(model['label'] for model in models)} |", "| --- |" + " --- |" * len(models)]
    for metric in metrics:
        shown = [_interval(cells[model["id"], metric], METRICS[metric]) for model in models]
        lines.append(f"| {_name(METRICS[metric])} | {' | '.join(shown)} |")
    return "\n".join(lines)


def differences(board: Board, model: str, against: str, split: str, metrics: Sequence[str] = SHOWN) -> str:
    """Return a model's paired differences from another in each metric, with intervals and n, as a Markdown table."""
    wanted = {"split": split, "model": model, "against": against}
    rows = {r["metric"]: r for r in board.tables["comparisons"] if all(r[k] == v for k, v in wanted.items())}
    labels = {one["id"]: one["label"] for one in board.about["models"]}
    lines = [f"| {labels[model]} minus {labels[against]} | difference | n |", "| --- | --- | --- |"]
    for metric in metrics:
        row = rows[metric]
        shown = _interval(row | {"mean": row["difference"]}, METRICS[metric], signed=True)
        lines.append(f"| {_name(METRICS[metric])} | {shown} | {row['n']:,} |")
    return "\n".join(lines)


def _name(metric: Metric) -> str:
    return f"median {metric.label.lower()}" if metric.lead == "median" else metric.label


def _interval(row: Mapping[str, Any], metric: Metric, signed: bool = False) -> str:
    """Return a value with its interval, in per cent where it is a share; a dash for none."""
    keys = ("median", "median_low", "median_high") if metric.lead == "median" else ("mean", "low", "high")
    if any(row[key] is None for key in keys):
        return "–"
    shares = metric.unit.startswith("share")
    form = f"{'+' if signed else ''}.{1 if shares else metric.digits}f"
    value, low, high = (f"{(100 if shares else 1) * row[key]:{form}}".replace("-", "−") for key in keys)
    return f"{value}{' %' if shares and not signed else ''} ({low}{' to ' if signed else '–'}{high})"


def committed_figures(board: Board) -> str:
    """Return, for each split of a board, the table of its models and that of the stacked one against its parent."""
    stacked = _stacked(board)
    parts = []
    for split in dict.fromkeys(row["split"] for row in board.tables["means"]):
        n = max(row["n"] for row in board.tables["means"] if row["split"] == split)
        parts += [
            f"`{split}`, {n:,} questions:",
            figures(board, split),
            differences(board, stacked["id"], stacked["stacked_on"], split),
        ]
    return "\n\n".join(parts)


def _stacked(board: Board) -> Any:
    return next(model for model in board.about["models"] if model["stacked_on"])


def repeated_in_training(data: Path, split: str) -> frozenset[str]:
    """Return the qids of a split's questions of which a reference is, word for word, an answer in training."""
    folder, _, _ = split.partition("/")
    learnt = {example.answer for example in load_split(data / folder, "train")}
    return frozenset(one.qid for one in load_questions(data, split) if learnt.intersection(one.references))


def figures_without(board: Board, split: str, left_out: frozenset[str]) -> str:
    """Return the tables of CONTENT on a split's other questions, made again from the board's scores.

    Resamples, seed and clusters are those of the board.
    """
    stacked = _stacked(board)
    abouts = {split: questions_from_columns(board.questions())[split]}
    models = [model["id"] for model in board.about["models"]]
    (scores,) = split_scores(rows_of(split, board.scores()[split]), abouts, models)
    scores = scores.only(np.array([about.qid not in left_out for about in scores.questions]), CONTENT)
    all_of_them = np.ones(len(scores.questions), bool)
    drawn = board.about["provenance"]["bootstrap"]
    resamples, seed = drawn["resamples"], drawn["seed"]
    pair = (stacked["id"], stacked["stacked_on"])
    tables = {
        "means": metric_rows(scores, resamples, seed),
        "comparisons": difference_rows(scores, [pair], CONTENT, all_of_them, resamples, seed),
    }
    others = Board(board.folder, board.about, tables)
    parts = [figures(others, split, CONTENT), differences(others, *pair, split, CONTENT)]
    return f"`{split}`, {len(scores.questions):,} questions:\n\n" + "\n\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables of the committed board: what docs/evaluation.md has."""
    parser = argparse.ArgumentParser(prog="python -m eval.statements", description=main.__doc__)
    parser.add_argument(
        "--without-repeated", type=Path, metavar="DATA",
        help="print the content of answers to sealed questions on new diseases instead, without the questions that "
        "have an answer which this prepared data has in training",
    )  # fmt: skip

    def run(options: argparse.Namespace) -> int:
        board = load_board(FOLDER / "lite")
        if options.without_repeated:
            split = "clean/new"
            print(figures_without(board, split, repeated_in_training(options.without_repeated, split)))
        else:
            print(committed_figures(board))
        return 0

    return run_command(parser, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
