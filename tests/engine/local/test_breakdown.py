"""What breaks inside of the engine, on the real batches: who is being answered reads it, and who asks next is answered.

None of these may hang: a visitor would wait for ever, and everybody after them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from medilite.engine.local.adapters import AdapterBank
from medilite.engine.local.batch import Batch, OneByOne
from medilite.engine.local.calls import Call
from medilite.engine.local.int8_llama import Int8Llama
from medilite.engine.local.llama import Llama
from medilite.engine.local.running import RunningBatch
from medilite.engine.local.scheduler import Scheduler
from medilite.errors import EngineError
from medilite.records import Decoding, Step
from tests.engine.running import STOP, Numbers, ask, batch_of
from tests.engine.small import MODELS, chains, write_base

PATIENCE_S = 500.0
DECODING = Decoding(max_new_tokens=12, temperature=0.7)
PROMPT = list(range(5, 45))
SLOTS = 8


def request(visitor: str = "one") -> Call:
    return ask(PROMPT, MODELS[:2], DECODING, visitor=visitor)


class Visit(threading.Thread):
    """Somebody who asks, and what they got."""

    def __init__(self, scheduler: Scheduler, call: Call) -> None:
        super().__init__(daemon=True)
        self.steps: list[Step] = []
        self.error: EngineError | None = None
        self._stream = scheduler.stream(call)
        self.start()

    def run(self) -> None:
        try:
            self.steps.extend(self._stream)
        except EngineError as error:
            self.error = error

    def over(self) -> Visit:
        self.join(PATIENCE_S)
        assert not self.is_alive(), "it waits for ever"
        return self

    @property
    def texts(self) -> list[str]:
        return ["".join(step.rows[row].text for step in self.steps if not step.waiting) for row in range(2)]


@pytest.fixture
def llama(tmp_path: Path) -> Iterator[Int8Llama]:
    made = Int8Llama(write_base(tmp_path), chains(), 2)
    yield made
    made.close()


@pytest.fixture
def batch(llama: Int8Llama) -> RunningBatch:
    return batch_of(llama, SLOTS)


@pytest.fixture
def scheduler(batch: RunningBatch) -> Iterator[Scheduler]:
    made = Scheduler(batch)
    yield made
    made.close()


def failing(real: Callable, error: BaseException, calls: int = 1, after: int = 0) -> Callable:
    """Return a function that works `after` times, raises `error` in the next `calls` calls, and works again."""
    number = 0

    def act(*given: object, **named: object) -> object:
        nonlocal number
        number += 1
        if after < number <= after + calls:
            raise error
        return real(*given, **named)

    return act


FAULTS = {
    "the layers, in mid-answer": ("_llama.run", MemoryError("no room for 5 GB"), 5),
    "the prompt's first step": ("_llama.run", MemoryError("no room for 5 GB"), 0),
    "a row that begins": ("_sampler.put", MemoryError("no room for 5 GB"), 1),
    "choosing tokens": ("_sampler.choose", FloatingPointError("underflow"), 3),
    "keeping what was computed": ("_prefixes.keep", MemoryError("no room for 5 GB"), 0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_who_is_met_reads_it_and_who_asks_next_is_answered_as_ever(
    fault: str,
    batch: RunningBatch,
    scheduler: Scheduler,
    llama: Int8Llama,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    expected = Visit(scheduler, request()).over()
    assert expected.error is None
    batch._prefixes.clear()
    where, error, after = FAULTS[fault]
    part, name = where.split(".")
    owner = getattr(batch, part)
    monkeypatch.setattr(owner, name, failing(getattr(owner, name), error, after=after))
    met = Visit(scheduler, request("met")).over()
    if fault != "keeping what was computed":  # which happens once the answer is there
        assert f"Generation failed ({type(error).__name__}: {error}). Ask again." == str(met.error)
        assert len(met.steps) < len(expected.steps), "what was written before stays"
    assert f"({type(error).__name__})" in caplog.text
    assert str(error) not in caplog.text, "its words may be somebody's"
    # Twice: what the failure left in slots and pages would show.
    for visitor in ("next", "after that"):
        again = Visit(scheduler, request(visitor)).over()
        assert again.error is None
        assert again.texts == expected.texts
    scheduler.close()
    assert batch.free_slots == SLOTS
    batch._prefixes.clear()
    assert llama.pool.free == llama.pool.size, "pages are lost"


def test_several_at_once_are_all_told(
    batch: RunningBatch, scheduler: Scheduler, llama: Int8Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = threading.Event()
    real = llama.run

    def run(tokens: object, logits: object) -> None:
        if broken.is_set():
            raise MemoryError
        real(tokens, logits)  # type: ignore[arg-type]

    monkeypatch.setattr(llama, "run", run)
    long = Decoding(max_new_tokens=400, temperature=0.7)
    visits = [Visit(scheduler, ask(PROMPT, MODELS[:2], long, visitor=str(number))) for number in range(6)]
    broken.set()
    # Those who wait for a slot meet it as well once they get one.
    assert all("MemoryError" in str(visit.over().error) for visit in visits)
    broken.clear()
    assert Visit(scheduler, request()).over().error is None


def test_an_idle_engine_that_cannot_tidy_answers_the_next(
    batch: RunningBatch, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    tidied = threading.Event()

    def tidy() -> None:
        tidied.set()
        raise MemoryError

    monkeypatch.setattr("medilite.engine.local.scheduler._TIDY_S", 0.01)
    monkeypatch.setattr(batch, "tidy", tidy)
    assert Visit(scheduler, request()).over().error is None
    assert tidied.wait(PATIENCE_S)
    assert Visit(scheduler, request()).over().error is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_thread_that_dies_all_the_same_is_replaced(
    scheduler: Scheduler, llama: Int8Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Visit(scheduler, request()).over()
    monkeypatch.setattr(llama, "run", failing(llama.run, SystemExit(3), after=4))
    met = Visit(scheduler, request("met")).over()
    assert str(met.error) == "Generation failed. Ask again."
    again = Visit(scheduler, request("next")).over()
    assert again.error is None
    assert again.texts == expected.texts


def test_a_thread_of_the_team_that_fails_holds_nobody_up(
    scheduler: Scheduler, llama: Int8Llama, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from medilite.engine.local import int8_llama

    expected = Visit(scheduler, request()).over()
    real, failures = int8_llama.forward, []

    def forward(*arguments: object) -> None:
        if threading.current_thread().name.startswith("medilite-team") and len(failures) < 3:
            failures.append(1)
            raise MemoryError
        real(*arguments)

    monkeypatch.setattr(int8_llama, "forward", forward)
    with caplog.at_level(logging.ERROR):
        found = Visit(scheduler, request("next")).over()
        assert found.error is None
        assert found.texts == expected.texts
        assert Visit(scheduler, request("after that")).over().texts == expected.texts
    assert len(failures) == 3, "the thread took part again after each"
    assert "could not take part" in caplog.text


@pytest.mark.parametrize("fault", ["forward", "new_cache"])
def test_in_floating_point_too(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    llama = Llama(write_base(tmp_path), cpu, torch.float32)
    bank = AdapterBank(llama.shape, chains(), cpu, torch.float32)
    scheduler = Scheduler(OneByOne(lambda call: Batch(llama, bank, Numbers(), frozenset({STOP}), call)))
    expected = Visit(scheduler, request()).over()
    error = MemoryError("no room")
    monkeypatch.setattr(llama, fault, failing(getattr(llama, fault), error, after=3 if fault == "forward" else 0))
    assert "Generation failed (MemoryError: no room)" in str(Visit(scheduler, request()).over().error)
    again = Visit(scheduler, request()).over()
    assert again.error is None
    assert again.texts == expected.texts
    scheduler.close()
