"""From a run's answers to the committed leaderboard: `python -m eval.leaderboard [--run FOLDER]`, and `--check`.

Scores the answers, compares the models, and writes tables, answers and their
provenance to assets/leaderboard/PROFILE (medilite.leaderboard has the format),
and the study's own table beside it. `--check` makes the committed numbers
again from the committed answers (of topic similarity a sample, all with
`--all`) and fails on any difference.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.board import board_of
from eval.board_files import BoardFiles, columns_of, read_parquet
from eval.check import SAMPLE, Report, check, column_pairs, table_pairs
from eval.command import add_run, chosen, run_command, run_of
from eval.committed import saved_answers
from eval.compare import add_resampling
from eval.published import PROFILE as PUBLISHED
from eval.published import published_board
from eval.questions import evaluated_splits
from eval.run import RUNS, Run
from eval.score import add_data_and_split, score
from medilite.errors import DataError
from medilite.files import write_whole
from medilite.leaderboard import BOARD_FILE, FOLDER, Board, load_board

SHOWN_DIFFERENCES = 20


def write(options: argparse.Namespace) -> int:
    """Score, compare and write the boards."""
    _, profile = chosen(options)
    run = run_of(options, profile)
    known: dict[tuple[str, str, str, str], float | None] = {}
    if options.from_board:
        run = unpack(options.from_board, options.run or RUNS / f"{profile.name}-again")
        known = similarities(options.from_board)
    for split, count in score(run, options.data, options.split or evaluated_splits(profile), known=known).items():
        print(f"{split}: {count:,} answers scored")
    out = options.out / profile.name
    board = board_of(run, profile, options.resamples, options.bootstrap_seed)
    if (out / BOARD_FILE).exists() and load_board(out).about["reported"]:
        raise DataError(
            f"{out} holds numbers that others reported. Give another folder with --out, or another profile."
        )
    board.write(out)
    published_board().write(options.out / PUBLISHED)
    print("\n".join(board.about["missing"]))
    print(f"Written to {out} and {options.out / PUBLISHED}")
    return 0


def unpack(folder: Path, into: Path) -> Run:
    """Write a committed board's answers as a run's, to score and lay them out again without a model."""
    board, run = load_board(folder), Run(into)
    if board.about["reported"]:
        raise DataError(f"{folder} holds numbers that others reported, and no answers to score.")
    lines = "".join(f"{answer.to_json()}\n" for answer in saved_answers(board).values())
    write_whole(run.answers, lines.encode())
    run.write_sessions(board.about["provenance"]["generation"])
    return run


def similarities(folder: Path) -> dict[tuple[str, str, str, str], float | None]:
    """Return a board's topic similarities by (split, qid, model, hash of the answer): embeddings take longest."""
    board = load_board(folder)
    return {
        (split, *key): value
        for scores in (board.scores(), board.floors())
        for split, columns in scores.items()
        for *key, value in zip(*(columns[name] for name in ("qid", "model", "answer", "topic_similarity")), strict=True)
    }


def check_all(options: argparse.Namespace) -> int:
    """Check every board in the folder; 1 if a number differs."""
    started = time.monotonic()
    folders = sorted(path.parent for path in options.out.glob(f"*/{BOARD_FILE}"))
    if not folders:
        raise DataError(f"{options.out} holds no board. Make one: make leaderboard")
    failed = False
    for folder in folders:
        if load_board(folder).about["reported"]:
            report = check_published(folder)
        else:
            report = check(folder, options.data, None if options.all else SAMPLE)
        failed |= bool(report.differences)
        print(f"== {folder.name}")
        for line in report.checked:
            print(f"  made again: {line}")
        for line in report.notes:
            print(f"  note: {line}")
        for line in report.left_out:
            print(f"  left out: {line}")
        for line in report.differences[:SHOWN_DIFFERENCES]:
            print(f"  differs: {line}")
        if len(report.differences) > SHOWN_DIFFERENCES:
            print(f"  … and {len(report.differences) - SHOWN_DIFFERENCES:,} more differences")
    print(f"{'Differences were found' if failed else 'No difference'}; {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


def check_published(folder: Path) -> Report:
    """Hold the reported board's files against eval/published.yaml."""
    report, made = Report(), published_board()
    committed = load_board(folder)
    report.compare("descriptions of reported tables", column_pairs("board.json", wrapped(committed), wrapped(made)))
    for name, rows in made.tables.items():
        report.compare(f"numbers of {name}", table_pairs(name, committed.tables.get(name, []), rows))
        parquet = read_parquet(folder / f"{name}.parquet")
        report.compare(f"columns of {name}.parquet", column_pairs(name, columns_of(rows), parquet))
    return report


def wrapped(board: Board | BoardFiles) -> dict[str, list[Any]]:
    """Return a board's description as columns of one value."""
    return {key: [value] for key, value in board.about.items()}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m eval.leaderboard", description="Make or check the leaderboard.")
    add_run(parser)
    add_data_and_split(parser)
    add_resampling(parser)
    parser.add_argument("--out", type=Path, default=FOLDER, help="where boards go (default: assets/leaderboard)")
    parser.add_argument(
        "--from-board",
        type=Path,
        metavar="FOLDER",
        help="score a committed board's answers again (assets/leaderboard/PROFILE), no model needed",
    )
    parser.add_argument("--check", action="store_true", help="make the committed numbers again and compare")
    parser.add_argument("--all", action="store_true", help="with --check: topic similarity of all answers, no sample")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    return check_all(options) if options.check else write(options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 done, 1 a committed number differs, 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
