"""The app around a scripted engine, served in this process for all tests of what programs get."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from medilite.models import Profile
from medilite.settings import load_settings
from medilite.ui.page.app import build_ui, serve
from tests.conftest import do_without
from tests.support.fakes import ScriptedEngine
from tests.support.libraries import small_shelf

NO_LIMITS = {
    f"{what}_per_{who}": "off" for what in ("answers", "pairs") for who in ("visitor", "address")
} | {"readings_per_address": "off"}  # fmt: skip


@pytest.fixture(scope="session")
def served(lite: Profile, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address."""
    settings = load_settings(port=0, host="127.0.0.1", data_dir=tmp_path_factory.mktemp("votes"), **NO_LIMITS)
    engine = ScriptedEngine(lite)
    engine.load()
    shelf = small_shelf(tmp_path_factory.mktemp("library"))
    page = build_ui(engine, lite, settings, shelf=shelf)
    yield serve(page, lite, settings, block=False).rstrip("/")
    page.close(verbose=False)
    page.drain.finish()


@pytest.fixture(scope="session")
def mcp_there() -> None:
    """The package mcp, without which MCP isn't served."""
    if find_spec("mcp") is None:
        do_without("The package mcp is needed: pip install -r requirements.txt")
