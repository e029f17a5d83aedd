"""Work spread over processes that end with the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def mapped(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int, chunksize: int = 16
) -> Iterator[Result]:
    """Yield `function` of every task, in order, computed by so many processes; by this one if it is one."""
    if workers == 1:
        yield from map(function, tasks)
        return
    # Spawned, not forked: a process that has threads (torch's) is not safe to fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent) as pool:
        yield from pool.map(function, tasks, chunksize=chunksize)


def end_with_parent() -> None:
    """Make this process end as soon as its parent has, even by kill -9, which can't be passed on."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="end-with-parent", daemon=True).start()
