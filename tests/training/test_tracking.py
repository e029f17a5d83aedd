"""Curves go to Trackio only where a run asks for it, and never end a run."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from training.config import SFTRun
from training.tracking import trackers


class FakeTrackio:
    """Trackio's three calls."""

    def __init__(self, fails: str | None = None) -> None:
        self.said: list[tuple[str, dict]] = []
        self.fails = fails

    def _say(self, call: str, values: dict) -> None:
        if call == self.fails:
            raise ConnectionError("the Space sleeps")
        self.said.append((call, values))

    def init(self, **values: object) -> None:
        self._say("init", values)

    def log(self, metrics: dict, step: int) -> None:
        self._say("log", {"step": step, **metrics})

    def finish(self) -> None:
        self._say("finish", {})


def job(tmp_path: Path, **tracking: object) -> SimpleNamespace:
    run = SFTRun.model_validate(
        {"model": "sft-r8-low", "lora": {"rank": 8}, "optim": {"learning_rate": 1}, "tracking": tracking}
    )
    profile = SimpleNamespace(name="lite")
    return SimpleNamespace(run=run, profile=profile, inputs={"a": 1}, data="d", runs=tmp_path / "runs" / "lite")


def train(callbacks: list) -> None:
    state = SimpleNamespace(global_step=3)
    for tracker in callbacks:
        tracker.on_train_begin(None, state, None)
        tracker.on_log(None, state, None, logs={"loss": 2.5, "eval_loss": 2.4, "note": "text"})
        tracker.on_train_end(None, state, None)


def test_nothing_is_tracked_unless_asked(tmp_path: Path) -> None:
    assert trackers(job(tmp_path)) == []


def test_a_run_is_sent_under_a_name_of_its_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeTrackio()
    monkeypatch.setitem(sys.modules, "trackio", fake)
    train(trackers(job(tmp_path, to="trackio", space="me/curves", private=True)))
    (_, opened), (_, logged), (last, _) = fake.said
    assert (opened["project"], opened["space_id"], opened["private"]) == ("medilite-lite", "me/curves", True)
    assert opened["name"].startswith("sft-r8-low-")
    assert opened["resume"] == "allow"
    assert logged == {"step": 3, "train/loss": 2.5, "eval/loss": 2.4}
    assert last == "finish"


@pytest.mark.parametrize("fails", ["init", "log", "finish"])
def test_a_tracker_that_fails_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fails: str
) -> None:
    monkeypatch.setitem(sys.modules, "trackio", FakeTrackio(fails))
    train(trackers(job(tmp_path, to="trackio")))
    assert capsys.readouterr().err == "sft-r8-low: not tracked any further (ConnectionError: the Space sleeps)\n"
