"""A model server in this process: real HTTP, /v1/models and streaming /v1/completions, answers as a test says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

START_S = 20.0
FOREVER_S = 3600.0


@dataclass
class Reply:
    """One answer: `ids` are sent one an event (as text alone where `text` has pieces), then what ends it.

    `first_s` is the time before the first token, `step_s` between two, `after`
    how many are sent before `then` happens: "end" (finish_reason stop), "length",
    "close" (the connection ends), "break" (it breaks), "garbage", "error" (an
    event that tells of one), "hang".
    """

    ids: Sequence[int] = ()
    text: Sequence[str] | None = None
    then: str = "end"
    after: int | None = None
    first_s: float = 0.0
    step_s: float = 0.0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    message: str = ""


Script = Callable[[int, dict[str, Any]], Reply]
"""(number of the request from 1, its body) → answer."""


@dataclass
class ModelServer:
    """Where the server is, what it was asked, from which ports, and how its streams ended."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    ports: set[int] = field(default_factory=set)
    finished: int = 0
    left: int = 0
    sent: int = 0

    def wait(self, what: Callable[[ModelServer], bool], timeout_s: float = 20.0) -> None:
        """Wait until something holds; fails if it doesn't come to that."""
        until = time.monotonic() + timeout_s
        while not what(self):
            assert time.monotonic() < until, f"finished {self.finished}, left {self.left}, asked {len(self.asked)}"
            time.sleep(0.01)


@contextmanager
def model_server(
    script: Script | list[Reply], models: Sequence[str], *, key: str | None = None, port: int = 0, listed: Any = None
) -> Iterator[ModelServer]:
    """Serve models by a script: a function, or a list of replies of which the last goes on for ever.

    `listed` is what /v1/models answers instead of a list of `models`.
    """
    known, lock = ModelServer(), threading.Lock()

    async def list_models(request: Request) -> Response:
        if key and request.headers.get("authorization") != f"Bearer {key}":
            return JSONResponse({"error": {"message": "no"}}, 401)
        return JSONResponse(listed if listed is not None else {"data": [{"id": name} for name in models]})

    async def complete(request: Request) -> Response:
        told = await request.json()
        with lock:
            known.asked.append(told)
            known.keys.append(request.headers.get("authorization"))
            known.ports.add(request.client.port if request.client else 0)
            number = len(known.asked)
        if told["model"] not in models:
            return JSONResponse({"error": {"message": f"The model `{told['model']}` does not exist."}}, 404)
        reply = script(number, told) if callable(script) else script[min(number, len(script)) - 1]
        if reply.status != 200:
            return JSONResponse({"error": {"message": reply.message}}, reply.status, reply.headers)
        return StreamingResponse(events(reply, told), media_type="text/event-stream")

    async def events(reply: Reply, told: dict[str, Any]) -> AsyncIterator[bytes]:
        whole = False
        try:
            await asyncio.sleep(reply.first_s)
            pieces: list[dict[str, Any]] = (
                [{"text": "", "token_ids": [i]} for i in reply.ids]
                if reply.text is None
                else [{"text": t} for t in reply.text]
            )
            ends = {"end": "stop", "length": "length"}.get(reply.then)
            if ends and reply.text is None and reply.after is None and pieces:
                pieces[-1]["finish_reason"], ends = ends, None  # as vLLM does
            yield b": a comment\n\n"
            for piece in pieces[: reply.after]:
                yield event(piece)
                known.sent += 1
                await asyncio.sleep(reply.step_s)
            if reply.then == "hang":
                await asyncio.sleep(FOREVER_S)
            if reply.then == "break":
                raise ConnectionAbortedError
            if reply.then == "garbage":
                yield b"data: {half of an obje\n\n"
            if reply.then == "error":
                yield b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'
            if ends:
                yield event({"text": "", "finish_reason": ends})
            if reply.then in ("end", "length"):
                yield b"data: [DONE]\n\n"
            whole = True
            known.finished += 1
        finally:
            known.left += not whole and reply.then != "break"

    routes = [Route("/v1/models", list_models), Route("/v1/completions", complete, methods=["POST"])]
    with serving(Starlette(routes=routes), port) as url:
        known.url = url
        yield known


@contextmanager
def serving(app: Any, port: int = 0) -> Iterator[str]:
    """Serve an ASGI app on this machine for the length of a `with`; yields its address."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + START_S
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(timeout=10)
        with contextlib.suppress(OSError):
            listening.close()


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def event(choice: dict[str, Any]) -> bytes:
    """Return one event of a stream."""
    whole = {"id": "c", "object": "text_completion", "choices": [{"index": 0, "finish_reason": None, **choice}]}
    return f"data: {json.dumps(whole)}\n\n".encode()
