"""What is known of each adapter's training, from the `training.json` that training leaves beside it."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from medilite.models import ModelSpec, Profile

log = logging.getLogger(__name__)

RECORD_FILE = "training.json"


def read_training_record(profile: Profile, spec: ModelSpec) -> dict[str, Any] | None:
    """Return the training record of a model's own adapter.

    None for the base, for an adapter that lies on the Hub, and where the file
    is missing or unusable (which goes to the log): a table then says so.
    """
    if spec.adapter is None:
        return None
    where = profile.adapter_path(spec)
    if not isinstance(where, Path):
        return None
    path = where / RECORD_FILE
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
