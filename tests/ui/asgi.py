"""Call an ASGI app by hand, without a server."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Told:
    """What an app has answered."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: int = 0

    @property
    def detail(self) -> str:
        return json.loads(self.body)["detail"]


@dataclass
class App:
    """An app that answers with what it is told to, and notes what it was asked."""

    status: int = 200
    kind: str = "application/json"
    pieces: tuple[bytes, ...] = (b"{}",)
    scopes: list[Any] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        body, more = b"", scope["method"] == "POST"
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        start = {
            "type": "http.response.start",
            "status": self.status,
            "headers": [(b"content-type", self.kind.encode())],
        }
        await send(start)
        for place, piece in enumerate(self.pieces, start=1):
            await send({"type": "http.response.body", "body": piece, "more_body": place < len(self.pieces)})


def call(
    app: Any, path: str = "/", method: str = "GET", headers: dict[str, str] | None = None,
    body: tuple[bytes, ...] = (b"",),
    client: str = "127.0.0.1", query: bytes = b"",
) -> Told:  # fmt: skip
    """Send one request, its body in these pieces, and return the answer."""
    given = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query, "headers": given, "client": (client, 5),
        "root_path": "",
    }  # fmt: skip
    waiting = [{"type": "http.request", "body": b, "more_body": n < len(body)} for n, b in enumerate(body, start=1)]
    told = Told()

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            told.status = message["status"]
            told.headers = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            told.body += message.get("body", b"")
            told.pieces += 1

    asyncio.run(app(scope, receive, send))
    return told
