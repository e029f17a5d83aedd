"""The study's two rewards by hand."""

from __future__ import annotations

import pytest

from training.config import RewardsConfig
from training.rewards import length_reward, readability_reward, reward_functions


@pytest.mark.parametrize(
    ("words", "reward"),
    [(0, -1), (15, 0), (29, -1 + 58 / 30), (30, 1), (300, 1), (301, 0.98), (350, 0), (400, -1), (5000, -1)],
)
def test_length(words: int, reward: float) -> None:
    assert length_reward("word " * words) == pytest.approx(reward)


def test_the_upper_length_of_the_studys_script_is_a_choice() -> None:
    assert length_reward("word " * 2000, high=3000) == 1


def test_readability_by_hand() -> None:
    # "The cat sat on the mat." 6 words, 1 sentence, 6 syllables: 206.835 - 1.015·6 - 84.6·1 = 116.145, clipped to 100.
    assert readability_reward("The cat sat on the mat.") == 1
    # "Medicine can alleviate hypertension." 4 words, 12 syllables: far below 0, clipped to 0.
    assert readability_reward("Medicine can alleviate hypertension.") == -1
    # "My doctor gave me some water today." 7 words, 10 syllables: 206.835 - 7.105 - 84.6·10/7 = 78.873.
    assert readability_reward("My doctor gave me some water today.") == pytest.approx(78.873 / 50 - 1, abs=1e-3)


@pytest.mark.parametrize("text", ["", "   ", "!!! …"])
def test_nothing_earns_the_worst_of_both(text: str) -> None:
    assert readability_reward(text) == -1
    assert length_reward(text) < -0.8


def test_trl_form_takes_text_and_conversations_and_leaves_out_weightless_rewards() -> None:
    functions, weights = reward_functions(RewardsConfig(readability=2.0, length=0.0))
    assert weights == [2.0]
    conversation = [{"role": "assistant", "content": "The cat sat on the mat."}]
    assert functions[0](completions=["The cat sat on the mat.", conversation], prompts=["p", "p"]) == [1, 1]
    assert functions[0].__name__ == "readability"
