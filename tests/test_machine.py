"""How much of the machine may be used: all that is there, or what the limits of a container leave of it."""

from __future__ import annotations

import os

import pytest

from medilite.machine import available_bytes, memory_bytes, usable_cpus

OWN = "site.slice/app.service"


@pytest.fixture
def machine(tmp_path):
    """A /proc that tells of 5,000 kB, and a tree of control groups in which this process is two levels down."""
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 8000 kB\nMemAvailable:    5000 kB\n", encoding="ascii")
    (tmp_path / "proc" / "self" / "cgroup").write_text(f"4:cpu:/old\n0::/{OWN}\n", encoding="ascii")
    (tmp_path / "cgroup" / OWN).mkdir(parents=True)
    return tmp_path / "proc", tmp_path / "cgroup"


def limit(folder, limit, current=0, cached=0):
    (folder / "memory.max").write_text(f"{limit}\n", encoding="ascii")
    (folder / "memory.current").write_text(f"{current}\n", encoding="ascii")
    stat = f"anon 7\ninactive_file {cached}\nactive_file 0\n"
    (folder / "memory.stat").write_text(stat, encoding="ascii")


@pytest.fixture(params=["", "site.slice", OWN])
def group(request, machine):
    """Each control group that this process lies in: the outermost, the one between, its own."""
    return machine[1] / request.param


def test_the_machine_s_own(machine):
    assert available_bytes(*machine) == 5000 * 1024


@pytest.mark.parametrize(
    ("given", "left"),
    [((3_000_000, 1_000_000, 400_000), 2_400_000), ((10**9, 0), 5000 * 1024), (("max",), 5000 * 1024)],
)
def test_a_container_s_limit(machine, group, given, left):
    limit(group, *given)
    assert available_bytes(*machine) == left


def test_the_least_of_several_limits(machine):
    limit(machine[1], 4_000_000, 1_000_000)
    limit(machine[1] / OWN, 2_000_000, 500_000)
    assert available_bytes(*machine) == 1_500_000
    assert memory_bytes(*machine) == 2_000_000


def test_a_limit_that_is_passed_leaves_nothing(machine):
    limit(machine[1], 1000, 5000)
    assert available_bytes(*machine) == 0


def test_a_system_that_does_not_tell(tmp_path):
    assert available_bytes(tmp_path / "none", tmp_path) is None
    assert memory_bytes(tmp_path / "none", tmp_path) > 0
    assert usable_cpus(tmp_path / "none", tmp_path) >= 1


def test_the_memory_that_a_limit_leaves(machine, group):
    everything = memory_bytes(*machine)
    limit(group, "max")
    assert memory_bytes(*machine) == everything
    limit(group, 3_000_000)
    assert memory_bytes(*machine) == 3_000_000


@pytest.mark.parametrize(
    ("said", "cpus"), [("max 100000", 4), ("250000 100000", 2), ("50000 100000", 1), ("900000 100000", 4), ("x", 4)]
)
def test_as_many_threads_as_a_limit_lets_run(monkeypatch, machine, group, said, cpus):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    (group / "cpu.max").write_text(f"{said}\n", encoding="ascii")
    assert usable_cpus(*machine) == cpus


def test_a_group_outside_of_the_container_s_view(machine):
    (machine[0] / "self" / "cgroup").write_text("0::/../other\n", encoding="ascii")
    (machine[1].parent / "other").mkdir()
    limit(machine[1].parent / "other", 10)
    limit(machine[1], 3_000_000)
    assert memory_bytes(*machine) == 3_000_000
