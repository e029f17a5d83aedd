"""Load the model while the page is open: start it, wait for it, report its progress."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

from medilite.draining import DrainedEngine
from medilite.engine.protocol import Engine
from medilite.errors import EngineError, MediLiteError, WeightsError
from medilite.progress import LoadProgress
from medilite.ui.page.session import StopFlag

log = logging.getLogger(__name__)

POLL_S = 0.25
_THREAD_NAME = "medilite-load"
_one_at_a_time = threading.Lock()


def start_loading(engine: Engine, then: Callable[[], object] | None = None) -> threading.Thread:
    """Load the engine in a thread of its own, then what scores the answers, then call `then`; return the thread.

    Errors are not raised here: `engine.progress()` carries them to the page.
    """
    thread = threading.Thread(target=_load, args=(engine, then), name=_THREAD_NAME, daemon=True)
    thread.start()
    return thread


def load_now(engine: Engine) -> None:
    """Load the engine in this very thread and before the page is served, as ZeroGPU wants it; errors as above."""
    _load_engine(engine)


def _load(engine: Engine, then: Callable[[], object] | None) -> None:
    from medilite.readability import warm_up
    from medilite.safety import emergency_notice

    # The first question's notice should not wait for the patterns to compile.
    emergency_notice("")
    with _one_at_a_time:
        _load_engine(engine)
        try:
            warm_up()
        except Exception:
            log.exception("The readability dictionary could not be loaded.")
        if then:
            try:
                then()
            except Exception:
                log.exception("What follows the loading failed.")


def _load_engine(engine: Engine) -> None:
    try:
        engine.load()
    except MediLiteError as error:
        log.error("Loading failed: %s", error)
    except Exception:
        log.exception("Loading failed unexpectedly.")


def is_loading() -> bool:
    """Whether a thread of `start_loading` is at work."""
    return any(thread.name == _THREAD_NAME and thread.is_alive() for thread in threading.enumerate())


def wait_until_ready(engine: Engine, stop: StopFlag) -> Iterator[LoadProgress]:
    """Yield the engine's progress until it is ready or `stop` is set; a failed load is tried again once.

    Raises WeightsError or EngineError with the engine's own message if that
    fails too, StoppingError if the app is being stopped meanwhile.
    """
    tried = False
    while not stop.is_set():
        if isinstance(engine, DrainedEngine):
            engine.drain.refuse()
        progress = engine.progress()
        if progress.ready:
            return
        if not is_loading():
            if tried:
                raise _load_error(progress)
            tried = True
            start_loading(engine)
        yield LoadProgress("Loading the model.", None) if progress.error else progress
        stop.wait(POLL_S)


def _load_error(progress: LoadProgress) -> MediLiteError:
    if progress.error:
        return WeightsError(progress.error)
    return EngineError("The model could not be loaded. The app's log says what went wrong; ask again to retry.")
