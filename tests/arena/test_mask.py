"""Masking: names of models and makers go, words of medicine stay."""

from __future__ import annotations

from itertools import pairwise

import pytest

from medilite.arena.mask import HELD_WORDS, MASK, mask, mask_growing, names_of


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


# -- while an answer is written ----------------------------------------------------


@pytest.mark.parametrize(
    "named", ["SmolLM2-135M-Instruct", "smol lm 2 135 m instruct", "Hugging Face", "Google DeepMind", "SFT r8 low"]
)
def test_no_part_of_a_name_is_seen_while_it_is_written(lite, named):
    whole = f"It helps to rest. I am {named} and I was made to help people with questions like the one you have asked."
    names = names_of(lite)
    shown = [mask_growing(whole[:end], names) for end in range(len(whole) + 1)]
    final = mask(whole, names)
    assert named not in final
    assert all(final.startswith(part.rstrip()) for part in shown)
    assert all(len(earlier) <= len(later) for earlier, later in pairwise(shown))
    assert any(MASK in part for part in shown)


def test_only_the_last_words_are_held_back():
    words = [f"word{i} " for i in range(HELD_WORDS + 3)]
    assert mask_growing("".join(words)) == "word0 word1 word2 "
    assert mask_growing("".join(words[:HELD_WORDS])) == ""


def test_a_profile_s_own_names_are_hidden_and_plain_words_are_not(lite):
    names = names_of(lite)
    assert {"sft-r8-low", "SFT r16 high", "SmolLM2-135M-Instruct"} <= set(names)
    assert "Base" not in names
