"""What a model that answers from a passage is trained on: questions with the passage to answer from.

The form is that of the app and of evaluation (`medilite.prompts.sourced_messages`). The passage is the first of the
question's own answer that says enough, cut as the library cuts it. References are the passage alone: whatever an answer
adds to it is unsupported, true or not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from medilite.prompts import sourced_messages
from medilite.records import Example
from medilite.sources.passages import cut_passages

FEWEST_WORDS = 40
"""Passages of fewer words leave nothing to simplify."""


def passage_of(answer: str) -> str | None:
    """Return the first passage of an answer with at least FEWEST_WORDS words; None where there is none."""
    passages = (answer[cut.start : cut.end] for cut in cut_passages(answer))
    return next((passage for passage in passages if len(passage.split()) >= FEWEST_WORDS), None)


def with_passages(examples: Sequence[Example]) -> list[tuple[Example, str]]:
    """Return the examples whose answers have a passage, each with it."""
    found = ((example, passage_of(example.answer)) for example in examples)
    return [(example, passage) for example, passage in found if passage is not None]


def sourced_prompts(pairs: Sequence[tuple[Example, str]]) -> list[Example]:
    """Return the examples with the whole user turn, passage and question, in their question's place."""
    return [dataclasses.replace(one, question=sourced_messages(one.question, said)[0].content) for one, said in pairs]


def passage_columns(pairs: Sequence[tuple[Example, str]]) -> list[dict[str, Any]]:
    """Return the columns that the rewards read: the question alone, and the passage as its only reference."""
    return [{"question": example.question, "references": [passage]} for example, passage in pairs]
