"""The workloads: who asks what, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medilite.errors import ConfigError, suggestion

NEW_TOKENS = 128


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question and, as the chat template makes them of it, the token ids that every peer gets."""

    question: str
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """One answer: a model, what it is asked, and exactly how many tokens to give."""

    model: str
    prompt: Prompt
    new_tokens: int


@dataclass(frozen=True, slots=True)
class Visitor:
    """One person who asks several models at once, so many seconds after the run began."""

    arrives_s: float
    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """`visitors` people, `apart_s` seconds apart; each asks `models` models for `new_tokens` tokens.

    `question_tokens` is how long a prompt is made by putting questions one after
    another; 0 asks one question.
    """

    name: str
    about: str
    visitors: int = 1
    models: int = 6
    new_tokens: int = NEW_TOKENS
    question_tokens: int = 0
    apart_s: float = 0.0


WORKLOADS = (
    Workload("one-model", "one visitor, one model", models=1),
    Workload("six-models", "one visitor, six models"),
    Workload("visitors-2", "two visitors at once, six models each", visitors=2),
    Workload("visitors-4", "four visitors at once, six models each", visitors=4),
    Workload("visitors-8", "eight visitors at once, six models each", visitors=8),
    Workload("arrivals-8", "eight visitors, half a second apart, six models each", visitors=8, apart_s=0.5),
    Workload("long-prompts", "one visitor, six models, prompts of 1,500 tokens", question_tokens=1500, new_tokens=64),
    Workload("long-answers", "one visitor, six models, 512 tokens each", new_tokens=512),
)


def choose(names: str) -> tuple[Workload, ...]:
    """Return the workloads named, "all" or "id,id"; raises ConfigError with the near name."""
    if names.strip() == "all":
        return WORKLOADS
    known = {workload.name: workload for workload in WORKLOADS}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise ConfigError(
                f"--workload {name!r}: there is no such workload.{suggestion(name, known)} Known: {', '.join(known)}."
            )
    return tuple(workload for workload in WORKLOADS if workload.name in wanted)


def visitors_of(workload: Workload, run: int, models: Sequence[str], prompts: Sequence[Prompt]) -> list[Visitor]:
    """Return the visitors of a run, the same for every peer; other runs have other questions.

    The one model of a workload
    that has one is the profile's last: the one with most adapters.
    """
    asked = list(models if workload.models > 1 else models[-1:])
    found = []
    for number in range(workload.visitors):
        prompt = prompts[(run * workload.visitors + number) % len(prompts)]
        asks = tuple(Ask(model, prompt, workload.new_tokens) for model in asked)
        found.append(Visitor(number * workload.apart_s, asks))
    return found


def question_texts(workload: Workload, questions: Sequence[str], tokens_of: Mapping[str, int]) -> list[str]:
    """Return what is asked in a workload: the questions, or several together until they are long enough.

    `tokens_of` is how many tokens each question has.
    """
    if not workload.question_tokens:
        return list(questions)
    found = []
    for first in range(len(questions)):
        text, length, place = "", 0, first
        while length < workload.question_tokens:
            question = questions[place % len(questions)]
            text, length, place = f"{text}{question} ", length + tokens_of[question], place + 1
        found.append(text.strip())
    return found
