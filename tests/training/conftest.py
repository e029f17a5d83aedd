"""A tiny random base with the real tokenizer, and a data set of the tests' own: whole runs in seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from medilite.models import PROFILES_DIR
from medilite.records import Example
from training.data.manifest import write_splits

TOPICS = ("asthma", "diabetes", "gout", "measles", "migraine", "eczema", "anaemia", "arthritis")


def make_examples(count: int, start: int = 0) -> list[Example]:
    """Return made-up pairs of different lengths."""
    return [
        Example(
            qid=f"q{i}",
            question=f"What helps against {TOPICS[i % len(TOPICS)]} in case {i}?",
            answer=f"Rest and water help against {TOPICS[i % len(TOPICS)]}. " * (1 + i % 4) + "See a doctor.",
            source="tests",
            focus_area=TOPICS[i % len(TOPICS)],
            qtype="treatment",
        )
        for i in range(start, start + count)
    ]


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of splits as prepare_medquad writes them."""
    folder = tmp_path_factory.mktemp("data")
    splits = {
        "train": make_examples(24),
        "val": make_examples(8, 24),
        "test": make_examples(8, 32),
        "grpo": make_examples(12),
    }
    write_splits(folder, {"study": splits, "distinct": splits}, {"counts": {}}, {"study": {}, "distinct": {}})
    return folder


@pytest.fixture(scope="session")
def tiny_profile(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile like lite on a base of two random layers; its adapters go beside it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    base = folder / "base"
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=49152, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=512, tie_word_embeddings=True,
        bos_token_id=1, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(base)
    for file in weights.glob("*token*"):
        shutil.copy(file, base)
    for file in weights.glob("chat_template*"):
        shutil.copy(file, base)
    raw = yaml.safe_load((PROFILES_DIR / "lite.yaml").read_text())
    raw |= {"name": "tiny", "base": {"source": "folder", "model": "tiny", "path": str(base)}}
    for model in raw["models"]:
        if "adapter" in model:
            model["adapter"] = f"adapters/{model['id']}"
    path = folder / "profile.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path
