"""Adapters from the Hub: the revision that a profile pins, checked by its hash, through the Hub's own client."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from medilite import hub
from medilite.arena.contestants import contestants
from medilite.errors import ModelUnavailableError, ProfileError, WeightsUnavailableError
from medilite.models import PROFILES_DIR, Profile, load_profile
from medilite.progress import LoadProgress
from medilite.weights import ensure_adapter
from scripts.space import assemble, preloaded
from tests.support.hub import TOKEN, Hub, commit_id, running_hub

REPO, FIRST, SECOND = "somebody/adapter", b"the weights that were meant", b"the weights of later" * 100_000


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub with one repository of two commits: weights, then other weights."""
    import huggingface_hub.constants as constants

    with running_hub() as server:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        server.make(REPO)
        server.repos[REPO] += [
            {"adapter_config.json": b"{}", "adapter_model.safetensors": weights, "notes.bin": b"not asked for"}
            for weights in (FIRST, SECOND)
        ]
        yield server


def profile_with(folder: Path, adapter: str, **more: str) -> Profile:
    raw = yaml.safe_load((PROFILES_DIR / "paper.yaml").read_text())
    raw["models"] = [raw["models"][0], {**raw["models"][1], "adapter": adapter, **more}]
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(raw))
    return load_profile(str(path))


def weights_of(profile: Profile) -> bytes:
    return (ensure_adapter(profile, profile.models[1]) / "adapter_model.safetensors").read_bytes()


def test_a_pinned_revision_is_what_is_loaded_and_what_votes_are_for(there: Hub, tmp_path: Path) -> None:
    pinned = profile_with(tmp_path, f"hub:{REPO}@{commit_id(1)}")
    assert list(contestants(pinned)) == ["base"], "not here yet"
    assert weights_of(pinned) == FIRST
    newest = profile_with(tmp_path, f"hub:{REPO}")
    assert weights_of(newest) == SECOND
    ours, theirs = (contestants(each)["sft-r8-low"] for each in (pinned, newest))
    assert ours != theirs
    assert not any("notes.bin" in path for _, path, _ in there.calls)
    # What is in the cache is enough, without the Hub.
    there.refuses = 503
    assert weights_of(pinned) == FIRST


def test_weights_with_another_hash_make_their_model_unavailable(there: Hub, tmp_path: Path) -> None:
    hashes = [hashlib.sha256(weights).hexdigest() for weights in (FIRST, SECOND)]
    assert weights_of(profile_with(tmp_path, f"hub:{REPO}@main", adapter_sha256=hashes[1])) == SECOND
    with pytest.raises(ModelUnavailableError, match=rf"SHA-256 is {hashes[1]}, and adapter_sha256 is {hashes[0]}"):
        weights_of(profile_with(tmp_path, f"hub:{REPO}", adapter_sha256=hashes[0]))
    # A folder's adapter is held against its hash too.
    lite = load_profile("lite")
    with pytest.raises(ModelUnavailableError, match=f"adapter_sha256 is {hashes[0]}"):
        ensure_adapter(lite, lite.get("grpo").model_copy(update={"adapter_sha256": hashes[0]}))


def test_a_revision_that_is_not_there_is_named(there: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=rf"{REPO}@v2 can't be had .*hf download {REPO} --revision v2`"):
        weights_of(profile_with(tmp_path, f"hub:{REPO}@v2"))
    with pytest.raises(WeightsUnavailableError, match="somebody/nothing can't be had"):
        hub.fetch("somebody/nothing", None, ["*.json"])


@pytest.mark.parametrize("wrong", ["hub:", "hub:name", "hub:owner/name@", "hub:o/n@x@y", "hub:o/n/m", "hub:../.. "])
def test_an_address_that_is_none_is_refused_by_the_profile(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="which is no hub:owner/name"):
        profile_with(tmp_path, wrong)


def test_what_is_loading_is_told_with_how_much_and_how_long(there: Hub, tmp_path: Path) -> None:
    told: list[LoadProgress] = []
    profile = profile_with(tmp_path, f"hub:{REPO}")
    ensure_adapter(profile, profile.models[1], told.append)
    assert told
    assert all(each.message.startswith(f"Getting {REPO} from the Hugging Face Hub") for each in told)
    size = (len(SECOND) + 2) / 1e6
    assert told[-1].message.endswith(f": {size:.0f} of {size:.0f} MB")
    assert told[-1].share == 1

    half = hub.progress("Getting it", 1e9, 4e9, 60)
    assert (half.message, half.share) == ("Getting it: 1000 of 4000 MB, about 3 minutes left", 0.25)
    assert hub.progress("Getting it", 3e9, 4e9, 60).message.endswith("about 20 seconds left")
    assert hub.progress("Getting it", 0, 0, 9) == LoadProgress("Getting it")


def test_a_space_fetches_a_profiles_models_when_it_is_built(tmp_path: Path) -> None:
    profile = profile_with(tmp_path, f"hub:{REPO}@{commit_id(1)}")
    files = "adapter_config.json,adapter_model.safetensors"
    lines = [profile.base.repo, f"{REPO} {files} {commit_id(1)}"]
    assert preloaded(str(tmp_path / "own.yaml")) == lines
    assert preloaded("lite") == []
    assert len(preloaded("paper")) == 6

    assemble(tmp_path / "space", lines)
    front = (tmp_path / "space" / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    assert yaml.safe_load(front)["preload_from_hub"] == lines
    assert yaml.safe_load(front)["sdk"] == "gradio"
