"""Signing in at the Hugging Face Hub, by Gradio's own routes; this module does what they don't.

- **What is kept.** Gradio puts all that the Hub sends into the visitor's cookie,
  name and access token included. Here it is cut down, before it goes out, to
  the account's stable id and to when the sign-in ends; nothing else is needed.
- **Who may use it.** The cookie has to be sent inside of a frame too
  (SameSite=None), and Gradio lets every page of the web ask with cookies. What
  a page elsewhere sends counts as sent by somebody who isn't signed in.
- **Where it leads.** Back to the vote and nowhere else; what a request says
  about that is not read.
- **What goes wrong** leads back there too, with a word that names it: the Hub is away,
  its answer is no good, the visitor declined, the browser keeps no cookie
  (Gradio would send it round for ever), too many came from one address.
"""

from __future__ import annotations

import logging
import re
import time
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from medilite.errors import RateLimitError
from medilite.ui.guard.asgi import App, Message, Receive, Scope, Send, refuse
from medilite.ui.guard.doors import CALLBACK, LOGIN, LOGOUT
from medilite.ui.guard.limits import VisitorLimits
from medilite.ui.guard.origin import is_foreign

if TYPE_CHECKING:
    from medilite.settings import Settings

log = logging.getLogger(__name__)

HOME = "/#vote"
"""Where one comes back to: vote.js opens the tab."""

SESSION_S = 8 * 3600.0
"""How long a sign-in lasts where the Hub doesn't say."""

_TRIES = "_nb_redirects"
"""Gradio's count of how often it has begun again because the cookie was not there."""

_CODE = re.compile(r"[a-z_]{1,40}")


class Failure(Enum):
    """Why somebody comes back without being signed in."""

    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    COOKIES = "cookies"
    OFTEN = "often"
    FAILED = "failed"


def kept_of(sent: Any, now: float) -> dict[str, Any]:
    """Return what a session keeps of what the Hub has sent, in Gradio's form. Raises ValueError without an account."""
    account = (sent.get("userinfo") or {}).get("sub")
    if not (isinstance(account, str) and account):
        raise ValueError("the Hub's answer names no account")
    # Gradio's profile wants these; they stay empty.
    names = dict.fromkeys(("name", "preferred_username", "profile", "picture"), "")
    return {"userinfo": {"sub": account, **names}, "expires_at": int(sent.get("expires_at") or now + SESSION_S)}


class SignIn:
    """The middleware between the session and everything else; see the module."""

    def __init__(self, app: App, settings: Settings) -> None:
        self.app, self.limits = app, VisitorLimits(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; see the module."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] in (LOGIN, CALLBACK):
            await self._sign_in(scope, receive, send)
        elif scope["path"] == LOGOUT:
            await self._sign_out(scope, receive, send)
        elif is_foreign(scope):
            await self.app({**scope, "session": {}}, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        if given.get(_TRIES, "0") not in ("0", "1"):
            await _back(send, Failure.COOKIES)
            return
        try:
            self.limits.count("sign-ins", address=scope["client"][0])
        except RateLimitError:
            await _back(send, Failure.OFTEN)
            return
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                if scope["path"] == CALLBACK:
                    _cut_down(scope["session"])
                started = True
            await send(_unkept(message))

        try:
            await self.app(_aimed(scope, given), receive, send_on)
        except Exception as error:
            if started:
                raise
            scope["session"].pop("oauth_info", None)
            failure = _why(error)
            if failure is not Failure.DECLINED:
                log.warning("Somebody could not sign in (%s): %s.", failure.value, _named(error))
            await _back(send, failure)

    async def _sign_out(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_foreign(scope):
            await refuse(send, 403, "Signing out is asked for on MediLite's own page.")
            return

        async def send_on(message: Message) -> None:
            await send(_unkept(message))

        await self.app(_aimed(scope, {}), receive, send_on)


def _unkept(message: Message) -> Message:
    """Return a message that no cache keeps."""
    if message["type"] != "http.response.start":
        return message
    return {**message, "headers": [*message.get("headers", []), (b"cache-control", b"no-store")]}


def _aimed(scope: Scope, query: dict[str, str]) -> Scope:
    """Return a request that leads home, whatever its parameters."""
    # The Hub is not asked to send a fragment back.
    target = "/" if scope["path"] == LOGIN else HOME
    return {**scope, "query_string": urlencode({**query, "_target_url": target}).encode("ascii")}


def _cut_down(session: Any) -> None:
    sent = session.get("oauth_info")
    if sent is not None:
        session["oauth_info"] = kept_of(sent, time.time())


def _why(error: Exception) -> Failure:
    if getattr(error, "error", None) == "access_denied":
        return Failure.DECLINED
    # Authlib asks by httpx2 where that is installed, by httpx elsewhere.
    if type(error).__module__.partition(".")[0] in ("httpx", "httpx2"):
        return Failure.UNREACHABLE
    return Failure.FAILED


def _named(error: Exception) -> str:
    """Return an error's type and OAuth's own word for it, if any; its other words may be a visitor's."""
    said = str(getattr(error, "error", ""))
    return f"{type(error).__name__}, {said}" if _CODE.fullmatch(said) else type(error).__name__


async def _back(send: Send, failure: Failure) -> None:
    headers = [(b"location", f"{HOME}-signin-{failure.value}".encode()), (b"content-length", b"0")]
    await send(_unkept({"type": "http.response.start", "status": 303, "headers": headers}))
    await send({"type": "http.response.body", "body": b""})
