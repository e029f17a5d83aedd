"""Checkpoints that a kill can't spoil: a run resumes only from one that was written whole.

The trainer writes a checkpoint file by file and deletes old ones the same way,
so a kill in between leaves an incomplete folder under a valid name. Each whole
checkpoint therefore gets, last of all, a list of its files and their sizes.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from medilite.checkpoints import CONFIG_FILE, SAVES, WEIGHTS_FILE

SEAL = "whole.json"


def seal(checkpoint: Path) -> None:
    """Mark a checkpoint as whole, once the trainer has written all of it."""
    sizes = {path.name: path.stat().st_size for path in checkpoint.iterdir() if path.is_file() and path.name != SEAL}
    temporary = checkpoint / f".{SEAL}.tmp"
    temporary.write_text(json.dumps(sizes), encoding="utf-8")
    temporary.replace(checkpoint / SEAL)


def is_whole(checkpoint: Path) -> bool:
    """Return whether a checkpoint has its seal and every file that the seal lists, in full size."""
    try:
        sizes = json.loads((checkpoint / SEAL).read_text(encoding="utf-8"))
        return all((checkpoint / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def newest_whole(work_dir: Path) -> Path | None:
    """Return the newest whole checkpoint, or None; incomplete ones are deleted, since they are useless."""
    found = []
    for path in work_dir.glob("checkpoint-*"):
        step = path.name.removeprefix("checkpoint-")
        if not path.is_dir() or not step.isdigit():
            continue
        if is_whole(path):
            found.append((int(step), path))
        else:
            shutil.rmtree(path, ignore_errors=True)
    return max(found)[1] if found else None


def newest_of_another(work_dir: Path, at_most: int) -> Path | None:
    """Return the newest whole checkpoint up to a step, or None; deletes nothing, since that run may be running."""
    found = []
    for path in work_dir.glob("checkpoint-*"):
        step = path.name.removeprefix("checkpoint-")
        if step.isdigit() and int(step) <= at_most and is_whole(path):
            found.append((int(step), path))
    return max(found)[1] if found else None


def keep_adapter(checkpoint: Path) -> None:
    """Copy a checkpoint's adapter, in float16, to `saves/step-NNN` beside it, where the trainer deletes nothing."""
    step = int(checkpoint.name.removeprefix("checkpoint-"))
    kept = checkpoint.parent / SAVES / f"step-{step:03}"
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(checkpoint / CONFIG_FILE, kept / CONFIG_FILE)
    save_in_float16(checkpoint / WEIGHTS_FILE, kept / WEIGHTS_FILE)


def save_in_float16(weights: Path, to: Path) -> None:
    """Write an adapter's file in float16: half as large."""
    from safetensors.torch import load_file, save_file

    save_file({name: weight.half() for name, weight in load_file(weights).items()}, to)


def publish_saves(work_dir: Path, out: Path, base: str) -> list[int]:
    """Put the kept saves of a run into its adapter's folder instead of those there; return their steps.

    `base` is the base's name, which replaces its path on this machine.
    """
    shutil.rmtree(out / SAVES, ignore_errors=True)
    steps = []
    for save in sorted((work_dir / SAVES).glob("step-*")):
        shutil.copytree(save, out / SAVES / save.name)
        config = out / SAVES / save.name / CONFIG_FILE
        about = json.loads(config.read_text(encoding="utf-8")) | {"base_model_name_or_path": base}
        config.write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        steps.append(int(save.name.removeprefix("step-")))
    return steps
