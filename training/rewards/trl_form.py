"""The rewards in TRL's form: lists in, lists out, weighted as the configuration says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from medilite.claims import Findings
from medilite.content import Encoder, key_term_recall, sentence_encoder, topic_similarities
from medilite.data import question_key
from medilite.records import Example
from training.config import RewardsConfig
from training.rewards import claimed, faithful, form

Completion = str | list[dict[str, str]]


class RewardFunction(Protocol):
    """TRL's form: completions and the data set's columns in, one reward a completion out; None leaves one out."""

    __name__: str

    def __call__(self, completions: Sequence[Completion], **columns: Any) -> list[float | None]: ...


@dataclass(frozen=True, slots=True)
class Limit:
    """When a completion counts as cut off: `max_new_tokens` long without one of `end_ids` at its end."""

    max_new_tokens: int
    end_ids: frozenset[int]

    def ended(self, ids: Sequence[int]) -> bool:
        """Return whether the model ended the completion."""
        return len(ids) < self.max_new_tokens or (bool(ids) and ids[-1] in self.end_ids)


def text_of(completion: Completion) -> str:
    """Return a completion's text, which TRL passes as text or as a conversation."""
    return completion if isinstance(completion, str) else "".join(message["content"] for message in completion)


def reward_columns(prompts: Iterable[Example], examples: Iterable[Example]) -> list[dict[str, Any]]:
    """Return the columns that the rewards need, one row a prompt: its question, and all its references in `examples`.

    MedQuAD has several answers to some questions; questions are the same as
    `question_key` says. Give the whole training split, not the prompts' subset alone.
    """
    references: dict[str, dict[str, None]] = {}
    for example in examples:
        references.setdefault(question_key(example.question), {})[example.answer] = None
    return [
        {"question": prompt.question, "references": [*references.get(question_key(prompt.question), ())]}
        for prompt in prompts
    ]


def reward_functions(
    config: RewardsConfig, limit: Limit, encoder: Encoder | None = None
) -> tuple[list[RewardFunction], list[float]]:
    """Return TRL's reward functions and their weights; a weight of 0 leaves a reward out.

    They read the columns of `reward_columns`. `encoder` replaces the real one, which loads at the first call of
    `closeness`.
    """
    encoder_or_default = cache(lambda: encoder or _fast_encoder())

    def of_text(reward: Callable[[str], float]) -> Callable[..., list[float | None]]:
        def rewards(completions: Sequence[Completion], **_: Any) -> list[float | None]:
            return [reward(text_of(completion)) for completion in completions]

        return rewards

    def of_text_and_question(reward: Callable[[str, str], float]) -> Callable[..., list[float | None]]:
        def rewards(completions: Sequence[Completion], question: Sequence[str], **_: Any) -> list[float | None]:
            return [reward(text_of(c), asked) for c, asked in zip(completions, question, strict=True)]

        return rewards

    def closeness(
        completions: Sequence[Completion], question: Sequence[str], references: Sequence[Sequence[str]], **_: Any
    ) -> list[float | None]:
        texts = [*map(text_of, completions), *question]
        close = topic_similarities(texts, [*references, *references], encoder_or_default())
        pairs = zip(close[: len(completions)], close[len(completions) :], strict=True)
        return [faithful.closeness_reward(answer, asked) for answer, asked in pairs]

    def key_terms(
        completions: Sequence[Completion], question: Sequence[str], references: Sequence[Sequence[str]], **_: Any
    ) -> list[float | None]:
        rows = zip(completions, references, question, strict=True)
        return [faithful.key_terms_reward(key_term_recall(text_of(c), own, asked)) for c, own, asked in rows]

    def of_claims(reward: Callable[[Findings | None], float | None]) -> Callable[..., list[float | None]]:
        def rewards(
            completions: Sequence[Completion], question: Sequence[str], references: Sequence[Sequence[str]], **_: Any
        ) -> list[float | None]:
            rows = zip(completions, references, question, strict=True)
            return [reward(claimed.found_in(text_of(c), own, asked)) for c, own, asked in rows]

        return rewards

    def copied(completions: Sequence[Completion], references: Sequence[Sequence[str]], **_: Any) -> list[float | None]:
        return [faithful.copied_reward(text_of(c), own) for c, own in zip(completions, references, strict=True)]

    def grounded(
        completions: Sequence[Completion], question: Sequence[str], references: Sequence[Sequence[str]], **_: Any
    ) -> list[float | None]:
        rows = zip(completions, references, question, strict=True)
        return [claimed.grounded_reward(text_of(c), own, asked) for c, own, asked in rows]

    def ending(
        completions: Sequence[Completion], completion_ids: Sequence[Sequence[int]], **_: Any
    ) -> list[float | None]:
        rows = zip(completions, completion_ids, strict=True)
        return [form.ending_reward(text_of(c), limit.ended(ids)) for c, ids in rows]

    functions: dict[str, Callable[..., list[float | None]]] = {
        "readability": of_text(lambda text: form.readability_reward(text, config.ease_enough)),
        "length": of_text(lambda text: form.length_reward(text, config.length_low, config.length_high)),
        "sentences": of_text(form.sentences_reward),
        "jargon": of_text_and_question(form.jargon_reward),
        "closeness": closeness,
        "key_terms": key_terms,
        "f1": of_claims(claimed.f1_reward),
        "precision": of_claims(claimed.precision_reward),
        "supported": of_claims(claimed.supported_reward),
        "repetition": of_text(form.repetition_reward),
        "echo": of_text_and_question(form.echo_reward),
        "ending": ending,
        "copied": copied,
        "grounded": grounded,
    }
    used = {name: function for name, function in functions.items() if config.weights[name]}
    for name, function in used.items():
        # TRL logs a reward under its function's name.
        function.__name__ = name
    return [*used.values()], [config.weights[name] for name in used]  # type: ignore[list-item]


def _fast_encoder() -> Encoder:
    """Return the sentence encoder in the faster precision: half of a call's time is much of a step's."""
    from training.lean.products import bfloat16_is_fast

    return sentence_encoder("bfloat16" if bfloat16_is_fast() else "float32")
