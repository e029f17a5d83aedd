"""Copy finished adapters to where the app looks for them, all of one recipe together."""

from __future__ import annotations

import filecmp
from pathlib import Path
from typing import Any

import yaml

from medilite.errors import TrainingError
from medilite.files import write_whole
from medilite.models import PROFILES_DIR, ROOT, load_profile, shipped_profiles
from training.job import placed
from training.recipe.plan import Recipe, copy_adapter

OWN_PROFILE = "profile.yaml"


def put_into_place(recipe: Recipe) -> list[str]:
    """Copy the adapters that aren't in place yet, set the parent in the profile, and report what was done."""
    said = []
    for model in recipe.trained:
        source, target = recipe.adapters / model, placed(recipe.profile, model)
        if not _same(source, target):
            copy_adapter(source, target)
            said.append(f"{model}: in {target}")
    if recipe.grpo:
        parent = str(recipe.record(recipe.grpo.model)["stacked_on"])
        said += _set_parent(recipe, recipe.grpo.model, parent)
    return said or ["adapters: in their place already"]


def _same(source: Path, target: Path) -> bool:
    """Return whether the other folder has the same files of an adapter."""
    names = [path.name for path in source.iterdir() if path.is_file()]
    return all((target / name).is_file() and filecmp.cmp(source / name, target / name, shallow=False) for name in names)


def _set_parent(recipe: Recipe, model: str, parent: str) -> list[str]:
    """Make a profile stack `model` on `parent`: the recipe's profile, or a new one if that names other adapters."""
    name = recipe.sft[0].base.profile
    file = PROFILES_DIR / f"{name}.yaml" if name in shipped_profiles() else Path(name).expanduser()
    spec = recipe.profile.get(model)
    if isinstance(recipe.profile.adapter_path(spec), str):
        return _write_own_profile(recipe, file, model, parent)
    if spec.stacked_on == parent:
        return []
    write_whole(file, stacked_on(file.read_text(encoding="utf-8"), model, parent).encode())
    return [f"{file}: {model} is stacked on {parent} now, the best by validation loss (it was {spec.stacked_on})"]


def stacked_on(profile_yaml: str, model: str, parent: str) -> str:
    """Return a profile's text with one model's `stacked_on` changed and everything else, comments too, as it was.

    Raises TrainingError if the text names no parent for that model.
    """
    root = yaml.compose(profile_yaml, yaml.SafeLoader)
    for entry in _values(root)["models"].value:
        values = _values(entry)
        if values["id"].value == model and (node := values.get("stacked_on")):
            return profile_yaml[: node.start_mark.index] + parent + profile_yaml[node.end_mark.index :]
    raise TrainingError(f"The profile gives {model} no stacked_on: add `stacked_on: {parent}` to it, and run again.")


def _values(mapping: Any) -> dict[str, Any]:
    """Return a YAML mapping's nodes by key; nodes know their place in the text."""
    return {key.value: value for key, value in mapping.value}


def _write_own_profile(recipe: Recipe, file: Path, model: str, parent: str) -> list[str]:
    """Write a profile of the adapters trained here, for one that names adapters published elsewhere."""
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    raw |= {"name": f"{raw['name']}-own", "title": f"{recipe.profile.base.model} on MedQuAD (trained here)"}
    for entry in [*raw["models"], *raw.get("rewriters", ())]:
        if entry["id"] in recipe.trained:
            entry["adapter"] = entry["id"]
        if entry["id"] == model:
            entry["stacked_on"] = parent
    target = placed(recipe.profile, model).parent / OWN_PROFILE
    content = yaml.safe_dump(raw, sort_keys=False, allow_unicode=True).encode()
    if target.is_file() and target.read_bytes() == content:
        return []
    write_whole(target, content)
    load_profile(str(target))
    shown = target.relative_to(ROOT) if target.is_relative_to(ROOT) else target
    return [f"MEDILITE_PROFILE={shown} make app shows them"]
