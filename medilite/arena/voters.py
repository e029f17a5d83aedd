"""Who votes: a random id that the browser keeps, or a Hub account; only a keyed hash of either is stored."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Protocol

from medilite.errors import TokenError

_HUB = "hub:"
_ID = re.compile(r"[0-9a-f]{32}\.[0-9a-f]{32}")


class HasSecret(Protocol):
    """Signs and hashes ids: the store."""

    def keyed(self, text: str) -> str:
        """Return a keyed hash of a text, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A visitor whose session names their Hub account. No request can contain one: the app makes it from the session.

    `account` is the account's stable id, not its name; `browser` the id that their browser keeps as well, if any.
    """

    account: str = field(repr=False)
    browser: object = field(default=None, repr=False)


def new_voter_id(store: HasSecret) -> str:
    """Return an id for a new voter's browser to keep: random, and signed so that it can't be forged."""
    number = secrets.token_hex(16)
    return f"{number}.{_signature(store, number)}"


def voter_of(store: HasSecret, voter_id: object) -> str:
    """Return the stored name of a voter's id or account.

    Raises TokenError for an id that was not issued here.
    """
    if isinstance(voter_id, SignedIn):
        return hub_voter(store, voter_id.account)
    if isinstance(voter_id, str) and _ID.fullmatch(voter_id):
        number, signature = voter_id.split(".")
        if hmac.compare_digest(signature, _signature(store, number)):
            return "browser:" + store.keyed(f"voter {number}")
    raise TokenError("Your browser's voter id wasn't given out here, so nothing was counted. Reload the page.")


def voters_of(store: HasSecret, voter_id: object) -> tuple[str, ...]:
    """Return a visitor's stored names: first the one for new pairs, then their browser's, if signed in.

    Raises TokenError as `voter_of`, but not for the browser of a signed-in
    visitor.
    """
    first = voter_of(store, voter_id)
    if not isinstance(voter_id, SignedIn):
        return (first,)
    try:
        return first, voter_of(store, voter_id.browser)
    except TokenError:
        return (first,)


def hub_voter(store: HasSecret, account: str) -> str:
    """Return the stored name of a Hub account, by its stable id: account names can change hands."""
    return _HUB + store.keyed(f"hub {account}")


def is_account(voter: str) -> bool:
    """Whether a voter's stored name is of a Hub account, and not of a browser."""
    return voter.startswith(_HUB)


def _signature(store: HasSecret, number: str) -> str:
    return store.keyed(f"id {number}")[:32]
