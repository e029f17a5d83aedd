"""How long a request's head may take to arrive: uvicorn waits for ever, and each half-sent one holds a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

HEAD_S = 20.0
"""A head is a few hundred bytes: even a slow line sends it sooner."""


def patient(protocol: type[Any], head_s: float = HEAD_S) -> type[Any]:
    """Return uvicorn's protocol with a time limit from a connection's first moment, or byte, to a whole head."""

    class Patient(protocol):  # type: ignore[misc,valid-type]
        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            if self._late is None and self._idle():
                self._wait()
            super().data_received(data)
            if not self._idle():
                self._stop()

        def connection_lost(self, error: Exception | None) -> None:
            self._stop()
            super().connection_lost(error)

        def _idle(self) -> bool:
            cycle = self.cycle
            return cycle is None or cycle.response_complete

        def _wait(self) -> None:
            self._late = asyncio.get_running_loop().call_later(head_s, self._give_up)

        def _stop(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _give_up(self) -> None:
            self._late = None
            if self._idle() and not self.transport.is_closing():
                self.transport.close()

    return Patient


@contextmanager
def with_patience() -> Iterator[None]:
    """Have a server that is started meanwhile use such a protocol."""
    from uvicorn.protocols.http import auto

    before = auto.AutoHTTPProtocol
    auto.AutoHTTPProtocol = patient(before)  # type: ignore[misc]
    try:
        yield
    finally:
        auto.AutoHTTPProtocol = before  # type: ignore[misc]
