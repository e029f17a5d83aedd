"""How much may be sent: bodies are bounded, whatever length their headers claim."""

from __future__ import annotations

import asyncio

from medilite.ui.guard.asgi import App, Message, Receive, Scope, Send, header, refuse

BODY_S = 30.0
"""How long a body may take to arrive: it is some kilobytes."""

_BESIDES_BYTES = 32 * 1024
"""Room for everything but the text: settings, ids, a vote with its details."""

_CHAR_BYTES = 12
"""The most that one character takes in JSON: two escapes of six bytes."""

TEXT_CHARS = 8000
"""Longest text that is measured for a program: two pages."""

_TEXT_CHAR_BYTES = 6
"""What a character of it takes at most: one escape, as all that is written with one letter a character."""


def body_limit(question_chars: int) -> int:
    """Return the longest body in bytes: the longest question, twice (Undo sends what is in the field), and more.

    A text to measure has room beside it, unless it is of emoji alone.
    """
    return max(_BESIDES_BYTES + 2 * _CHAR_BYTES * question_chars, _BESIDES_BYTES + _TEXT_CHAR_BYTES * TEXT_CHARS)


class BoundedBody:
    """Reads the body of a request before anything else does, and answers 413 once it is too long."""

    def __init__(self, app: App, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; see the class."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        declared = header(scope, b"content-length")
        if declared is not None and declared.isdigit() and int(declared[:20]) > self.limit:
            await self._refuse(send, f"{int(declared[:20]):,}")
            return
        body = bytearray()
        more = True
        until = asyncio.get_running_loop().time() + BODY_S
        while more:
            try:
                message = await asyncio.wait_for(receive(), until - asyncio.get_running_loop().time())
            except TimeoutError:
                await refuse(
                    send, 408, f"The request's body did not arrive in full within {BODY_S:.0f} s. Send it again."
                )
                return
            if message["type"] == "http.disconnect":
                return
            body.extend(message.get("body", b""))
            more = message.get("more_body", False)
            if len(body) > self.limit:
                await self._refuse(send, f"more than {self.limit:,}")
                return
        await self.app(scope, replay(bytes(body), receive), send)

    async def _refuse(self, send: Send, size: str) -> None:
        await refuse(
            send, 413,
            f"The request has {size} bytes; at most {self.limit:,} are taken, more than the longest question needs. "
            "Shorten what you send.",
        )  # fmt: skip


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body in one piece, then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
