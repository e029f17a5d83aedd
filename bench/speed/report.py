"""Runs to numbers with their spread, as JSON and as a table."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.speed.runs import Measured


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, least and greatest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the quantile of values (numpy's linear rule); None without values."""
    return float(np.quantile(values, share)) if values else None


def of_peer(runs: Sequence[tuple[Measured, int | None]]) -> dict[str, Any]:
    """Return a peer's numbers in one workload. Times in ms; p95s are over all rows (or gaps) of all runs."""
    measured = [run for run, _ in runs]
    memory = [size for _, size in runs if size is not None]
    first = [s * 1000 for run in measured for s in run.first_s]
    gaps = [s * 1000 for run in measured for s in run.gaps_s]
    return {
        "runs": len(runs),
        "tokens_per_s": {**spread([run.tokens_per_s for run in measured]), "of": [r.tokens_per_s for r in measured]},
        "first_token_ms": {"median": quantile(first, 0.5), "p95": quantile(first, 0.95), "n": len(first)},
        "between_tokens_ms": {"median": quantile(gaps, 0.5), "p95": quantile(gaps, 0.95), "n": len(gaps)},
        "memory_mb": max(memory) / 1e6 if memory else None,
        "memory_after_mb": [size / 1e6 for size in memory],
    }


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float | None]:
    """Return ours over theirs, run by run: median and range, and the geometric mean with its 95 % interval.

    The interval is Student's t of the logarithms; None for a single run. Runs are
    few, and resampling a few of them shows no tails.
    """
    from scipy.stats import t

    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    logs = [math.log(one) for one in ratios]
    mean, low, high = statistics.fmean(logs), None, None
    if len(logs) > 1:
        reach = float(t.ppf(0.975, len(logs) - 1)) * statistics.stdev(logs) / math.sqrt(len(logs))
        low, high = math.exp(mean - reach), math.exp(mean + reach)
    return {**spread(ratios), "mean": math.exp(mean), "low": low, "high": high}


def with_ratios(peers: Mapping[str, dict[str, Any]], ours: str) -> dict[str, Any]:
    """Return a workload's peers, each but `ours` with `ours` over it."""
    found = {}
    for name, numbers in peers.items():
        found[name] = dict(numbers)
        if name != ours and ours in peers:
            found[name]["ours_over_it"] = ratio(peers[ours]["tokens_per_s"]["of"], numbers["tokens_per_s"]["of"])
    return found


def with_first(workloads: Mapping[str, dict[str, Any]], ours: str) -> dict[str, Any]:
    """Return workloads, each but the first with ours there over ours in the first, run by run (see `ratio`).

    `first_token` is the p95 of the time to the first token over the first workload's median, over all runs.
    """
    first, *_ = workloads
    found = {}
    for name, workload in workloads.items():
        found[name] = dict(workload)
        if name != first and ours in workload["peers"]:
            mine, alone = (workloads[w]["peers"][ours] for w in (name, first))
            found[name]["over_first"] = {
                "workload": first,
                "tokens_per_s": ratio(mine["tokens_per_s"]["of"], alone["tokens_per_s"]["of"]),
                "first_token": mine["first_token_ms"]["p95"] / alone["first_token_ms"]["median"],
            }
    return found


def of_memory(one_row: Mapping[str, Any], bytes_a_step: int | None, bytes_per_s: Sequence[float]) -> dict[str, Any]:
    """Return how fast memory is read, and the share of it that one row reaches: the weights' bytes over a step's time.

    `bytes_per_s` are the runs'; a step is the median time between two tokens.
    """
    found: dict[str, Any] = {"gb_per_s": spread([each / 1e9 for each in bytes_per_s]), "n": len(bytes_per_s)}
    between = one_row["between_tokens_ms"]["median"] if one_row else None
    if bytes_a_step and between:
        found["gb_a_step"] = bytes_a_step / 1e9
        found["share"] = bytes_a_step / (between / 1000) / statistics.median(bytes_per_s)
    return found


def table(result: Mapping[str, Any]) -> str:
    """Return the result as Markdown tables, one a workload."""
    lines = []
    for name, workload in result["workloads"].items():
        lines += [
            f"### {name}: {workload['about']}, {workload['new_tokens']} tokens each",
            "",
            "| | tokens/s (least to most) | first token, median / p95 (ms) | between tokens, p95 (ms)"
            " | memory, most (first run to last) (MB) | ours over it (95 %) | runs |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        for peer, numbers in workload["peers"].items():
            rate, first, between = (numbers[key] for key in ("tokens_per_s", "first_token_ms", "between_tokens_ms"))
            over = numbers.get("ours_over_it")
            cells = [
                result["peers"][peer],
                f"{rate['median']:.0f} ({rate['min']:.0f} to {rate['max']:.0f})",
                f"{_ms(first['median'])} / {_ms(first['p95'])}",
                _ms(between["p95"]),
                _memory(numbers),
                _ratio(over) if over else "",
                str(numbers["runs"]),
            ]
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
        if over := workload.get("over_first"):
            lines += [
                f"Ours: {_ratio(over['tokens_per_s'])} times the tokens/s of {over['workload']}; the p95 of the first "
                f"token is {over['first_token']:.2f} times its median there.",
                "",
            ]
    if memory := result.get("memory"):
        rate = memory["gb_per_s"]
        lines.append(f"Memory: {rate['median']:.1f} GB/s ({rate['min']:.1f} to {rate['max']:.1f}, n = {memory['n']}).")
        if "share" in memory:
            lines.append(f"One row reads {memory['gb_a_step']:.3f} GB a step: {memory['share']:.0%} of that.")
        lines.append("")
    lines += [f"Left out: {title}: {reason}" for title, reason in result["left_out"].items()]
    return "\n".join(lines).rstrip()


def _memory(numbers: Mapping[str, Any]) -> str:
    after = numbers["memory_after_mb"]
    return f"{numbers['memory_mb']:.0f} ({after[0]:.0f} to {after[-1]:.0f})" if after else "unknown"


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f}"


def _ratio(over: Mapping[str, float | None]) -> str:
    text = f"{over['mean']:.2f}"
    return text if over["low"] is None else f"{text} ({over['low']:.2f} to {over['high']:.2f})"
