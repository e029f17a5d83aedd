"""Rewards for GRPO: plain functions of a text, and their list-in, list-out form for TRL.

Each returns a number from -1 (worst) to 1 (best).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from medilite.readability import measure
from training.config import RewardsConfig

Completion = str | list[dict[str, str]]
RewardFunction = Callable[..., list[float | None]]
"""TRL's form: completions in, a reward for each out; None would leave one out of the sum."""


def readability_reward(text: str) -> float:
    """Return Flesch reading ease, clipped to 0..100, mapped to -1..1; -1 for a text without words.

    Source: the study's reward, ease / 50 - 1.
    """
    ease = measure(text).flesch_reading_ease
    return -1.0 if ease is None else min(max(ease, 0.0), 100.0) / 50 - 1


def length_reward(text: str, low: int = 30, high: int = 300) -> float:
    """Return 1 for `low` to `high` words; below, rising from -1 at no word; above, 0.02 less a word, down to -1.

    Source: the study's reward. Words are split on white space.
    """
    words = len(text.split())
    if words < low:
        return -1 + 2 * words / low
    return 1.0 if words <= high else max(-1.0, 1 - 0.02 * (words - high))


def text_of(completion: Completion) -> str:
    """Return a completion's text, whether TRL hands it over as text or as a conversation."""
    return completion if isinstance(completion, str) else "".join(message["content"] for message in completion)


def reward_functions(config: RewardsConfig) -> tuple[list[RewardFunction], list[float]]:
    """Return TRL's reward functions and their weights; a weight of 0 leaves a reward out."""

    def readability(completions: Sequence[Completion], **_: Any) -> list[float | None]:
        return [readability_reward(text_of(completion)) for completion in completions]

    def length(completions: Sequence[Completion], **_: Any) -> list[float | None]:
        return [length_reward(text_of(c), config.length_low, config.length_high) for c in completions]

    pairs: list[tuple[RewardFunction, float]] = [(readability, config.readability), (length, config.length)]
    used = [(function, weight) for function, weight in pairs if weight]
    return [function for function, _ in used], [weight for _, weight in used]
