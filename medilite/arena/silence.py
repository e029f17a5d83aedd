"""Connections to PostgreSQL that don't wait for ever for a server that says nothing.

The driver waits for an answer as long as the connection stands, and one to a
server that hangs (a frozen machine, a disk that blocks) stands for hours: every
thread that asks would be gone with it. Imported once PostgreSQL is used.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import psycopg


class ServerSilentError(psycopg.OperationalError):
    """The server has said nothing for too long, so the connection is closed; what was asked may yet be done there."""


def patient_connection(silence_s: float) -> type[psycopg.Connection[Any]]:
    """Return a class of connections that give up once the server says nothing for `silence_s` seconds.

    Whatever the server says restarts the time, so long results may take longer.
    """

    class PatientConnection(psycopg.Connection[Any]):
        def wait(self, gen: Generator[Any, Any, Any], *given: Any, **named: Any) -> Any:
            """Wait as the driver does; closes the connection and raises ServerSilentError once it takes too long."""
            try:
                return super().wait(_watched(gen, silence_s), *given, **named)
            except ServerSilentError:
                # Nobody may use it again: what comes late would be taken for the answer to something else.
                self.close()
                raise

    return PatientConnection


def _watched(gen: Generator[Any, Any, Any], silence_s: float) -> Generator[Any, Any, Any]:
    """Yield what one of the driver's generators waits for; it is sent what is ready, or 0 several times a second.

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
    """Whether an error of the driver is a server that says nothing, rather than one that refuses or fails."""
    return isinstance(error, (ServerSilentError, psycopg.errors.ConnectionTimeout))
