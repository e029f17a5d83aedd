"""A run's results: provenance, and the adapter's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medilite.checkpoints import RECORD_FILE, WEIGHTS_FILE
from medilite.packages import sha256_of
from training.checkpoints import save_in_float16
from training.config import AnyRun
from training.inputs import Inputs
from training.record import commit, device_name, versions, write_record

LARGE = 10_000_000
"""Bytes from which an adapter is kept in float16, as the saves are: a checkout holds it."""


def provenance(run: AnyRun, data_fingerprint: str, inputs: Inputs) -> dict[str, Any]:
    """Return the record's fields about where a result came from."""
    head, dirty = commit()
    return {
        "data_fingerprint": data_fingerprint,
        "commit": head,
        "commit_dirty": dirty,
        "versions": versions(),
        "seed": run.seed,
        "device": device_name(),
        "config": run.model_dump(mode="json"),
        "inputs": inputs,
    }


def write_adapter(model: Any, out: Path, base: str, record: dict[str, Any]) -> dict[str, Any]:
    """Save the adapter in PEFT's layout with training.json, and return the record as written.

    The folder's base is a name, never a local path; a LARGE adapter is kept in float16. An old record is deleted first,
    so that a kill in between leaves no adapter with another one's record.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / RECORD_FILE).unlink(missing_ok=True)
    config = next(iter(model.peft_config.values()))
    config.base_model_name_or_path = base
    model.save_pretrained(out)
    if (out / WEIGHTS_FILE).stat().st_size > LARGE:
        save_in_float16(out / WEIGHTS_FILE, out / WEIGHTS_FILE)
    (out / "README.md").unlink(missing_ok=True)  # PEFT's template of a model card, all blanks
    record = {**record, "adapter_sha256": sha256_of(out / WEIGHTS_FILE)}
    write_record(out, record)
    return record
