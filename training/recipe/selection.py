"""Which SFT checkpoint GRPO goes on from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

DIGITS = 2
"""Losses that agree to so many decimals tie: as many as the study reported, which tied on them too."""


def select_best(records: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the record with the lowest test loss; where two tie, the lower validation loss decides, then the rank.

    Source: the study's rule, test loss first and validation loss for ties.
    """
    return min(
        records,
        key=lambda record: (round(record["test_loss"], DIGITS), record["best_val_loss"], record["rank"]),
    )


def say_selection(records: Iterable[Mapping[str, Any]]) -> str:
    """Return in a sentence which checkpoint was selected, and why."""
    records = list(records)
    best = select_best(records)
    tied = [r for r in records if round(r["test_loss"], DIGITS) == round(best["test_loss"], DIGITS)]
    losses = ", ".join(f"{r['model']} {r['test_loss']:.3f}" for r in records)
    why = f"lowest test loss ({losses})"
    if len(tied) > 1:
        validation = ", ".join(f"{r['model']} {r['best_val_loss']:.3f}" for r in tied)
        why += f"; test losses tie to {DIGITS} decimals, so validation loss decides ({validation})"
    return f"{best['model']}: {why}"
