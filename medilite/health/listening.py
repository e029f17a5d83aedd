"""Whether the app could listen at the configured address."""

from __future__ import annotations

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
            f"MEDILITE_HOST={host} can't be listened on: {error}. Set it to an address of this machine: 127.0.0.1 or "
            "::1 for itself alone, 0.0.0.0 or :: for other machines too."
        ) from error
    with socket.socket(family, kind) as probe:
        # As a server does: a port that was in use a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address[0], port, *address[2:]))
        return int(probe.getsockname()[1])


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
