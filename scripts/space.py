"""Put together what is pushed to a Hugging Face Space, and run it here as a Space would.

    make space
    python scripts/space.py --out build/space --assemble [--preload PROFILE]
    python scripts/space.py --out build/space --port 7861

PUSHED is the one list of what a Space gets. It runs in the environment that
runs this script (`make space` makes a fresh one from requirements.txt), with
read-only code, a home of its own and a Space's variables; of the environment
outside only settings (MEDILITE_…), the Hub's token and what pip needs get in.
Standard library only, but for `--preload`, which reads a profile as the app does.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PUSHED = (
    "README.md",
    "LICENSE",
    "CREDITS.md",
    "requirements.txt",
    "app.py",
    "medilite/**/*.py",
    "medilite/**/*.html",
    "medilite/claims/*.json*",
    "medilite/profiles/*.yaml",
    "assets/questions.jsonl",
    "assets/style/*",
    "assets/adapters/lite/*/adapter_config.json",
    "assets/adapters/lite/*/adapter_model.safetensors",
    "assets/adapters/lite/*/training.json",
    # What the Lab's view of training reads.
    "assets/adapters/lite/*/saves/*/*",
    "assets/leaderboard/**/*",
    "assets/arena/**/*",
    # Served at /api.md, and named in /llms.txt.
    "docs/api.md",
    # The picture in the README, which is a Space's front page.
    "docs/screenshots/compare-light.png",
)
"""What a Space gets: the app and what it reads, as patterns from the root. No tests, no training, no evaluation."""

BASE_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")

PORT = 7860

_PASSED = ("MEDILITE_", "HF_TOKEN", "HF_ENDPOINT", "PIP_", "SSL_CERT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""Prefixes of the variables that are passed on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Assemble and, without --assemble, run until stopped; return the app's exit code."""
    parser = argparse.ArgumentParser(description="Put a Space's files together and run them as a Space would.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "space", help="folder for code and home")
    parser.add_argument("--port", type=int, default=PORT, help="port to listen on (default: %(default)s, a Space's)")
    parser.add_argument("--preload", metavar="PROFILE", help="fetch its models when the Space is built")
    parser.add_argument("--assemble", action="store_true", help="only put the files together")
    options = parser.parse_args(arguments)
    code, home = options.out.resolve() / "code", options.out.resolve() / "home"
    files = assemble(code, preloaded(options.preload) if options.preload else ())
    size = sum(path.stat().st_size for path in files)
    print(f"{len(files)} files, {size / 1e6:.1f} MB, in {code}", flush=True)
    if options.assemble:
        return 0
    before = fingerprint(code)
    status = ended(subprocess.Popen(command(), cwd=code, env=surroundings(home, options.port)))
    if fingerprint(code) != before:
        print(f"The app has changed its own code in {code}, which a Space should not.", file=sys.stderr)
        return 1
    return status


def pushed() -> list[Path]:
    """Return every file that a Space gets, relative to the root."""
    found = {path for pattern in PUSHED for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(path.relative_to(ROOT) for path in found if "__pycache__" not in path.parts)


def preloaded(profile: str) -> list[str]:
    """Return the lines of `preload_from_hub` for a profile: repository, files, revision.

    Needs what the app needs (requirements.txt): it reads the profile. A revision is only taken with
    files, so a pinned base names those that transformers writes.
    """
    sys.path.insert(0, str(ROOT))
    from medilite.checkpoints import ADAPTER_FILES
    from medilite.hub import PREFIX, place_of
    from medilite.models import HubBase, load_profile

    found = load_profile(profile)
    base = found.base
    lines = []
    if isinstance(base, HubBase):
        lines.append(f"{base.repo} {','.join(BASE_FILES)} {base.revision}" if base.revision else base.repo)
    for spec in found.models:
        if (spec.adapter or "").startswith(PREFIX):
            repo, revision = place_of(str(spec.adapter))
            lines.append(" ".join(filter(None, (repo, ",".join(ADAPTER_FILES), revision))))
    return list(dict.fromkeys(lines))


def assemble(target: Path, preload: Sequence[str] = ()) -> list[Path]:
    """Copy a Space's files to a folder, which is made from scratch and then read-only; return them.

    `preload` are the lines of `preload_from_hub` in the README's front matter.
    """
    remove(target)
    copied = []
    for path in pushed():
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, copy)
        copied.append(copy)
    if preload:
        readme = target / "README.md"
        words = readme.read_text(encoding="utf-8")
        listed = "".join(f"  - {line}\n" for line in preload)
        readme.write_text(words.replace("\n---\n", f"\npreload_from_hub:\n{listed}---\n", 1), encoding="utf-8")
    for path in _inside(target):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return copied


def remove(target: Path) -> None:
    """Remove such a folder."""
    if target.exists():
        for path in _inside(target):
            if path.is_dir():
                path.chmod(0o755)
        shutil.rmtree(target)


def fingerprint(folder: Path) -> str:
    """Return a hash of the names and contents of everything in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path.relative_to(folder)).encode() + b"\0")
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def command(python: str = sys.executable) -> list[str]:
    """Return how a Space starts the app, in its folder."""
    return [python, "-u", "app.py"]


def ended(app: subprocess.Popen[bytes]) -> int:
    """Wait until the app has ended by itself; return its exit code, 0 after Ctrl+C."""
    stopped = False
    while True:
        try:
            status = app.wait()
            return 0 if stopped else status
        except KeyboardInterrupt:
            # The terminal tells the app as well, which lets answers finish and pushes the last votes: `subprocess.run`
            # would kill it in the midst of that.
            stopped = True


def surroundings(home: Path, port: int) -> dict[str, str]:
    """Return the environment of a Space: its variables, a home that can be written, and what is passed on."""
    home.mkdir(parents=True, exist_ok=True)
    passed = {name: value for name, value in os.environ.items() if name.upper().startswith(_PASSED)}
    pip = Path.home() / ".config" / "pip" / "pip.conf"
    if pip.is_file():
        passed.setdefault("PIP_CONFIG_FILE", str(pip))
    mine = {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        # Not SYSTEM=spaces: it has Gradio start the package `spaces`, which a Space brings along and which lets others
        # change code over the network.
        "SPACE_ID": "here/medilite",
        # A Space listens on 0.0.0.0; this one only on this machine.
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # No permission keeps root from writing beside the code, where Numba would then put its cache.
        mine["NUMBA_CACHE_DIR"] = str(home / ".cache" / "numba")
    return {**passed, **mine}


def _inside(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.rglob("*")


if __name__ == "__main__":
    sys.exit(main())
