"""The records that all parts share: messages, requests, steps, answers, examples.

Plain frozen dataclasses without behaviour beyond their own validation, so that every part can import them without
loading a library.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from medilite.errors import DecodingError

Role = Literal["system", "user", "assistant"]

StopReason = Literal["end", "length", "cancelled", "error"]
"""Why an answer stopped: the model ended it (or all of a text is scored), the token limit, the user, or a failure."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Decoding:
    """How the next token is chosen.

    `temperature` 0 is greedy. `top_p` keeps the smallest set of tokens whose
    probabilities add up to it. `repetition_penalty` divides the positive logits
    (multiplies the negative) of every token already in prompt or answer, as in
    Keskar et al. 2019 and transformers; 1 leaves them alone.
    """

    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        checks = (
            ("max_new_tokens", self.max_new_tokens, 1, 8192),
            ("temperature", self.temperature, 0.0, 2.0),
            ("top_p", self.top_p, 0.01, 1.0),
            ("repetition_penalty", self.repetition_penalty, 1.0, 2.0),
        )
        for name, value, low, high in checks:
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise DecodingError(f"{name}={value!r} can't be used: it has to be a number from {low:g} to {high:g}.")
        if self.max_new_tokens != int(self.max_new_tokens):
            raise DecodingError(f"max_new_tokens={self.max_new_tokens!r} can't be used: give a whole number.")


SHOWN_DECODING = Decoding(max_new_tokens=128, repetition_penalty=1.1)
"""The default decoding, in the browser and on the command line.

Greedy, so that one link gives one answer; the slight penalty keeps a small model from looping.
"""


MOST_ALTERNATIVES = 20
"""Likeliest tokens that a request may ask for in each place."""


@dataclass(frozen=True, slots=True)
class Request:
    """One answer asked for: which model, what conversation, how to decode, which seed.

    Two requests with the same `seed` get the same random numbers step by step, for any models. `visitor` is a secret id
    of the visitor: an engine may keep what it computed for one visitor and reuse it when they ask again, and serves
    visitors in turn. Without one nothing is kept. `network` is a hash of the network address: turns are between
    addresses first, and one address never fills the engine. `passage` is what the answer has to be made from, a part
    of the last message: words are weighed then (`engine.wording`).

    For researchers; an engine that can't do it raises EngineError:

    - `alternatives`: report each token's log-probability, and that many of the likeliest tokens there with theirs.
    - `strength`: how far to go from the model `other` (default: its parent adapter's, or the base) to `model`, whose
      weights differ from those of `other` by so many times what adapters add: 0 is `other`, 1 is `model`, above 1 is
      beyond it. Between two adapters it mixes them.
    - `begun`: the first tokens of the answer, which the model continues; its own text is continued identically.
    - `scored`: write nothing, but score this answer, a text or its tokens: their log-probabilities, in one prefill.
    - `divergence`: with `scored`, how far the distributions of the call's models are apart in each place. All
      requests of the call score the same answer then.
    """

    model: str
    messages: tuple[Message, ...]
    decoding: Decoding = field(default_factory=Decoding)
    seed: int = 0
    visitor: str = field(default="", repr=False)
    network: str = field(default="", repr=False)
    passage: str = field(default="", repr=False)
    alternatives: int | None = None
    strength: float = 1.0
    other: str = ""
    scored: str | tuple[int, ...] | None = None
    begun: tuple[int, ...] = ()
    divergence: bool = False

    def __post_init__(self) -> None:
        if self.alternatives is not None and not 0 <= self.alternatives <= MOST_ALTERNATIVES:
            raise DecodingError(
                f"alternatives={self.alternatives!r} can't be used: give a whole number from 0 to {MOST_ALTERNATIVES}."
            )
        if not -4 <= self.strength <= 4:
            raise DecodingError(f"strength={self.strength!r} can't be used: give a number from -4 to 4.")


@dataclass(frozen=True, slots=True)
class TokenScore:
    """How likely one token was: the natural logarithm of its probability, before temperature, top-p and penalty.

    `best` are the likeliest tokens in its place, (text, logarithm), the likeliest first. `bits` is how far this
    model's distribution there is from that of each request of the call, and last from the mean of them all:
    Kullback-Leibler divergences to base 2, None if there is no such distribution; empty unless asked for.
    """

    token: int
    text: str
    logprob: float
    best: tuple[tuple[str, float], ...] = ()
    bits: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class RowStep:
    """What one request got in one step: new text, tokens so far, and why it stopped (None: it is running).

    After a row has stopped, its later steps carry no text and the same `stopped`.
    `error` is set only where `stopped` is "error". `scores` are of the step's tokens,
    the one that ended the answer included, where the request asked for them. `ids` are
    these tokens, from engines that know them.
    """

    text: str
    tokens: int
    stopped: StopReason | None = None
    error: str | None = None
    scores: tuple[TokenScore, ...] = ()
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One tick of the common clock: `rows[i]` belongs to the i-th request.

    While a request waits for other visitors, steps arrive with `waiting` = how
    many visitors are ahead (1 or more) and rows without text.
    """

    rows: tuple[RowStep, ...]
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said, whole."""

    model: str
    text: str
    tokens: int
    stopped: StopReason
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One question-answer pair of the data set, as prepare_medquad writes it (one JSONL line each)."""

    qid: str
    question: str
    answer: str
    source: str
    focus_area: str
    qtype: str
