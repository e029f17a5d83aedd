"""How rare words are in the training references: `python -m eval.rarity [--data FOLDER]` writes medilite/claims' table.

Counts stems and keeps no text. Test and validation references are not read.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from eval.command import run_command
from eval.run import DATA
from medilite.claims.rarity import FILE
from medilite.content.key_terms import common_stems, stems
from medilite.data import DISTINCT, load_manifest, load_split
from medilite.files import write_whole

LEAST = 3
"""A stem in fewer references is left out, and so weighs as one that none has: names and typos."""


def table(references: Sequence[str], diseases: Sequence[str], fingerprint: str) -> bytes:
    """Return the file: in how many references each stem occurs, and the stems of diseases' names."""
    counts = Counter(stem for reference in references for stem in stems(reference))
    named = Counter(stem for name in set(diseases) for stem in stems(name))
    content = {
        "documents": len(references),
        "counts": {stem: count for stem, count in sorted(counts.items()) if count >= LEAST},
        "diseases": sorted(stem for stem in named if stem not in common_stems()),
        "data": fingerprint,
    }
    return gzip.compress((json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n").encode(), mtime=0)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m eval.rarity", description="Count how rare words are.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the prepared splits (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=FILE, help="(default: %(default)s)")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    examples = load_split(options.data / DISTINCT, "train")
    fingerprint = load_manifest(options.data)["fingerprint"]
    content = table([example.answer for example in examples], [example.focus_area for example in examples], fingerprint)
    write_whole(options.out, content)
    print(f"{len(examples):,} references, {len(content):,} bytes in {options.out}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when the table is written, 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
