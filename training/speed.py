"""Measure training throughput of the lean loop against TRL's own: `python -m training.speed --config FILE.yaml`.

With `--before COMMIT` the lean loop of that commit is measured too. All run forward and backward over the same batches
in turn, each in a process of its own. The result is their ratio: absolute rates depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from medilite.errors import MediLiteError
from medilite.provenance import checkout
from training.config import SFTRun, load_config
from training.job import Job
from training.record import device_name, versions
from training.stage import Start

ROOT = Path(__file__).resolve().parents[1]


def compare(
    run: SFTRun, data_dir: Path, rounds: int, batch_size: int, before: str | None = None, dropout: float = 0.0
) -> dict[str, Any]:
    """Return medians and ranges of the loops' tokens a second and of their ratios, over `rounds` batches each.

    Tokens are those of the pairs themselves; padding does not count. Losses and
    the gradients' norms are compared with TRL's, which with dropout says little.
    Raises ConfigError where `before` is no commit.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        start = Start.of(Job.of(run, data_dir, runs=Path(folder)))
        rows = _rows(start, run, rounds * batch_size)
        setup = {"base_folder": str(start.base_folder), "rows": rows[:batch_size]}
        loops = {"trl": (ROOT, "trl"), "lean": (ROOT, "lean")}
        if before:
            loops = {
                "trl": (ROOT, "trl"),
                "before": (stack.enter_context(checkout(before, ("training", "medilite"))), "lean"),
                **loops,
            }
        running = {
            name: stack.enter_context(_Loop(code, {**setup, "run": _plain(run, kind, dropout)}))
            for name, (code, kind) in loops.items()
        }
        found: dict[str, list[dict[str, float]]] = {name: [] for name in loops}
        for loop in running.values():
            loop.step(rows[:1])  # warms up
        for number in range(rounds):
            batch = rows[number * batch_size : (number + 1) * batch_size]
            tokens = sum(len(row["input_ids"]) for row in batch)
            for name, loop in running.items():
                said = loop.step(batch)
                found[name].append({**said, "rate": tokens / said["seconds"], "cpu_rate": tokens / said["cpu_seconds"]})
                print(f"round {number + 1}: {name} {found[name][-1]}", file=sys.stderr, flush=True)
        threads = running["lean"].threads
    others = [name for name in loops if name != "lean"]
    return {
        "rounds": rounds,
        "batch_size": batch_size,
        "threads": threads,
        "max_tokens": run.data.max_tokens,
        "dropout": dropout,
        "before": before,
        "tokens_per_s": {name: _spread([one["rate"] for one in steps]) for name, steps in found.items()},
        "ratio": {other: _ratios(found["lean"], found[other], "rate") for other in others},
        # By processor seconds: on a busy machine they say more than wall time.
        "cpu_ratio": {other: _ratios(found["lean"], found[other], "cpu_rate") for other in others},
        "largest_relative_difference": {
            what: {name: _largest_difference(found[name], found["trl"], what) for name in loops if name != "trl"}
            for what in ("loss", "gradient")
        },
        "device": device_name(),
        "versions": versions(),
    }


class _Loop:
    """A `training.speed_loop` process on some checkout's code."""

    def __init__(self, code: Path, setup: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(ROOT / "training" / "speed_loop.py")],
            cwd=code,
            env={**os.environ, "PYTHONPATH": str(code)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.threads = int(self._ask(setup)["threads"])

    def step(self, batch: list[dict[str, list[int]]]) -> dict[str, float]:
        """Return seconds, loss and the gradient's norm of one batch."""
        return self._ask(batch)

    def _ask(self, what: Any) -> dict[str, Any]:
        to, of = self._process.stdin, self._process.stdout
        assert to is not None
        assert of is not None
        to.write(json.dumps(what) + "\n")
        to.flush()
        answer = of.readline()
        if not answer:
            raise RuntimeError(f"The process that trains ended with {self._process.wait()}; its output is above.")
        return json.loads(answer)

    def __enter__(self) -> _Loop:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def _plain(run: SFTRun, loop: str, dropout: float) -> dict[str, Any]:
    """Return the settings that a step depends on, with the keys of earlier commits."""
    base = run.base.model_dump(mode="json")
    if loop == "trl":
        base["products"] = "float32"
    return {
        "model": run.model,
        "loop": loop,
        "base": base,
        "lora": {**run.lora.model_dump(mode="json"), "dropout": dropout},
        "optim": {"learning_rate": run.optim.learning_rate, "batch_size": run.optim.batch_size},
    }


def _rows(start: Start, run: SFTRun, count: int) -> list[dict[str, list[int]]]:
    from training.pairs import as_dataset

    return [
        {"input_ids": row["input_ids"], "labels": row["labels"]}
        for row in as_dataset(start.pairs("train", count), run.loss_on)
    ]


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _ratios(ours: list[dict[str, float]], theirs: list[dict[str, float]], what: str) -> dict[str, float]:
    return _spread([a[what] / b[what] for a, b in zip(ours, theirs, strict=True)])


def _largest_difference(found: list[dict[str, float]], expected: list[dict[str, float]], what: str) -> float:
    return max(abs(a[what] - b[what]) / abs(b[what]) for a, b in zip(found, expected, strict=True))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0, or 2 for an error that a user can fix."""
    parser = argparse.ArgumentParser(prog="python -m training.speed", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--config", type=Path, required=True, help="an SFT run's YAML file with `loop: lean`")
    parser.add_argument("--data", type=Path, help="folder of the splits, instead of the configuration's")
    parser.add_argument("--before", metavar="COMMIT", help="measure that commit's lean loop too")
    parser.add_argument("--rounds", type=int, default=9, help="batches measured, each by every loop (default: 9)")
    parser.add_argument("--batch-size", type=int, default=16, help="pairs a batch (default: 16)")
    parser.add_argument("--max-tokens", type=int, help="longest pair, instead of the configuration's")
    parser.add_argument("--dropout", type=float, default=0.0, help="of the adapters (default: 0, to compare losses)")
    parser.add_argument("--json", type=Path, help="write the result here too")
    options = parser.parse_args(arguments)
    try:
        run = load_config(options.config, SFTRun)
        if options.max_tokens:
            data = run.data.model_copy(update={"max_tokens": options.max_tokens})
            run = run.model_copy(update={"data": data})
        result = compare(
            run, options.data or run.data.dir, options.rounds, options.batch_size, options.before, options.dropout
        )
    except MediLiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, rate in result["tokens_per_s"].items():
        print(f"{name:6} {rate['median']:7.0f} tokens/s ({rate['min']:.0f} to {rate['max']:.0f})")
    for name, ratio in result["ratio"].items():
        cpu = result["cpu_ratio"][name]
        print(
            f"lean / {name} {ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f}); "
            f"by processor seconds {cpu['median']:.2f} ({cpu['min']:.2f} to {cpu['max']:.2f})"
        )
    print(f"n = {result['rounds']} batches of {result['batch_size']} pairs, {result['threads']} thread(s)")
    for what, by_loop in result["largest_relative_difference"].items():
        for name, difference in by_loop.items():
            print(f"{what} of {name} differs from trl's by at most {difference:.3%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
