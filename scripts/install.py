"""Install a requirements file into the environment that runs this script, once.

    .venv/bin/python scripts/install.py requirements.txt

A stamp in the environment keeps the fingerprint of what was installed, so a second call returns at once, a changed file
is installed again, and an interrupted installation (its stamp is written last) is resumed. Standard library only: it
runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
"""Where PyTorch's own builds without CUDA are; asked only where the registry in use offers nothing but CUDA."""

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]
"""Runs pip with these arguments. Output goes to the terminal, except that of a `--report -`, which is returned."""


def main(arguments: Sequence[str]) -> int:
    """Install the files named; return an exit code."""
    prefix = Path(sys.prefix)
    with _alone(prefix):
        for name in arguments:
            code = install(Path(name), prefix, run_pip)
            if code:
                print(f"Installing {name} failed; see pip's message above. Try again: it resumes from there.")
                return code
    return 0


def install(requirements: Path, prefix: Path, run: Run) -> int:
    """Install a requirements file unless its stamp under `prefix` says that it is; return pip's exit code."""
    files = included(requirements)
    if _is_stamped(requirements, prefix):
        return 0
    stamps = [_stamp(file, prefix) for file in files]
    for stamp in stamps:
        stamp.unlink(missing_ok=True)
    print(f"Installing {', '.join(file.name for file in reversed(files))}: the first time takes a minute or more.")
    # Before 23.2, pip loads a whole file of torch to answer what it would install.
    run(["install", "--quiet", "pip>=23.2"])
    torch = torch_requirement(files)
    if torch and _installed_torch() is None and wants_cpu_index(torch, run):
        print("No GPU here, and the package index offers torch with CUDA (GBs): taking PyTorch's smaller CPU build.")
        options = ["--index-url", CPU_INDEX, "--retries", "1", "--timeout", "15"]
        if run(["install", *options, torch]).returncode:
            print("PyTorch's CPU build can't be had from here; going on with the package index's own, larger one.")
    code = run(["install", "--prefer-binary", "-r", str(requirements)]).returncode
    if code == 0:
        # Files that this one includes are installed with it.
        for file, stamp in zip(files, stamps, strict=True):
            stamp.write_text(fingerprint(file), encoding="utf-8")
    return code


def included(requirements: Path) -> list[Path]:
    """Return a requirements file and, depth first, those that it includes by `-r`."""
    files = [requirements]
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\s*(?:-r|--requirement)[ =]\s*(\S+)", line):
            files += included(requirements.parent / match[1])
    return files


def fingerprint(requirements: Path) -> str:
    """Return the SHA-256 of a requirements file, those it includes and the Python version."""
    digest = hashlib.sha256(platform.python_version().encode())
    for file in included(requirements):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def torch_requirement(files: Sequence[Path]) -> str | None:
    """Return the line that requires torch, unchanged, or None."""
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            if re.match(r"torch(?![\w.-])", line):
                return line.split("#")[0].strip()
    return None


def wants_cpu_index(torch: str, run: Run) -> bool:
    """Return whether pip would take a CUDA build of torch here, where no NVIDIA GPU could use it.

    Asks pip rather than guessing from the platform: an index or a folder of
    wheels that already offers a CPU build is used.
    """
    if platform.system() != "Linux" or has_nvidia_gpu():
        return False
    result = run(["install", "--dry-run", "--no-deps", "--quiet", "--report", "-", torch])
    try:
        metadata = json.loads(result.stdout)["install"][0]["metadata"]
    except (ValueError, LookupError, TypeError):
        return False  # pip can't resolve it: the installation will say why
    return any(re.match(r"(nvidia|cuda)-", needed) for needed in metadata.get("requires_dist", ()))


def has_nvidia_gpu() -> bool:
    """Return whether the NVIDIA driver is loaded here, including WSL's."""
    return any(Path(sign).exists() for sign in ("/proc/driver/nvidia/version", "/dev/nvidia0", "/dev/dxg"))


def run_pip(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run this environment's pip."""
    captured = subprocess.PIPE if "--report" in arguments else None
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    sys.stdout.flush()
    return subprocess.run(command, stdout=captured, stderr=captured, text=True, check=False)


def _installed_torch() -> str | None:
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None


def _stamp(requirements: Path, prefix: Path) -> Path:
    return prefix / f".installed-{requirements.stem}"


def _is_stamped(requirements: Path, prefix: Path) -> bool:
    try:
        return _stamp(requirements, prefix).read_text(encoding="utf-8") == fingerprint(requirements)
    except OSError:
        return False


@contextmanager
def _alone(prefix: Path) -> Iterator[None]:
    """Make a second installation into the same environment wait for the first."""
    import fcntl

    with (prefix / ".installing.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
