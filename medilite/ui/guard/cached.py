"""Answer from memory what is the same for everybody: the page's document, and Gradio's files of code and style.

Gradio makes the document again for each visitor (half a megabyte, uncompressed), or its description for a program, and
reads and compresses each of some seventy files again: a tenth of a second of a processor a visitor, most of it on the
event loop, which holds up everybody else. Each is made once here, and compressed once.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections import OrderedDict
from dataclasses import dataclass

from medilite.errors import RateLimitError
from medilite.ui.guard.asgi import App, Message, Receive, Scope, Send, header, refuse, retry_after
from medilite.ui.guard.headers import inline_scripts, script_hash
from medilite.ui.guard.limits import VisitorLimits

MOST_BYTES = 32_000_000
"""What is kept at most, as it is sent; what was asked for longest ago goes first. Gradio's files take a third of it."""

_HASHED = re.compile(r"/assets/[\w@.+-]*-[\w-]{8}\.(?:js|css)")
"""Files whose name changes with what is in them; browsers may keep them for good."""

_DOCUMENTS = ("/", "/config", "/config/")
"""The page's document, and its description alone, which programs read."""

_MADE_WITH = (b"host", b"x-forwarded-host", b"x-forwarded-proto")
"""Documents have the address in them by which they were asked for."""

_ASKS_FOR_MORE = re.compile(rb"page|deep.?link|%", re.I)
"""Queries that a document may depend on; any other (an old link, ?__theme=dark) is the browser's alone."""

_OTHERWISE = (b"range", b"if-range", b"if-match", b"if-unmodified-since")
_QUALITY = 5

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """A response as it is sent; `scripts` are the hashes of the scripts in it (`headers.SafeHeaders`)."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    scripts: list[str] | None


class Cached:
    """Keeps these responses by address and encoding; everything else passes through."""

    def __init__(self, app: App, limits: VisitorLimits | None = None, most_bytes: int = MOST_BYTES) -> None:
        self.app, self.limits, self.most_bytes = app, limits, most_bytes
        self._kept: OrderedDict[Key, _Answer] = OrderedDict()
        self._bytes = 0
        self._making: dict[Key, asyncio.Lock] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; see the class."""
        key = _key(scope)
        if self.limits and scope["type"] == "http" and scope["path"] in _DOCUMENTS and key not in self._kept:
            # To make a document takes up to 50 ms, and anyone can make up host names and queries.
            try:
                self.limits.count("sessions", address=(scope.get("client") or ("", 0))[0])
            except RateLimitError as error:
                await refuse(send, 429, str(error), [retry_after(error)])
                return
        if key is None:
            await self.app(scope, receive, send)
            return
        if key not in self._kept:
            try:  # visitors who come at the same time wait for the first one's
                async with self._making.setdefault(key, asyncio.Lock()):
                    if key not in self._kept and not await self._make(key, scope, receive, send):
                        return
            finally:
                self._making.pop(key, None)
        answer = self._kept.get(key)
        if answer is None:  # it had to go while others waited for it
            await self.app(scope, receive, send)
            return
        self._kept.move_to_end(key)
        await _send(answer, scope, send)

    async def _make(self, key: Key, scope: Scope, receive: Receive, send: Send) -> bool:
        """Have the app answer, and keep it; where it can't be kept, send it on and return False."""
        start: Message = {}
        body = bytearray()

        async def take(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            else:
                body.extend(message.get("body", b""))

        await self.app(scope, receive, take)
        names = {name.lower() for name, _ in start["headers"]}
        if start["status"] != 200 or names & {b"set-cookie", b"content-encoding"} or len(body) > self.most_bytes:
            await send(start)
            await send({"type": "http.response.body", "body": bytes(body)})
            return False
        answer = await asyncio.to_thread(_packed, str(key[0]), str(key[1]), list(start["headers"]), bytes(body))
        self._kept[key] = answer
        self._bytes += len(answer.body)
        while self._bytes > self.most_bytes and len(self._kept) > 1:
            self._bytes -= len(self._kept.popitem(last=False)[1].body)
        return True


def _key(scope: Scope) -> Key | None:
    """Return by what a response is kept: its path, its encoding, and what else it depends on; None if it isn't kept."""
    if scope["type"] != "http" or scope["method"] != "GET" or any(name in _OTHERWISE for name, _ in scope["headers"]):
        return None
    path, encoding = scope["path"], _encoding(header(scope, b"accept-encoding") or "")
    if path in _DOCUMENTS and not _ASKS_FOR_MORE.search(scope.get("query_string", b"")):
        return path, encoding, scope["scheme"], scope.get("root_path"), *(header(scope, name) for name in _MADE_WITH)
    return (path, encoding) if _HASHED.fullmatch(path) else None


def _encoding(accepted: str) -> str:
    """Return the best encoding that a client takes, "" for none."""
    listed = (part.replace(" ", "").lower().partition(";q=") for part in accepted.split(","))
    taken = {name for name, _, share in listed if share.rstrip("0") not in ("0.", ".") and share != "0"}
    return next((one for one in ("br", "gzip") if one in taken), "")


def _packed(path: str, encoding: str, headers: list[tuple[bytes, bytes]], body: bytes) -> _Answer:
    scripts = None
    if path == "/":
        scripts = [script_hash(text) for text in inline_scripts(body.decode("utf-8", "replace"))]
    elif path not in _DOCUMENTS:
        headers.append((b"cache-control", b"public, max-age=31536000, immutable"))
    if encoding == "br":
        import brotli  # type: ignore[import-untyped]

        body = brotli.compress(body, quality=_QUALITY)
    elif encoding == "gzip":
        body = gzip.compress(body, _QUALITY, mtime=0)
    headers = [pair for pair in headers if pair[0].lower() not in (b"content-length", b"accept-ranges")]
    if encoding:
        headers.append((b"content-encoding", encoding.encode()))
    headers += [(b"vary", b"Accept-Encoding"), (b"content-length", str(len(body)).encode())]
    return _Answer(headers, body, scripts)


async def _send(answer: _Answer, scope: Scope, send: Send) -> None:
    etag = next((value for name, value in answer.headers if name.lower() == b"etag"), None)
    known = header(scope, b"if-none-match")
    if etag is not None and known is not None and etag.decode("latin-1") in known:
        kept = [pair for pair in answer.headers if pair[0].lower() not in (b"content-length", b"content-encoding")]
        await send({"type": "http.response.start", "status": 304, "headers": kept})
        await send({"type": "http.response.body", "body": b""})
        return
    start = {"type": "http.response.start", "status": 200, "headers": list(answer.headers)}
    if answer.scripts is not None:
        start["scripts"] = answer.scripts
    await send(start)
    await send({"type": "http.response.body", "body": answer.body})
