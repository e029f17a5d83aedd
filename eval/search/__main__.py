"""How well the library is searched: `python -m eval.search`; `choose` fits when nothing fits.

Needs prepared MedQuAD (`make data`); LiveQA's questions are looked at where their
file is. Writes docs/sources/search.json, which docs/sources.md has its figures from.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from eval.command import run_command, write_result
from eval.run import CODE
from eval.search import words_alone
from eval.search.nothing_fits import Akin, Case, Encode, cases, choose, library_of, rates, take_out
from eval.search.questions import Half, Reworded, halves, reworded
from eval.search.sets import (
    LIVEQA,
    RIGHT_FROM,
    Consumer,
    Example,
    Judged,
    consumers,
    examples,
    is_about,
    liveqa,
    off_topic,
)
from medilite.arena.ratings import wilson
from medilite.cli.terminal import say
from medilite.content.embeddings import ensure_encoder
from medilite.content.light_encoder import LightEncoder
from medilite.provenance import commit, versions
from medilite.settings import load_settings
from medilite.sources.collection import COLLECTION, read_collection
from medilite.sources.library import Library
from medilite.sources.records import Entry
from medilite.sources.shelf import make_library

DATA = Path("data/medquad")
RESULTS = Path("docs/sources/search.json")
REWORDED, SEED = 600, 12
TIMED = 200
"""Questions that each search's processor time is taken over: other ones for the library, which remembers words."""
FIRST = 5
PACKAGES = ("numpy", "rapidfuzz", "nltk", "bm25s", "scikit-learn")

Find = Callable[[str], Sequence[Entry]]
"""Returns the entries found for a question, best first."""


def share(count: int, n: int) -> dict[str, Any]:
    """Return a count of n with its share and Wilson's 95 % interval."""
    interval = wilson(count, n)
    return {
        "count": count, "n": n, "share": count / n if n else None,
        "low": interval.low if interval else None, "high": interval.high if interval else None,
    }  # fmt: skip


def live_figures(find: Find, judged: Sequence[Judged]) -> dict[str, Any]:
    """Return how often a right answer is first, and among the first five, by what of the question is searched."""
    known = [one for one in judged if one.has_answer]
    ways: dict[str, Callable[[Judged], str]] = {
        "message": lambda one: one.message,
        "subject and message": lambda one: one.with_subject,
        "paraphrase": lambda one: one.paraphrase,
    }
    figures = {}
    for way, text in ways.items():
        hits = [[one.grades.get(entry.id, 0) >= RIGHT_FROM for entry in find(text(one))[:FIRST]] for one in known]
        figures[way] = {
            "first": share(sum(row[:1] == [True] for row in hits), len(known)),
            "first_five": share(sum(map(any, hits)), len(known)),
        }
    return figures


def live_shown(library: Library, judged: Sequence[Judged]) -> dict[str, Any]:
    """Return what is shown first for the messages, by whether any judged answer is right, and with which grade."""
    counts: dict[str, int] = {}
    unjudged = []
    for one in judged:
        found = library.search(one.message)
        grade = one.grades.get(found.hits[0].passage.id.partition("#")[0]) if found.hits else None
        of = "with an answer" if one.has_answer else "without"
        what = ("hidden" if not found.fits else "shown") + (", not judged" if grade is None else f", grade {grade}")
        counts[f"{of}: {what}"] = counts.get(f"{of}: {what}", 0) + 1
        if found.fits and grade is None:
            unjudged.append({"question": one.id, "passage": found.hits[0].passage.id})
    return {"counts": dict(sorted(counts.items())), "shown_without_a_judgment": unjudged}


def reworded_figures(find: Find, questions: Sequence[Reworded]) -> dict[str, Any]:
    """Return how often the right disease is first, among five, and first with the right kind, by how it is put."""
    rows: dict[str, list[tuple[bool, bool, bool]]] = {}
    for question in questions:
        hits = find(question.text)
        topics = [entry.topic.casefold() == question.topic.casefold() for entry in hits]
        first = bool(topics[:1] == [True])
        kind = first and question.kind in (None, hits[0].kind)
        for name in ("all", question.how):
            rows.setdefault(name, []).append((first, any(topics), kind))
    return {
        name: {
            what: share(sum(row[place] for row in some), len(some))
            for place, what in enumerate(("first", "first_five", "first_with_kind"))
        }
        for name, some in rows.items()
    }


def example_figures(library: Library, some: Sequence[Example]) -> dict[str, Any]:
    """Return how often the first passage is about what an example question asks, by half."""
    figures = {}
    for name, half in (("seen while choosing", some[::2]), ("reporting", some[1::2])):
        known = [one for one in half if one.topics]
        right = sum(bool((f := library.signs(one.question)) and is_about(f[0], one)) for one in known)
        figures[name] = share(right, len(known))
    return figures


def consumer_figures(library: Library, some: Sequence[Consumer], akin: Akin) -> dict[str, Any]:
    """Return how often what is found for consumers' messages is called as what they are about.

    Where that is none of the library's names it counts how often a passage is shown nevertheless; some of these are
    right, for the library may call the same thing otherwise.
    """
    first, five, shown, shown_right, unknown, unknown_shown = 0, 0, 0, 0, 0, 0
    known = 0
    for one in some:
        found = library.search(one.message)
        about = {topic for focus in one.foci for topic in akin.called(focus)}
        if not about:
            unknown += 1
            unknown_shown += found.fits
            continue
        known += 1
        topics = [hit.passage.topic for hit in found.hits]
        right = topics[:1] != [] and topics[0] in about
        first += right
        five += not about.isdisjoint(topics)
        shown += found.fits
        shown_right += found.fits and right
    return {
        "messages": len(some),
        "first": share(first, known), "first_five": share(five, known),
        "right_of_shown": share(shown_right, shown), "shown_though_not_a_name": share(unknown_shown, unknown),
    }  # fmt: skip


def processor_ms(search: Callable[[str], Any], questions: Sequence[str]) -> dict[str, float]:
    """Return median and 95th percentile of the thread's processor time a search, in ms."""
    spent = []
    for question in questions:
        began = time.thread_time()
        search(question)
        spent.append(1000 * (time.thread_time() - began))
    median, p95 = np.quantile(spent, [0.5, 0.95]).tolist()
    return {"median": median, "p95": p95, "n": len(spent)}


def opened(data: Path) -> tuple[list[Entry], Library, Encode]:
    """Return prepared data's collection, its library (built if need be) and the encoder of questions."""
    settings = load_settings(sources=str(data))
    entries, _ = read_collection(data / COLLECTION)
    encode = LightEncoder(ensure_encoder(settings)).encode_one
    return entries, Library(make_library(settings, lambda _: None), encode), encode


def measure(data: Path, live: Path, unread: Sequence[Path] = (), read: Sequence[Path] = ()) -> dict[str, Any]:
    """Return every figure of the search; raises DataError where the prepared data can't be read.

    `unread` are files of consumers' messages that no rule was made on; those that `read` has too are left out.
    """
    entries, library, encode = opened(data)
    by_id = {entry.id: entry for entry in entries}
    reporting = halves(entries)["reporting"]
    questions = reworded(entries, reporting, "choosing", REWORDED, SEED)
    texts = [question.text for question in questions]
    judged = liveqa(live) if live.is_file() else None
    if judged is None:
        say(f"LiveQA is left out: {live} isn't there.")
    head, dirty = commit(CODE)
    result: dict[str, Any] = {
        "collection": {"fingerprint": library.about.fingerprint, **library.counts},
        "commit": head, "commit_dirty": dirty, "versions": versions(PACKAGES), "seed": SEED,
    }  # fmt: skip

    def first_entries(question: str) -> list[Entry]:
        return [by_id[hit.passage.id.partition("#")[0]] for hit in library.search(question).hits]

    def entries_by(search: words_alone.Search) -> Find:
        return lambda question: [entries[number] for number in search(question)]

    say("Reworded questions")
    result["reworded"] = reworded_figures(first_entries, questions)
    unseen = reworded(entries, reporting, "reporting", REWORDED, SEED)
    result["reworded_again"] = reworded_figures(first_entries, unseen)
    seen = {one.message for one in (*consumers(read, ()), *(judged or ()))}
    messages = consumers(unread, seen)
    result["consumers"] = consumer_figures(library, messages, Akin(entries)) if messages else None
    result["examples"] = example_figures(library, examples())
    result["processor_ms"] = processor_ms(library.search, texts[TIMED : 2 * TIMED])
    result["liveqa"] = judged and live_figures(first_entries, judged) | {"shown": live_shown(library, judged)}
    say("Words alone")
    ways = {"fts5": words_alone.fts5(library), "bm25s": words_alone.bm25s(entries)}
    result["words_alone"] = {
        name: search and {
            "reworded": reworded_figures(entries_by(search), questions)["all"],
            "processor_ms": processor_ms(search, texts[:TIMED]),
            "liveqa": judged and live_figures(entries_by(search), judged),
        }
        for name, search in ways.items()
    }  # fmt: skip
    say("Nothing fits")
    result["nothing_fits"] = {
        half: {
            name: {
                "right_hidden": share(row["right_hidden"], row["right"]),
                "wrong_shown": share(row["wrong_shown"], row["wrong"]),
            }
            for name, row in rates(fits_cases(entries, library, encode, half)).items()
        }
        for half in get_args(Half)
    }
    return result


def fits_cases(entries: Sequence[Entry], library: Library, encode: Encode, half: Half) -> list[Case]:
    """Return the cases of "nothing fits" of one half; the library without topics is kept in the cache."""
    taken = take_out(entries)
    less = library_of(taken, entries, library, library.folder.parent / "eval", encode)
    return cases(half, taken, less, library, examples(), off_topic())


def text_of(result: dict[str, Any]) -> str:
    """Return the figures as lines."""
    lines = []

    def walk(at: str, value: Any) -> None:
        if isinstance(value, dict) and {"count", "n", "share"} <= set(value):
            if value["n"]:
                lines.append(
                    f"{at}: {value['count']} of {value['n']}, {100 * value['share']:.1f} % "
                    f"({100 * value['low']:.1f} to {100 * value['high']:.1f})"
                )
        elif isinstance(value, dict):
            for name, inner in value.items():
                walk(f"{at} / {name}" if at else name, inner)
        elif not isinstance(value, list):
            lines.append(f"{at}: {value}")

    walk("", result)
    return "\n".join(lines)


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    if options.what == "choose":
        entries, library, encode = opened(options.data)
        print(json.dumps(choose(fits_cases(entries, library, encode, "choosing")), indent=1))
        return 0
    result = measure(options.data, options.liveqa, options.consumers, options.consumers_seen)
    write_result(result, text_of(result), options.json)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 2 for an error that a user can fix."""
    parser = argparse.ArgumentParser(prog="python -m eval.search", description="Measure the search of the library.")
    parser.add_argument(
        "what", nargs="?", choices=("measure", "choose"), default="measure",
        help="measure everything, or fit the rule for when nothing fits (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--data", type=Path, default=DATA, help="prepared MedQuAD (default: %(default)s)")
    parser.add_argument("--liveqa", type=Path, default=LIVEQA, help="LiveQA's questions (default: %(default)s)")
    parser.add_argument(
        "--consumers",
        type=Path,
        nargs="+",
        default=[],
        metavar="XML",
        help="messages of LiveQA that no rule was made on",
    )
    parser.add_argument(
        "--consumers-seen", type=Path, nargs="+", default=[], metavar="XML", help="messages to leave out of these"
    )
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="results (default: %(default)s)")
    return run_command(parser, run, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
