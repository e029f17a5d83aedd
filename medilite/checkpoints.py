"""An adapter's folder: PEFT's two files, and the `training.json` that training leaves beside them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from medilite.models import ModelSpec, Profile

log = logging.getLogger(__name__)

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
ADAPTER_FILES = (CONFIG_FILE, WEIGHTS_FILE)
"""An adapter's files; folders with the same content in these are the same adapter."""

RECORD_FILE = "training.json"

SAVES = "saves"
"""The folder, in an adapter's, of the adapters of its training run's saves: `step-005`, `step-010`, …"""


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return an adapter's training.json; None if there is none, or it is unusable, which is logged."""
    path = folder / RECORD_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("%s can't be read: %s", path, error)
        return None
    if not isinstance(record, dict):
        log.warning("%s holds no JSON object.", path)
        return None
    return record


def read_training_record(profile: Profile, spec: ModelSpec) -> dict[str, Any] | None:
    """Return the training record of a model's own adapter; None for the base and for an adapter that is on the Hub."""
    where = profile.adapter_path(spec) if spec.adapter is not None else None
    return read_record(where) if isinstance(where, Path) else None
