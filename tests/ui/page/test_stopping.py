"""Stopping the real app, as a process of its own, while an answer streams over HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from medilite.draining import ENDED, REFUSED
from medilite.ui.page.gradio_internals import all_sent
from tests.test_import_rules import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PRIVATE = "my embarrassing rash"
PASSWORD = "correct-horse"
PATIENCE_S = 400.0


class App:
    """The app as a process around a scripted engine; what it writes is collected."""

    def __init__(self, folder: Path, step_s: float, **env: str) -> None:
        surroundings = {
            **os.environ, "MEDILITE_PORT": "0", "MEDILITE_DATA_DIR": str(folder), "MEDILITE_LOG": "json",
            "MEDILITE_METRICS": "1", "MEDILITE_JUDGE_KEYS": PASSWORD, "PYTHONUNBUFFERED": "1", **env,
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.scripted_app", str(step_s)],
            cwd=ROOT, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.out: list[str] = []
        self.log: list[str] = []
        self._readers = [
            threading.Thread(target=self._collect, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.log))
        ]
        for reader in self._readers:
            reader.start()
        self.client = httpx.Client(timeout=PATIENCE_S)

    def started(self) -> bool:
        """Wait until the app is ready; False where Gradio gave up on its server, which has five seconds to start."""
        until(lambda: self._address() or self.process.poll() is not None, self)
        if not self._address():
            return False
        self.client.base_url = httpx.URL(self._address())
        until(lambda: self.client.get("/readyz").status_code == 200, self)
        return True

    @staticmethod
    def _collect(pipe: Iterator[str], into: list[str]) -> None:
        into.extend(iter(lambda: next(pipe, ""), ""))

    def _address(self) -> str:
        found = re.search(r"runs on (http://\S+)", "".join(self.out))
        return found[1] if found else ""

    def end(self) -> int:
        """Wait until the process has ended and all it wrote is here; return its exit code."""
        code = self.process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(10)
        return code

    def kill(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.end()


class Visitor(threading.Thread):
    """Asks two models in Compare over Gradio's own protocol, as a browser does, and reads to the end."""

    def __init__(self, app: App, name: str, tokens: int) -> None:
        super().__init__(daemon=True)
        self.app, self.session, self.tokens = app, name, tokens
        self.events: list[str] = []
        self.start()

    def run(self) -> None:
        config = self.app.client.get("/config").json()
        values = {c["id"]: c["props"].get("value") for c in config["components"]}
        ids = {c["props"].get("elem_id"): c["id"] for c in config["components"]}
        ask = next(d for d in config["dependencies"] if [ids["ask"], "click"] in [list(t) for t in d["targets"]])
        chosen = {
            ids["question"]: f"What helps against {PRIVATE}?", ids["models"]: ["base", "grpo"],
            ids["compare-max-new-tokens"]: self.tokens,
        }  # fmt: skip
        data = [chosen.get(i, values.get(i)) for i in ask["inputs"]]
        data[0] = None  # the session stays on the server
        body = {"data": data, "fn_index": ask["id"], "session_hash": self.session}
        prefix = config.get("api_prefix", "")
        self.app.client.post(f"{prefix}/queue/join", json=body).raise_for_status()
        address = f"{prefix}/queue/data?session_hash={self.session}"
        with self.app.client.stream("GET", address) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    self.events.append(line)

    @property
    def text(self) -> str:
        return "\n".join(self.events)

    @property
    def last(self) -> dict:
        """What the event ended with."""
        ends = [json.loads(e.removeprefix("data:")) for e in self.events if '"process_completed"' in e]
        return ends[-1] if ends else {}


def until(what: Callable[[], object], app: App) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, f"it never came about: {app.out} {app.log}"
        time.sleep(0.02)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., App]]:
    """Return a function that starts an app; it is gone after the test."""
    apps: list[App] = []

    def begin(step_s: float, **env: str) -> App:
        for _ in range(4):
            apps.append(App(tmp_path, step_s, **env))
            if apps[-1].started():
                return apps[-1]
        raise AssertionError(f"It did not start: {apps[-1].out} {apps[-1].log}")

    yield begin
    for app in apps:
        app.kill()


def test_sigterm_lets_an_answer_finish_and_turns_the_next_away(start):
    app = start(0.25, MEDILITE_GRACE_S="200")
    first = Visitor(app, "first", tokens=40)
    until(lambda: "Writing." in first.text, app)
    assert app.client.get("/healthz").status_code == 200
    counted = app.client.get("/metrics").text
    assert 'medilite_requests_total{event="CompareTab.answer"} 1.0' in counted
    assert "medilite_answering 1.0" in counted
    app.process.send_signal(signal.SIGTERM)
    until(lambda: app.client.get("/readyz").status_code == 503, app)
    second = Visitor(app, "second", tokens=40)
    second.join(PATIENCE_S)
    first.join(PATIENCE_S)
    assert app.end() == 0, app.log
    assert REFUSED in second.text
    assert "All answers are here." in first.text
    assert first.last["success"] is True
    assert REFUSED not in first.text
    # The log: JSON to the last line, with the event's id, and without the question or a secret.
    lines = [json.loads(line) for line in app.log]
    (written,) = [line for line in lines if line.get("tokens") == 80]
    assert re.fullmatch("[0-9a-f]{8}", written["request"])
    assert written["stopped"] == ["length", "length"]
    assert lines[-1]["message"] == "Stopped."
    said = "".join(app.log + app.out)
    assert PRIVATE not in said
    assert PASSWORD not in said


def test_an_answer_that_goes_on_too_long_is_ended_with_a_word(start):
    app = start(0.1, MEDILITE_GRACE_S="0.5")
    visitor = Visitor(app, "long", tokens=512)
    until(lambda: "Writing." in visitor.text, app)
    app.process.send_signal(signal.SIGINT)
    visitor.join(PATIENCE_S)
    assert app.end() == 0, app.log
    assert ENDED in visitor.text
    assert visitor.last["success"] is True, "the page gets what was written, not Gradio's error"
    assert PRIVATE not in "".join(app.log + app.out)


def test_a_second_signal_ends_it_at_once(start):
    app = start(0.1, MEDILITE_GRACE_S="600")
    visitor = Visitor(app, "long", tokens=512)
    until(lambda: "Writing." in visitor.text, app)
    app.process.send_signal(signal.SIGTERM)
    until(lambda: any("Stopping" in line for line in app.log), app)
    app.process.send_signal(signal.SIGTERM)
    assert app.end() == 128 + signal.SIGTERM


def test_what_nobody_has_begun_with_is_waited_for_too():
    class Queue(list):
        active_jobs = (None,)
        pending_messages_per_session = types.MappingProxyType({})

    assert not all_sent(types.SimpleNamespace(_queue=Queue(["an event"])))
    assert all_sent(types.SimpleNamespace(_queue=Queue()))
