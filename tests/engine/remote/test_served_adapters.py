"""A chain written as one adapter is the same function as the chain."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from medilite.engine.local.adapters import read_adapter
from medilite.engine.shape import LlamaShape
from medilite.settings import load_settings
from medilite.weights import ensure_base
from scripts.served_adapters import start_command, write_adapters, write_whole
from tests.engine import small


@pytest.mark.parametrize("chain", ["narrow", "everything", "chain", "mixed"])
def test_a_chain_as_one_adapter(tmp_path, chain):
    chains = small.chains()
    adapters = {**chains, "mixed": [*chains["chain"], *chains["everything"]]}[chain]
    rank = write_whole(adapters, tmp_path / chain, "small")
    whole = read_adapter(tmp_path / chain, LlamaShape.read(small.write_base(tmp_path / "base")), chain)
    assert set(whole.pairs) == {place for adapter in adapters for place in adapter.pairs}
    for place, (a, b) in whole.pairs.items():
        assert a.shape[0] == rank
        parts = [adapter.pairs[place] for adapter in adapters if place in adapter.pairs]
        assert torch.equal(a[a.any(1)], torch.cat([one[0] for one in parts])), "no number is changed"
        summed = sum(one[1].double() @ one[0].double() for one in parts)
        torch.testing.assert_close(b.double() @ a.double(), summed, rtol=1e-12, atol=1e-12)
    config = json.loads((tmp_path / chain / "adapter_config.json").read_text())
    assert config["r"] == config["lora_alpha"] == rank


@pytest.mark.model
def test_the_base_is_served_as_an_adapter_that_adds_nothing(lite, tmp_path):
    """A row without an adapter would get the last one's from vLLM's CPU build, when they share a batch."""
    served = write_adapters(lite, ensure_base(lite, load_settings()), tmp_path)
    assert set(served) == {spec.id for spec in lite.every}
    folder, rank = served["base"]
    nothing = load_file(folder / "adapter_model.safetensors")
    assert rank == min(one for _, one in served.values())
    assert nothing.keys() == load_file(served["sft-r8-low"][0] / "adapter_model.safetensors").keys()
    assert not any(tensor.any() for name, tensor in nothing.items() if "lora_B" in name)
    command = start_command(tmp_path, served, "bare", "float32")
    assert command[command.index("--max-loras") + 1] == str(len(served))
    assert command[command.index("--served-model-name") + 1] not in lite.ids


def test_the_start_command_names_every_model(tmp_path):
    served = {"low": (tmp_path / "low", 8), "grpo": (tmp_path / "grpo", 24)}
    words = start_command(tmp_path, served, "base", "float32")
    assert words[words.index("--max-lora-rank") + 1] == "32"
    assert f"grpo={tmp_path / 'grpo'}" in words
