"""Masking: names of models and makers go, words of medicine stay."""

from __future__ import annotations

import pytest

from medilite.arena.mask import MASK, mask


@pytest.mark.parametrize(
    "named",
    [
        "SmolLM2-135M-Instruct", "SmolLM", "smol lm 2", "SmolLM2 1.7B", "Hugging Face", "huggingface", "HuggingFaceTB",
        "MediLite", "MedQuAD", "ChatGPT", "GPT-4o", "OpenAI", "Llama 3.1", "Meta AI", "Qwen2.5", "GRPO", "SFT r8 low",
        "sft-r8-low", "Anthropic", "Google DeepMind",
    ],
)  # fmt: skip
def test_names_go(named):
    said = mask(f"I am {named}, made to help. ({named.upper()})", also=["sft-r8-low", "SFT r8 low"])
    assert said == f"I am {MASK}, made to help. ({MASK})"


@pytest.mark.parametrize(
    "words",
    [
        "GPT and ALT are liver enzymes.", "A meta-analysis of llama antibodies.", "Based on the base of the skull.",
        "Open air helps.", "Explore a flora.", "The face is hugging.", "Gemini twins; Claude Bernard.", "medium quad",
        "A mistral wind.", "metal ai",
    ],
)  # fmt: skip
def test_words_of_medicine_and_life_stay(words):
    assert mask(words, also=["sft-r8-low"]) == words


def test_an_empty_name_hides_nothing():
    assert mask("All of this stays.", also=["", "  "]) == "All of this stays."
