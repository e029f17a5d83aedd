"""How much memory is left: the machine's, or what the container's limit leaves of it."""

from __future__ import annotations

import pytest

from medilite.health.machine import available_bytes


@pytest.fixture
def machine(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 8000 kB\nMemAvailable:    5000 kB\n", encoding="ascii")
    return tmp_path / "meminfo", tmp_path / "cgroup"


def limit(folder, limit, current=0, cached=0):
    folder.mkdir()
    (folder / "memory.max").write_text(f"{limit}\n", encoding="ascii")
    (folder / "memory.current").write_text(f"{current}\n", encoding="ascii")
    stat = f"anon 7\ninactive_file {cached}\nactive_file 0\n"
    (folder / "memory.stat").write_text(stat, encoding="ascii")


def test_the_machine_s_own(machine):
    assert available_bytes(*machine) == 5000 * 1024


@pytest.mark.parametrize(
    ("given", "left"),
    [((3_000_000, 1_000_000, 400_000), 2_400_000), ((10**9, 0), 5000 * 1024), (("max",), 5000 * 1024)],
)
def test_a_container_s_limit(machine, given, left):
    limit(machine[1], *given)
    assert available_bytes(*machine) == left


def test_a_limit_that_is_passed_leaves_nothing(machine):
    limit(machine[1], 1000, 5000)
    assert available_bytes(*machine) == 0


def test_a_system_that_does_not_tell(tmp_path):
    assert available_bytes(tmp_path / "none", tmp_path) is None
