"""The pool of pages, as far as memory goes; who shares what is in test_prefixes."""

from __future__ import annotations

from pathlib import Path

import pytest

from medilite.engine.local.pages import PagePool, page_bytes
from medilite.engine.shape import LlamaShape
from tests.engine.small import write_base

STATM = Path("/proc/self/statm")


def resident() -> int:
    """Return this process's resident memory in bytes."""
    return int(STATM.read_text(encoding="ascii").split()[1]) * 4096


@pytest.mark.skipif(not STATM.exists(), reason="this system tells no process its memory there")
def test_a_page_has_its_memory_from_when_it_is_taken_and_none_before(tmp_path: Path) -> None:
    shape = LlamaShape.read(write_base(tmp_path / "base"))
    count = 200_000_000 // page_bytes(shape)
    half = count // 2 * page_bytes(shape)
    before = resident()
    pool = PagePool(shape)
    pool.reserve(count)
    assert resident() - before < 0.2 * half
    first = pool.take(count // 2)
    taken = resident() - before
    assert 0.8 * half < taken < 1.2 * half
    # Used again, with what stands in it as it was.
    pool.pages.keys[first[-1]] = 7
    pool.give_back(first)
    assert pool.take(0) == []
    assert pool.take(count // 2) == first
    assert (pool.pages.keys[first[-1]] == 7).all()
    assert resident() - before < taken + 0.2 * half
