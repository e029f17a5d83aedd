"""What the commands of eval and bench share: profile and run, errors as messages, exit codes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.run import RUNS, Run
from medilite.cli.terminal import chosen as chosen
from medilite.errors import MediLiteError
from medilite.files import write_whole
from medilite.models import Profile

EXIT_ERROR, EXIT_INTERRUPTED = 2, 130


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command has."""
    parser.add_argument(
        "--profile", metavar="NAME|PATH", help="shipped profile or a profile's YAML file (default: MEDILITE_PROFILE)"
    )
    parser.add_argument("--run", type=Path, metavar="FOLDER", help="the run's folder (default: runs/PROFILE)")


def run_of(options: argparse.Namespace, profile: Profile) -> Run:
    """Return the run that the options name."""
    return Run(options.run or RUNS / profile.name)


def write_result(result: Mapping[str, Any], text: str, file: Path | None) -> None:
    """Print a measurement's result for people and, if a file is given, write all of it there as JSON."""
    if file:
        write_whole(file, (json.dumps(result, indent=2) + "\n").encode())
    print(text)


def run_command(
    parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int], arguments: Sequence[str] | None
) -> int:
    """Parse and run; an error that a user can fix becomes a message and exit code 2, Ctrl-C 130."""
    options = parser.parse_args(arguments)
    try:
        return run(options)
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        print("Interrupted; what is written stays, and the same command resumes from there.", file=sys.stderr)
        return EXIT_INTERRUPTED
