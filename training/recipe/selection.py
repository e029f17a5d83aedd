"""The choice of GRPO's parent among the SFT checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

DIGITS = 3
"""Losses that are equal to this many decimals tie."""


def select_best(records: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the record with the lowest validation loss; where two tie, the lower rank.

    Of a run with an ending the loss before it counts: how far an ending raises it depends on its rate, which is chosen
    for loops (docs/protocol.md says when this rule was made).
    The study took the lowest test loss, and validation loss for ties; a choice by the test split can't be reported on
    it, so here validation decides (docs/protocol.md).
    """
    return min(records, key=lambda record: (_loss(record), record["rank"]))


def say_selection(records: Iterable[Mapping[str, Any]]) -> str:
    """Return in a sentence which checkpoint was selected, and why."""
    records = list(records)
    best = select_best(records)
    losses = ", ".join(f"{r['model']} {_loss(r):.3f}" for r in records)
    tied = sum(_loss(r) == _loss(best) for r in records)
    ties = f"; {tied} tie to {DIGITS} decimals, so the lowest rank decides" if tied > 1 else ""
    before = " before endings" if any("before_ending" in r for r in records) else ""
    return f"{best['model']}: lowest validation loss{before} ({losses}){ties}"


def _loss(record: Mapping[str, Any]) -> float:
    return round(record.get("before_ending", record)["best_val_loss"], DIGITS)
