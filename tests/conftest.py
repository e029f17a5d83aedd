"""What tests share: the real weights, the real engine, a browser, and an environment of their own."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from medilite.content import SentenceEncoder, sentence_encoder
from medilite.engine import Engine, open_engine
from medilite.errors import WeightsUnavailableError
from medilite.models import Profile, load_profile
from medilite.settings import Settings, load_settings, variable
from medilite.weights import ensure_base
from scripts.browser import REMEDY, find_browser

# Before any library reads them: tests stay offline, and Gradio reports nothing.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
# A library is for the tests that are about it: none is built behind the others' back.
os.environ["MEDILITE_SOURCES"] = "off"
if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores: threads that wait for each other's part of a product would wait for other workers.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples each time, and none remembered: a test says the same of the same code, on a busy machine as well.
settings.register_profile("medilite", derandomize=True, database=None, deadline=None)
settings.load_profile("medilite")
# What it works out for itself is gone with the process; it is begun before any fixture.
_HYPOTHESIS = tempfile.TemporaryDirectory(prefix="medilite-hypothesis-", ignore_cleanup_errors=True)
set_hypothesis_home_dir(_HYPOTHESIS.name)

CI = bool(os.environ.get("CI"))
OURS = {variable(field) for field in Settings.model_fields}
"""Every environment variable that is a setting; a Space's own among them."""


SERVERS = {"attacked", "forks"}
"""Fixtures of a session that are servers of their own, and take seconds to start."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests in one worker that share what takes long to make: a loaded model, a server, a fixture of their file.

    Without a group each test goes to whichever worker is free, and every worker makes its own. What takes long comes
    first, or one worker would be left alone with it at the end.
    """
    items.sort(key=lambda item: not any(item.get_closest_marker(mark) for mark in ("slow", "model", "browser")))
    for item in items:
        if not item.get_closest_marker("xdist_group") and (group := _group_of(item)):
            item.add_marker(pytest.mark.xdist_group(group))


def _group_of(item: pytest.Item) -> str:
    assert isinstance(item, pytest.Function)
    file = f"{item.path.parent.name}/{item.path.stem}"
    if item.get_closest_marker("model"):
        return file
    if server := SERVERS.intersection(item.fixturenames):
        return min(server)
    made = item._fixtureinfo.name2fixturedefs.values()
    return file if any(definition[-1].scope == "module" for definition in made) else ""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a developer's own settings, except the one that says where fetched weights are kept."""
    for name in list(os.environ):
        ours = name.startswith("MEDILITE_") or name in OURS
        if ours and name not in ("MEDILITE_CACHE_DIR", "MEDILITE_SOURCES"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk() -> None:
    """Have SQLite not wait until a commit is on the disk: some 20 ms each, thousands of times.

    That is for a machine that loses its power. Tests that kill a process start one of their own, which does wait.
    """
    if (database := sys.modules.get("medilite.arena.database")) and "synchronous=FULL" in database.PRAGMAS:
        database.PRAGMAS = tuple("synchronous=OFF" if one == "synchronous=FULL" else one for one in database.PRAGMAS)


@pytest.fixture(autouse=True)
def _no_loop_from_outside(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hide the loop that Playwright, once a test of this process has used a browser, leaves running in its thread.

    Else asyncio.run refuses to run in whatever test comes later.
    """
    loop = asyncio.events._get_running_loop()
    if loop is None or "browser" in request.fixturenames:
        yield
        return
    asyncio.events._set_running_loop(None)
    yield
    asyncio.events._set_running_loop(loop)


@pytest.fixture(scope="session")
def lite() -> Profile:
    """The default profile."""
    return load_profile("lite")


@pytest.fixture(scope="session")
def real_settings() -> Settings:
    """Settings for tests with the real weights: the user's cache, everything else as shipped."""
    return load_settings(profile="lite", weights=None)


@pytest.fixture(scope="session")
def weights(lite: Profile, real_settings: Settings) -> Path:
    """Folder with the real 135M base; fetched if need be, and the test skipped (failed in CI) where it can't be had."""
    try:
        return ensure_base(lite, real_settings)
    except WeightsUnavailableError as error:
        return do_without(f"The real weights are needed: {error}")


@pytest.fixture(scope="session")
def engine(weights: Path, lite: Profile, real_settings: Settings) -> Engine:
    """The real engine with the real base and adapters, loaded once."""
    loaded = open_engine(lite, real_settings)
    loaded.load()
    return loaded


@pytest.fixture(scope="session")
def encoder() -> SentenceEncoder:
    """The real sentence encoder; fetched if need be, else as `weights`."""
    try:
        return sentence_encoder()
    except WeightsUnavailableError as error:
        return do_without(f"The sentence encoder is needed: {error}")


@pytest.fixture(scope="session")
def made_boards(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of a small leaderboard and of the data that it was made from."""
    from tests.support.boards import write_boards

    return write_boards(tmp_path_factory.mktemp("leaderboard"))


@pytest.fixture(scope="session")
def browser_path() -> Path:
    """Executable of a Chromium; the test is skipped (failed in CI) where there is none."""
    return find_browser() or do_without(REMEDY)


def do_without(reason: str) -> NoReturn:
    if CI:
        pytest.fail(reason)
    pytest.skip(reason)
