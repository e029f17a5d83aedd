"""A line between a browser and the app that can be cut, as in a tunnel, and mended."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class Line:
    """Relays TCP from a port of its own to an address; `cut` breaks what is open and refuses what comes."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._whole = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self) -> None:
        """Break every connection, and every new one until `mend`."""
        self._whole = False
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            _break(end)

    def mend(self, port: int | None = None) -> None:
        """Let connections through again; to another port where the app has been started again."""
        if port is not None:
            self._to = (self._to[0], port)
        self._whole = True

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.cut()

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._whole:
                _break(near)
                continue
            try:
                far = socket.create_connection(self._to, 10)
                far.settimeout(None)
            except OSError:
                _break(near)
                continue
            with self._lock:
                self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for end in (one, other):
            with self._lock:
                self._open.discard(end)
            _break(end)


def _break(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
