"""A small library of made-up pairs, built and opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medilite.sources.build import build_library
from medilite.sources.library import Library
from medilite.sources.records import About, Entry
from tests.support.libraries import ABOUT, WordEncoder, encode, made_entries


@pytest.fixture(scope="session")
def entries() -> list[Entry]:
    return made_entries()


@pytest.fixture
def about() -> About:
    return ABOUT


@pytest.fixture
def built(tmp_path: Path, entries: list[Entry], about: About) -> Path:
    return build_library(entries, about, tmp_path / "shelf", WordEncoder())


@pytest.fixture
def opened() -> Callable[[Path], Library]:
    return lambda folder: Library(folder, encode)
