"""Attacks of outsiders: each of these worked once. One app is started for all that need one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.arena.conftest import address, booth, clock, make_booth, open_store, postgres, store
from tests.security.conftest import Server, serving
from tests.security.visitor import Visitor

__all__ = ["address", "booth", "clock", "make_booth", "open_store", "postgres", "store"]


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real page with its usual limits, around an engine that takes its time; visitors come by a trusted proxy."""
    folder: Path = tmp_path_factory.mktemp("attacked")
    settings = {"MEDILITE_TRUSTED_PROXIES": "127.0.0.1", "MEDILITE_METRICS": "1", "MEDILITE_TEST_STEP_S": "0.05"}
    with serving(folder, **settings) as started:
        started.config = Visitor(started.url).config
        yield started


@pytest.fixture
def at(attacked: Server) -> Iterator[Callable[..., Visitor]]:
    """Return a function that opens a page at a network address."""
    opened: list[Visitor] = []

    def visit(address: str, **more: str) -> Visitor:
        visitor = Visitor(attacked.url, headers={"X-Forwarded-For": address, **more}, known=attacked.config)
        opened.append(visitor)
        return visitor

    yield visit
    for visitor in opened:
        visitor.close()
