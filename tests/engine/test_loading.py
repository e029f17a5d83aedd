"""Loading once: who waits, who is told, and what a failure leaves."""

from __future__ import annotations

import threading

import pytest

from medilite.engine.loading import LoadOnce
from medilite.errors import EngineError, WeightsError
from medilite.progress import LoadProgress, ProgressCallback


def once(load) -> LoadOnce[str]:
    return LoadOnce(load, "Not loaded yet", "It could not be loaded")


def test_many_callers_load_once_and_get_the_same():
    loads: list[int] = []
    waiting = threading.Barrier(8)

    def load(tell: ProgressCallback) -> str:
        loads.append(1)
        return "loaded"

    kept, got = once(load), []

    def call() -> None:
        waiting.wait(60)
        got.append(kept.get())

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (got, loads) == (["loaded"] * 8, [1])
    assert kept.progress.ready
    assert kept.loaded == "loaded"


def test_progress_goes_to_who_loads_and_to_who_asks():
    told: list[str] = []

    def load(tell: ProgressCallback) -> str:
        tell(LoadProgress("Half of it", 0.5))
        assert kept.progress.share == 0.5
        return "loaded"

    kept = once(load)
    assert (kept.progress.message, kept.loaded) == ("Not loaded yet", None)
    kept.get(lambda progress: told.append(progress.message))
    assert told == ["Half of it", "Ready"]


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (WeightsError("No weights: connect."), WeightsError, "No weights: connect."),
        (ValueError("odd"), EngineError, "It could not be loaded (ValueError: odd)."),
    ],
)
def test_a_failure_is_told_and_the_next_try_begins_anew(error, raised, said):
    outcomes: list[object] = [error, "loaded"]

    def load(tell: ProgressCallback) -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    kept = once(load)
    with pytest.raises(raised, match="odd" if raised is EngineError else "connect"):
        kept.get()
    assert (kept.progress.error, kept.loaded) == (said, None)
    assert kept.get() == "loaded"
    assert kept.progress.error is None


def test_what_is_let_go_is_loaded_again():
    kept = once(lambda tell: "loaded")
    assert kept.let_go() is None
    kept.get()
    assert kept.let_go() == "loaded"
    assert (kept.loaded, kept.progress.message) == (None, "Not loaded yet")
    assert kept.get() == "loaded"
