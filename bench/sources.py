"""What the library of passages costs the app: `python -m bench.sources [--json FILE]`.

Memory that it adds, how long a search takes alone and beside a running comparison
of all models, and how long a comparison takes to its first token with and without
a question being looked up beside it. In one process, as the app has it.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.speed.report import quantile
from eval.command import chosen, run_command, write_result
from eval.run import CODE, DATA
from eval.search.questions import halves, reworded
from medilite.cli.terminal import positive_int, say
from medilite.provenance import commit, device_name, versions

SEED = 12
PAUSE_S = 0.05
PACKAGES = ("numpy", "rapidfuzz", "tokenizers")


def memory_mb() -> dict[str, float]:
    """Return this process's resident memory in MB: all, its own, and pages of files that are mapped into it."""
    import psutil

    memory = psutil.Process().memory_info()
    mapped = getattr(memory, "shared", 0)
    return {"all": memory.rss / 1e6, "own": (memory.rss - mapped) / 1e6, "mapped": mapped / 1e6}


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return median, 95th percentile, greatest and n."""
    return {
        "median": quantile(values, 0.5),
        "p95": quantile(values, 0.95),
        "max": max(values),
        "n": len(values),
    }


def search_ms(seek: Callable[[str], Any], questions: Sequence[str]) -> list[float]:
    """Return how long each question takes to be looked up, in ms, with a pause between them."""
    spent = []
    for question in questions:
        time.sleep(PAUSE_S)
        began = time.perf_counter()
        seek(question)
        spent.append(1000 * (time.perf_counter() - began))
    return spent


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return all figures; see the module."""
    from medilite.engine import open_engine
    from medilite.prompts import question_messages
    from medilite.records import SHOWN_DECODING, Request
    from medilite.sources.collection import COLLECTION, read_collection
    from medilite.sources.shelf import make_library, open_library

    settings, profile = chosen(options)
    entries, _ = read_collection(options.data / COLLECTION)
    some = reworded(entries, halves(entries)["reporting"], "choosing", 2 * options.searches + options.firsts, SEED)
    texts = [question.text for question in some]
    del entries
    engine = open_engine(profile, settings)
    engine.load()

    def requests(question: str, visitor: str) -> list[Request]:
        asked = question_messages(question)
        return [Request(model, asked, SHOWN_DECODING, visitor=visitor) for model in profile.ids]

    for _ in engine.stream(requests("What is asthma?", "bench")):
        pass
    folder = make_library(settings.model_copy(update={"sources": str(options.data)}), lambda _: None)
    before = memory_mb()
    library = open_library(folder, settings)
    library.search("What is asthma?")
    opened = memory_mb()
    say("searching alone")
    alone = search_ms(library.search, texts[: options.searches])
    searched = memory_mb()
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            for _ in engine.stream(requests("What is asthma?", "bench")):
                if over.is_set():
                    break

    say("searching beside a comparison")
    writer = threading.Thread(target=write)
    writer.start()
    beside = search_ms(library.search, texts[options.searches : 2 * options.searches])
    over.set()
    writer.join()
    say("first tokens")
    first: dict[str, list[float]] = {"without": [], "with": []}
    with ThreadPoolExecutor(1) as seekers:
        for number, question in enumerate(texts[2 * options.searches :]):
            for way in ("without", "with")[:: 1 if number % 2 else -1]:
                # Each time another visitor: nothing of the prompt is kept from before.
                asked = requests(question, f"{way} {number}")
                began = time.perf_counter()
                if way == "with":
                    seekers.submit(library.search, question)
                steps = iter(engine.stream(asked))
                while not any(row.tokens for row in next(steps).rows):
                    pass
                first[way].append(1000 * (time.perf_counter() - began))
                steps.close()  # type: ignore[attr-defined]
                time.sleep(PAUSE_S)
    head, dirty = commit((*CODE, "bench"))
    memory = {"before": before, "opened": opened, "searched": searched}
    return {
        "search_ms": {"alone": spread(alone), "beside": spread(beside)},
        "memory_mb": memory | {"added": searched["all"] - before["all"]},
        "first_token_ms": {way: spread(spent) for way, spent in first.items()},
        "blas_threads": os.environ.get("OPENBLAS_NUM_THREADS"), "profile": profile.name, "device": device_name(),
        "cores": os.cpu_count(), "load": list(os.getloadavg()), "commit": head, "commit_dirty": dirty,
        "versions": versions(PACKAGES), "seed": SEED,
    }  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    # As app.py has it; numpy reads it when it is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    found = measure(options)
    search, first, memory = found["search_ms"], found["first_token_ms"], found["memory_mb"]
    lines = [
        f"search {way}: median {of['median']:.1f} ms, p95 {of['p95']:.1f}, longest {of['max']:.1f} (n = {of['n']})"
        for way, of in search.items()
    ]
    lines.append(
        f"memory: +{memory['added']:.0f} MB, of it {memory['searched']['mapped'] - memory['before']['mapped']:.0f} MB "
        "pages of mapped files"
    )
    lines += [
        f"first token {way} a search: median {of['median']:.0f} ms, longest {of['max']:.0f} (n = {of['n']})"
        for way, of in first.items()
    ]
    write_result(found, "\n".join(lines), options.json)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 2 for an error that a user can fix."""
    parser = argparse.ArgumentParser(prog="python -m bench.sources", description="Measure what the library costs.")
    parser.add_argument("--profile", metavar="NAME|PATH", help="shipped profile or a profile's YAML file")
    parser.add_argument("--data", type=Path, default=DATA, help="prepared MedQuAD (default: %(default)s)")
    parser.add_argument("--searches", type=positive_int, default=200, help="of each kind (default: %(default)s)")
    parser.add_argument(
        "--firsts", type=positive_int, default=20, help="comparisons of each kind (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers here")
    return run_command(parser, run, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
