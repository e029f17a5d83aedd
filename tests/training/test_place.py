"""Adapters in their place: a profile learns which parent was selected, or is written where it names others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from medilite.errors import TrainingError
from medilite.models import PROFILES_DIR, load_profile
from training.recipe import place

LITE = (PROFILES_DIR / "lite.yaml").read_text(encoding="utf-8")
PARENT = load_profile("lite").get("grpo").stacked_on


def test_one_value_changes_and_nothing_else() -> None:
    changed = place.stacked_on(LITE, "grpo", "sft-r16-low")
    ours, theirs = LITE.splitlines(), changed.splitlines()
    different = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    assert different == [(a, a.replace(f"stacked_on: {PARENT}", "stacked_on: sft-r16-low")) for a, _ in different]
    assert len(different) == 1
    assert place.stacked_on(changed, "grpo", PARENT) == LITE


def test_a_model_without_a_parent_is_named() -> None:
    with pytest.raises(TrainingError, match="gives base no stacked_on: add `stacked_on: grpo`"):
        place.stacked_on(LITE, "base", "grpo")


def test_adapters_beside_a_profile_of_published_ones_get_a_profile_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "placed", lambda profile, model: tmp_path / model)
    paper = load_profile("paper")
    recipe = SimpleNamespace(profile=paper, trained=("sft-r8-low", "sft-r16-high", "grpo"))
    file = tmp_path / "published.yaml"
    raw = yaml.safe_load((PROFILES_DIR / "paper.yaml").read_text(encoding="utf-8"))
    raw["models"] = [model | ({"adapter_sha256": "0" * 64} if "adapter" in model else {}) for model in raw["models"]]
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    change = place._own_profile(recipe, file, "grpo", "sft-r16-high")
    change.file.write_text(change.text, encoding="utf-8")
    assert change.said == f"MEDILITE_PROFILE={tmp_path / 'profile.yaml'} make app shows them"
    own = load_profile(str(tmp_path / "profile.yaml"))
    assert own.base == paper.base
    assert own.adapter_path(own.get("grpo")) == tmp_path / "grpo"
    assert own.get("grpo").stacked_on == "sft-r16-high"
    assert own.get("grpo").adapter_sha256 is None, "the hash is that of the published weights"
    assert own.get("sft-r8-high").adapter.startswith("hub:"), "what wasn't trained here stays as published"
    assert own.get("sft-r8-high").adapter_sha256 == "0" * 64
    assert place._own_profile(recipe, file, "grpo", "sft-r16-high") is None
    assert yaml.safe_load((tmp_path / "profile.yaml").read_text())["name"] == "paper-own"
