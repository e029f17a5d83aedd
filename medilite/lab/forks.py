"""Where answers part: the token at which one leaves its parent's path, and how far all models are apart on the way.

Every model draws with the same random numbers, so two answers are the same up to one token; from there each continues
its own text, and later differences follow from it. An answer is scored by all models in one prefill, so that the
probability of either token at the fork is known for both.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from medilite.errors import QuestionError
from medilite.models import Profile
from medilite.records import Decoding, Message, Request, Step, StopReason, TokenScore

ALTERNATIVES = 3
"""How many likeliest tokens to ask for at each place."""

FARTHEST = 10
"""How many places with the largest divergence are listed for an answer."""


@dataclass(frozen=True, slots=True)
class Written:
    """An answer by its tokens: `pieces[i]` is the text that came with `ids[i]`."""

    model: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    stopped: StopReason = "end"

    @property
    def ended(self) -> bool:
        """Whether the model itself ended it: its last token is then the one that ends an answer, and no text."""
        return self.stopped == "end"

    def piece(self, at: int) -> str | None:
        """Return what it says at a place: a token's text, "" for its end, None if it says nothing there."""
        if at >= len(self.ids):
            return None
        return "" if self.ended and at == len(self.ids) - 1 else self.pieces[at]

    def before(self, at: int) -> str:
        """Return its text up to a place."""
        return "".join(self.pieces[:at])


def first_difference(one: Sequence[int], other: Sequence[int]) -> int | None:
    """Return the first place at which two answers have different tokens; None if one is how the other begins."""
    return next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)


@dataclass(frozen=True, slots=True)
class Choice:
    """A token at a fork, and its probability to both models there (None: not known)."""

    text: str
    to_model: float | None
    to_parent: float | None


@dataclass(frozen=True, slots=True)
class Fork:
    """Where an answer leaves its parent's path: after `at` tokens in common, `said` instead of `instead`.

    `bits` is the Kullback-Leibler divergence of the model from its parent there.
    """

    model: str
    parent: str
    at: int
    said: Choice
    instead: Choice
    bits: float | None


@dataclass(frozen=True, slots=True)
class Place:
    """A place of an answer: how far all models are apart there (bits), and each one's likeliest token."""

    at: int
    text: str
    bits: float
    likeliest: Mapping[str, tuple[str, float]]


@dataclass(slots=True)
class ScoredAnswer:
    """One answer under all models: what of the scores is needed, place by place. A page keeps it while it is open.

    `own[model][at]` is the probability of the token that the answer has there to a model, `from_other[model][at]` how
    far the model that wrote it is from another there (Kullback-Leibler, bits; nan: not known), `apart[at]` how far all
    models are apart: the Jensen-Shannon divergence, in bits, from 0 to log2 of their number. None is not known.
    """

    model: str
    own: dict[str, array[float]] = field(default_factory=dict)
    from_other: dict[str, array[float]] = field(default_factory=dict)
    apart: list[float | None] = field(default_factory=list)
    farthest: list[Place] = field(default_factory=list)

    @property
    def mean_bits(self) -> float | None:
        """How far the models are apart on average along the answer."""
        known = [bits for bits in self.apart if bits is not None]
        return math.fsum(known) / len(known) if known else None


class Scoring:
    """Scores one answer by all of `models`; pass every step of the engine to `take`, then read `result`.

    What it has in common with the beginning of one of `before`, which are scored already, is taken from there.
    `scores` are each model's, token by token.
    """

    def __init__(self, answer: Written, models: Sequence[str], before: Sequence[Scoring] = ()) -> None:
        if not answer.ids:
            raise QuestionError("There is nothing to map: this answer has no token. Ask another question.")
        self.answer, self.models = answer, tuple(models)
        self.scores: dict[str, tuple[TokenScore, ...]] = {}
        self._known: dict[str, tuple[TokenScore, ...]] = {}
        self._common = 0
        for other in before:
            shared = first_difference(answer.ids, other.answer.ids)
            # At least its last token is asked for, so that there is something to ask.
            common = min(len(answer.ids) - 1, len(other.answer.ids) if shared is None else shared)
            if common > self._common and other.models == self.models:
                self._common, self._known = common, other.scores

    def requests(self, messages: tuple[Message, ...], visitor: str = "") -> tuple[Request, ...]:
        """Return what to ask the engine: the same answer scored by each model."""
        return tuple(
            Request(
                model, messages, Decoding(max_new_tokens=1), visitor=visitor, alternatives=ALTERNATIVES,
                begun=self.answer.ids[: self._common], scored=self.answer.ids[self._common :], divergence=True,
            )
            for model in self.models
        )  # fmt: skip

    def take(self, step: Step) -> None:
        """Keep the scores that a step brought."""
        if not step.waiting:
            for model, row in zip(self.models, step.rows, strict=True):
                known = self._known.get(model, ())[: self._common]
                if row.scores and len(known) == self._common:
                    self.scores[model] = known + row.scores

    def result(self) -> ScoredAnswer:
        """Return the scored answer; a model that failed is left out."""
        found = ScoredAnswer(self.answer.model)
        for model, scores in self.scores.items():
            found.own[model] = array("d", [math.exp(score.logprob) for score in scores])
        for other, name in enumerate(self.models):
            bits = [score.bits[other] if score.bits else None for score in self.scores.get(self.answer.model, ())]
            found.from_other[name] = array("d", [math.nan if value is None else value for value in bits])
        found.apart = [_mean([s[at].bits[-1] if s[at].bits else None for s in self.scores.values()])
                       for at in range(len(self.answer.ids))]  # fmt: skip
        order = sorted((at for at, bits in enumerate(found.apart) if bits), key=lambda at: -(found.apart[at] or 0.0))
        for at in sorted(order[:FARTHEST]):
            best = {model: scores[at].best[0] for model, scores in self.scores.items() if scores[at].best}
            likeliest = {model: (text, math.exp(log)) for model, (text, log) in best.items()}
            found.farthest.append(Place(at, self.answer.piece(at) or "", found.apart[at] or 0.0, likeliest))
        return found

    def keep_for(self, answers: Iterable[Written]) -> None:
        """Forget the scores that none of these answers, which are scored later, has in common with this one."""
        shared = [(first_difference(self.answer.ids, other.ids), len(other.ids)) for other in answers]
        most = max((length if at is None else at for at, length in shared), default=0)
        self.scores = {model: scores[:most] for model, scores in self.scores.items()}


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


@dataclass(slots=True)
class ForkMap:
    """The answers to one question, as far as they are scored, by the model that wrote them."""

    question: str
    profile: Profile
    decoding: Decoding
    seed: int
    answers: dict[str, Written] = field(default_factory=dict)
    scored: dict[str, ScoredAnswer] = field(default_factory=dict)

    def parent_of(self, model: str) -> str | None:
        """Return the model whose path an answer is compared with: its parent adapter's, or the base; None for that."""
        chain = self.profile.chain(model)
        base = self.profile.base_model
        if not chain:
            return None
        return chain[-1].stacked_on or (base.id if base else None)

    def fork(self, model: str) -> Fork | None:
        """Return where a model's answer leaves its parent's; None if it doesn't, or one of the two is missing."""
        parent = self.parent_of(model)
        answer, before = self.answers.get(model), self.answers.get(parent or "")
        if parent is None or answer is None or before is None:
            return None
        at = first_difference(answer.ids, before.ids)
        if at is None:
            return None
        bits = self._bits(self.scored.get(model), parent, at)
        return Fork(
            model, parent, at,
            Choice(answer.piece(at) or "", self._share(model, model, at), self._share(model, parent, at)),
            Choice(before.piece(at) or "", self._share(parent, model, at), self._share(parent, parent, at)),
            bits,
        )  # fmt: skip

    def going_on(
        self, model: str, tokens: int, models: Sequence[str], visitor: str = ""
    ) -> tuple[tuple[Request, ...], str]:
        """Return requests in which `models` continue an answer's first tokens, and the text of these.

        Raises QuestionError if there is no such answer, or not so much of it.
        """
        answer = self.answers.get(model)
        if answer is None:
            raise QuestionError("That answer isn't in the map any more. Map the forks again.")
        most = len(answer.ids) - answer.ended
        if isinstance(tokens, bool) or not isinstance(tokens, int | float) or tokens != int(tokens):
            raise QuestionError(f"{tokens!r:.40} is no number of tokens: give a whole number from 1 to {most}.")
        if not 1 <= tokens <= most:
            raise QuestionError(f"{tokens:g} tokens can't be kept: this answer has {most}. Give a number from 1 on.")
        begun = answer.ids[: int(tokens)]
        messages = (Message("user", self.question),)
        requests = tuple(Request(name, messages, self.decoding, self.seed, visitor, begun=begun) for name in models)
        return requests, answer.before(int(tokens))

    def _share(self, of: str, to: str, at: int) -> float | None:
        """Return how likely the token that the answer `of` has at a place is to the model `to`."""
        scored = self.scored.get(of)
        own = scored.own.get(to) if scored else None
        return own[at] if own and at < len(own) else None

    def _bits(self, scored: ScoredAnswer | None, other: str, at: int) -> float | None:
        """Return how far the model of a scored answer is from another at a place of it."""
        values = scored.from_other.get(other) if scored else None
        return values[at] if values and at < len(values) and not math.isnan(values[at]) else None
