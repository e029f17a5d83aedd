"""MedQuAD in, splits out: `python -m training.prepare_medquad --source PATH|kaggle|hub --out DIR [--report]`.

Reads the pairs, filters them as the study did, and writes the study's split,
one in which no question is in two splits and, where the source names synonyms,
the clean set with its sealed parts. A manifest seals them all.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from medilite.cli.terminal import positive_int
from medilite.errors import MediLiteError
from medilite.records import Example
from medilite.sources.collection import COLLECTION, save_collection
from medilite.sources.records import Entry
from training.data.collection import Collection
from training.data.describe import describe_clean_set, describe_set, describe_source
from training.data.filtering import Filter, Filtered, apply_filter
from training.data.manifest import MANIFEST, write_splits
from training.data.sealing import CleanSet, make_clean_set
from training.data.sources import read_source
from training.data.splits import split_as_study, without_shared_questions

SHOWN_PROBLEMS = 10


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 0 when the splits are written, 2 for an error that a user can fix."""
    options = parse_arguments(argv)
    try:
        prepare(options)
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def prepare(options: argparse.Namespace) -> dict[str, Any]:
    """Do the whole recipe and return the manifest."""
    collection = read_source(options.source, options.question_column, options.answer_column)
    say_problems(collection)

    rule = Filter(options.max_words, options.min_per_focus)
    filtered = apply_filter(collection.pairs, rule)

    study = split_as_study(filtered.kept, options.seed)
    sets = {"study": study, "distinct": without_shared_questions(study)}
    splits: dict[str, dict[str, list[Example]]] = {name: one.named() for name, one in sets.items()}
    about = describe_source(collection, rule, filtered, options.seed)
    about_sets = {name: describe_set(name, one) for name, one in sets.items()}
    clean = make_clean_set(sets["distinct"], filtered.answered, filtered.synonyms, options.seed)
    if isinstance(clean, CleanSet):
        splits["clean"], about_sets["clean"] = clean.splits, describe_clean_set(clean)
    else:
        about["no_clean_set"] = clean
    manifest = write_splits(options.out, splits, about, about_sets)
    write_library_table(options.out, filtered, rule)
    say_summary(manifest, options.out)

    if options.report:
        from training.data.report import write_report

        print(f"Report: {write_report(options.out, filtered, manifest)}")
    return manifest


def write_library_table(folder: Path, filtered: Filtered, rule: Filter) -> None:
    """Write every pair with an answer, its page's address and its disease's other names, for the library."""
    entries = [
        Entry(
            id=example.qid,
            question=example.question,
            answer=example.answer,
            source=example.source,
            address=filtered.addresses.get(example.qid, ""),
            topic="" if example.focus_area == rule.focus_area_if_missing else example.focus_area,
            kind=example.qtype,
            names=filtered.synonyms.get(example.qid, ()),
        )
        for example in filtered.answered
    ]
    save_collection(folder / COLLECTION, entries)


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's options, the study's own values where none are given."""
    rule = Filter()
    parser = argparse.ArgumentParser(
        prog="python -m training.prepare_medquad", description="Prepare MedQuAD, or any table of pairs, for training."
    )
    parser.add_argument(
        "--source",
        required=True,
        help="folder or archive of MedQuAD's XML documents; CSV, gzipped or not, with columns question and answer; "
        "or the word kaggle or hub",
    )
    parser.add_argument("--out", required=True, type=Path, help="folder to write the splits and the manifest to")
    parser.add_argument("--report", action="store_true", help="also write report.html, which explores the collection")
    parser.add_argument("--question-column", metavar="NAME", help="column of a table that holds the questions")
    parser.add_argument("--answer-column", metavar="NAME", help="column of a table that holds the answers")
    parser.add_argument(
        "--max-words",
        type=positive_int,
        default=rule.max_answer_words,
        metavar="N",
        help="longest answer kept, in words (default: %(default)s)",
    )
    parser.add_argument(
        "--min-per-focus",
        type=positive_int,
        default=rule.min_rows_per_focus_area,
        metavar="N",
        help="fewest rows that a focus area is kept with (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=42, help="seed of the splits (default: %(default)s)")
    return parser.parse_args(argv)


def say_problems(collection: Collection) -> None:
    """Name on stderr what could not be read; the manifest holds the whole list."""
    if not collection.problems:
        return
    print(f"{len(collection.problems):,} items of {collection.name} are malformed and left out:", file=sys.stderr)
    for problem in collection.problems[:SHOWN_PROBLEMS]:
        print(f"  {problem.where}: {problem.reason}", file=sys.stderr)
    if len(collection.problems) > SHOWN_PROBLEMS:
        more = len(collection.problems) - SHOWN_PROBLEMS
        print(f'  … and {more:,} more: all are listed in {MANIFEST} under "malformed"', file=sys.stderr)


def say_summary(manifest: dict[str, Any], out: Path) -> None:
    """Print the count at every stage, the splits and what they share."""
    print(f"{manifest['source']['name']} ({manifest['source']['kind']})")
    for stage, count in manifest["counts"].items():
        print(f"  {stage.replace('_', ' '):34}{count:>8,}")
    for name, about in manifest["sets"].items():
        sizes = " / ".join(f"{split} {entry['rows']:,}" for split, entry in about["splits"].items())
        print(f"{name}: {sizes}")
        if "overlap_in_words" in about:
            print(f"  {about['overlap_in_words']}")
    if why := manifest.get("no_clean_set"):
        print(f"clean: not written, {why}")
    print(f"Written to {out}, fingerprint {manifest['fingerprint']}")
    if manifest["source"]["credit"]:
        print(
            f"Credit wherever results on it are shown: {manifest['source']['credit']} ({manifest['source']['licence']})"
        )


if __name__ == "__main__":
    sys.exit(main())
