"""What an adapter's configuration says: the logits are PEFT's in float32, or it is refused by the key's name."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from medilite.engine.local.adapter_config import AdapterConfig, AdapterConfigError
from medilite.engine.local.adapters import AdapterBank, read_adapter
from medilite.engine.local.llama import Llama
from medilite.errors import ModelUnavailableError
from tests.engine.small import write_base

ROOT = Path(__file__).resolve().parents[3]

LAYERS = 12
"""More than ten, so that patterns meet layers of one and of two digits."""

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
IDS = torch.tensor([[5, 77, 3, 150, 9, 42, 301, 8]])

# What the adapter is made with, and what its file says afterwards.
SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "one module": ({"target_modules": ["v_proj"]}, {}),
    "all modules": ({"target_modules": ALL}, {}),
    "all-linear": ({"target_modules": "all-linear"}, {}),
    "all-linear in the file": ({"target_modules": ALL}, {"target_modules": "all-linear"}),
    "targets as a pattern": ({"target_modules": r".*\.(1|10)\.self_attn\.(q|v)_proj"}, {}),
    "targets with their path": ({"target_modules": ["self_attn.q_proj", "layers.3.mlp.up_proj"]}, {}),
    "excluded": ({"target_modules": ALL, "exclude_modules": ["k_proj"]}, {}),
    "excluded by pattern": ({"target_modules": ALL, "exclude_modules": r".*layers\.1\..*"}, {}),
    "some layers": ({"layers_to_transform": [1, 10]}, {}),
    "one layer": ({"layers_to_transform": 2, "layers_pattern": "layers"}, {}),
    "rank-stabilised": ({"use_rslora": True}, {}),
    "ranks by module": ({"rank_pattern": {"q_proj": 2}}, {}),
    "ranks by alternatives": ({"rank_pattern": {"q_proj|v_proj": 2}}, {}),
    "ranks by alternatives with paths": (
        {"rank_pattern": {"layers.1.self_attn.q_proj|layers.2.self_attn.v_proj": 6}},
        {},
    ),
    "ranks anchored": ({"rank_pattern": {r"^model\.layers\.1\.self_attn\.q_proj$": 7}}, {}),
    "ranks anchored in vain": ({"rank_pattern": {"^q_proj": 7, "v_proj$": 2}}, {}),
    "dots match anything": ({"rank_pattern": {"layers.1.*": 2}}, {}),
    "classes": ({"rank_pattern": {r"layers\.(?:[0-4]|1[01])\..*_proj": 3}}, {}),
    "the first pattern that matches": ({"rank_pattern": {r".*v_proj": 2, r"layers\.1\.self_attn\.v_proj": 7}}, {}),
    "alphas by alternatives": ({"alpha_pattern": {"k_proj|v_proj": 3}}, {}),
    "alphas anchored": ({"alpha_pattern": {r"^.*\.layers\.1\.": 5, r"model.layers.1.self_attn.v_proj": 9}}, {}),
    "both, rank-stabilised": (
        {"rank_pattern": {r"\.1\.|q_proj": 2}, "alpha_pattern": {"(q|v)_proj": 1.5}, "use_rslora": True},
        {},
    ),
    "alpha of no whole number": ({"lora_alpha": 0.5}, {}),
    "dropout": ({"lora_dropout": 0.3}, {}),
    "gaussian start": ({"init_lora_weights": "gaussian"}, {}),
    "orthogonal start": ({"init_lora_weights": "orthogonal", "r": 4}, {}),
    "no start": ({"init_lora_weights": False}, {}),
    "fan in fan out": ({}, {"fan_in_fan_out": True}),
    "no task": ({"task_type": None}, {}),
    "no targets in the file": ({}, {"target_modules": None}),
    "layers named in a list": ({"layers_to_transform": [1, 2]}, {"layers_pattern": ["blocks", "layers"]}),
    "what a name does not hold": ({"target_modules": r"^(?!.*\.1\.).*(?:q_proj|v_proj)"}, {}),
    "empty keys of another release": ({}, {"some_config": None, "use_something": False, "enable_lora": []}),
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "dora": ({"use_dora": True}, "use_dora"),
    "corda": ({"init_lora_weights": "corda"}, "init_lora_weights"),
    "loftq": ({"init_lora_weights": "loftq", "loftq_config": {"loftq_bits": 4}}, "init_lora_weights"),
    "pissa": ({"init_lora_weights": "pissa_niter_16"}, "init_lora_weights"),
    "olora": ({"init_lora_weights": "olora"}, "init_lora_weights"),
    "lora_ga": ({"init_lora_weights": "lora_ga"}, "init_lora_weights"),
    "a start of tomorrow": ({"init_lora_weights": "tomorrow"}, "init_lora_weights"),
    "a start that is a number": ({"init_lora_weights": 1}, "init_lora_weights"),
    "alora": ({"alora_invocation_tokens": [1, 2]}, "alora_invocation_tokens"),
    "blocks": ({"use_bdlora": {"target_modules_bd_a": ["q_proj"]}}, "use_bdlora"),
    "qalora": ({"use_qalora": True}, "use_qalora"),
    "kasa": ({"kasa_config": {"beta": 1}}, "kasa_config"),
    "monteclora": ({"monteclora_config": {"x": 1}}, "monteclora_config"),
    "velora": ({"velora_config": {"x": 1}}, "velora_config"),
    "arrow": ({"arrow_config": {"top_k": 2}}, "arrow_config"),
    "biases of its own": ({"lora_bias": True}, "lora_bias"),
    "biases": ({"bias": "lora_only"}, "bias"),
    "modules to save": ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
    "tokens": ({"trainable_token_indices": [1]}, "trainable_token_indices"),
    "layers repeated": ({"layer_replication": [[0, 1]]}, "layer_replication"),
    "parameters": ({"target_parameters": ["q_proj.weight"]}, "target_parameters"),
    "megatron": ({"megatron_config": {"x": 1}}, "megatron_config"),
    "another task": ({"task_type": "SEQ_CLS"}, "task_type"),
    "another method": ({"peft_type": "LOHA"}, "peft_type"),
    "unknown": ({"use_tomorrow": True}, "use_tomorrow"),
    "unknown number": ({"gate_scale": 0}, "gate_scale"),
    "no rank": ({"r": None}, "r="),
    "rank of zero": ({"r": 0}, "r="),
    "rank as text": ({"r": "8"}, "r="),
    "rank as truth": ({"r": True}, "r="),
    "alpha of no number": ({"lora_alpha": float("nan")}, "lora_alpha"),
    "alpha without end": ({"lora_alpha": float("inf")}, "lora_alpha"),
    "alpha too large": ({"lora_alpha": 10**400}, "lora_alpha"),
    "no alpha": ({"lora_alpha": None}, "lora_alpha"),
    "no expression": ({"rank_pattern": {"q_proj(": 4}}, "rank_pattern"),
    "patterns as a list": ({"alpha_pattern": ["q_proj"]}, "alpha_pattern"),
    "rank of a pattern": ({"rank_pattern": {"q_proj": -1}}, "rank_pattern"),
    "targets of no kind": ({"target_modules": 7}, "target_modules"),
    "targets that are no expression": ({"target_modules": "*"}, "target_modules"),
    "targets without what is there": ({"target_modules": ["v_proj"]}, "target_modules"),
    "layers without what is there": ({"layers_to_transform": [0]}, "layers_to_transform"),
    "layers of another name": ({"layers_to_transform": list(range(12)), "layers_pattern": "blocks"}, "layers_pattern"),
    "layers beside a pattern": ({"layers_to_transform": 1, "target_modules": ".*"}, "layers_to_transform"),
    "excluded though there": ({"exclude_modules": ["q_proj"]}, "exclude_modules"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base"), num_hidden_layers=LAYERS)


def _peft_base(base: Path) -> Any:
    from transformers import LlamaForCausalLM

    return LlamaForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager").eval()


def _write(base: Path, folder: Path, made: dict[str, Any], edits: dict[str, Any]) -> Path:
    """Write an adapter as PEFT does, with random tensors, then change its file."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    wanted = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM", **made}
    model = get_peft_model(_peft_base(base), LoraConfig(**wanted))
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter.data, std=0.1)
    model.save_pretrained(folder)
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **edits}))
    return folder


def _our_logits(base: Path, folder: Path) -> torch.Tensor:
    llama = Llama(base, torch.device("cpu"), torch.float32)
    bank = AdapterBank(llama.shape, {"m": [read_adapter(folder, llama.shape, "m")]}, llama.device, torch.float32)
    length = IDS.shape[1]
    return llama.forward(
        IDS, torch.arange(length)[None], llama.new_cache(1, 32), bank.rows(["m"]), torch.tensor([length - 1])
    )[0]


@pytest.mark.parametrize("case", SAME)
@torch.no_grad()
def test_logits_are_pefts(case: str, base: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    folder = _write(base, tmp_path / "adapter", *SAME[case])
    theirs = PeftModel.from_pretrained(_peft_base(base), folder).eval()(IDS).logits[0, -1]
    without = _peft_base(base)(IDS).logits[0, -1]

    ours = _our_logits(base, folder)

    assert (theirs - without).abs().max() > 0.1, "the adapter is seen"
    assert (ours - theirs).abs().max() < 1e-3


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_names_the_key(case: str, base: Path, tmp_path: Path) -> None:
    edits, key = REFUSED[case]
    folder = _plain(base, tmp_path)
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **edits}))

    with pytest.raises(ModelUnavailableError, match="m: ") as caught:
        read_adapter(folder, Llama(base, torch.device("cpu"), torch.float32).shape, "m")
    assert key in str(caught.value)


def _plain(base: Path, tmp_path: Path) -> Path:
    made = base.parent / f"{base.name}-plain-adapter"
    if not made.is_dir():
        _write(base, made, {}, {})
    return Path(shutil.copytree(made, tmp_path / "plain"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"r": 1e999}',
        b'{"r": %s}' % (b"9" * 9000),
    ],
)
def test_a_file_of_any_content_is_one_models_fault(content: bytes, base: Path, tmp_path: Path) -> None:
    folder = _plain(base, tmp_path)
    (folder / "adapter_config.json").write_bytes(content)
    with pytest.raises(ModelUnavailableError, match="m: "):
        read_adapter(folder, Llama(base, torch.device("cpu"), torch.float32).shape, "m")


def test_any_value_anywhere_is_accepted_or_one_models_fault(base: Path, tmp_path: Path) -> None:
    folder, dice = _plain(base, tmp_path), random.Random(20)
    file = folder / "adapter_config.json"
    good = json.loads(file.read_text())
    shape = Llama(base, torch.device("cpu"), torch.float32).shape
    odd = [None, True, False, 0, -1, 3, 1e308, float("nan"), "", "x", "(", "*", [], [1], ["q_proj", 1], {}, [[]],
           {"q_proj": "x"}, {"(": 1}, {"a" * 2000: 1}, {"": None}]  # fmt: skip
    read = 0
    for _ in range(1500):
        config = dict(good)
        for _ in range(dice.choice((1, 1, 2, 3))):
            key = dice.choice([*good, "unknown"])
            if dice.random() < 0.15:
                config.pop(key, None)
            else:
                config[key] = dice.choice(odd)
        file.write_text(json.dumps(config))
        # Nothing else may be raised.
        with contextlib.suppress(ModelUnavailableError):
            read_adapter(folder, shape, "m")
            read += 1
    assert 0 < read < 1500


def test_weights_of_any_content_are_one_models_fault(base: Path, tmp_path: Path) -> None:
    folder, dice = _plain(base, tmp_path), random.Random(21)
    file = folder / "adapter_model.safetensors"
    good = file.read_bytes()
    shape = Llama(base, torch.device("cpu"), torch.float32).shape
    for _ in range(60):
        spoilt = bytearray(good[: dice.choice((0, 7, 8, 100, len(good), len(good)))])
        for _ in range(dice.randrange(1, 30)):
            if spoilt:
                spoilt[dice.randrange(min(len(spoilt), 3000))] = dice.randrange(256)
        file.write_bytes(bytes(spoilt))
        with contextlib.suppress(ModelUnavailableError):
            read_adapter(folder, shape, "m")


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("self_attn.q_proj.lora_A", "mlp.q_proj.lora_A"),
        ("layers.1.", "layers.01."),
        ("layers.1.", "layers.١."),
        ("q_proj.lora_A.weight", "q_proj.lora_A.default.weight"),
        ("q_proj.lora_A.weight", "q_proj.lora_A.weight\n"),
    ],
)
def test_a_tensor_that_peft_would_not_take_is_not_taken(name: str, instead: str, base: Path, tmp_path: Path) -> None:
    folder = _plain(base, tmp_path)
    file = folder / "adapter_model.safetensors"
    save_file({key.replace(name, instead): tensor for key, tensor in load_file(file).items()}, file)
    with pytest.raises(ModelUnavailableError, match="no module of the base takes"):
        read_adapter(folder, Llama(base, torch.device("cpu"), torch.float32).shape, "m")


@pytest.mark.parametrize("key", ["rank_pattern", "alpha_pattern", "target_modules", "exclude_modules"])
@pytest.mark.parametrize("pattern", ["([a-z_.0-9]+)+!", r"((?:[\w.]+)+)+=", "(a|[a-z_.0-9])*!"])
def test_a_pattern_that_python_would_match_for_years_stops_nothing(key: str, pattern: str, tmp_path: Path) -> None:
    file, value = tmp_path / "adapter_config.json", pattern if key.endswith("modules") else {pattern: 4}
    file.write_text(
        json.dumps({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"], key: value})
    )
    config = AdapterConfig.read(file)
    # Python's own matcher would hold the process up, and no time limit of a test ends it.
    with contextlib.suppress(AdapterConfigError):
        config.rank_and_scale("model.layers.11.self_attn.q_proj")
        config.targets_module("model.layers.11.self_attn.q_proj")


def test_patterns_get_a_time_and_the_one_that_takes_longer_is_named(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "adapter_config.json"
    slow = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "rank_pattern": {".*a.*b.*a.*b.*a.*b.*x": 4}}
    file.write_text(json.dumps(slow | {"target_modules": ["q_proj"]}))
    monkeypatch.setattr("medilite.engine.local.adapter_config._MATCHING_S", 0.05)
    config = AdapterConfig.read(file)
    with pytest.raises(AdapterConfigError, match="rank_pattern has a pattern that takes too long"):
        config.rank_and_scale("ab" * 4000)


def test_a_pointer_of_git_lfs_is_called_so(base: Path, tmp_path: Path) -> None:
    folder = _plain(base, tmp_path)
    (folder / "adapter_model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
    with pytest.raises(ModelUnavailableError, match="git lfs pull"):
        read_adapter(folder, Llama(base, torch.device("cpu"), torch.float32).shape, "m")


def test_the_committed_adapters_are_read() -> None:
    folders = list((ROOT / "assets" / "adapters" / "lite").iterdir())
    assert folders
    for folder in folders:
        assert AdapterConfig.read(folder / "adapter_config.json").rank in (8, 16)
