"""Which votes come from one network, without keeping any address.

A vote carries a hash of its network address under a random key. The key is in the database, so that replicas agree, and
is replaced by the first vote of each day (UTC): from then on nobody can find out the address behind a hash, nor that
hashes of two days are of one address.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medilite.arena.store import Store

DAY_S = 86_400.0

IPV6_BITS = 48
"""Prefix that one customer gets of IPv6 at most, in bits; of IPv4 it is one address."""


class Networks:
    """Names networks; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._day: int | None = None
        self._key = b""

    def of(self, store: Store, address: str, now: float) -> str:
        """Return the name of an address's network on the day of `now` (seconds since 1970). Raises StoreError."""
        day = int(now // DAY_S)
        with self._lock:
            if day != self._day:
                self._key, self._day = store.key_of_day(day, secrets.token_hex(32)), day
            key = self._key
        return hmac.new(key, network_of_votes(address).encode("utf-8", "replace"), "sha256").hexdigest()[:32]


def network_of_votes(address: str) -> str:
    """Return what counts as one network: an IPv4 address, or the first IPV6_BITS of an IPv6 one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, IPV6_BITS), strict=False))
    return str(ip)
