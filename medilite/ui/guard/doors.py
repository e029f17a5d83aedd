"""Which addresses are served: those that the page needs, and our own. Everything else of Gradio's is closed.

Gradio serves much that an app with text fields has no use for: uploads, files
of the machine and of other hosts, copies of a session on the disk, an editor of
the app's code, icons of any size. What isn't listed here can't be reached, so a
route that a later version adds is closed until somebody opens it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from medilite.ui.guard.asgi import App, Receive, Scope, Send, refuse

API = "/gradio_api"

MCP = (f"{API}/mcp", f"{API}/mcp/")
"""Where MCP is spoken, if it is: a route of our own (ui/api/mcp_server.py)."""

READ = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/manifest\.json|/robots\.txt|/pwa_icon(?:/(?:192|512))?"
    # Names are bounded: an overlong one is an error of the file system, which Gradio answers with a 500.
    r"|/(?:assets|static)/[\w@.+-]{1,128}(?:/[\w@.+-]{1,128}){0,7}"
    rf"|{API}/(?:info/?|theme\.css|app_id/?|login_check/?|user/?|startup-events|queue/(?:data|status))"
    # What came of a program's call.
    rf"|{API}/call(?:/v2)?/[a-z_]{{1,32}}/[0-9a-f]{{32}}"
)
"""What is read (GET and HEAD)."""

WRITE = re.compile(rf"{API}/(?:queue/join|(?:run|api)/predict/?|cancel|reset/?|call(?:/v2)?/[a-z_]{{1,32}}/?)")
"""What is sent (POST); which names can be called is said in calls.py."""

LOGIN, CALLBACK, LOGOUT = "/login/huggingface", "/login/callback", "/logout"
"""What is read to sign in and out, where that is on (sign_in.py)."""

REASONS = (
    (
        re.compile(rf"{API}/(?:upload|upload_progress|process_recording|stream)\b"),
        403,
        "Uploads are off: MediLite only takes text. Type your question, or paste it.",
    ),
    (
        re.compile(rf"(?:{API})?/(?:file|proxy|custom_component|deep_link|component_server|svelte)\b"),
        403,
        "No file of this machine, or of another, is served here; what can be downloaded has links on the page.",
    ),
)
"""Why some addresses are closed: they are those that somebody may look for."""

QUERY_CHARS = 4096
"""Longest query string; the longest that the page itself sends is that of an old link, with a question in it."""


class OpenDoors:
    """Lets through what is listed, and says why not where something isn't."""

    def __init__(self, app: App, own: list[Any], signs_in: bool = False) -> None:
        self.app, self.own = app, own
        self.sign_in = (LOGIN, CALLBACK, LOGOUT) if signs_in else ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; see the class."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008, "reason": "No web sockets are served here."})
        elif refusal := self._refusal(scope):
            await refuse(send, *refusal)
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        path, method, query = scope["path"], scope["method"], scope.get("query_string", b"")
        if len(query) > QUERY_CHARS:
            size = f"{len(query):,} characters after its “?”; at most {QUERY_CHARS:,} fit"
            return 414, f"The address has {size}. Shorten it."
        # Gradio answers a page that it doesn't have with a 500; there is one, and it has no name.
        if any(name == "page" and value for name, value in parse_qsl(query.decode("latin-1"))):
            return 404, "There is no such page. The only one is at “/”."
        if self._is_own(scope):
            return None
        if path in self.sign_in and method == "GET":
            return None
        reads, writes = READ.fullmatch(path) and ".." not in path, WRITE.fullmatch(path)
        if (reads and method in ("GET", "HEAD")) or (writes and method == "POST"):
            return None
        if reads or writes or path in self.sign_in:
            return 405, f"{method[:20]} can't be used at this address."
        for closed, status, reason in REASONS:
            if closed.match(path):
                return status, reason
        return 404, "There is nothing at this address. The page is at “/”."

    def _is_own(self, scope: Scope) -> bool:
        from starlette.routing import Match

        return any(route.matches(scope)[0] is not Match.NONE for route in self.own)
