"""Metrics: what is counted, that labels tell nothing of a visitor, and that nothing is counted unless asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from medilite import metrics
from medilite.arena.booth import Booth, Shown
from medilite.arena.votes import Votes
from medilite.engine.protocol import Occupancy
from medilite.errors import EngineError, StoppingError
from medilite.records import Decoding, Message, Request
from medilite.ui.page.answering import message_of, run
from medilite.ui.page.session import StopFlag
from tests.arena.made import MANY
from tests.support.banks import write_bank
from tests.support.fakes import ScriptedEngine

PRIVATE = "my embarrassing rash"


@pytest.fixture
def meters():
    """Metrics that are on for one test."""
    yield metrics.switch_on()
    metrics.switch_off()


def value(meters: metrics.Meters, name: str, **labels: str) -> float | None:
    return meters.registry.get_sample_value(name, labels)


def asked(model: str, tokens: int = 7) -> Request:
    return Request(model, (Message("user", PRIVATE),), Decoding(max_new_tokens=tokens), visitor=PRIVATE)


def test_answers_tokens_and_the_first_token(meters, lite):
    engine = ScriptedEngine(lite, fail_after={"grpo": 3}, scripts={"sft-r8-low": "One two."})
    engine.load()
    list(run(engine, (asked("base"), asked("grpo"), asked("sft-r8-low")), StopFlag(), lambda step: None))
    assert value(meters, "medilite_answers_total", model="base", stopped="length") == 1
    assert value(meters, "medilite_answers_total", model="grpo", stopped="error") == 1
    assert value(meters, "medilite_answers_total", model="sft-r8-low", stopped="end") == 1
    assert value(meters, "medilite_tokens_total", model="base") == 7
    assert value(meters, "medilite_tokens_total", model="grpo") == 3
    assert value(meters, "medilite_first_token_seconds_count") == 1


def test_answers_that_are_left_or_ended_are_cancelled_and_broken_ones_failed(meters, lite):
    for leave in (lambda steps, stop: steps.close(), lambda steps, stop: (stop.set(), list(steps))):
        engine, stop = ScriptedEngine(lite, step_s=0.01), StopFlag()
        engine.load()
        steps = run(engine, (asked("base", 500),), stop, lambda step: None)
        next(steps)
        leave(steps, stop)
    assert value(meters, "medilite_answers_total", model="base", stopped="cancelled") == 2
    engine = ScriptedEngine(lite, explode_after=2)
    engine.load()
    with pytest.raises(RuntimeError):
        list(run(engine, (asked("base"),), StopFlag(), lambda step: None))
    assert value(meters, "medilite_answers_total", model="base", stopped="error") == 1


def test_a_vote_counts_once(meters, lite, tmp_path):
    booth = Booth(lite, Votes(tmp_path / "votes.db"), folder=write_bank(tmp_path / "bank", lite), limits=MANY)
    voter = booth.welcome(None)
    shown = booth.draw(voter)
    assert isinstance(shown, Shown)
    for _ in range(2):
        booth.vote(shown.token, voter, "left")
    assert value(meters, "medilite_votes_total", kind="ready", choice="left") == 1
    booth.votes.close()


def test_errors_by_type(meters):
    for error in (EngineError(PRIVATE), StoppingError(PRIVATE), RuntimeError(PRIVATE), EngineError("other")):
        message_of(error)
    assert value(meters, "medilite_errors_total", kind="EngineError") == 2
    assert value(meters, "medilite_errors_total", kind="StoppingError") == 1
    assert value(meters, "medilite_errors_total", kind="RuntimeError") == 1
    assert PRIVATE not in meters.text().decode()


def test_queue_and_slots_are_read_when_they_are_scraped(meters):
    class Busy:
        now: Occupancy | None = None
        read = 0

        def occupancy(self) -> Occupancy | None:
            self.read += 1
            return self.now

    engine = Busy()
    meters.follow_engine(engine, lambda: 4)
    assert engine.read == 0
    assert value(meters, "medilite_answering") == 4
    assert "medilite_queue_length NaN" in meters.text().decode(), "unknown is not 0"
    engine.now = Occupancy(waiting=3, used=5, slots=None)
    assert value(meters, "medilite_queue_length") == 3
    assert value(meters, "medilite_slots_in_use") == 5
    assert "medilite_slots NaN" in meters.text().decode()


def test_an_engine_that_cannot_tell_is_unknown(meters, lite):
    meters.follow_engine(ScriptedEngine(lite), lambda: 0)
    assert "medilite_queue_length NaN" in meters.text().decode()


def test_nothing_is_imported_or_counted_unless_asked_for():
    code = (
        "import sys\nfrom medilite import metrics\n"
        "metrics.count_event('e'); metrics.observe_event('e', 1); metrics.observe_first_token(1)\n"
        "metrics.count_answer('m', 'end', 3); metrics.count_vote('ready', 'left'); metrics.count_error(ValueError())\n"
        "assert 'prometheus_client' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
