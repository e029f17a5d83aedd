"""Files that stand under their name only once they are whole."""

from __future__ import annotations

import os
from pathlib import Path

from medilite.errors import DataError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that its name never stands for a part of it; raises DataError if the disk refuses."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise DataError(
            f"{path} can't be written ({error.strerror or error}). Give another folder with --out, or make room."
        ) from error
    finally:
        if temporary.exists():
            temporary.unlink()
