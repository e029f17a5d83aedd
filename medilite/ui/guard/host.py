"""What Gradio makes once and keeps for all must not hold the host that the first to ask for it had named.

It describes its API with examples in which the app's own address is the one
that the first request named, and shows them to everybody after. So these are
made under a fixed name.
"""

from __future__ import annotations

import re

from medilite.ui.guard.asgi import App, Receive, Scope, Send
from medilite.ui.guard.doors import API

HOST = b"localhost"

_KEPT = re.compile(rf"{API}/(?:info/?|call/v2/[a-z_]+/?)")
_TOLD = (b"host", b"x-forwarded-host", b"x-forwarded-proto")


class FixedHost:
    """Puts one fixed host in place of the request's where what is made of it is kept."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; see the class."""
        if scope["type"] == "http" and _KEPT.fullmatch(scope["path"]):
            headers = [pair for pair in scope["headers"] if pair[0] not in _TOLD]
            scope = {**scope, "headers": [*headers, (b"host", HOST)]}
        await self.app(scope, receive, send)
