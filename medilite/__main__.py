"""`python -m medilite …`: what the app does, without a browser.

`models` lists the models, `ask` has them answer a question, `fetch` gets the weights, `sources` makes and searches the
library of passages, `votes` rates and exports blind votes, `doctor` checks the installation. Exit codes: 0 done, 1 no
model could answer or a check failed, 2 an error that a person can fix (its message is on stderr), 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any

from medilite import __version__
from medilite.errors import MediLiteError
from medilite.records import SHOWN_DECODING, Request

EXIT_FAILED, EXIT_ERROR, EXIT_INTERRUPTED = 1, 2, 130

DEFAULT = SHOWN_DECODING
DEFAULT_SEED = Request(model="", messages=()).seed


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command and option; imports nothing heavy."""
    parser = argparse.ArgumentParser(
        prog="python -m medilite",
        description="Six checkpoints of one small model answer health questions. Not medical advice.",
        epilog='For example: python -m medilite ask "What helps against hay fever?"',
    )
    parser.add_argument("--version", action="version", version=f"medilite {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--profile", metavar="NAME|PATH", help="shipped profile or a profile's YAML file (default: MEDILITE_PROFILE)"
    )
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print JSON")

    commands.add_parser("models", parents=[common, as_json], help="list the models, and whether each is available")
    commands.add_parser("fetch", parents=[common], help="get the weights of the base into the cache, once")

    doctor = commands.add_parser(
        "doctor", parents=[common, as_json], help="check that everything answers and votes need is in order"
    )
    doctor.add_argument("--skip", default="", metavar="CHECK,CHECK", help="checks to leave out; engine is the slow one")

    ask = commands.add_parser("ask", parents=[common, as_json], help="have models answer a question")
    ask.add_argument("question", help='the question in quotes, or "-" to read it from standard input')
    ask.add_argument("--models", default="all", metavar="all|id,id", help="which models answer (default: all)")
    ask.add_argument(
        "--max-new-tokens", type=int, default=DEFAULT.max_new_tokens, metavar="N",
        help="longest answer, in tokens: one is about three quarters of a word (default: %(default)s)",
    )  # fmt: skip
    ask.add_argument(
        "--temperature", type=float, default=DEFAULT.temperature, metavar="T",
        help="0: always the likeliest word; higher: more varied, riskier (default: %(default)g)",
    )  # fmt: skip
    ask.add_argument(
        "--top-p", type=float, default=DEFAULT.top_p, metavar="P",
        help="choose among the likeliest words only, which are this likely together (default: %(default)g)",
    )  # fmt: skip
    ask.add_argument(
        "--repetition-penalty",
        type=float,
        default=DEFAULT.repetition_penalty,
        metavar="R",
        help="above 1, words used before become rarer (default: %(default)g)",
    )
    ask.add_argument(
        "--seed",
        type=int,
        default=DEFAULT_SEED,
        metavar="S",
        help="the same random numbers for every model (default: %(default)s)",
    )
    _add_sources(commands, as_json)
    _add_votes(commands, common, as_json)
    return parser


def _add_sources(commands: Any, as_json: argparse.ArgumentParser) -> None:
    """Add the command `sources` with its subcommands."""
    sources = commands.add_parser("sources", help="make or search the library of passages shown beside the answers")
    inner = sources.add_subparsers(dest="sources_command", required=True, metavar="COMMAND")
    which = argparse.ArgumentParser(add_help=False)
    which.add_argument(
        "--library",
        metavar="PATH",
        help="table of one's own, prepared data or built library (default: MEDILITE_SOURCES)",
    )
    build = inner.add_parser("build", parents=[which], help="make the library, going on where it was stopped")
    build.add_argument("--background", metavar="DATA", help=argparse.SUPPRESS)
    search = inner.add_parser("search", parents=[which, as_json], help="print the passages that fit a question")
    search.add_argument("question", help="the question in quotes")
    search.add_argument("--count", type=int, default=5, metavar="N", help="passages at most (default: %(default)s)")


def _add_votes(commands: Any, common: argparse.ArgumentParser, as_json: argparse.ArgumentParser) -> None:
    """Add the command `votes` with its subcommands."""
    votes = commands.add_parser("votes", help="rate, check and export blind votes; make answers to vote on")
    inner = votes.add_subparsers(dest="votes_command", required=True, metavar="COMMAND")
    inner.add_parser("rate", parents=[common, as_json], help="print the ratings and how many votes count")
    inner.add_parser("recheck", parents=[common], help="mark every vote again by the present rules")
    inner.add_parser("clean", parents=[common], help="delete what is older than the settings keep it")
    export = inner.add_parser("export", parents=[common], help="write the votes to a file")
    export.add_argument("out", metavar="FILE", help="its name ends with .jsonl, .csv or .parquet")
    export.add_argument("--pairs", action="store_true", help="preference pairs (prompt, chosen, rejected) instead")
    prepare = inner.add_parser("prepare", parents=[common], help="have every model answer the project's questions")
    prepare.add_argument("--out", metavar="FOLDER", help="(default: assets/arena/PROFILE)")
    prepare.add_argument("--questions", metavar="FILE", help="(default: assets/questions.jsonl)")
    prepare.add_argument("--limit", type=int, metavar="N", help="only the first N questions")
    prepare.add_argument("--models", default="all", metavar="all|id,id", help="which models answer (default: all)")
    prepare.add_argument("--seeds", default="0,1", metavar="S,S", help="at least two (default: %(default)s)")
    prepare.add_argument("--batch", type=int, default=24, metavar="N", help="answers at once (default: %(default)s)")
    prepare.add_argument("--max-new-tokens", type=int, default=192, metavar="N", help="(default: %(default)s)")
    prepare.add_argument("--temperature", type=float, default=0.7, metavar="T", help="(default: %(default)g)")
    prepare.add_argument("--top-p", type=float, default=0.95, metavar="P", help="(default: %(default)g)")
    prepare.add_argument("--repetition-penalty", type=float, default=1.1, metavar="R", help="(default: %(default)g)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code. Errors that a person can fix become a message on stderr."""
    parser = build_parser()
    if not (sys.argv[1:] if argv is None else argv):
        parser.print_help(sys.stderr)
        return EXIT_ERROR
    options = parser.parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # An answer may hold any character; one that the terminal has no code for is written as \xe8, not an error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        # One command's imports only; none of them torch before it is needed.
        command = importlib.import_module(f"medilite.cli.{options.command}")
        code = command.run(options)
        sys.stdout.flush()
        return code
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has left: discard what Python would flush at exit, which would fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
