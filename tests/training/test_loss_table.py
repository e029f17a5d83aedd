"""Losses of several models on the same pairs: paired with the base, kept as they come, by hand where it can be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medilite.errors import TrainingError
from tests.training.conftest import make_examples
from training import loss_table
from training.data.manifest import write_splits
from training.loss_table import main, models_of, named_pairs


def test_an_adapter_that_is_not_there_is_named(tmp_path: Path) -> None:
    for given in ("1000", f"1000={tmp_path}"):
        with pytest.raises(TrainingError, match=rf"--adapter {given}: give NAME=FOLDER"):
            models_of([], [given])
    assert [model.name for model in models_of([], [])] == ["base"]
    assert [model.name for model in models_of(["lite"], [])][-1] == "lite/grpo"
    assert len(models_of(["lite"], [])[-1].adapters) == 2

    models = models_of(["lite"], [])
    assert named_pairs(["lite/grpo,base"], models) == [("lite/grpo", "base")]
    with pytest.raises(TrainingError, match=r"no 'lite/gpro'\. Did you mean 'lite/grpo'"):
        named_pairs(["base,lite/gpro"], models)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    first = {"train": make_examples(4), "val": make_examples(4), "test": make_examples(4), "grpo": make_examples(2)}
    sets = {"study": first, "distinct": first, "clean": {**first, "known": make_examples(6, 50), "new": []}}
    write_splits(tmp_path / "data", sets, {}, {name: {} for name in sets})
    return tmp_path / "data"


@pytest.mark.model
def test_differences_are_paired_and_a_second_start_computes_nothing(
    tiny_profile: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from medilite.models import load_profile

    torch.manual_seed(1)
    profile = load_profile(str(tiny_profile), with_absent=True)
    base = AutoModelForCausalLM.from_pretrained(profile.base.path)  # type: ignore[union-attr]
    adapted = get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    adapted.save_pretrained(tmp_path / "adapter")
    arguments = ["--split", "known", "--base", str(tiny_profile), "--adapter", f"mine={tmp_path / 'adapter'}"]
    arguments += [
        "--compare",
        "base,mine",
        "--data",
        str(data),
        "--logs",
        str(tmp_path / "logs"),
        "--json",
        str(tmp_path / "table.json"),
    ]

    assert main(arguments) == 0
    table = json.loads((tmp_path / "table.json").read_text())
    base_row, mine = table["models"]
    assert (table["pairs"], table["split"], table["compared_with"]) == (6, "clean/known", "base")
    assert base_row["difference_interval"] == [0, 0]
    assert mine["difference"] == pytest.approx(mine["loss"] - base_row["loss"])
    assert mine["difference"] != 0
    (other_way,) = table["comparisons"]
    assert other_way["difference"] == -mine["difference"]
    low, high = mine["difference_interval"]
    assert other_way["difference_interval"] == pytest.approx([-high, -low], abs=1e-3)
    assert mine["interval"][0] < mine["loss"] < mine["interval"][1]

    monkeypatch.setattr(loss_table, "_load", lambda *_: pytest.fail("everything is measured already"))
    assert main(arguments) == 0
    again = json.loads((tmp_path / "table.json").read_text())
    assert again["models"] == table["models"]
    assert "n = 6 pairs" in capsys.readouterr().out
