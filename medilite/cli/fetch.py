"""`python -m medilite fetch`: get the weights of the base into the cache, once."""

from __future__ import annotations

import argparse

from medilite.cli.terminal import chosen, load_line, progress_line
from medilite.weights import ensure_base


def run(options: argparse.Namespace) -> int:
    """Fetch and convert the base's weights, showing progress; print their folder."""
    settings, profile = chosen(options)
    with progress_line() as say:
        folder = ensure_base(profile, settings, lambda progress: say(load_line(progress)))
    print(f"{profile.base.model} is ready in {folder}")
    return 0
