"""Let a crowd use the app: `python -m bench.crowd --visitors 100 --minutes 5 --votes sqlite --json FILE`."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.crowd import report
from bench.crowd.crowd import Plan, run_crowd
from bench.crowd.server import served
from bench.crowd.visitor import MIX, Thinking
from bench.crowd.votes import kept_votes
from eval.command import EXIT_INTERRUPTED, run_command, write_result
from medilite.cli.terminal import positive_int, say
from medilite.provenance import commit, versions
from medilite.questions import load_questions

EXIT_FOUND = 1
CODE = ("app.py", "medilite", "bench/crowd")
PACKAGES = ("gradio", "starlette", "uvicorn", "sqlalchemy", "psycopg", "torch", "numba", "httpx")
ARRIVE_SHARE = 0.1
"""The share of the time in which visitors arrive."""


def run(options: argparse.Namespace) -> int:
    """Carry out the command line; EXIT_FOUND where something went wrong or a vote was lost."""
    thinking = Thinking(options.think)
    arrive_s = options.minutes * 60 * ARRIVE_SHARE
    plan = Plan(options.visitors, options.minutes, options.seed, thinking, arrive_s, options.lab)
    questions = [question.question for question in load_questions()]
    say("Starting the app.")
    with served(options.votes, options.command, options.sources) as here:
        say(f"{plan.visitors} visitors come to {here.app.url}.")
        cpu_s = time.process_time()
        ran = asyncio.run(run_crowd(here.app.url, here.app.pid, plan, questions, say))
        cpu_s = time.process_time() - cpu_s
        load = list(os.getloadavg()) if hasattr(os, "getloadavg") else None
        kept = kept_votes(here.votes, ran.tally.votes)
        broken = sum("Traceback" in line for line in here.app.output)
        log = here.app.output[-200:]
    found: dict[str, Any] = report.result(ran.tally, ran.watch, kept, ran.unfinished)
    head, dirty = commit(CODE)
    found |= {
        "visitors": plan.visitors, "minutes": plan.minutes, "duration_s": ran.duration_s, "arrive_s": plan.arrive_s,
        "interrupted": ran.interrupted, "seed": plan.seed, "mix": MIX,
        "in_the_lab": sum(map(plan.in_lab, range(plan.visitors))),
        "think": {
            "median_s": thinking.median_s, "sigma": thinking.sigma, "longest_s": thinking.longest_s,
            "distribution": "lognormal",
        },
        "command": options.command, "sources": options.sources, "precision": here.precision, "votes_in": options.votes,
        "tracebacks_in_log": broken, "log": log if broken else [],
        "visitors_cpu_s": cpu_s, "cores": os.cpu_count(), "load_average": load,
        "commit": head, "commit_dirty": dirty, "versions": versions(PACKAGES),
    }  # fmt: skip
    write_result(found, report.table(found), options.json)
    if ran.interrupted:
        return EXIT_INTERRUPTED
    return 0 if found["found"]["no_error"] and kept.none_lost and not broken else EXIT_FOUND


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=__doc__)
    parser.add_argument(
        "--visitors", type=positive_int, default=100, metavar="N", help="at once (default: %(default)s)"
    )
    parser.add_argument("--minutes", type=_positive, default=5.0, help="how long they stay (default: %(default)s)")
    parser.add_argument("--votes", choices=("sqlite", "postgresql"), default="sqlite", help="a fresh database of votes")
    parser.add_argument(
        "--command", type=shlex.split, default=[], help="what starts the app (default: app.py with its real models)"
    )
    parser.add_argument(
        "--think", type=_positive, default=8.0, metavar="SECONDS",
        help="median time between two actions of a visitor, lognormal (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--lab", type=_share, default=0.0, metavar="SHARE",
        help="share of the visitors who are in the Lab alone (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--sources",
        metavar="VALUE",
        help="MEDILITE_SOURCES of the app: auto, off, or a path (default: the environment's)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of what visitors do (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers here")
    return parser


def _positive(text: str) -> float:
    if not (number := float(text)) > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _share(text: str) -> float:
    if not 0 <= (number := float(text)) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share from 0 to 1")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, 1 for errors or lost votes, 2 for an error that a user can fix, 130 after Ctrl+C."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
