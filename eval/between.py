"""Differences that hold over questions and over runs: `python -m eval.between --profile runs/lite/seeds.yaml`.

The profile is the one that `training.reproduce --seeds N` writes, its answers generated and scored like any other's.
Each stacked model is compared with its parent from the same seed, each other model with the base. An interval draws
clusters of questions and runs; three runs say little about a fourth, so the values of all of them are in the table too.
Writes between.json into the run's folder, and with `--board NAME` beside that board's tables, where the page shows it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from eval.command import add_run, chosen, run_command, run_of
from eval.compare import add_resampling
from eval.intervals import over_runs
from eval.metrics.catalogue import FORMULAS, METRICS, SCORED
from eval.run import CODE, PACKAGES
from eval.scores import SplitScores, arrange, load_run
from eval.statements import main_split, over_seeds
from eval.tables import KIND_METRICS, Row, number
from medilite.errors import ConfigError, DataError
from medilite.files import write_whole
from medilite.leaderboard import BETWEEN_FILE, BOARD_FILE, FOLDER, boards
from medilite.models import Profile
from medilite.provenance import adapter_sha256, commit, versions

MARK = ".seed-"
"""What a repetition's id has between the model's and the seed (`training.recipe.seeds`)."""

GRADE = "flesch_kincaid_grade"

CHOSEN = frozenset({"grpo"})
"""Models whose first run was chosen for its result, among tries from its seed (docs/protocol.md)."""

COMPARED = tuple(dict.fromkeys((*FORMULAS, *KIND_METRICS)))


def runs_of(profile: Profile) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return, by model, its runs as (id, id of what it is compared with); models with one run alone are left out.

    Raises DataError where the profile has no repetition, or no base to compare with.
    """
    base = profile.base_model
    if base is None:
        raise DataError(f"Profile {profile.name} shows no base to compare with; add it to its models.")
    found: dict[str, list[tuple[str, str]]] = {}
    for spec in profile.models:
        if spec.adapter is not None:
            found.setdefault(spec.id.partition(MARK)[0], []).append((spec.id, spec.stacked_on or base.id))
    several = {model: tuple(runs) for model, runs in found.items() if len(runs) > 1}
    if not several:
        raise DataError(
            f"Profile {profile.name} has every model from one seed alone. `python -m training.reproduce --profile "
            "lite --seeds 3` trains further ones, and writes a profile of them all, runs/lite/seeds.yaml."
        )
    return several


def between(scores: SplitScores, runs: Mapping[str, Sequence[tuple[str, str]]], resamples: int, seed: int) -> list[Row]:
    """Return a row for each model and metric: every run's difference, their mean, its interval, and its spread.

    Grades are medians of the paired differences, everything else means; `sd` is
    the standard deviation over runs (n - 1).
    """
    rows: list[Row] = []
    for model, pairs in runs.items():
        against = pairs[0][1]
        for metric in COMPARED:
            if metric not in scores.values:
                continue
            columns = np.stack([scores.column(metric, a) - scores.column(metric, b) for a, b in pairs], 1)
            middle = METRICS[metric].lead == "median"
            each, mean, low, high = over_runs(columns, middle, resamples, seed, clusters=scores.clusters)
            rows.append(
                {
                    "split": scores.split,
                    "model": model,
                    "against": against,
                    "metric": metric,
                    "statistic": "median" if middle else "mean",
                    "n": int((~np.isnan(columns)).all(1).sum()),
                    "runs": len(pairs),
                    "each": [number(float(value)) for value in each],
                    "difference": number(mean),
                    "low": number(low),
                    "high": number(high),
                    "sd": number(float(each.std(ddof=1))),
                }
            )
    return rows


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the rows in words."""
    for row in rows:
        if row["low"] is None:
            continue
        each = ", ".join(f"{value:+.3f}" for value in row["each"])
        yield (
            f"  {row['model']} − {row['against']}, {METRICS[row['metric']].label}: {row['difference']:+.3f} "
            f"[{row['low']:+.3f}, {row['high']:+.3f}] over {row['n']:,} questions and {row['runs']} runs ({each})"
        )


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m eval.between", description="Compare models over questions and over runs from several seeds."
    )
    add_run(parser)
    add_resampling(parser)
    parser.add_argument("--board", metavar="NAME", help="put the result into assets/leaderboard/NAME too")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    _, profile = chosen(options)
    place = run_of(options, profile)
    runs = runs_of(profile)
    rows, questions, _ = load_run(place.folder, profile)
    if options.board and not (FOLDER / options.board / BOARD_FILE).is_file():
        raise ConfigError(f"--board {options.board}: no board has that name. There are: {', '.join(boards())}.")
    head, dirty = commit(CODE)
    result: dict[str, Any] = {
        "resamples": options.resamples,
        "seed": options.bootstrap_seed,
        "commit": head,
        "commit_dirty": dirty,
        "versions": versions(PACKAGES),
        "adapters": {one: adapter_sha256(profile, one) for own in runs.values() for one, _ in own},
        "statements": {},
        "rows": [],
    }
    for split, some in questions.items():
        scores = arrange(split, some, profile.ids, SCORED, [row for row in rows if row.split == split])
        found = between(scores, runs, options.resamples, options.bootstrap_seed)
        result["rows"] += found
        print("\n".join([f"== {scores.split}", *lines(found)]))
    split = main_split({"means": result["rows"]})
    result["statements"] = {
        row["model"]: over_seeds(row, profile.get(row["against"]).label, row["model"] in CHOSEN)
        for row in result["rows"]
        if (row["split"], row["metric"]) == (split, GRADE) and row["low"] is not None
    }
    for folder in (place.folder, *([FOLDER / options.board] if options.board else [])):
        write_whole(folder / BETWEEN_FILE, (json.dumps(result, indent=1) + "\n").encode())
        print(f"Written to {folder / BETWEEN_FILE}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when the table is written, 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
