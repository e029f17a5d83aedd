"""Compiled code that is kept: it is taken again as long as none of its sources has changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

INNER = """
from numba import types
from medilite.engine.native.code_cache import called, compiled

@compiled()
def inner(x):
    return x + {amount}

@called(types.int64(types.int64))
def times(x):
    return {factor} * x
"""

OUTER = """
from medilite.engine.native.code_cache import compiled
from kept_example.inner import inner, times

@compiled()
def outer(x):
    return times(inner(x))

print(outer(1), sum(outer.stats.cache_hits.values()))
"""


@pytest.fixture
def example(tmp_path):
    folder = tmp_path / "kept_example"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "inner.py").write_text(INNER.format(amount=1, factor=10), encoding="utf-8")
    (folder / "outer.py").write_text(OUTER, encoding="utf-8")
    return folder


def run(example: Path, **env: str) -> list[int]:
    """Return what a process of its own computes, and how often it took code that was kept."""
    code = "import kept_example.outer"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=example.parent, check=True, capture_output=True, text=True, timeout=300,
        env={"PYTHONPATH": f"{example.parent}:{ROOT}", "HOME": str(example.parent), "PATH": "", **env},
    )  # fmt: skip
    return [int(part) for part in found.stdout.split()]


def test_code_is_kept_and_a_change_of_what_it_calls_makes_it_anew(example):
    assert run(example) == [20, 0]
    assert run(example) == [20, 1]
    # The file of `outer` stays as it is; `inner` is compiled into it, and `times` called at its address.
    (example / "inner.py").write_text(INNER.format(amount=2, factor=7), encoding="utf-8")
    assert run(example) == [21, 0]
    assert run(example) == [21, 1]


def test_it_is_kept_where_numba_is_told_to(example, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    assert run(example, NUMBA_CACHE_DIR=str(elsewhere)) == [20, 0]
    assert list(elsewhere.rglob("*.nbi"))
    assert not list(example.rglob("*.nbi"))
    assert run(example, NUMBA_CACHE_DIR=str(elsewhere)) == [20, 1]


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(monkeypatch):
    from medilite.engine.native import code_cache

    for place in code_cache.PLACES:
        monkeypatch.setattr(place, "from_function", classmethod(lambda cls, function, file: None))

    said = []
    monkeypatch.setattr(code_cache.log, "warning", lambda text, *of: said.append(text % of))

    @code_cache.compiled()
    def double(x):
        return 2 * x

    assert double(3) == 6
    assert double.stats.cache_path is None
    assert ["every start compiles again" in one for one in said] == [True]
