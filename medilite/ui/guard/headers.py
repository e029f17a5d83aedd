"""The headers of every answer: which code may run, which hosts the page may ask, who may frame it.

The content security policy is as strict as Gradio 6.31 lets it be:

- `script-src` has no 'unsafe-inline'. The page's inline scripts (Gradio writes
  its configuration as one) are allowed by their SHA-256: those in its head that
  Gradio's code adds, and those in the document as it is sent. What visitors
  type is in neither.
- 'unsafe-eval' stays: Gradio makes functions of the texts of `js=` handlers and
  of `gr.HTML` templates (`new Function`). Both are ours alone.
- `style-src` has 'unsafe-inline': Gradio and Svelte set style attributes, which
  no hash can allow.
- `frame-ancestors` lets huggingface.co embed the page, as it does with Spaces;
  X-Frame-Options can't say that and is left out.
"""

from __future__ import annotations

import base64
import hashlib
import re

from medilite.ui.guard.asgi import App, Message, Receive, Scope, Send

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script\s*>", re.S | re.I)
_SOURCE = re.compile(r"\bsrc\s*=", re.I)

EMBEDDERS = ("https://huggingface.co",)

POLICY = {
    "default-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "media-src": "'none'",
    "worker-src": "'none'",
    "frame-src": "'none'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'none'",
    "frame-ancestors": " ".join(("'self'", *EMBEDDERS)),
}

PLAIN = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_SET_HERE = {name.encode() for name in (*PLAIN, "content-security-policy", "x-frame-options", "server")}


def inline_scripts(html: str) -> list[str]:
    """Return the texts of the scripts that are in this HTML itself."""
    return [text for attributes, text in _SCRIPT.findall(html) if not _SOURCE.search(attributes)]


def script_hash(text: str) -> str:
    """Return the source expression that allows exactly this script."""
    # A browser reads \r\n and \r as \n before it hashes.
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return f"'sha256-{base64.b64encode(hashlib.sha256(unified.encode('utf-8')).digest()).decode('ascii')}'"


def content_security_policy(hashes: list[str]) -> str:
    """Return the policy under which scripts with these hashes may run."""
    scripts = " ".join(("'self'", "'unsafe-eval'", *hashes))
    return "; ".join(f"{name} {value}" for name, value in {**POLICY, "script-src": scripts}.items())


class SafeHeaders:
    """Adds the headers to every response; holds only HTML back, to read which scripts are in it."""

    def __init__(self, app: App, head: str = "") -> None:
        self.app = app
        self.head = [script_hash(text) for text in inline_scripts(head)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; see the class."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        html = bytearray()

        async def send_on(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                scripts = message.get("scripts")
                if scripts is not None:  # read once, for a document that is kept (cached.py)
                    await send(self._with_headers({k: v for k, v in message.items() if k != "scripts"}, scripts))
                elif _value(message, b"content-type").startswith("text/html"):
                    start = message
                else:
                    await send(self._with_headers(message, []))
            elif start is None:
                await send(message)
            else:
                html.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    hashes = [script_hash(text) for text in inline_scripts(html.decode("utf-8", "replace"))]
                    await send(self._with_headers(start, hashes))
                    await send({"type": "http.response.body", "body": bytes(html)})

        await self.app(scope, receive, send_on)

    def _with_headers(self, message: Message, hashes: list[str]) -> Message:
        kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in _SET_HERE]
        policy = content_security_policy(sorted({*hashes, *self.head})) if hashes else content_security_policy([])
        added = {**PLAIN, "content-security-policy": policy}
        # A page is made with the host that was asked for in it: no cache in between may keep it for others.
        if _value(message, b"content-type").startswith(("text/html", "application/json")):
            kept = [(name, value) for name, value in kept if name.lower() != b"cache-control"]
            added["cache-control"] = "no-store"
        return {**message, "headers": [*kept, *((name.encode(), value.encode()) for name, value in added.items())]}


def _value(message: Message, name: bytes) -> str:
    return next(
        (value.decode("latin-1").lower() for key, value in message.get("headers", []) if key.lower() == name), ""
    )
