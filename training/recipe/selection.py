"""The choice of GRPO's parent among the SFT checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

DIGITS = 3
"""Losses that are equal to this many decimals tie."""


def select_best(records: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the record with the lowest validation loss; where two tie, the lower rank.

    The study took the lowest test loss, and validation loss for ties; a choice by the test split can't be reported on
    it, so here validation decides (docs/protocol.md).
    """
    return min(records, key=lambda record: (round(record["best_val_loss"], DIGITS), record["rank"]))


def say_selection(records: Iterable[Mapping[str, Any]]) -> str:
    """Return in a sentence which checkpoint was selected, and why."""
    records = list(records)
    best = select_best(records)
    losses = ", ".join(f"{r['model']} {r['best_val_loss']:.3f}" for r in records)
    tied = sum(round(r["best_val_loss"], DIGITS) == round(best["best_val_loss"], DIGITS) for r in records)
    ties = f"; {tied} tie to {DIGITS} decimals, so the lowest rank decides" if tied > 1 else ""
    return f"{best['model']}: lowest validation loss ({losses}){ties}"
