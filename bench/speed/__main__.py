"""Measure how fast answers come, beside others: `python -m bench.speed [--workload …] [--peers …] [--runs N]`."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.speed import peers as known_peers
from bench.speed import report, workloads
from bench.speed.peers import Peer
from bench.speed.worker import Worker
from bench.speed.workloads import Prompt, Workload
from eval.command import run_command, write_result
from medilite.cli.terminal import chosen, positive_int, say
from medilite.errors import ConfigError, EngineError
from medilite.machine import usable_cpus
from medilite.models import ROOT, Profile
from medilite.prompts import prompt_ids, question_messages
from medilite.provenance import base_name, checkout, commit, device_name, versions
from medilite.questions import load_questions
from medilite.settings import Settings
from medilite.weights import ensure_base

CODE = ("medilite", "bench/speed")
BEFORE = ("medilite", "bench", "eval", "assets")
SETTLE_S = 0.5
"""Seconds between two peers' turns: some libraries' threads spin for a while after their last token."""

PACKAGES = ("torch", "transformers", "peft", "numba", "xllamacpp", "numpy")


def compare(
    profile: Profile, settings: Settings, wanted: Sequence[Workload], found: Sequence[Peer], options: argparse.Namespace
) -> dict[str, Any]:
    """Load the peers and let them take turns, workload by workload and run by run; return what `--json` writes."""
    from bench.speed.memory import Memory

    asked = {workload.name: _prompts(profile, settings, workload) for workload in wanted}
    rows = max(workload.visitors * min(workload.models, len(profile.ids)) for workload in wanted)
    tokens = max(len(prompt.ids) + w.new_tokens for w in wanted for prompt in asked[w.name])
    left_out = {peer.title: reason for peer in found if (reason := known_peers.why_absent(peer))}
    logs = Path(tempfile.mkdtemp(prefix="medilite-speed-"))
    with contextlib.ExitStack() as stack:
        workers: dict[str, Worker] = {}
        before = stack.enter_context(checkout(options.before, BEFORE)) if options.before else ROOT
        for peer in found:
            if peer.title in left_out:
                continue
            say(f"Loading {peer.title}")
            worker = Worker(
                peer.name, options.profile or settings.profile, options.threads, rows, tokens, options.gguf,
                options.vllm, logs / f"{peer.name}.log", before if peer.name == "before" else ROOT,
                getattr(options, peer.name, None),
            )  # fmt: skip
            try:
                workers[peer.name] = stack.enter_context(worker)
            except EngineError as error:
                worker.__exit__()
                left_out[peer.title] = str(error)
        if not workers:
            raise ConfigError("No peer can be measured: " + " ".join(left_out.values()))
        memory = Memory(options.threads)
        measured, rates = _measure(wanted, workers, profile, asked, options.runs, memory.bytes_per_s)
    ours = next((name for name in ("int8", "int4", "float32") if name in workers), "")
    head, dirty = commit(CODE)
    described: dict[str, Any] = {
        w.name: {
            "about": w.about,
            "visitors": w.visitors,
            "models": min(w.models, len(profile.ids)),
            "new_tokens": w.new_tokens,
            "apart_s": w.apart_s,
            "prompt_tokens": report.spread([len(prompt.ids) for prompt in asked[w.name]]),
            "peers": report.with_ratios({k: report.of_peer(runs) for k, runs in measured[w.name].items()}, ours),
        }
        for w in wanted
    }
    one_row = described.get("one-model", {}).get("peers", {}).get(ours, {})
    read = workers[ours].bytes_a_step if ours else None
    return {
        "workloads": report.with_first(described, ours),
        "peers": {peer.name: peer.title for peer in found},
        "before": options.before,
        "memory": report.of_memory(one_row, read, rates),
        "left_out": left_out,
        "profile": profile.name, "base": base_name(profile, settings.weights),
        "threads": options.threads, "cores": os.cpu_count(), "device": device_name(), "load": _load_average(),
        "commit": head, "commit_dirty": dirty, "versions": versions(PACKAGES),
    }  # fmt: skip


def _measure(
    wanted: Sequence[Workload],
    workers: dict[str, Worker],
    profile: Profile,
    asked: dict[str, list[Prompt]],
    runs: int,
    bytes_per_s: Callable[[], float],
) -> tuple[dict[str, dict[str, list[Any]]], list[float]]:
    """Return each peer's runs of each workload, and the memory's speed in each. The first, for warming up, is left out.

    Workloads take turns too, so that a slower machine affects all; the first peer changes. No peer begins while
    another's threads may still spin.
    """
    found: dict[str, dict[str, list[Any]]] = {w.name: {name: [] for name in workers} for w in wanted}
    names, rates = list(workers), []
    for run in range(runs + 1):
        if run:
            rates.append(bytes_per_s())
        turn = run % len(names)
        for workload in wanted:
            visitors = workloads.visitors_of(workload, run, profile.ids, asked[workload.name])
            for name in names[turn:] + names[:turn]:
                time.sleep(SETTLE_S)
                result = workers[name].run(visitors)
                if run:
                    found[workload.name][name].append(result)
                    say(f"{workload.name}, run {run} of {runs}: {name} {result[0].tokens_per_s:.0f} tokens/s")
    return found, rates


def _prompts(profile: Profile, settings: Settings, workload: Workload) -> list[Prompt]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(ensure_base(profile, settings))
    questions = [question.question for question in load_questions()]
    lengths = {question: len(tokenizer(question)["input_ids"]) for question in questions}
    texts = workloads.question_texts(workload, questions, lengths)
    return [Prompt(text, tuple(prompt_ids(tokenizer, question_messages(text)))) for text in texts]


def _load_average() -> list[float] | None:
    """Return the load average after the runs: figures from a busy machine are worthless."""
    return list(os.getloadavg()) if hasattr(os, "getloadavg") else None


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    names = ", ".join(workload.name for workload in workloads.WORKLOADS)
    peers = ", ".join(peer.name for peer in known_peers.PEERS)
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    parser.add_argument("--profile", metavar="NAME|PATH", help="shipped profile or a profile's YAML file")
    parser.add_argument("--workload", default="all", metavar="all|id,id", help=f"{names} (default: all)")
    parser.add_argument("--peers", metavar="all|id,id", help=f"{peers} (default: int8 and what others use)")
    parser.add_argument("--tokens", type=positive_int, metavar="N", help="of each answer (default: the workload's own)")
    parser.add_argument("--runs", type=positive_int, default=7, metavar="N", help="runs of each (default: %(default)s)")
    parser.add_argument(
        "--threads",
        type=positive_int,
        default=usable_cpus(),
        metavar="N",
        help="of each peer (default: as many as may run at once)",
    )
    parser.add_argument("--gguf", metavar="FILE", help="the base as llama.cpp reads it (default: the profile's own)")
    parser.add_argument("--vllm", metavar="URL", help="address of a vLLM server that serves the profile's models")
    for name in ("openvino", "onnxruntime"):
        parser.add_argument(f"--{name}", metavar="DIR", help=f"folder with the packages of {name} (docs/SPEED.md)")
    parser.add_argument("--before", metavar="COMMIT", help="measure that commit's int8 too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers here")
    return parser


def run(options: argparse.Namespace) -> int:
    """Carry out the command line."""
    settings, profile = chosen(options)
    wanted = workloads.choose(options.workload)
    if options.tokens:
        wanted = tuple(dataclasses.replace(workload, new_tokens=options.tokens) for workload in wanted)
    found = known_peers.choose(options.peers, {name for name in known_peers.NEEDS if getattr(options, name)})
    result = compare(profile, settings, wanted, found, options)
    write_result(result, report.table(result), options.json)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 2 for an error that a user can fix."""
    return run_command(build_parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
