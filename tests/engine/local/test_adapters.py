"""An adapter that is missing, corrupt or made for another base takes its own model down and no other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from medilite.engine.local.engine import LocalEngine
from medilite.engine.protocol import collect
from medilite.models import load_profile
from medilite.prompts import question_messages
from medilite.records import Decoding, Request
from medilite.settings import load_settings
from tests.engine.conftest import RANKS, write_adapter, write_profile
from tests.engine.small import HIDDEN, LAYERS, write_base

pytestmark = pytest.mark.model


def _truncate(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])


def _wrong_rank(folder: Path) -> None:
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "r": 4}))


def _other_base(folder: Path) -> None:
    write_adapter(folder, 8, 0)


def _not_a_number(folder: Path) -> None:
    tensors = load_file(folder / "adapter_model.safetensors")
    next(iter(tensors.values()))[0, 0] = torch.nan
    save_file(tensors, folder / "adapter_model.safetensors")


def _no_json(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{")


def _dora(folder: Path) -> None:
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "use_dora": True}))


@pytest.fixture(scope="module")
def small_base(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random base with the real tokenizer: loaded in no time, once for each spoiled adapter."""
    folder = write_base(tmp_path_factory.mktemp("base"), vocab_size=49152)
    for file in [*weights.glob("*token*"), *weights.glob("chat_template*")]:
        shutil.copy(file, folder)
    return folder


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (shutil.rmtree, "missing"),
        (_truncate, "can't be read"),
        (_wrong_rank, "does not fit this base"),
        (_other_base, "does not fit this base"),
        (_not_a_number, "not finite"),
        (_no_json, "can't be read"),
        (_dora, "no plain LoRA"),
    ],
    ids=["missing", "truncated", "wrong rank", "other base", "nan", "broken config", "not LoRA"],
)
def test_a_bad_adapter_makes_its_model_unavailable_and_no_other(
    tmp_path: Path, small_base: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    for seed, (model, rank) in enumerate(RANKS.items()):
        write_adapter(tmp_path / "adapters" / model, rank, seed, layers=LAYERS, hidden=HIDDEN)
    spoil(tmp_path / "adapters" / "sft-r16-high")
    profile = load_profile(str(write_profile(tmp_path, small_base)))
    engine = LocalEngine(profile, load_settings(precision="float32"))
    availability = engine.availability()
    # grpo stands on the spoiled one, so it can't answer either, and says whose fault it is.
    assert [model for model, state in availability.items() if not state.available] == ["sft-r16-high", "grpo"]
    for model in ("sft-r16-high", "grpo"):
        assert reason in (availability[model].reason or "")
        assert "sft-r16-high" in (availability[model].reason or "")

    requests = [Request(m, question_messages("What is asthma?"), Decoding(max_new_tokens=4)) for m in profile.ids]
    answers = {answer.model: answer for answer in collect(requests, engine.stream(requests))}
    assert answers["sft-r16-high"].stopped == "error"
    assert reason in (answers["sft-r16-high"].error or "")
    assert {m: a.tokens for m, a in answers.items() if a.stopped != "error"} == dict.fromkeys(
        ("base", "sft-r8-low", "sft-r8-high", "sft-r16-low"), 4
    )


@pytest.mark.parametrize(("asked", "limit", "taken"), [(None, 1, 1), (None, 64, None), (3, 1, 3)])
def test_no_more_threads_than_a_limit_lets_run_unless_they_are_asked_for(
    tmp_path: Path, small_base: Path, monkeypatch: pytest.MonkeyPatch, asked: int | None, limit: int, taken: int | None
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr("medilite.engine.local.engine.usable_cpus", lambda: limit)
    try:
        LocalEngine(
            load_profile(str(write_profile(tmp_path, small_base))), load_settings(precision="float32", threads=asked)
        ).load()
        assert torch.get_num_threads() == (taken or before)
    finally:
        torch.set_num_threads(before)
