"""A benchmark's ratios as a picture: `python -m bench.speed.plot RESULT.json PICTURE.svg`.

One line a workload and peer: how many times as many tokens a second ours gives,
with the 95 % interval, on a logarithmic axis. Written as SVG here, for a picture
in light and dark from one file; it shows what the JSON file says, and where that
comes from.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from eval.command import run_command
from medilite.errors import DataError
from medilite.files import write_whole

WIDTH, LEFT, RIGHT, LINE, TOP = 760, 330, 90, 30, 64
TICKS = (0.5, 1, 2, 5, 10, 20, 50)
STYLE = (
    ".b{fill:#fff}"
    "text{font:14px system-ui,sans-serif;fill:#1b2733}.h{font-weight:600;font-size:15px}.q{fill:#52606d;font-size:12px}"
    ".g{stroke:#d5dbe1}.one{stroke:#52606d}.i{stroke:#14508c;stroke-width:2}.p{fill:#14508c}"
    "@media(prefers-color-scheme:dark){.b{fill:#0d1117}"
    "text{fill:#e6edf3}.q{fill:#9aa7b4}.g{stroke:#303a44}.one{stroke:#9aa7b4}"
    ".i{stroke:#79b8ff}.p{fill:#79b8ff}}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many times as fast ours is as a peer in a workload: mean and the interval's ends."""

    about: str
    peer: str
    mean: float
    low: float
    high: float


def bars_of(result: Mapping[str, Any]) -> list[Bar]:
    """Return a result's ratios. Raises DataError if there are none with an interval."""
    found = []
    for workload in result["workloads"].values():
        for name, numbers in workload["peers"].items():
            over = numbers.get("ours_over_it")
            if over and over["low"] is not None:
                found.append(Bar(workload["about"], result["peers"][name], over["mean"], over["low"], over["high"]))
    if not found:
        raise DataError("The result holds no ratio with an interval: measure two peers in at least two runs.")
    return found


def picture(result: Mapping[str, Any]) -> str:
    """Return the SVG."""
    bars = bars_of(result)
    ticks = [t for t in TICKS if min(1.0, *(b.low for b in bars)) / 2 < t < 2 * max(b.high for b in bars)]
    first, last = math.log(ticks[0]), math.log(ticks[-1])

    def across(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log(value) - first) / (last - first)

    height = TOP + LINE * len(bars) + 62
    said = ". ".join(f"{b.about}: {b.mean:.1f} times {b.peer} ({b.low:.1f} to {b.high:.1f})" for b in bars)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            f' role="img" aria-label="{escape(said)}">',
            f"<title>{escape(said)}</title><style>{STYLE}</style>",
            f'<rect class="b" width="{WIDTH}" height="{height}"/>',
            '<text class="h" x="8" y="24">Tokens a second: MediLite over others, side by side in one run</text>',
            *(
                f'<line class="{"one" if tick == 1 else "g"}" x1="{across(tick):.1f}" x2="{across(tick):.1f}" '
                f'y1="{TOP - 18}" y2="{height - 56}"/><text class="q" text-anchor="middle" x="{across(tick):.1f}" '
                f'y="{height - 40}">{tick:g}×</text>'
                for tick in ticks
            ),
            *(_line(bar, TOP + LINE * i, across) for i, bar in enumerate(bars)),
            *(
                f'<text class="q" x="8" y="{height - 22 + 15 * i}">{escape(text)}</text>'
                for i, text in enumerate(_source(result))
            ),
            "</svg>",
            "",
        ]
    )


def _line(bar: Bar, y: float, across: Any) -> str:
    return (
        f'<text x="8" y="{y}">{escape(bar.peer)}</text><text class="q" x="8" y="{y + 13}">{escape(bar.about)}</text>'
        f'<line class="i" x1="{across(bar.low):.1f}" x2="{across(bar.high):.1f}" y1="{y - 2}" y2="{y - 2}"/>'
        f'<circle class="p" cx="{across(bar.mean):.1f}" cy="{y - 2}" r="5"/>'
        f'<text x="{WIDTH - RIGHT + 14}" y="{y + 3}">{bar.mean:.1f}×</text>'
    )


def _source(result: Mapping[str, Any]) -> Iterator[str]:
    runs = {numbers["runs"] for workload in result["workloads"].values() for numbers in workload["peers"].values()}
    base, changed = str(result["base"]).partition(" (")[0], " (changed)" if result["commit_dirty"] else ""
    yield (
        f"Geometric mean of n = {' or '.join(map(str, sorted(runs)))} runs with its 95 % interval; {result['threads']} "
        f"threads; {base}; commit {str(result['commit'])[:10]}{changed}"
    )
    yield ", ".join(f"{name} {result['versions'][name]}" for name in sorted(result["versions"]) if name != "numpy")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.speed.plot", description="Draw a benchmark's ratios.")
    parser.add_argument("result", type=Path, help="what `python -m bench.speed --json` wrote")
    parser.add_argument("picture", type=Path, help="the SVG file to write")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    try:
        result = json.loads(options.result.read_text(encoding="utf-8"))
        drawn = picture(result)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{options.result} is no result of bench.speed ({type(error).__name__}: {error}).") from error
    write_whole(options.picture, drawn.encode())
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
