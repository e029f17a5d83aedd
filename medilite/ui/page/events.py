"""Wrap every event of the page: an id for its log lines, counts, and its place in the drain."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

import gradio as gr

from medilite import metrics
from medilite.draining import Drain
from medilite.logs import begin_request


def watch_events(page: gr.Blocks, drain: Drain) -> None:
    """Wrap every handler of a page that has been built, once."""
    for event in page.fns.values():
        if event.fn:
            event.fn = watched(event.fn, drain)


def watched(handler: Callable[..., Any], drain: Drain) -> Callable[..., Any]:
    """Return a handler that does the same, as an event with an id that is counted.

    A drain waits for those that stream; the others end by themselves.
    """
    name = event_name(handler)

    @functools.wraps(handler)
    def once(*given: Any, **named: Any) -> Any:
        metrics.count_event(name)
        began = time.monotonic()
        context = copy_context()
        context.run(begin_request)
        try:
            return context.run(handler, *given, **named)
        finally:
            metrics.observe_event(name, time.monotonic() - began)

    @functools.wraps(handler)
    def streaming(*given: Any, **named: Any) -> Iterator[Any]:
        metrics.count_event(name)
        began = time.monotonic()
        # Gradio runs each step in a context of its own; the event's id is the same in all of them.
        context = copy_context()
        context.run(begin_request)
        with drain.event():
            steps = context.run(handler, *given, **named)
            try:
                while True:
                    try:
                        step = context.run(next, steps)
                    except StopIteration:
                        return
                    yield step
            finally:
                context.run(steps.close)
                metrics.observe_event(name, time.monotonic() - began)

    return streaming if inspect.isgeneratorfunction(handler) else once


def event_name(handler: Callable[..., Any]) -> str:
    """Return an event's name: the handler's class and function in the code."""
    name = getattr(handler, "__qualname__", type(handler).__name__)
    return ".".join(part for part in name.split(".") if not part.startswith("<"))
