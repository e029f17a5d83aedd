"""What a run leaves behind: losses on test pairs, provenance, and the adapter's folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from training.config import GRPORun, SFTRun
from training.losses import PairLosses, answer_losses
from training.pairs import TokenPair
from training.record import commit, device_name, versions, write_record

ABOUT_LOSS = "mean cross-entropy (nats) per answer token; 95 % bootstrap intervals over pairs"


def base_losses(
    model: Any,
    without_adapters: AbstractContextManager[Any],
    pairs: Sequence[TokenPair],
    pad_id: int,
    cache: Path,
    products: str,
) -> PairLosses:
    """Return the base's losses on the pairs; every run of one base and data needs them, so they are kept in `cache`.

    `without_adapters` is entered only where they have to be computed. The key is
    the pairs' token ids and the products' type: other data, another length or another draw is another key.
    """
    key = hashlib.sha256(json.dumps([products, [pair.ids for pair in pairs]]).encode()).hexdigest()[:16]
    file = cache / f"base-losses-{key}.json"
    if file.is_file():
        kept = json.loads(file.read_text(encoding="utf-8"))
        return PairLosses(tuple(kept["sums"]), tuple(kept["tokens"]))
    with without_adapters:
        losses = answer_losses(model, pairs, pad_id, label="base: test loss")
    cache.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(f".{id(losses)}.tmp")
    temporary.write_text(json.dumps({"sums": losses.sums, "tokens": losses.tokens}), encoding="utf-8")
    temporary.replace(file)
    return losses


def loss_fields(tested: PairLosses, base: PairLosses, seed: int) -> dict[str, Any]:
    """Return the record's fields about test losses: adapter, base, their difference, and how many of what."""
    return {
        "test_loss": tested.mean,
        "test_loss_interval": tested.interval(seed),
        "base_test_loss": base.mean,
        "base_test_loss_interval": base.interval(seed),
        "test_loss_minus_base": tested.mean - base.mean,
        "test_loss_minus_base_interval": tested.difference_interval(base, seed),
        "test_pairs": len(tested.sums),
        "test_tokens": sum(tested.tokens),
        "test_loss_about": ABOUT_LOSS,
    }


def provenance(run: SFTRun | GRPORun, data_fingerprint: str) -> dict[str, Any]:
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
    }


def write_adapter(model: Any, out: Path, base: str, record: dict[str, Any]) -> None:
    """Save the adapter in PEFT's layout with training.json; the folder's base is a name, never a local path."""
    out.mkdir(parents=True, exist_ok=True)
    config = next(iter(model.peft_config.values()))
    config.base_model_name_or_path = base
    model.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)  # PEFT's template of a model card, all blanks
    write_record(out, record)
