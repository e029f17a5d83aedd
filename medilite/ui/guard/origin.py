"""Who may use the app through a visitor's browser: its own pages, and those of addresses that are named.

A page of another site can have a browser send requests here. Gradio would answer
them, to any origin and with credentials, outside of everything that is added
inside; so this replaces Gradio's own CORS, outermost. What a
browser says comes from elsewhere may open the page (a link, a frame) and nothing
more. Programs send no such header, and are not affected.

Where nobody but this machine's user reaches the app it also has to be asked for by this
machine's name: else a site whose name is pointed here would count as its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from medilite.settings import LOOPBACK
from medilite.ui.guard.asgi import App, Message, Receive, Scope, Send, header, refuse
from medilite.ui.guard.headers import EMBEDDERS

if TYPE_CHECKING:
    from medilite.settings import Settings


def is_foreign(scope: Scope, allowed: Sequence[str] = ()) -> bool:
    """Whether a page of another site had the browser send this request; a program's own request is not."""
    origin = header(scope, b"origin")
    if origin is not None and origin.lower() in allowed:
        return False
    site = header(scope, b"sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    # Old browsers. X-Forwarded-Host is not looked at: a page elsewhere could send one along.
    return origin is not None and urlsplit(origin).netloc.lower() != (header(scope, b"host") or "").lower()


def opens_the_page(scope: Scope) -> bool:
    """Whether a request is a link that is followed or a frame that is filled, of which the other page reads nothing."""
    return scope["method"] in ("GET", "HEAD") and header(scope, b"sec-fetch-mode") == "navigate"


class OwnPages:
    """Refuses what pages elsewhere ask; answers the named ones as CORS has it."""

    def __init__(self, app: App, *, allowed: Sequence[str] = (), hosts: frozenset[str] | None = None) -> None:
        self.app, self.allowed, self.hosts = app, allowed, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; see the class."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.hosts is not None and _host(scope) not in self.hosts:
            await refuse(
                send, 421,
                "This app only listens on this machine, and was requested under another name. Open it as localhost, or "
                "set MEDILITE_TRUSTED_PROXIES where there is a proxy in front.",
            )  # fmt: skip
            return
        if is_foreign(scope, self.allowed) and not opens_the_page(scope):
            await refuse(
                send, 403,
                "A page of another site can't use MediLite through its visitors' browsers. Open MediLite itself, or "
                "ask the person who runs it to list that site in MEDILITE_ALLOWED_ORIGINS.",
            )  # fmt: skip
            return
        origin = (header(scope, b"origin") or "").lower()
        cors = (
            [(b"access-control-allow-origin", origin.encode()), (b"vary", b"Origin")] if origin in self.allowed else []
        )
        if scope["method"] == "OPTIONS":
            more = [
                (b"access-control-allow-methods", b"GET, POST"), (b"access-control-allow-headers", b"content-type"),
                (b"access-control-max-age", b"600"), (b"content-length", b"0"),
            ]  # fmt: skip
            await send(
                {"type": "http.response.start", "status": 204, "headers": [*cors, *(more if cors else more[-1:])]}
            )
            await send({"type": "http.response.body", "body": b""})
            return

        async def send_on(message: Message) -> None:
            if cors and message["type"] == "http.response.start":
                kept = [pair for pair in message.get("headers", []) if pair[0] != b"cross-origin-resource-policy"]
                message = {**message, "headers": [*kept, *cors]}
            await send(message)

        await self.app(scope, receive, send_on)


def own_pages(settings: Settings) -> dict[str, Any]:
    """Return the options of `OwnPages` for an app with these settings."""
    allowed = [one.strip().lower() for one in (settings.allowed_origins or "").split(",") if one.strip()]
    if settings.space_id:
        allowed += EMBEDDERS
    named = {urlsplit(one).hostname or "" for one in allowed}
    hosts = None if settings.reached_by_others else frozenset({*LOOPBACK, *named})
    return {"allowed": tuple(allowed), "hosts": hosts}


@contextmanager
def in_gradios_place(**options: Any) -> Iterator[None]:
    """Have Gradio, while it builds its app, put `OwnPages` where it would put its own CORS."""
    from gradio import routes

    before = routes.CustomCORSMiddleware

    class Ours(OwnPages):
        def __init__(self, app: App, **_: object) -> None:
            super().__init__(app, **options)

    routes.CustomCORSMiddleware = Ours  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        routes.CustomCORSMiddleware = before  # type: ignore[misc]


def _host(scope: Scope) -> str:
    try:
        return (urlsplit(f"//{header(scope, b'host') or ''}").hostname or "").lower()
    except ValueError:
        return ""
