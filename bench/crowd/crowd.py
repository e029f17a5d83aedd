"""All visitors: they arrive, stay until the time is over, finish what they have begun, and leave."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.crowd.browser import Browser
from bench.crowd.lab import LabVisitor
from bench.crowd.page_files import Files
from bench.crowd.server import Watch
from bench.crowd.tally import Tally
from bench.crowd.visitor import Thinking, Visitor

PROGRESS_S = 10.0
FINISH_S = 180.0
"""How long visitors may take to finish what they have begun when the time is over: the last may wait in a queue."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who comes, for how long, and how they behave; `arrive_s` is over how long they arrive, evenly.

    `lab` is the share of visitors who are in the Lab alone, evenly among the others.
    """

    visitors: int
    minutes: float
    seed: int
    thinking: Thinking
    arrive_s: float
    lab: float = 0.0

    def in_lab(self, number: int) -> bool:
        """Return whether a visitor, counted from 0, is one of those in the Lab."""
        return int((number + 1) * self.lab) > int(number * self.lab)


@dataclass(frozen=True, slots=True)
class Ran:
    """A run's results; `unfinished` visitors were still waiting when their time was up."""

    tally: Tally
    watch: Watch
    unfinished: int
    interrupted: bool
    duration_s: float


def address(number: int) -> str:
    """Return the network address of a visitor, of those that are set aside for tests like this (RFC 2544)."""
    return f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"


async def run_crowd(url: str, pid: int, plan: Plan, questions: Sequence[str], say: Callable[[str], None]) -> Ran:
    """Let the visitors come and go; Ctrl+C has them leave early."""
    tally, watch, files, began = Tally(), Watch(pid), Files(), time.monotonic()
    rng = [random.Random(f"{plan.seed} {number}") for number in range(plan.visitors)]
    crowd = [
        (LabVisitor if plan.in_lab(number) else Visitor)(
            Browser(url, address(number), tally, files), tally, mine, plan.thinking, questions
        )
        for number, mine in enumerate(rng)
    ]
    over = asyncio.Event()
    with _on_interrupt(over) as interrupted:
        looking = asyncio.create_task(watch.look())
        telling = asyncio.create_task(_report(tally, watch, plan, began, say))
        tasks = [
            asyncio.create_task(visitor.stay(plan.arrive_s * number / plan.visitors))
            for number, visitor in enumerate(crowd)
        ]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), plan.minutes * 60)
        for visitor in crowd:
            visitor.leaves.set()
        _, waiting = await asyncio.wait(tasks, timeout=0 if interrupted() else FINISH_S)
        for task in (*waiting, looking, telling):
            task.cancel()
        ended = await asyncio.gather(*tasks, looking, telling, return_exceptions=True)
        await asyncio.gather(*(visitor.browser.close() for visitor in crowd))
    for failure in ended:
        if isinstance(failure, Exception):
            tally.fail("a visitor", failure)
    stopped = interrupted()
    return Ran(tally, watch, 0 if stopped else len(waiting), stopped, time.monotonic() - began)


async def _report(tally: Tally, watch: Watch, plan: Plan, began: float, say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(PROGRESS_S)
        say(
            f"{time.monotonic() - began:4.0f} of {plan.minutes * 60:.0f} s: {tally.done.total()} actions, "
            f"{tally.answers} answers, {len(tally.votes)} votes, {tally.full.total()} times full, "
            f"{tally.failed.total()} errors; {watch.rss[-1] / 1e6 if watch.rss else 0:,.0f} MB"
        )


@contextlib.contextmanager
def _on_interrupt(over: asyncio.Event) -> Iterator[Callable[[], bool]]:
    """Set the event by Ctrl+C, once; yields a function that returns whether it was. A second one ends everything."""
    loop, met = asyncio.get_running_loop(), False

    def stop() -> None:
        nonlocal met
        met = True
        over.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        yield lambda: met
    finally:
        loop.remove_signal_handler(signal.SIGINT)
