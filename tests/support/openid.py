"""A small OpenID provider over HTTP, as the Hub is one for its Spaces: discovery, sign-in page, tokens, keys.

Authorization code flow with a client secret. The sign-in page has a link for
each account and one that declines. Tokens are signed with a key of its own.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "medilite-space", "oauth-secret-0123456789"
SCOPES = "openid profile"

ACCESS_TOKEN = "hub-access-token"
"""How every access token begins."""


@dataclass
class Provider:
    """What the server has and does.

    `lasts_s` is how long a sign-in lasts; `breaks` has it answer every request
    for a token with an error that is none of OAuth's; `forges` has it sign
    tokens with a key that it doesn't publish, `hangs_up` has it close every
    connection without a word.
    """

    url: str = ""
    lasts_s: int = 3600
    breaks: bool = False
    forges: bool = False
    hangs_up: bool = False
    accounts: dict[str, dict[str, str]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @cached_property
    def key(self) -> RSAKey:
        """What tokens are signed with."""
        return new_key()

    def make(self, account: str) -> str:
        """Make an account that can sign in; return its stable id."""
        sub = secrets.token_hex(12)
        self.accounts[account] = {"sub": sub, "name": f"{account} Zylberstein", "preferred_username": f"{account}-z"}
        return sub

    def environment(self) -> dict[str, str]:
        """Return the variables that a Space with `hf_oauth: true` has, but for the host: here the request tells it."""
        return {
            "SYSTEM": "spaces", "SPACE_ID": "here/medilite", "OAUTH_CLIENT_ID": CLIENT_ID,
            "OAUTH_CLIENT_SECRET": CLIENT_SECRET, "OAUTH_SCOPES": SCOPES, "OPENID_PROVIDER_URL": self.url,
        }  # fmt: skip


def new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one"})


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Serve on a free port for the length of a `with`."""
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    provider: Provider
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if self.provider.hangs_up:
            self.close_connection = True
            return
        query = dict(parse_qsl(parts.query))
        if parts.path == "/.well-known/openid-configuration":
            self._json(200, self._metadata())
        elif parts.path == "/jwks":
            self._json(200, {"keys": [self.provider.key.as_dict(private=False)]})
        elif parts.path == "/authorize" and query.get("client_id") == CLIENT_ID:
            self._authorize(query)
        elif parts.path == "/favicon.ico":
            self._send(204, b"", {})
        else:
            self._json(404, {"error": "not_found"})

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()))
        if self.provider.hangs_up:
            self.close_connection = True
            return
        if self.provider.breaks:
            self._send(500, b"<html>out of order</html>", {"Content-Type": "text/html"})
            return
        code = self.provider.codes.pop(form.get("code", ""), None)
        if self.headers.get("Authorization") != _basic() or not code:
            self._json(401, {"error": "invalid_client" if code else "invalid_grant"})
        elif form.get("redirect_uri") != code["redirect_uri"]:
            self._json(400, {"error": "invalid_grant"})
        else:
            self._json(200, self._tokens(code))

    def _metadata(self) -> dict[str, Any]:
        url = self.provider.url
        return {
            "issuer": url, "authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/jwks", "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }  # fmt: skip

    def _authorize(self, query: dict[str, str]) -> None:
        """Show who there is; a click comes back here with `as`, and goes on to the app."""
        chosen = query.pop("as", None)
        back = {"state": query["state"]}
        if chosen is None:
            here = f"/authorize?{urlencode(query)}"
            names = (*self.provider.accounts, "no")
            links = "".join(f'<li><a href="{escape(here)}&amp;as={name}">{name}</a></li>' for name in names)
            page = f"<!doctype html><title>Sign in</title><ul>{links}</ul>".encode()
            # The Hub's own page can't be framed by others.
            self._send(200, page, {"Content-Type": "text/html", "X-Frame-Options": "SAMEORIGIN"})
            return
        if chosen == "no":
            back |= {"error": "access_denied", "error_description": "Somebody declined."}
        else:
            back["code"] = secrets.token_urlsafe(16)
            told = {"account": chosen, "nonce": query["nonce"], "redirect_uri": query["redirect_uri"]}
            self.provider.codes[back["code"]] = told
        joined = "&" if "?" in query["redirect_uri"] else "?"
        self._send(302, b"", {"Location": query["redirect_uri"] + joined + urlencode(back)})

    def _tokens(self, code: dict[str, str]) -> dict[str, Any]:
        provider, now = self.provider, int(time.time())
        account = provider.accounts[code["account"]]
        name = account["preferred_username"]
        claims = {
            "iss": provider.url, "aud": CLIENT_ID, "iat": now, "exp": now + 600, "nonce": code["nonce"], **account,
            "profile": f"https://huggingface.co/{name}", "picture": f"https://huggingface.co/avatars/{name}.svg",
        }  # fmt: skip
        key = new_key() if provider.forges else provider.key
        return {
            "access_token": f"{ACCESS_TOKEN}-{secrets.token_urlsafe(16)}", "token_type": "bearer",
            "expires_in": provider.lasts_s, "scope": SCOPES,
            "id_token": jwt.encode({"alg": "RS256", "kid": "one"}, claims, key),
        }  # fmt: skip

    def _json(self, status: int, value: object) -> None:
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _basic() -> str:
    return "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
