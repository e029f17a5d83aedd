"""How much the seed alone changes a result: the same runs from several seeds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

import yaml

from medilite.files import write_whole
from medilite.models import load_profile
from training.recipe.plan import Recipe

SPREAD_FILE, PROFILE_FILE = "seeds.json", "seeds.yaml"
LOSSES = ("best_val_loss", "test_loss")


def write_spread(first: Recipe, repetitions: Sequence[Recipe], models: Sequence[str]) -> dict[str, Any]:
    """Write each seed's losses, and a profile of all their adapters; return the former.

    Mean and standard deviation (n - 1) are over runs, on the same validation and
    test pairs; null where a run has no such loss. The profile, `seeds.yaml` in
    the recipe's folder, is for `eval.generate` and `eval.between`.
    """
    runs = [(recipe.sft[0].seed, recipe) for recipe in (first, *repetitions)]
    spread: dict[str, Any] = {
        model: {
            "runs": [{"seed": seed, **_kept(recipe.record(model))} for seed, recipe in runs],
            **{name: _over_runs([recipe.record(model).get(name) for _, recipe in runs]) for name in LOSSES},
        }
        for model in models
    }
    write_whole(first.folder / SPREAD_FILE, (json.dumps(spread, indent=1) + "\n").encode())
    _write_profile(first, runs, models)
    return spread


def spread_lines(spread: Mapping[str, Any]) -> Iterator[str]:
    """Yield, for each model, the mean and the spread of its losses over seeds."""
    for model, found in spread.items():
        for name in LOSSES:
            if over := found[name]:
                yield (
                    f"{model}: {name.replace('_', ' ')} {over['mean']:.4f} over {over['n']} seeds, "
                    f"standard deviation {over['sd']:.4f}"
                )


def _kept(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: record.get(name) for name in (*LOSSES, "adapter_sha256", "commit")}


def _over_runs(values: Sequence[float | None]) -> dict[str, float] | None:
    there = [value for value in values if value is not None]
    if len(there) < max(2, len(values)):
        return None
    return {"n": len(there), "mean": fmean(there), "sd": stdev(there)}


def _write_profile(first: Recipe, runs: Sequence[tuple[int, Recipe]], models: Sequence[str]) -> None:
    """Write a profile of every model from every seed: `grpo` from the first, `grpo.seed-43` from seed 43."""
    base = first.profile.base_model
    entries = [base.model_dump(exclude_defaults=True)] if base else []
    parent = first.record(first.grpo.model).get("stacked_on") if first.grpo and first.grpo.model in models else None
    for seed, recipe in runs:
        own = "" if recipe is first else f".seed-{seed}"
        for spec in first.profile.models:
            if spec.id not in models and spec.id != parent:
                continue
            # A hash that the profile pins is that of other weights.
            entry = {**spec.model_dump(exclude_defaults=True, exclude={"adapter_sha256"}), "id": spec.id + own}
            entry |= {"label": f"{spec.label}, seed {seed}", "adapter": str((recipe.adapters / spec.id).resolve())}
            stacked = parent if first.grpo and spec.id == first.grpo.model else spec.stacked_on
            entries.append(entry | ({"stacked_on": stacked + own} if stacked else {}))
    raw = {
        "name": f"{first.profile.name}-seeds",
        "title": f"{first.profile.title}, from {len(runs)} seeds",
        "base": first.profile.base.model_dump(exclude_defaults=True),
        "models": entries,
    }
    target = first.folder / PROFILE_FILE
    write_whole(target, yaml.safe_dump(raw, sort_keys=False, allow_unicode=True).encode())
    load_profile(str(target), with_absent=True)
