"""From a request to what the page shows, step by step: wait for the model, wait for one's turn, write.

Shared by both tabs and free of Gradio. What it yields are stages; the tabs turn
them into HTML.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Literal, cast

from medilite.engine.protocol import Engine, LoadProgress
from medilite.errors import MediLiteError
from medilite.records import Request, Step
from medilite.ui.loading import wait_until_ready
from medilite.ui.session import StopFlag

log = logging.getLogger(__name__)

UPDATES_PER_S = 8.0

UNEXPECTED = "Something went wrong in the app; its log tells where. Your question is still here: ask again."


@dataclass(frozen=True, slots=True)
class Stage:
    """Where an answer is: asked, the model loads, others are ahead, it is being written, or all is over."""

    kind: Literal["asking", "loading", "waiting", "writing", "done", "stopped"]
    progress: LoadProgress | None = None
    ahead: int = 0


def run(
    engine: Engine, requests: tuple[Request, ...], stop: StopFlag, advance: Callable[[Step], None]
) -> Iterator[Stage]:
    """Answer `requests`, handing every step to `advance`; yields stages, at most UPDATES_PER_S a second.

    Ends with "done", or with "stopped" once `stop` is set. Closing this iterator
    closes the engine's, which frees the rows. Raises what the engine raises.
    """
    for progress in wait_until_ready(engine, stop):
        yield Stage("loading", progress=progress)
    if stop.is_set():
        yield Stage("stopped")
        return
    # Engines return generators; closing one is how rows are cancelled.
    with closing(cast("ClosableSteps", engine.stream(requests))) as steps:
        shown_at = 0.0
        for step in steps:
            advance(step)
            if stop.is_set():
                break
            now = time.monotonic()
            if now - shown_at >= 1 / UPDATES_PER_S:
                shown_at = now
                yield Stage("waiting", ahead=step.waiting) if step.waiting else Stage("writing")
        else:
            yield Stage("done")
            return
    yield Stage("stopped")


class ClosableSteps(Iterator[Step]):
    """What `Engine.stream` returns, for the type checker: an iterator with `close`."""

    def close(self) -> None:
        """Cancel what still goes on."""


def message_of(error: Exception, unexpected: str = UNEXPECTED) -> str:
    """Return what to tell a person about an error; an unexpected one goes to the log, without their words.

    The log gets the type and the lines of code, not the exception's own text:
    that may quote the question.
    """
    if isinstance(error, MediLiteError):
        return str(error)
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("Unexpected %s while answering:\n%s", type(error).__name__, frames)
    return unexpected
