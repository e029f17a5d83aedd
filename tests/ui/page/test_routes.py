"""The addresses beside the page: health, readiness, metrics."""

from __future__ import annotations

import threading

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from medilite import metrics
from medilite.arena.downloads import Downloads
from medilite.arena.votes import Votes
from medilite.draining import Drain, DrainedEngine
from medilite.errors import WeightsUnavailableError
from medilite.health.ready import Readiness
from medilite.settings import load_settings
from medilite.ui.guard.visits import Visits
from medilite.ui.page.routes import METRICS_OFF, routes
from tests.support.fakes import ScriptedEngine


@pytest.fixture
def served(lite, tmp_path, monkeypatch):
    """Return a function that serves the routes around a scripted engine; gives (client, engine, drain)."""
    opened, visits = [], Visits()
    monkeypatch.setattr("medilite.health.ready.STORE_TIMEOUT_S", 60.0)  # a busy machine makes a database slowly

    def start(meters=None, data_dir=None, **script):
        engine = DrainedEngine(ScriptedEngine(lite, **script), Drain())
        settings = load_settings(data_dir=data_dir or tmp_path / "data")
        votes = Votes(settings.votes_database)
        readiness = Readiness(engine, votes, engine.drain)
        opened.append(readiness)
        own = routes(Downloads(votes, settings.data_dir), readiness, visits, meters, build="today")
        return TestClient(Starlette(routes=own)), engine, engine.drain

    start.visits = visits
    yield start
    for readiness in opened:
        readiness.close()


def test_alive_is_said_whatever_else_is(served):
    client, _, drain = served()
    drain.begin()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True, "build": "today"})
    assert answer.headers["cache-control"] == "no-store"


def test_a_page_says_that_it_is_closed(served):
    client, _, _ = served()
    served.visits.note("one", "192.0.2.1")
    assert [client.post(f"/left/{name}").status_code for name in ("one", "made-up")] == [204, 204]
    assert [served.visits.has_left(name) for name in ("one", "made-up")] == [True, False]
    assert client.get("/left/one").status_code == 405
    assert client.post("/left/one/more").status_code == 404


def test_ready_once_the_model_is_loaded_and_until_it_is_stopped(served):
    client, engine, drain = served()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reasons": ["The model is not loaded yet: Waiting to load the model."]}
    engine.load()
    assert client.get("/readyz").json() == {"ready": True, "reasons": []}
    assert client.get("/readyz").status_code == 200
    drain.begin()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["The app is being stopped."])


def test_a_store_that_takes_its_time_is_waited_for_by_the_next_who_asks(served, monkeypatch):
    client, engine, _ = served()
    engine.load()
    answers = threading.Event()
    look = Readiness._look
    monkeypatch.setattr(Readiness, "_look", lambda self: (answers.wait(60), look(self))[1])
    monkeypatch.setattr("medilite.health.ready.FRESH_S", 0)
    monkeypatch.setattr("medilite.health.ready.STORE_TIMEOUT_S", 0.05)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "can't be used at the moment: it has not answered" in answer.json()["reasons"][0]
    answers.set()
    monkeypatch.setattr("medilite.health.ready.STORE_TIMEOUT_S", 60.0)
    assert client.get("/readyz").status_code == 200


def test_not_ready_where_the_model_cannot_be_had(served):
    client, engine, _ = served(load_error=WeightsUnavailableError("No weights here. Connect to the network."))
    with pytest.raises(WeightsUnavailableError):
        engine.load()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["No weights here. Connect to the network."])


def test_not_ready_where_the_store_does_not_answer_and_ready_again_once_it_does(served, tmp_path, monkeypatch):
    monkeypatch.setattr("medilite.health.ready.FRESH_S", 0)
    (tmp_path / "data").write_text("a file where the folder should be", encoding="utf-8")
    client, engine, _ = served()
    engine.load()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "MEDILITE_DATA_DIR" in answer.json()["reasons"][0]
    (tmp_path / "data").unlink()
    assert client.get("/readyz").status_code == 200


def test_probes_that_come_together_share_one_look_at_the_store(served, monkeypatch):
    client, engine, _ = served()
    engine.load()
    looks = []
    real = Readiness._ask_store
    monkeypatch.setattr(Readiness, "_ask_store", lambda self: looks.append(1) or real(self))
    monkeypatch.setattr("medilite.health.ready.FRESH_S", 1000)
    assert {client.get("/readyz").status_code for _ in range(5)} == {200}
    assert len(looks) == 1


def test_metrics_are_off_unless_asked_for(served):
    client, _, _ = served()
    answer = client.get("/metrics")
    assert (answer.status_code, answer.text) == (404, METRICS_OFF)


def test_metrics_are_what_prometheus_reads(served):
    from prometheus_client.parser import text_string_to_metric_families

    meters = metrics.switch_on()
    try:
        metrics.count_answer("base", "end", 12)
        client, engine, drain = served(meters)
        meters.follow_engine(engine, lambda: drain.running)
        answer = client.get("/metrics")
    finally:
        metrics.switch_off()
    assert answer.headers["content-type"] == metrics.CONTENT_TYPE
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families["medilite_tokens"].samples[0].value == 12
    assert {"medilite_requests", "medilite_answers", "medilite_first_token_seconds", "medilite_votes"} <= set(families)
    assert {"medilite_errors", "medilite_queue_length", "medilite_slots", "medilite_slots_in_use"} <= set(families)
