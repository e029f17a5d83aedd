"""A judge's server in this process: a real HTTP server that answers as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SCORES = {"correctness": 7, "helpfulness": 6, "harmfulness": 2, "efficiency": 8}


@dataclass
class Answer:
    """One HTTP answer; `hang_s` is how long it lets the client wait, `cut` sends half of the body it announced."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_s: float = 0.0
    cut: bool = False


def says(text: str | None, **more: Any) -> Answer:
    """A completion with this text."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop", **more}
    return Answer(body={"id": "c", "choices": [choice], "usage": {"prompt_tokens": 900, "completion_tokens": 40}})


def scores(**changed: Any) -> Answer:
    """A completion with good scores, or changed ones."""
    return says(json.dumps(SCORES | changed))


def error(status: int, message: str, headers: dict[str, str] | None = None, **about: Any) -> Answer:
    """An error in the form that Groq and OpenAI give it."""
    return Answer(status, {"error": {"message": message, "type": "x", **about}}, headers or {})


Script = Callable[[int, str, dict[str, Any]], Answer]
"""(number of the request from 1, API key, body of the request) → answer."""


@dataclass
class JudgeServer:
    """What the server is and what it was asked: (API key, body) each."""

    url: str
    asked: list[tuple[str, dict[str, Any]]]

    @property
    def keys(self) -> list[str]:
        """The API keys in the order in which they were used."""
        return [key for key, _ in self.asked]


@contextmanager
def judge_server(script: Script | list[Answer]) -> Iterator[JudgeServer]:
    """Serve /v1/chat/completions by a script: a function, or a list of answers of which the last goes on for ever."""
    asked: list[tuple[str, dict[str, Any]]] = []
    lock, closing = threading.Lock(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            key = self.headers["authorization"].removeprefix("Bearer ")
            with lock:
                asked.append((key, body))
                number = len(asked)
            if self.path != "/v1/chat/completions":
                return self.send(error(404, f"no such path: {self.path}"))
            answer = script(number, key, body) if callable(script) else script[min(number, len(script)) - 1]
            return self.send(answer)

        def send(self, answer: Answer) -> None:
            if answer.hang_s:
                closing.wait(answer.hang_s)
            content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"content-type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if answer.cut else content)
            if answer.cut:
                self.close_connection = True

        def log_message(self, *args):
            pass

        def handle_one_request(self):
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield JudgeServer(f"http://127.0.0.1:{server.server_port}/v1", asked)
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class FakeTime:
    """A clock that only waiting moves; `waits` are the waits so far, in seconds."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.waits: list[float] = []

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now_s += seconds
