"""Where a result comes from: commit, versions, device, and which adapter answered."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from medilite.checkpoints import ADAPTER_FILES
from medilite.errors import ConfigError, SettingsError
from medilite.models import ROOT, FolderBase, HubBase, Profile
from medilite.packages import sha256_of
from medilite.processor import computed_in
from medilite.settings import Settings
from medilite.weights import ensure_adapter


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """Return the versions of Python and of packages that can change a result; None for what is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def commit(code: Iterable[str]) -> tuple[str | None, bool | None]:
    """Return (commit of the checkout, whether a path of `code` differs from it); (None, None) outside git."""
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
        diff = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", *code], cwd=ROOT, check=False)
    except (OSError, subprocess.CalledProcessError):
        return None, None
    return head.stdout.strip(), diff.returncode != 0


@contextmanager
def checkout(commit: str, paths: Iterable[str]) -> Iterator[Path]:
    """Yield a temporary folder with that commit's code; raises ConfigError if there is no such commit."""
    with tempfile.TemporaryDirectory(prefix="medilite-before-") as folder:
        archive = subprocess.run(["git", "archive", commit, "--", *paths], cwd=ROOT, capture_output=True, check=False)
        if archive.returncode:
            raise ConfigError(
                f"--before {commit}: git has no such commit here ({archive.stderr.decode().strip()}). "
                "Name one of `git log`, in a clone with its history."
            )
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        yield Path(folder)


def device_name() -> str:
    """Return the accelerator's name, or the kind of processor and the number of threads in use."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    return f"cpu ({platform.machine()}, {torch.get_num_threads()} threads)"


_NAMES = {"bfloat16": "bfloat16", "float32": "float32", "int8": "int8, groups of 32", "int4": "int4, groups of 32"}


def precision_name(settings: Settings) -> str:
    """Return the numbers that the local engine computes in here (`processor.computed_in`).

    Each format has its own name, so that answers in different ones are never mixed: "int8" alone
    had one scale an output and 64 inputs a scale.

    Raises SettingsError for model servers, which don't report the numbers that they compute in.
    """
    if settings.engine == "remote":
        raise SettingsError(
            "MEDILITE_ENGINE='remote' can't be used here: results have to state the numbers that they were computed in,"
            " and model servers don't report them. Leave it out to compute on this machine."
        )
    return _NAMES[computed_in(settings)]


def adapter_sha256(profile: Profile, model: str) -> str | None:
    """Return one SHA-256 for all adapter files that make up a model, its parents' included; None for the base.

    Raises ModelUnavailableError if an adapter is missing.
    """
    links = profile.chain(model)
    if not links:
        return None
    files = [ensure_adapter(profile, link) / name for link in links for name in ADAPTER_FILES]
    return hashlib.sha256("".join(sha256_of(file) for file in files).encode()).hexdigest()


def base_name(profile: Profile, weights: str | None = None) -> str:
    """Return which weights the base is: its name with the published file's hash, revision or folder.

    `weights` is MEDILITE_WEIGHTS, the folder that replaces the profile's own
    source.
    """
    base = profile.base
    if weights:
        return f"{base.model} (local folder {Path(weights).name})"
    if isinstance(base, FolderBase):
        return f"{base.model} (local folder {Path(base.path).name})"
    if isinstance(base, HubBase):
        return f"{base.repo}@{base.revision or 'main'}"
    return f"{base.model} ({base.package} {base.version}, sha256 {base.file_sha256[:12]})"
