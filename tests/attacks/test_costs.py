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
from medilite.safety.detect import _plain
from medilite.ui.chat.history import Turn
from medilite.ui.chat.transcript import transcript_html
from medilite.ui.compare.comparison import Pane
from medilite.ui.guard.bodies import BoundedBody
from medilite.ui.guard.patience import patient
from tests.ui.asgi import App


def best_of(act, times=3):
    """Return the least processor time that something takes, in seconds: others use the machine too."""
    took = []
    for _ in range(times):
        began = time.process_time()
        act()
        took.append(time.process_time() - began)
    return min(took)


def test_ligatures_that_stand_for_sentences_are_read_as_no_more_than_letters():
    """2,000 × U+FDFA took nine times as long as any other question of that length."""
    for ligature in map(chr, range(0xFDF0, 0xFE00)):
        assert len(_plain(ligature * 2000)) <= len(_plain("x" * 2000)), hex(ord(ligature))
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

    def took(count):
        return best_of(lambda: echo_share("pain " * count, "pain " * count))

    # Eight times the text takes 64 times as long, as it is compared with itself; cubic would be 512 times.
    assert took(800) < 200 * max(took(100), 1e-3)
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
    for value in ("plain", "a - b", "x=1", 3, None, 1.5, True):
        assert csv_cell(value) == value
    assert csv_cell("line\n- item") == "line\n'- item"


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
    with socket.create_connection(impatient, timeout=60) as connection:
        connection.sendall(head)
        # A server that goes on waiting raises TimeoutError here.
        while connection.recv(4096):
            pass


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
