"""Threads that compute give way to those that serve the page.

On two cores the engine keeps both busy for as long as anybody is answered, and
the page's threads, which need a core for a moment and often, stood in line with
it. Linux gives every thread a niceness of its own.
"""

from __future__ import annotations

import logging
import os
import sys
import threading

log = logging.getLogger(__name__)

NICER_BY = 10
"""At ten steps of niceness a thread gets a tenth of the time of one that also wants the core, and all of it else."""


def give_way() -> None:
    """Lower the calling thread's priority, where threads have one of their own; to be called once, as it begins."""
    if sys.platform != "linux":
        return  # elsewhere niceness is the process's, and would slow the page down too
    thread = threading.get_native_id()
    try:
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICER_BY)
    except OSError as error:
        log.debug("The engine's thread keeps its priority (%s).", error.strerror)
