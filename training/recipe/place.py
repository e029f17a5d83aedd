"""Copy finished adapters to where the app looks for them, all of one recipe together."""

from __future__ import annotations

import filecmp
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from medilite.errors import TrainingError
from medilite.files import read_yaml, write_whole
from medilite.models import PROFILES_DIR, ROOT, shipped_profiles
from training.job import placed
from training.recipe.plan import Recipe, copy_adapter

OWN_PROFILE = "profile.yaml"


@dataclass(frozen=True, slots=True)
class _Change:
    """A profile's new text, and what is said once it is written."""

    file: Path
    text: str
    said: str


def put_into_place(recipe: Recipe) -> list[str]:
    """Copy the adapters that aren't in place yet, set the parent in the profile, and report what was done.

    Raises TrainingError or UnknownModelError, before anything is copied, if the profile can't name the parent.
    """
    grpo = recipe.grpo.model if recipe.grpo else None
    change = _with_parent(recipe, grpo, str(recipe.record(grpo)["stacked_on"])) if grpo else None
    said = []
    # GRPO last: until the profile names its parent, the app would stack it on another.
    for model in sorted(recipe.trained, key=lambda model: model == grpo):
        source, target = recipe.adapters / model, placed(recipe.profile, model)
        if not _same(source, target):
            copy_adapter(source, target)
            said.append(f"{model}: in {target}")
    if change:
        write_whole(change.file, change.text.encode())
        said.append(change.said)
    return said or ["adapters: in their place already"]


def _same(source: Path, target: Path) -> bool:
    """Return whether the other folder has the same files of an adapter."""
    names = [path.name for path in source.iterdir() if path.is_file()]
    return all((target / name).is_file() and filecmp.cmp(source / name, target / name, shallow=False) for name in names)


def _with_parent(recipe: Recipe, model: str, parent: str) -> _Change | None:
    """Return the profile in which `model` is stacked on `parent`; None if it is already.

    That is the recipe's profile, or a new one if that names other adapters.
    """
    name = recipe.sft[0].base.profile
    file = PROFILES_DIR / f"{name}.yaml" if name in shipped_profiles() else Path(name).expanduser()
    spec = recipe.profile.get(model)
    recipe.profile.get(parent)
    if isinstance(recipe.profile.adapter_path(spec), str):
        return _own_profile(recipe, file, model, parent)
    if spec.stacked_on == parent:
        return None
    text = stacked_on(file.read_text(encoding="utf-8"), model, parent)
    best = f"{model} is stacked on {parent} now, the best by validation loss (it was {spec.stacked_on})"
    return _Change(file, text, f"{file}: {best}")


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


def _own_profile(recipe: Recipe, file: Path, model: str, parent: str) -> _Change | None:
    """Return a profile of the adapters trained here, for one that names adapters published elsewhere."""
    raw = read_yaml(file, f"Profile {file}", TrainingError)
    raw |= {"name": f"{raw['name']}-own", "title": f"{recipe.profile.base.model} on MedQuAD (trained here)"}
    for entry in [*raw["models"], *raw.get("rewriters", ())]:
        if entry["id"] in recipe.trained:
            entry["adapter"] = entry["id"]
        if entry["id"] == model:
            entry["stacked_on"] = parent
    target = placed(recipe.profile, model).parent / OWN_PROFILE
    text = yaml.safe_dump(raw, sort_keys=False, allow_unicode=True)
    if target.is_file() and target.read_bytes() == text.encode():
        return None
    shown = target.relative_to(ROOT) if target.is_relative_to(ROOT) else target
    return _Change(target, text, f"MEDILITE_PROFILE={shown} make app shows them")
