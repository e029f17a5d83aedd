"""Question-answer pairs as token ids, for training and for measuring losses."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from medilite.prompts import training_ids
from medilite.records import Example

if TYPE_CHECKING:
    from datasets import Dataset

Chosen = TypeVar("Chosen")


@dataclass(frozen=True, slots=True)
class TokenPair:
    """One pair: `ids` of the whole conversation, of which the first `prompt` are not the answer's."""

    qid: str
    ids: tuple[int, ...]
    prompt: int


DRAW_SEED = 42
"""Seed for drawing validation and test pairs, independent of a run's own seed, so that runs that differ only in their
seed compare on the same pairs."""


def choose(examples: Sequence[Chosen], count: int | None, seed: int) -> list[Chosen]:
    """Return `count` examples drawn without replacement, the same ones for the same seed; all if None."""
    if count is None or count >= len(examples):
        return list(examples)
    return random.Random(seed).sample(list(examples), count)


def tokenise(tokenizer: Any, examples: Sequence[Example], max_tokens: int) -> list[TokenPair]:
    """Return the pairs as ids, cut at `max_tokens` from the end; a cut answer loses its end-of-turn token.

    Pairs whose prompt alone fills the length have no answer token and are left out.
    """
    pairs = []
    for example in examples:
        prompt, answer = training_ids(tokenizer, example.question, example.answer)
        ids = (prompt + answer)[:max_tokens]
        if len(ids) > len(prompt):
            pairs.append(TokenPair(example.qid, tuple(ids), len(prompt)))
    return pairs


def draw_whole(
    tokenizer: Any, examples: Sequence[Example], max_tokens: int, count: int | None, seed: int
) -> list[TokenPair]:
    """Return `count` pairs (all if None, or if there are fewer) that fit into `max_tokens` whole, drawn by `seed`."""
    pairs: list[TokenPair] = []
    for example in random.Random(seed).sample(list(examples), len(examples)):
        if count is not None and len(pairs) == count:
            break
        pairs += [pair for pair in tokenise(tokenizer, [example], max_tokens + 1) if len(pair.ids) <= max_tokens]
    return pairs


def as_dataset(pairs: Sequence[TokenPair], loss_on: str) -> Dataset:
    """Return TRL's pre-tokenised form: input ids, and labels that are -100 where no loss is taken."""
    from datasets import Dataset

    rows = []
    for pair in pairs:
        ignored = pair.prompt if loss_on == "answer" else 0
        rows.append({"input_ids": list(pair.ids), "labels": [-100] * ignored + list(pair.ids[ignored:])})
    return Dataset.from_list(rows)
