"""From a request to what the page shows, step by step: wait for the model, wait for one's turn, write.

Shared by both tabs and free of Gradio. What it yields are stages; the tabs turn
them into HTML.
"""

from __future__ import annotations

import dataclasses
import hmac
import logging
import secrets
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Literal, cast

from medilite import metrics
from medilite.engine.protocol import Engine
from medilite.errors import MediLiteError, StoppingError, without_folders
from medilite.lab.own_adapter import OWN
from medilite.logs import request_id
from medilite.progress import LoadProgress
from medilite.records import Request, Step
from medilite.ui.guard.address import caller, network_of
from medilite.ui.page.loading import wait_until_ready
from medilite.ui.page.session import StopFlag
from medilite.ui.page.updates import Updates
from medilite.ui.page.words import counted

log = logging.getLogger(__name__)

UNEXPECTED = "Something went wrong in the app; its log says where. Your question is still here: ask again."


@dataclass(frozen=True, slots=True)
class Stage:
    """Where an answer is: asked, the model loads, others are ahead, it is being written, or all is over."""

    kind: Literal["asking", "loading", "waiting", "writing", "done", "stopped"]
    progress: LoadProgress | None = None
    ahead: int = 0


def run(
    engine: Engine, requests: tuple[Request, ...], stop: StopFlag, advance: Callable[[Step], None], *,
    blind: bool = False,
) -> Iterator[Stage]:  # fmt: skip
    """Answer `requests`, handing every step to `advance`; yields stages, at most UPDATES_PER_S a second.

    Where many are answered, each page is updated less often: UPDATES_IN_ALL between them.
    Ends with "done", or with "stopped" once `stop` is set. Closing this iterator
    closes the engine's, which frees the rows. `blind` answers are counted without
    their models' names, which would give a pair away to anyone who reads the metrics.
    Raises what the engine raises.
    """
    requests = _from_where(requests)
    watch = Watch(requests, blind=blind)
    for progress in wait_until_ready(engine, stop):
        yield Stage("loading", progress=progress)
    if stop.is_set():
        yield Stage("stopped")
        return
    # Engines return generators; closing one is how rows are cancelled.
    with watch, _updates.taken() as updates, closing(cast("Generator[Step]", engine.stream(requests))) as steps:
        for step in steps:
            watch.see(step)
            advance(step)
            if stop.is_set():
                break
            if updates.is_due(step.waiting):
                yield Stage("waiting", ahead=step.waiting) if step.waiting else Stage("writing")
        else:
            yield Stage("done")
            return
    yield Stage("stopped")


_updates = Updates()

_KEY = secrets.token_bytes(16)


def _from_where(requests: tuple[Request, ...]) -> tuple[Request, ...]:
    """Return requests that say, by a hash, from which network address the event that is being handled comes."""
    address = caller()
    if not address:
        return requests
    network = hmac.new(_KEY, network_of(address).encode("utf-8", "replace"), "sha256").hexdigest()
    return tuple(dataclasses.replace(request, network=network) for request in requests)


BLIND = "blind"
"""Stands for the model of an answer of a live pair in the metrics."""


class Watch:
    """Counts and logs what comes of one call; used as a `with` around its steps."""

    def __init__(self, requests: tuple[Request, ...], *, blind: bool = False) -> None:
        # Adapters that visitors bring have made-up ids, and metrics must not grow with each.
        names = ["own" if request.model.startswith(OWN) else request.model for request in requests]
        self._models = [BLIND] * len(requests) if blind else names
        self._began = time.monotonic()
        self._first_s: float | None = None
        self._last: Step | None = None

    def see(self, step: Step) -> None:
        """Take note of a step."""
        if step.waiting:
            return
        self._last = step
        if self._first_s is None and any(row.tokens for row in step.rows):
            self._first_s = time.monotonic() - self._began
            metrics.observe_first_token(self._first_s)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        rows = self._last.rows if self._last else ()
        broken = kind is not None and issubclass(kind, Exception) and not issubclass(kind, StoppingError)
        stops = [row.stopped or ("error" if broken else "cancelled") for row in rows]
        for model, row, stopped in zip(self._models, rows, stops, strict=False):
            metrics.count_answer(model, stopped, row.tokens)
        tokens = sum(row.tokens for row in rows)
        done = {
            "models": len(self._models),
            "tokens": tokens,
            "stopped": stops,
            "first_token_s": None if self._first_s is None else round(self._first_s, 3),
            "duration_s": round(time.monotonic() - self._began, 3),
        }
        log.info(
            "%s wrote %s in %.1f s.", counted(len(self._models), "model"), counted(tokens, "token"),
            done["duration_s"], extra={"data": done},
        )  # fmt: skip


def message_of(error: Exception, unexpected: str = UNEXPECTED) -> str:
    """Return an error's message for a person; an unexpected error goes to the log, without what they typed.

    The log gets the type and the lines of code, not the exception's own text:
    that may quote the question. A person gets the id of the lines that are about them.
    """
    metrics.count_error(error)
    if isinstance(error, MediLiteError):
        return without_folders(str(error))
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("Unexpected %s while answering:\n%s", type(error).__name__, frames)
    return f"{unexpected} (The log has it as {request_id()}.)" if request_id() else unexpected
