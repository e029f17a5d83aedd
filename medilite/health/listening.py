"""Whether the app could listen at the configured address."""

from __future__ import annotations

import ipaddress
import socket
from http.client import HTTPConnection

from medilite.errors import SettingsError

_PATIENCE_S = 2.0
"""Seconds for the program at the port to answer that it is this app."""


def bound_port(host: str, port: int = 0) -> int:
    """Listen at an address for a moment and return its port, a free one for 0. Raises OSError, SettingsError.

    SettingsError is for an address that this machine doesn't have, OSError for a port that is not available.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        raise SettingsError(
            f"{host} can't be listened on: {_why_not(host) or error}. Set MEDILITE_HOST to an address of this "
            "machine: 127.0.0.1 or ::1 for itself alone, 0.0.0.0 or :: for other machines too."
        ) from error
    with socket.socket(family, kind) as probe:
        # As a server does: a port that was in use a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address[0], port, *address[2:]))
        return int(probe.getsockname()[1])


def _why_not(host: str) -> str:
    """Return what is wrong with the zone of an address, "" if that isn't what is wrong."""
    address, mark, zone = host.partition("%")
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if not mark and not known.is_link_local:
        return ""
    interfaces = ", ".join(name for _, name in socket.if_nameindex())
    if not isinstance(known, ipaddress.IPv6Address) or not known.is_link_local:
        return f"only link-local addresses (fe80::…) have a zone, so leave %{zone} out" if mark else ""
    if not mark:
        return f"a link-local address needs the zone that it is in, as in {address}%eth0 (here there are {interfaces})"
    if zone not in {part for pair in socket.if_nameindex() for part in map(str, pair)}:
        return f"the zone {zone!r} is no network interface of this machine, which has {interfaces}"
    return f"this machine has no such address in the zone {zone!r}; `ip -6 address show` lists those that it has"


def runs_at(host: str, port: int) -> bool:
    """Whether this app answers there already."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    connection = HTTPConnection(reached, port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/readyz")
        return b'"ready"' in connection.getresponse().read(4096)
    except Exception:  # whatever else listens there may answer anything
        return False
    finally:
        connection.close()
