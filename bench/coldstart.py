"""How long until the first token, from the start of the process: `python -m bench.coldstart [--runs 7]`.

Two processes in turn: `medilite ask` at a terminal, until it reports the first token, and a bare `import torch,
transformers`, the minimum for anything that loads a model that way. Weights and compiled code are there from a first
run that isn't counted. The result is the time to the first token over its allowance, 1.5 imports and a second. For
systems with pseudo-terminals (not Windows).
"""

from __future__ import annotations

import argparse
import os
import pty
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.speed.report import ratio, spread
from eval.command import chosen, run_command, write_result
from eval.run import CODE
from medilite.cli.terminal import positive_int, say
from medilite.errors import EngineError
from medilite.provenance import commit, device_name, precision_name, versions

IMPORT = "import torch, transformers"
FIRST = b"token 1 of"
QUESTION = "What is asthma?"
PATIENCE_S = 600.0
ALLOWED_IMPORTS, ALLOWED_S = 1.5, 1.0
PACKAGES = ("torch", "transformers", "numba", "numpy")


def first_token_s(model: str, profile: str | None) -> float:
    """Return the seconds from a process's start until `medilite ask` reports its first token; ends it then.

    Raises EngineError if it ends before.
    """
    # A pseudo-terminal: elsewhere `ask` reports its progress only every few seconds.
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "medilite", "ask", QUESTION, "--models", model]
    began = time.monotonic()
    with subprocess.Popen(
        [*command, *(("--profile", profile) if profile else ())], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=its, cwd=Path(__file__).resolve().parents[1],
    ) as process:  # fmt: skip
        os.close(its)
        try:
            output = b""
            while FIRST not in output:
                if time.monotonic() - began > PATIENCE_S:
                    raise EngineError(f"`medilite ask` reported no token within {PATIENCE_S:.0f} s.")
                if not (read := _read(ours)):
                    raise EngineError(
                        f"`medilite ask` ended without a token ({process.wait()}): {output.decode(errors='replace')}"
                    )
                output += read
            return time.monotonic() - began
        finally:
            process.kill()
            os.close(ours)


def _read(terminal: int) -> bytes:
    """Return what a terminal shows next; nothing once its other end is closed, which Linux reports as an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def import_s() -> float:
    """Return the seconds of a process that imports what most programs load models with."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", IMPORT], check=True)
    return time.monotonic() - began


def in_numbers(first: Sequence[float], imports: Sequence[float]) -> dict[str, Any]:
    """Return spreads (s), and the first token's time over its allowance in the same round."""
    allowed = [ALLOWED_IMPORTS * one + ALLOWED_S for one in imports]
    return {
        "n": len(first),
        "first_token_s": {**spread(first), "of": list(first)},
        "import_s": {**spread(imports), "of": list(imports)},
        "over_allowed": ratio(first, allowed),
    }


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.coldstart", description="Measure the time to the first token."
    )
    parser.add_argument("--profile", metavar="NAME|PATH", help="shipped profile or a profile's YAML file")
    parser.add_argument("--model", metavar="ID", help="who is asked (default: the profile's last model)")
    parser.add_argument("--runs", type=positive_int, default=7, metavar="N", help="of each (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers here")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    settings, profile = chosen(options)
    spec = profile.get(options.model or profile.ids[-1])
    head, dirty = commit(CODE)
    first, imports = [], []
    for number in range(options.runs + 1):
        pair = first_token_s(spec.id, options.profile), import_s()
        if number:
            first.append(pair[0])
            imports.append(pair[1])
            say(f"run {number} of {options.runs}: first token after {pair[0]:.2f} s, the import takes {pair[1]:.2f} s")
    found = in_numbers(first, imports)
    found |= {
        "model": spec.id, "profile": profile.name, "precision": precision_name(settings), "device": device_name(),
        "cores": os.cpu_count(), "load": list(os.getloadavg()), "commit": head, "commit_dirty": dirty,
        "versions": versions(PACKAGES),
    }  # fmt: skip
    over = found["over_allowed"]
    interval = "" if over["low"] is None else f" (95 % interval {over['low']:.2f} to {over['high']:.2f})"
    text = (
        f"First token of {spec.id} in {found['precision']}: {_seconds(found['first_token_s'])} from the start of the "
        f"process; {IMPORT}: {_seconds(found['import_s'])}; n = {found['n']}.\n"
        f"The first over {ALLOWED_IMPORTS} times the second plus {ALLOWED_S:.0f} s: {over['mean']:.2f}{interval}."
    )
    write_result(found, text, options.json)
    return 0


def _seconds(of: dict[str, Any]) -> str:
    return f"{of['median']:.2f} s ({of['min']:.2f} to {of['max']:.2f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
