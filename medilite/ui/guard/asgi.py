"""What the guards share: the names of ASGI, and how a request is turned away."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from medilite.errors import RateLimitError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def header(scope: Scope, name: bytes) -> str | None:
    """Return a request's header, several of one name joined by commas, or None."""
    values = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return ", ".join(values) if values else None


async def refuse(send: Send, status: int, reason: str, more: list[tuple[bytes, bytes]] | None = None) -> None:
    """Answer a request with a status and the reason as JSON, where Gradio's own errors have theirs; `more` headers."""
    body = json.dumps({"detail": reason}, ensure_ascii=False).encode("utf-8", "replace")
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *(more or ())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def retry_after(error: RateLimitError) -> tuple[bytes, bytes]:
    """Return the header that says in how many seconds to send it again."""
    return b"retry-after", str(max(1, math.ceil(error.wait_s))).encode()
