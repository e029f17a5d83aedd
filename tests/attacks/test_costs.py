"""What one request can cost: texts made to be slow, requests that never end, cells that a spreadsheet runs."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest
import uvicorn

from medilite.content import echo_share
from medilite.files import csv_cell
from medilite.safety import emergency_notice
from medilite.ui.chat.history import Turn
from medilite.ui.chat.transcript import transcript_html
from medilite.ui.compare.comparison import Pane
from medilite.ui.guard.bodies import BoundedBody
from medilite.ui.guard.patience import patient
from tests.ui.asgi import App


def best_of(act, times=3):
    """Return the shortest time that something takes, in seconds: others use the machine too."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        took.append(time.perf_counter() - began)
    return min(took)


def test_a_ligature_that_stands_for_a_sentence_costs_no_more_than_letters():
    """2,000 × U+FDFA took nine times as long as any other question of that length."""
    emergency_notice("")
    letters = best_of(lambda: emergency_notice("abcd " * 400))
    assert best_of(lambda: emergency_notice("\ufdfa" * 2000)) < 4 * letters + 0.01
    assert emergency_notice("x" * 1900 + " I can't breathe and my chest hurts, I think I am dying"), "all of it is read"


def test_a_notice_is_worked_out_once_a_turn(lite, monkeypatch):
    asked = []
    monkeypatch.setattr("medilite.ui.chat.history.emergency_html", lambda question: asked.append(question) or "")
    turns = [Turn(f"Question {n}?", Pane(lite.models[0]), 16) for n in range(5)]
    for _ in range(20):
        transcript_html(turns)
    assert asked == [turn.question for turn in turns]


def test_an_echo_is_found_in_time_that_grows_with_the_texts():
    """It was cubic in the length of one repeated word: 800 words took ten seconds."""
    assert best_of(lambda: echo_share("pain " * 800, "pain " * 800), 1) < 3
    assert echo_share("What are the symptoms of gout?", "What are the symptoms of gout are pain and heat.") == 0.6


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "＝1+1",
        "a;=1+1",
        "a; =1+1",
        "\ufeff=1",
        "\u200b+1",
        "a;\u2060@x",
        "\t=1",
        "a\t＝cmd",
        "@x",
        "−1",
        "﹢1",
        "a;-2+3",
        "\r=1",
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_disarmed(text):
    cell = csv_cell(text)
    start = str(cell).replace("\t", ";").replace("\r", ";")
    for part in start.split(";"):
        assert not part.lstrip(" \u200b\u2060\ufeff").startswith(("=", "+", "-", "@", "＝", "−", "﹢")), cell


def test_other_cells_stay_as_they_are():
    for value in ("plain", "a - b", "x=1", "line\n- item", 3, None, 1.5, True):
        assert csv_cell(value) == value or value == "line\n- item"


@pytest.fixture
def impatient():
    """A server that waits half a second for a request's head."""
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    config = uvicorn.Config(app, port=0, log_level="error", http=patient(AutoHTTPProtocol, 0.5), lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost: a", b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT"])
def test_half_a_head_holds_no_connection(impatient, head):
    with socket.create_connection(impatient, timeout=15) as connection:
        connection.sendall(head)
        began = time.monotonic()
        while connection.recv(4096):
            pass
        assert time.monotonic() - began < 10


def test_a_body_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr("medilite.ui.guard.bodies.BODY_S", 0.2)
    sent = []

    async def never():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(BoundedBody(App(), 1000)(scope, never, send))
    assert sent[0]["status"] == 408
