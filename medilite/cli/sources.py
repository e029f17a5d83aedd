"""`python -m medilite sources build|search`: the library of passages."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from medilite.cli.terminal import load_line, progress_line
from medilite.errors import QuestionError
from medilite.progress import LoadProgress
from medilite.prompts import clean_question
from medilite.settings import Settings, load_settings
from medilite.sources.shelf import make_library, open_library


def run(options: argparse.Namespace) -> int:
    """Build the library, or search it; 0, or 1 if no passage fits."""
    given = {"sources": options.library} if options.library else {}
    settings = load_settings(**given)
    if settings.sources == "off":
        settings = load_settings(sources="auto")
    return _build(options, settings) if options.sources_command == "build" else _search(options, settings)


def _build(options: argparse.Namespace, settings: Settings) -> int:
    if options.background:
        folder = _build_behind(settings, Path(options.background))
    else:
        with progress_line() as say:
            folder = make_library(settings, lambda progress: say(load_line(progress)))
    print(folder)
    return 0


def _build_behind(settings: Settings, prepared: Path) -> Path:
    """Build at the lowest priority and print progress for the app that started this; end when it has ended.

    `prepared` is where that app looks for prepared data.
    """
    parent = os.getppid()
    os.nice(19)

    def report(progress: LoadProgress) -> None:
        if os.getppid() != parent:
            sys.exit(0)
        share = "" if progress.share is None else f"{progress.share:.3f}"
        print(f"{share}\t{progress.message}", flush=True)

    return make_library(settings, report, prepared)


def _search(options: argparse.Namespace, settings: Settings) -> int:
    if options.count < 1:
        raise QuestionError(f"--count {options.count} can't be used: give 1 or more.")
    question = clean_question(options.question, settings.max_question_chars)
    library = open_library(make_library(settings, lambda _: None), settings)
    found = library.search(question, options.count)
    if options.json:
        print(json.dumps(asdict(found) | {"about": asdict(library.about)}, indent=2, ensure_ascii=False))
        return 0 if found.fits else 1
    if not found.fits:
        print("No passage in the library answers this. Nearest:")
    for hit in found.hits:
        passage = hit.passage
        print(f"\n{passage.question}  [{passage.id}, score {hit.score:.2f}]\n{passage.text}")
        print(f"{passage.institute}, {library.about.date}: {passage.address}")
    return 0 if found.fits else 1
