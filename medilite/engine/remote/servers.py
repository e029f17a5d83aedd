"""The model servers: their addresses, how busy each is, and which one gets the next request."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from medilite.engine.remote.circuit import Circuit
from medilite.errors import SettingsError
from medilite.settings import masked_address

_EXAMPLE = "http://10.0.0.5:8000"


@dataclass(eq=False, slots=True)
class Server:
    """One server.

    `answers` is whether it answered when it was last asked what it serves.
    `models` are the names it serves, None if it hasn't said; `missing` those
    it has refused since. `trouble` is why it failed last, `context` how many
    tokens it takes at most.
    """

    url: str
    circuit: Circuit
    busy: int = 0
    last_used: int = 0
    answers: bool = False
    models: frozenset[str] | None = None
    missing: set[str] = field(default_factory=set)
    context: int | None = None
    trouble: str | None = None

    @property
    def name(self) -> str:
        """Its address as shown to people."""
        return self.url.partition("://")[2]

    def may_serve(self, model: str) -> bool:
        """Whether it serves a model, or hasn't said which it serves."""
        return model not in self.missing and (self.models is None or model in self.models)


def parse_addresses(text: str | None) -> tuple[str, ...]:
    """Return the base URLs of a list with commas, without /v1 and without repeats.

    Raises SettingsError; its message repeats no address that carries a password.
    """
    given = [part.strip() for part in (text or "").split(",") if part.strip()]
    if not given:
        raise SettingsError(
            "MEDILITE_ENGINE=remote needs servers and MEDILITE_SERVERS names none. Set it to the address of an"
            f" OpenAI-compatible model server, such as {_EXAMPLE}, or to several with commas between."
        )
    found: dict[str, None] = {}
    for address in given:
        parts = _split(address)
        if parts is None:
            raise SettingsError(
                f"MEDILITE_SERVERS: {masked_address(address)!r} is no address of a server. Write it like {_EXAMPLE}."
            )
        if "@" in parts.netloc:
            raise SettingsError(
                f"MEDILITE_SERVERS: the address of {parts.hostname} carries a name or password, which would be shown"
                " in messages. Leave it out and set MEDILITE_SERVER_KEY."
            )
        found[f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v1')}"] = None
    return tuple(found)


def pick(servers: Sequence[Server], model: str, avoid: Collection[Server] = ()) -> Server | None:
    """Return the least busy server that may serve a model and whose circuit admits a request; None if there is none.

    One of `avoid` is taken only where no other is left; ties go to the least recently used.
    """
    able = [server for server in servers if server.may_serve(model) and server.circuit.admits()]
    return min(able, key=lambda server: (server in avoid, server.busy, server.last_used), default=None)


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 (raises for one that is no number)
    except ValueError:
        return None
    named = re.fullmatch(r"(?:[^@]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::\d+)?", parts.netloc)
    good = parts.scheme in ("http", "https") and parts.hostname and named and not re.search(r"[?#;\s]", address)
    return parts if good else None
