"""Training records beside adapters: read where they are, done without where they aren't."""

from __future__ import annotations

import json

import pytest

from medilite.checkpoints import read_training_record


@pytest.fixture
def profile(lite, tmp_path):
    """The default profile, with its adapters under a folder of the test."""
    return lite.model_copy(update={"root": tmp_path})


def write(profile, model: str, text: str) -> None:
    folder = profile.adapter_path(profile.get(model))
    folder.mkdir(parents=True)
    (folder / "training.json").write_text(text, encoding="utf-8")


def test_a_record_is_read(profile):
    write(profile, "grpo", json.dumps({"model": "grpo", "rank": 16}))
    assert read_training_record(profile, profile.get("grpo")) == {"model": "grpo", "rank": 16}


def test_the_base_has_none(profile):
    assert read_training_record(profile, profile.get("base")) is None


def test_not_trained_yet(profile, caplog):
    assert read_training_record(profile, profile.get("grpo")) is None
    assert caplog.text == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "null"])
def test_an_unusable_record_is_none_and_logged(profile, caplog, text):
    write(profile, "grpo", text)
    assert read_training_record(profile, profile.get("grpo")) is None
    assert "training.json" in caplog.text


def test_an_adapter_on_the_hub_has_none_here(profile):
    spec = profile.get("grpo").model_copy(update={"adapter": "hub:owner/name"})
    assert read_training_record(profile, spec) is None
