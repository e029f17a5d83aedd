"""Copy finished adapters to where the app looks for them, all of one recipe together."""

from __future__ import annotations

import filecmp
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from medilite.checkpoints import WEIGHTS_FILE
from medilite.errors import TrainingError
from medilite.files import read_yaml, write_whole
from medilite.models import PROFILES_DIR, ROOT, Profile, shipped_profiles
from medilite.packages import sha256_of
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
    """Copy the adapters that aren't in place yet, make the profile fit them, and report what was done.

    Raises TrainingError or UnknownModelError, before anything is copied, if the profile can't name the parent.
    """
    grpo = recipe.grpo.model if recipe.grpo else None
    change = _fitting_profile(recipe, grpo)
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


def _fitting_profile(recipe: Recipe, grpo: str | None) -> _Change | None:
    """Return the profile with GRPO's parent and the hashes of the adapters; None if it has them already.

    That is the recipe's profile, or a new one if that names other adapters.
    """
    name = recipe.sft[0].base.profile
    file = PROFILES_DIR / f"{name}.yaml" if name in shipped_profiles() else Path(name).expanduser()
    before = text = file.read_text(encoding="utf-8")
    said = []
    if grpo:
        spec, parent = recipe.profile.get(grpo), str(recipe.record(grpo)["stacked_on"])
        recipe.profile.get(parent)
        if isinstance(recipe.profile.adapter_path(spec), str):
            return _own_profile(recipe, file, grpo, parent)
        if spec.stacked_on != parent:
            text = stacked_on(text, grpo, parent)
            said = [f"{grpo} is stacked on {parent} now, the best by validation loss (it was {spec.stacked_on})"]
    if pinned := [model for model in recipe.trained if _is_pinned(recipe.profile, model)]:
        for model in pinned:
            # In quotes: digits alone would be a number.
            text = _with_value(text, model, "adapter_sha256", f'"{sha256_of(recipe.adapters / model / WEIGHTS_FILE)}"')
        said.append(f"adapter_sha256 of {', '.join(pinned)} is that of the weights trained here")
    return _Change(file, text, f"{file}: {'; '.join(said)}") if text != before else None


def _is_pinned(profile: Profile, model: str) -> bool:
    """Return whether a profile requires a hash of the weights in the folder that is written."""
    spec = profile.find(model)
    return bool(spec and spec.adapter_sha256 and isinstance(profile.adapter_path(spec), Path))


def stacked_on(profile_yaml: str, model: str, parent: str) -> str:
    """Return a profile's text with one model's `stacked_on` changed and everything else, comments too, as it was.

    Raises TrainingError if the text names no parent for that model.
    """
    return _with_value(profile_yaml, model, "stacked_on", parent)


def _with_value(profile_yaml: str, model: str, key: str, value: str) -> str:
    root = _values(yaml.compose(profile_yaml, yaml.SafeLoader))
    for entry in (entry for kind in ("models", "rewriters") if kind in root for entry in root[kind].value):
        values = _values(entry)
        if values["id"].value == model and (node := values.get(key)):
            return profile_yaml[: node.start_mark.index] + value + profile_yaml[node.end_mark.index :]
    raise TrainingError(f"The profile gives {model} no {key}: add `{key}: {value}` to it, and run again.")


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
            entry.pop("adapter_sha256", None)
        if entry["id"] == model:
            entry["stacked_on"] = parent
    target = placed(recipe.profile, model).parent / OWN_PROFILE
    text = yaml.safe_dump(raw, sort_keys=False, allow_unicode=True)
    if target.is_file() and target.read_bytes() == text.encode():
        return None
    shown = target.relative_to(ROOT) if target.is_relative_to(ROOT) else target
    return _Change(target, text, f"MEDILITE_PROFILE={shown} make app shows them")
