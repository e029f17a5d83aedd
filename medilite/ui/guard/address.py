"""Whose request it is: the network address, behind proxies only by a header that somebody vouches for."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from medilite.settings import proxies_of
from medilite.ui.guard.asgi import App, Receive, Scope, Send, header, refuse

log = logging.getLogger(__name__)

_ZONE = r"%[A-Za-z0-9._~-]{1,32}"
"""An IPv6 address's zone: the interface behind which it is."""

_PORT = r"(?::[0-9]{1,5})?"
_WITH_PORT = re.compile(rf"([0-9.]{{7,15}}){_PORT}|\[([0-9A-Fa-f:.]{{2,45}}(?:{_ZONE})?)\]{_PORT}")
"""An address as some proxies write it, with a port; an IPv6 one in brackets, or its last group could be the port."""

_HOST = re.compile(rf"(?:[A-Za-z0-9._-]{{1,255}}|\[[0-9A-Fa-f:.]{{2,45}}(?:{_ZONE})?\]){_PORT}")
_SCHEME = re.compile(r"https?")
_SPOKEN = ((b"host", _HOST), (b"x-forwarded-host", _HOST), (b"x-forwarded-proto", _SCHEME))
"""Headers from which Gradio makes the page's own address, and what they may look like."""

_HOSTS = (b"host", b"x-forwarded-host")

_NEVER = (b"x-gradio-server",)
"""Headers by which Gradio's own front server speaks; there is none here."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class TrustedProxies:
    """The proxies that are trusted: how many are in front, or their addresses; by default none."""

    count: int = 0
    networks: tuple[Network, ...] = ()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.count or self.networks)

    @classmethod
    def parse(cls, text: str | None) -> TrustedProxies:
        """Read what `MEDILITE_TRUSTED_PROXIES` says (`settings.proxies_of`)."""
        said = proxies_of(text)
        return cls(count=said) if isinstance(said, int) else cls(networks=said)

    def visitor(self, peer: str, forwarded: str | None) -> tuple[str, bool]:
        """Return the visitor's address, and whether a trusted proxy wrote something that is none.

        It is the connection's own, unless a trusted proxy names another. Every
        proxy appends the address that it was called from, so the list is read
        from its end, and only as far as trusted proxies have written it: what
        comes before that the visitor may have made up.
        """
        entries = [entry.strip() for entry in (forwarded or "").split(",") if entry.strip()]
        if self.count:
            named = entries[-self.count] if len(entries) >= self.count else peer
            ip = _ip(named)
            return (str(ip), False) if ip else (peer, named != peer)
        here = peer
        while entries and self._trusts(here):
            if (ip := _ip(entries.pop())) is None:
                return here, True
            here = str(ip)
        return here, False

    def _trusts(self, address: str) -> bool:
        ip = _ip(address)
        # Behind another interface the same link-local address is another machine.
        return ip is not None and any(
            ip in network and _zone(network.network_address) in ("", _zone(ip)) for network in self.networks
        )


class KnownAddress:
    """Puts the visitor's address where the app looks for it, and refuses headers that no browser or proxy writes."""

    def __init__(self, app: App, proxies: TrustedProxies) -> None:
        self.app, self.proxies, self._said = app, proxies, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; see the class."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        for name, form in _SPOKEN:
            said = header(scope, name)
            if said is not None and not all(form.fullmatch(part.strip()) for part in said.split(",")):
                await refuse(send, 400, f"The header {name.decode()} is not one that a browser or a proxy writes.")
                return
        peer, port = scope.get("client") or ("", 0)
        peer = str(_ip(peer) or peer)
        if not self.proxies and not self._said and header(scope, b"x-forwarded-for"):
            self._said = True
            log.warning(
                "There is a proxy in front of this app that isn't trusted, so all its visitors count as one address, "
                "and share its limits and votes. Set MEDILITE_TRUSTED_PROXIES to how many proxies there are, or to "
                "their addresses."
            )
        visitor, unread = self.proxies.visitor(peer, header(scope, b"x-forwarded-for"))
        if unread and not self._said:
            self._said = True
            log.warning(
                "A trusted proxy's X-Forwarded-For holds something that is no IP address, so its visitors count as the "
                "proxy's own address, and share its limits and votes. Have the proxy append the address that it was "
                "called from, with or without a port, and look at what MEDILITE_TRUSTED_PROXIES says."
            )
        # A zone means something on the machine alone that named it.
        headers = [
            (name, re.sub(_ZONE.encode(), b"", value) if name in _HOSTS else value)
            for name, value in scope["headers"]
            if name not in _NEVER
        ]
        await self.app(
            {**scope, "client": (visitor, port if visitor == peer else 0), "headers": headers}, receive, send
        )


@contextmanager
def no_proxy_by_default() -> Iterator[None]:
    """Keep uvicorn, while it is configured, from believing X-Forwarded-For in requests from 127.0.0.1.

    It does so unless this variable says otherwise, and Gradio passes it nothing.
    """
    name = "FORWARDED_ALLOW_IPS"
    before = os.environ.get(name)
    os.environ[name] = ""
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def caller() -> str | None:
    """Return the address of the visitor whose event is being handled, None outside of any."""
    from medilite.ui.page.gradio_internals import current_request

    client = getattr(current_request(), "client", None)
    return getattr(client, "host", None) or None


def network_of(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the 64 bits of an IPv6 one that a household gets."""
    ip = _ip(address)
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip) if ip else address


def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address in a text, with or without a port; an IPv4 one also where it is written as an IPv6 one."""
    found = _WITH_PORT.fullmatch(address)
    try:
        ip = ipaddress.ip_address(found[1] or found[2] if found else address)
    except ValueError:
        return None
    # The standard library takes anything for a zone.
    if _zone(ip) and not re.fullmatch(_ZONE, f"%{_zone(ip)}"):
        return None
    return getattr(ip, "ipv4_mapped", None) or ip


def _zone(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return getattr(ip, "scope_id", None) or ""
