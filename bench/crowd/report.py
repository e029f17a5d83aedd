"""A run as numbers: JSON, and a short table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from bench.crowd.server import Watch
from bench.crowd.tally import Tally
from bench.crowd.votes import Kept

WITHOUT_MODEL = ("page", "load", "draw a pair", "cast a vote", "leaderboard", "a question of the leaderboard", "clear")
"""What needs no model and a visitor waits for. Files and timers are counted separately: nobody waits for one of them
alone."""

BESIDE = ("file", "timer")
LIMIT_MS = 500.0
"""Limit for the 95th percentile of everything without a model."""

MEMORY = {"rss": "Resident memory", "own": "Of it without files behind it"}
LEVEL = 0.02
"""Memory is level where, by the upper end of its slope's interval, the last half adds less than this share of it.

Testing for a slope of 0 would be useless: a steady run finds megabytes an hour, from chats that get longer.
"""

WARM_MIN = 2.0
"""Minutes in which everything is used for the first time and visitors still arrive: no slope is reported."""

BLOCKS = 10
"""Memory from second to second is not independent: its slope is computed from this many consecutive means."""


def quantiles(seconds: Sequence[float]) -> dict[str, float | int | None]:
    """Return n, median, 95th percentile and greatest, in ms; None of no values."""
    if not seconds:
        return {"n": 0, "p50": None, "p95": None, "max": None}
    p50, p95 = np.quantile(seconds, [0.5, 0.95])
    return {"n": len(seconds), "p50": float(p50) * 1000, "p95": float(p95) * 1000, "max": max(seconds) * 1000}


def memory(watch: Watch) -> dict[str, Any]:
    """Return resident memory, and the part of it that isn't backed by files, in MB.

    Each with its slope over the last half in MB a minute and a 95 % interval: a
    least-squares line through BLOCKS means, and Student's t with BLOCKS − 2
    degrees of freedom; None for fewer than two samples a block.
    """
    return {"rss": _memory(watch.at_s, watch.rss), "own": _memory(watch.at_s, watch.own)}


def _memory(at_s: Sequence[float], sizes: Sequence[int]) -> dict[str, Any]:
    mb = np.asarray(sizes, float) / 1e6
    result: dict[str, Any] = {"samples": len(mb), "start": None, "end": None, "max": None, "mb": mb.round(1).tolist()}
    if len(mb):
        result |= {"start": float(mb[0]), "end": float(mb[-1]), "max": float(mb.max())}
    return result | {"last_half_slope_mb_per_min": slope(np.asarray(at_s) / 60, mb)}


def slope(minutes: Any, values: Any) -> dict[str, float] | None:
    """Return the slope of the last half of a series, from WARM_MIN on, with its 95 % interval; None for too little."""
    from scipy import stats

    minutes, values = (np.asarray(one, float)[len(one) // 2 :] for one in (minutes, values))
    warm = minutes >= WARM_MIN
    minutes, values = minutes[warm], values[warm]
    if len(values) < 2 * BLOCKS:
        return None
    x, y = (np.array([part.mean() for part in np.array_split(one, BLOCKS)]) for one in (minutes, values))
    if not np.ptp(y):  # SciPy gives no error of the slope then
        return {"slope": 0.0, "low": 0.0, "high": 0.0}
    line = stats.linregress(x, y)
    reach = float(stats.t.ppf(0.975, BLOCKS - 2) * line.stderr)
    return {"slope": float(line.slope), "low": float(line.slope) - reach, "high": float(line.slope) + reach}


def level(watch: Watch) -> bool | None:
    """Return whether memory without files behind it was level in the last half; None for too few samples."""
    minutes, sizes = np.asarray(watch.at_s) / 60, np.asarray(watch.own) / 1e6
    grows = slope(minutes, sizes)
    return None if grows is None else bool(grows["high"] * (minutes[-1] - minutes[0]) / 2 < LEVEL * sizes[-1])


def result(tally: Tally, watch: Watch, kept: Kept, unfinished: int) -> dict[str, Any]:
    """Return what came of a run."""
    actions = sorted({*tally.done, *tally.full, *tally.failed})
    together = [s for what in WITHOUT_MODEL for s in tally.seconds[what]]
    rest = sorted(what for what in tally.seconds if what not in (*WITHOUT_MODEL, *BESIDE) and tally.seconds[what])
    late = quantiles(watch.late_s)
    told_memory = memory(watch)
    all_without = quantiles(together)
    return {
        "actions": {
            name: {"done": tally.done[name], "queue_full": tally.full[name], "failed": tally.failed[name]}
            for name in actions
        },
        "answers": tally.answers,
        "unfinished": unfinished,
        "errors": dict(tally.errors.most_common()),
        "queue_full": {"times": tally.full.total(), "said": dict(tally.full_said.most_common())},
        "waited": {"times": len(tally.waited), "most_ahead": max(tally.waited, default=None)},
        "no_pair": dict(tally.nothing),
        "votes": asdict(kept),
        "without_model_ms": {
            "all": all_without, **{what: quantiles(tally.seconds[what]) for what in (*WITHOUT_MODEL, *BESIDE)}
        },
        "with_model_ms": {what: quantiles(tally.seconds[what]) for what in rest},
        "memory_mb": told_memory,
        "server_cpu_s": watch.cpu_s,
        "visitors_late_ms": late,
        "received_mb": tally.received_bytes / 1e6,
        "messages": tally.messages,
        "resent": tally.resent,
        "found": {
            "no_error": not tally.errors and not unfinished,
            "no_vote_lost": kept.none_lost,
            "memory_level": level(watch),
            "p95_without_model_under_500_ms": None if all_without["p95"] is None else all_without["p95"] < LIMIT_MS,
        },
    }  # fmt: skip


def table(result: Mapping[str, Any]) -> str:
    """Return a result as Markdown."""
    lines = ["| action | done | queue full | failed |", "| --- | --- | --- | --- |"]
    lines += [f"| {k} | {v['done']} | {v['queue_full']} | {v['failed']} |" for k, v in result["actions"].items()]
    lines += ["", "| time (ms) | n | median | p95 | most |", "| --- | --- | --- | --- | --- |"]
    for name, ms in (result["without_model_ms"] | result["with_model_ms"]).items():
        name = "without a model, together" if name == "all" else name
        lines.append(f"| {name} | {ms['n']} | {_ms(ms['p50'])} | {_ms(ms['p95'])} | {_ms(ms['max'])} |")
    votes, pages = result["votes"], result["without_model_ms"]["page"]["n"]
    full = result["queue_full"]
    lines += [
        "",
        f"Answers, whole and marked: {result['answers']}. Votes acknowledged {votes['acknowledged']}, in the database "
        f"once {votes['once']}, missing {votes['missing']}, with another choice {votes['with_another_choice']}.",
        f"Turned away because the queue is full: {full['times']}. Waited in it: {result['waited']['times']}, at most "
        f"{result['waited']['most_ahead'] or 0} ahead.",
        *(f"{words}: {_mb(result['memory_mb'][key])}." for key, words in MEMORY.items()),
        f"Pages opened: {pages}; Gradio keeps what belongs to each for an hour.",
        f"Processor time: app {result['server_cpu_s']:.0f} s, visitors {result['visitors_cpu_s']:.0f} s, of "
        f"{result['duration_s']:.0f} s on {result['cores']} cores; visitors late by "
        f"{_ms(result['visitors_late_ms']['p95'])} ms (p95).",
        f"Load average {', '.join(f'{x:.1f}' for x in result['load_average'] or [math.nan])}.",
        *(f"No pair, {times} times: {why}" for why, times in result["no_pair"].items()),
        *(f"ERROR, {times} times: {what}" for what, times in result["errors"].items()),
    ]
    return "\n".join(lines)


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _mb(result: Mapping[str, Any]) -> str:
    if result["end"] is None:
        return "–"
    grows = result["last_half_slope_mb_per_min"]
    per_min = f"{grows['slope']:+.1f} ({grows['low']:+.1f} to {grows['high']:+.1f}) MB/min" if grows else "too short"
    start, end, most = (f"{result[key]:,.0f}" for key in ("start", "end", "max"))
    return f"{start} MB at the start, {end} at the end, {most} at most; in the last half {per_min}"
