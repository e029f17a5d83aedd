"""Which asks an answers file makes, and what each is, hash and all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from eval.answers import SavedAnswer
from eval.judging.prompt import ORDERS, PAIR_VERSION, SCORES_VERSION, Order, pair_messages, score_messages
from eval.questions import Question, text_hash
from medilite.records import Message

Kind = Literal["scores", "pair"]
Body = Callable[[str, Sequence[Message]], Mapping[str, Any]]
"""What is sent for a kind of judgment and a conversation (`JudgeClient.body`)."""

CHARACTERS_PER_TOKEN = 4.0
"""Characters a token of English, roughly, for today's tokenizers; good enough to estimate a run."""

REPLY_TOKENS = {"scores": 40, "pair": 12}
"""Tokens of a reply in the requested form."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged: an answer (`versus` None), or two answers to one question.

    `order` is that of the criteria, or of the two answers: forward shows
    `model` first.
    """

    kind: Kind
    split: str
    qid: str
    model: str
    versus: str | None
    order: Order


@dataclass(frozen=True, slots=True)
class Ask:
    """One judgment to be had.

    `key` is the SHA-256 of all that can change the reply: prompt version, judge,
    conversation and settings. Two asks of one key are one ask. `answers` names
    the texts judged (`questions.text_hash`).
    """

    subject: Subject
    prompt: str
    answers: tuple[str, ...]
    messages: tuple[Message, ...]
    key: str

    @property
    def prompt_tokens(self) -> int:
        """About how many tokens the judge will read."""
        return round(sum(len(message.content) for message in self.messages) / CHARACTERS_PER_TOKEN)


Answers = Mapping[tuple[str, str], SavedAnswer]
"""Answers by (qid, model)."""


def by_question(answers: Iterable[SavedAnswer]) -> dict[tuple[str, str], SavedAnswer]:
    """Return answers by (qid, model)."""
    return {(answer.qid, answer.model): answer for answer in answers}


def score_asks(
    questions: Sequence[Question], answers: Answers, models: Sequence[str], split: str, order: Order, body: Body
) -> Iterator[Ask]:
    """Yield an ask for the scores of every answer that is there, question by question; an empty answer counts."""
    for question in questions:
        for model in models:
            if (answer := answers.get((question.qid, model))) is None:
                continue
            messages = score_messages(question.text, question.references, answer.text, order)
            subject = Subject("scores", split, question.qid, model, None, order)
            yield _ask(subject, SCORES_VERSION, (answer.text,), messages, body)


def pair_asks(
    questions: Sequence[Question], answers: Answers, model: str, versus: str, split: str, body: Body
) -> Iterator[Ask]:
    """Yield two asks, one an order, for every question that both models answered."""
    for question in questions:
        pair = [answers.get((question.qid, name)) for name in (model, versus)]
        if (one := pair[0]) is None or (other := pair[1]) is None:
            continue
        for order in ORDERS:
            first, second = (one, other) if order == "forward" else (other, one)
            messages = pair_messages(question.text, question.references, first.text, second.text)
            subject = Subject("pair", split, question.qid, model, versus, order)
            yield _ask(subject, PAIR_VERSION, (one.text, other.text), messages, body)


def _ask(subject: Subject, version: str, texts: Sequence[str], messages: Sequence[Message], body: Body) -> Ask:
    asked = json.dumps({"prompt": version, **body(subject.kind, messages)}, sort_keys=True, ensure_ascii=False)
    key = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()
    return Ask(subject, version, tuple(text_hash(text) for text in texts), tuple(messages), key)
