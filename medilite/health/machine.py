"""How much memory this machine, or the container on it, has left."""

from __future__ import annotations

from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def available_bytes(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int | None:
    """Return the memory that a program could still get, None if the system doesn't report it (not Linux).

    In a container (cgroup 2) cached files count as free: they are evicted when
    needed.
    """
    machine = _meminfo(meminfo)
    if machine is None:
        return None
    try:
        limit = int((cgroup / "memory.max").read_text(encoding="ascii"))
        used = int((cgroup / "memory.current").read_text(encoding="ascii"))
        fields = (line.split() for line in (cgroup / "memory.stat").read_text(encoding="ascii").splitlines())
        cached = sum(int(value) for name, value in fields if name in ("inactive_file", "active_file"))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return machine
    return min(machine, max(limit - used + cached, 0))


def _meminfo(path: Path) -> int | None:
    try:
        for line in path.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None
