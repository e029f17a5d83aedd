"""Connections to PostgreSQL that don't wait for ever for a silent server.

The driver waits for a reply as long as the connection is open, and one to a hanging server (a frozen machine, a blocked
disk) stays open for hours: every thread that asks would be lost. Imported only if PostgreSQL is used.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import psycopg


class ServerSilentError(psycopg.OperationalError):
    """The server was silent for too long, so the connection is closed; it may still execute the request."""


def patient_connection(silence_s: float) -> type[psycopg.Connection[Any]]:
    """Return a class of connections that give up once the server is silent for `silence_s` seconds.

    Any data from the server restarts the time, so long results may take longer.
    """

    class PatientConnection(psycopg.Connection[Any]):
        def wait(self, gen: Generator[Any, Any, Any], *given: Any, **named: Any) -> Any:
            """Wait as the driver does; closes the connection and raises ServerSilentError once it takes too long."""
            try:
                return super().wait(_watched(gen, silence_s), *given, **named)
            except ServerSilentError:
                # It must not be used again: a late reply would be taken for the reply to another request.
                self.close()
                raise

    return PatientConnection


def _watched(gen: Generator[Any, Any, Any], silence_s: float) -> Generator[Any, Any, Any]:
    """Yield what one of the driver's generators waits for; send it what is ready, or 0 several times a second.

    Raises ServerSilentError after `silence_s` seconds of nothing.
    """
    try:
        wanted = next(gen)
        until = time.monotonic() + silence_s
        while True:
            ready = yield wanted
            if ready:
                until = time.monotonic() + silence_s
            elif time.monotonic() >= until:
                gen.close()
                raise ServerSilentError(f"it has not answered for {silence_s:g} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value


def is_silence(error: BaseException | None) -> bool:
    """Whether a driver's error means a silent server, rather than one that refuses or fails."""
    return isinstance(error, (ServerSilentError, psycopg.errors.ConnectionTimeout))
