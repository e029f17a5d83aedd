"""Lower the priority of computing threads, so that those that serve the page come first.

On two cores the engine keeps both busy while anybody is answered, and the page's threads, which need a core often and
briefly, waited behind it. Linux gives every thread a niceness of its own.
"""

from __future__ import annotations

import logging
import os
import sys
import threading

log = logging.getLogger(__name__)

NICER_BY = 10
"""At niceness 10 a thread gets a tenth of the time of one that also wants the core, and all of an idle core."""


def give_way() -> None:
    """Lower the calling thread's priority, where threads have one of their own; to be called once, as it begins."""
    if sys.platform != "linux":
        return  # elsewhere niceness is the process's, and would slow the page down too
    thread = threading.get_native_id()
    try:
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICER_BY)
    except OSError as error:
        log.debug("The engine's thread keeps its priority (%s).", error.strerror)
