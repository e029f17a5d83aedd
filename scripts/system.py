"""What the scripts that install something share: whether a command works, and Debian's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence


def is_root() -> bool:
    """Return whether this runs as root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def works(command: Sequence[str], *, quiet: bool = False) -> bool:
    """Run a command without stdin; return whether it succeeded."""
    output = subprocess.DEVNULL if quiet else None
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    except OSError:
        return False
    return done.returncode == 0


def apt_install(what_for: str, *packages: str) -> bool:
    """Install Debian packages as root, or by a sudo that asks no password; return whether it could be tried.

    Waits some minutes for another apt to finish.
    """
    if not shutil.which("apt-get") or not (is_root() or works(["sudo", "-n", "true"], quiet=True)):
        return False
    print(f"Installing {', '.join(packages)} for {what_for} (apt-get)", flush=True)
    root = [] if is_root() else ["sudo", "-n"]
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
    works([*apt, "update"])
    works([*apt, "install", "--no-install-recommends", *packages])
    return True
