"""How much of this machine a program may use: its processors and memory, or what the limits of a container leave.

A limit may stand at the process's own control group (cgroup 2) or at any that this one lies in; the least counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_CGROUPS = Path("/sys/fs/cgroup")

_UNKNOWN = 4 << 30
"""Bytes of memory that are taken for granted where a system doesn't say how many it has."""


def usable_cpus(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int:
    """Return how many threads can compute at a time, at least 1.

    More than a limit lets run would wait for each other in turn, at every step.
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for group in _groups(proc, cgroups):
        try:
            quota, period = map(int, (group / "cpu.max").read_text(encoding="ascii").split())
            cpus = min(cpus, quota // period)
        except (OSError, ValueError, ZeroDivisionError):  # no limit here ("max")
            continue
    return max(1, cpus)


def memory_bytes(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int:
    """Return this machine's memory, or the least limit on it; 4 GiB if neither is known."""
    try:
        known = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on this system
        known = _UNKNOWN
    limits = (_number(group / "memory.max") for group in _groups(proc, cgroups))
    return min([known, *(limit for limit in limits if limit is not None)])


def available_bytes(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
    """Return the memory that a program could still get, None if the system doesn't report it (not Linux).

    In a container cached files count as free: they are evicted when needed.
    """
    left = _available(proc / "meminfo")
    if left is None:
        return None
    for group in _groups(proc, cgroups):
        limit, used = _number(group / "memory.max"), _number(group / "memory.current")
        if limit is not None and used is not None:
            left = min(left, max(limit - used + _cached(group / "memory.stat"), 0))
    return left


def _groups(proc: Path, cgroups: Path) -> Iterator[Path]:
    """Yield the folder of this process's control group and of those that it lies in."""
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        lines = []
    own = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "/")
    group = cgroups / own.lstrip("/")
    # A group outside of the container's view is given as "/../…".
    yield from (each for each in (group, *group.parents) if each.is_relative_to(cgroups) and ".." not in each.parts)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such limit, or none ("max")
        return None


def _cached(stat: Path) -> int:
    try:
        fields = (line.split() for line in stat.read_text(encoding="ascii").splitlines())
        return sum(int(value) for name, value in fields if name in ("inactive_file", "active_file"))
    except (OSError, ValueError):
        return 0


def _available(meminfo: Path) -> int | None:
    try:
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None
