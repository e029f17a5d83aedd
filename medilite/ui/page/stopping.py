"""Serve until SIGTERM or Ctrl+C, then stop without cutting answers short."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import Any

import gradio as gr

from medilite.draining import Drain
from medilite.ui.page.gradio_internals import all_sent

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)

LAST_WORDS_S = 5.0
"""How long ended answers may take to send their last words, even if there are many on a slow machine."""

CLOSE_S = 2.0
"""How long requests under way may take when the server is closed."""

SENT_S = 0.2
"""Time that Gradio gets between two checks, and at the end, to send what the last handlers returned."""


def serve_until_stopped(page: gr.Blocks, drain: Drain, grace_s: float) -> None:
    """Block until SIGTERM, Ctrl+C, or until the page is closed elsewhere; then stop as the module says.

    From the signal on new questions are refused, and answers under way have
    `grace_s` seconds. A second signal ends the process at once. Call it from the
    main thread.
    """
    asked = threading.Event()

    def on_signal(number: int, _: Any) -> None:
        if asked.is_set():
            os._exit(128 + number)
        asked.set()

    before = {number: signal.signal(number, on_signal) for number in SIGNALS}
    try:
        while page.is_running and not asked.wait(0.2):
            pass
        stop(page, drain, grace_s if asked.is_set() else 0.0)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop(page: gr.Blocks, drain: Drain, grace_s: float) -> None:
    """Let answers finish, end those that are left, close the server, and call what was registered for the end."""
    drain.begin()
    log.info("Stopping: %d answers are under way and have %g s to finish in.", drain.running, grace_s)
    if not drain.wait(grace_s):
        log.info("Ending %d answers that are still being written.", drain.running)
        drain.end()
        drain.wait(LAST_WORDS_S)
    _let_send(page)
    server = getattr(page, "server", None)
    if server is not None:
        # Gradio sets no limit, and an open connection would delay everything.
        server.config.timeout_graceful_shutdown = CLOSE_S
    page.close(verbose=False)
    drain.finish()
    log.info("Stopped.")


def _let_send(page: gr.Blocks) -> None:
    """Wait until Gradio has sent what it has to send, LAST_WORDS_S at most: once closed, it sends an error instead.

    What waits for a browser that has left is never sent.
    """
    end = time.monotonic() + LAST_WORDS_S
    while not all_sent(page) and time.monotonic() < end:
        time.sleep(SENT_S)
    time.sleep(SENT_S)
