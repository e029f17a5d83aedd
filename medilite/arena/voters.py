"""Who votes: a random id that the browser keeps, or a Hub account; only a keyed hash of either is stored."""

from __future__ import annotations

import hmac
import re
import secrets
from typing import Protocol

from medilite.errors import TokenError

_ID = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{32}")


class HasSecret(Protocol):
    """What signs and hides ids: the store."""

    def keyed(self, text: str) -> str:
        """Return a keyed hash of a text, in hexadecimal."""


def new_voter_id(store: HasSecret) -> str:
    """Return an id for a new voter's browser to keep: random, and signed so that none can be made up elsewhere."""
    number = secrets.token_hex(16)
    return f"{number}.{_signature(store, number)}"


def voter_of(store: HasSecret, voter_id: object) -> str:
    """Return what is stored of the voter behind an id. Raises TokenError for an id that was not given out here."""
    if isinstance(voter_id, str) and _ID.fullmatch(voter_id):
        number, signature = voter_id.split(".")
        if hmac.compare_digest(signature, _signature(store, number)):
            return "browser:" + store.keyed(f"voter {number}")
    raise TokenError("Your browser's voter id wasn't given out here, so nothing was counted. Reload the page.")


def hub_voter(store: HasSecret, account: str) -> str:
    """Return what is stored of the voter behind a Hub account."""
    return "hub:" + store.keyed(f"hub {account}")


def _signature(store: HasSecret, number: str) -> str:
    return store.keyed(f"id {number}")[:32]
