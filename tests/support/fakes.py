"""Stand-ins for what needs weights: a small engine that answers from a script."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from medilite.engine.protocol import Availability
from medilite.errors import ContextOverflowError, MediLiteError
from medilite.models import ModelSpec, Profile
from medilite.progress import LoadProgress, ProgressCallback
from medilite.records import Message, Request, RowStep, Step, TokenScore

WORDS = (
    "Asthma is a condition that makes it hard to breathe. The airways in the lungs swell and fill with mucus. "
    "Common symptoms include coughing, wheezing and tightness in the chest. Inhaled corticosteroids reduce "
    "inflammation, and a doctor can help you to make a plan. Keep away from smoke and dust, which can make an "
    "attack more likely. "
)


@dataclass
class ScriptedEngine:
    """An Engine without a model: every row gets the words of its script, one a step.

    `gate`, if given, has to be set before loading ends.
    `scripts` maps a model to what it says (by default the same few sentences,
    each model starting at another word); an answer ends with its script.
    `step_s` is the time a step takes, `load_s` the time loading takes.
    `broken` maps models to why they are unavailable; `fail_after` makes a model's
    row fail after so many tokens; `explode_after` raises RuntimeError in mid-stream;
    `ahead` is how many visitors are ahead for the first few steps.
    `requests` records what was asked, `closed` how many streams were closed early.
    Tokens are words, numbered as they come (0 ends an answer). A model holds the word that its script
    has at a place for likely (0.6) and any other for unlikely (0.1), whatever came before it.
    """

    profile: Profile
    scripts: Mapping[str, str] = field(default_factory=dict)
    step_s: float = 0.0
    load_s: float = 0.0
    gate: threading.Event | None = None
    load_error: MediLiteError | None = None
    broken: Mapping[str, str] = field(default_factory=dict)
    fail_after: Mapping[str, int] = field(default_factory=dict)
    explode_after: int | None = None
    ahead: int = 0
    context: int = 2048
    requests: list[tuple[Request, ...]] = field(default_factory=list)
    vocabulary: list[str] = field(default_factory=lambda: [""])
    loads: int = 0
    finished: int = 0
    closed: int = 0
    _progress: LoadProgress = field(default_factory=lambda: LoadProgress("Waiting to load the model."))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self, on_progress: ProgressCallback | None = None) -> None:
        with self._lock:
            if self._progress.ready:
                return
            self.loads += 1
            self._progress = LoadProgress("Loading the scripted model.", 0.0)
            started = time.monotonic()
            while (passed := time.monotonic() - started) < self.load_s:
                self._progress = LoadProgress("Loading the scripted model.", passed / self.load_s)
                time.sleep(0.02)
            if self.gate:
                self._progress = LoadProgress("Loading the scripted model.", 0.5)
                self.gate.wait()
            if self.load_error:
                self._progress = LoadProgress("Loading failed.", None, error=str(self.load_error))
                raise self.load_error
            self._progress = LoadProgress("Ready.", 1.0, ready=True)

    def progress(self) -> LoadProgress:
        return self._progress

    def availability(self) -> Mapping[str, Availability]:
        self.load()
        ids = (spec.id for spec in self.profile.every)
        return {id: Availability(id not in self.broken, self.broken.get(id)) for id in ids}

    def count_tokens(self, messages: Sequence[Message]) -> int:
        self.load()
        return sum(len(message.content.split()) + 4 for message in messages) + 2

    def context_length(self) -> int:
        return self.context

    def stream(self, requests: Sequence[Request]) -> Iterator[Step]:
        self.load()
        self.requests.append(tuple(requests))
        for request in requests:
            self.profile.get(request.model)
            prompt, new = self.count_tokens(request.messages), request.decoding.max_new_tokens
            if prompt + new > self.context:
                raise ContextOverflowError(
                    f"The conversation takes {prompt} tokens and {new} new ones are asked for; "
                    f"together at most {self.context} fit. Shorten the question, or ask for fewer tokens."
                )
        return self._steps(tuple(requests))

    def token(self, word: str) -> int:
        with self._lock:
            if word not in self.vocabulary:
                self.vocabulary.append(word)
            return self.vocabulary.index(word)

    def _scored(self, requests: tuple[Request, ...]) -> Step:
        scripts = [[*self._words(request.model), ""][len(request.begun) :] for request in requests]
        ids = requests[0].scored
        assert isinstance(ids, tuple)
        rows = []
        for request, script in zip(requests, scripts, strict=True):
            if request.model in self.broken:
                rows.append(RowStep("", 0, "error", self.broken[request.model]))
                continue
            scores = []
            for at, token in enumerate(ids):
                own = script[at] if at < len(script) else ""
                bits = [0.0 if other[at : at + 1] == script[at : at + 1] else 1.5 for other in scripts]
                likely = 0.6 if self.vocabulary[token] == own else 0.1
                best = ((own, math.log(0.6)), ("other ", math.log(0.1)))
                mean = sum(bits) / len(bits)
                scores.append(TokenScore(token, self.vocabulary[token], math.log(likely), best, (*bits, mean)))
            rows.append(RowStep("", len(ids), "end", scores=tuple(scores)))
        return Step(tuple(rows))

    def _steps(self, requests: tuple[Request, ...]) -> Iterator[Step]:
        if requests[0].scored is not None:
            time.sleep(self.step_s)
            yield self._scored(requests)
            return
        try:
            for left in range(self.ahead, 0, -1):
                time.sleep(self.step_s)
                yield Step(tuple(RowStep("", 0) for _ in requests), waiting=left)
            rows = [
                _Row(
                    request, self._words(request.model)[len(request.begun) :], self.fail_after.get(request.model),
                    self.token,
                )
                for request in requests
            ]  # fmt: skip
            for row in rows:
                if row.request.model in self.broken:
                    row.stop("error", self.broken[row.request.model])
            number = 0
            while True:
                if self.explode_after is not None and number >= self.explode_after:
                    raise RuntimeError("secret words of the person: " + requests[0].messages[-1].content)
                time.sleep(self.step_s)
                step = Step(tuple(row.advance() for row in rows))
                yield step
                number += 1
                if all(row.stopped for row in step.rows):
                    self.finished += 1
                    return
        except GeneratorExit:
            self.closed += 1
            raise

    def bring(self, spec: ModelSpec) -> None:
        self.load()
        self.profile = self.profile.model_copy(update={"models": (*self.profile.models, spec)})

    def let_go(self, model: str) -> None:
        kept = tuple(spec for spec in self.profile.models if spec.id != model)
        self.profile = self.profile.model_copy(update={"models": kept})

    def _words(self, model: str) -> list[str]:
        if model in self.scripts:
            return _pieces(self.scripts[model])
        words = _pieces(WORDS)
        shift = 3 * [spec.id for spec in self.profile.every].index(model)
        return (words[shift:] + words) * 8


@dataclass
class _Row:
    request: Request
    words: list[str]
    fail_after: int | None
    token: Callable[[str], int]
    tokens: int = 0
    last: RowStep | None = None

    def stop(self, reason: str, error: str | None = None) -> RowStep:
        self.last = RowStep("", self.tokens, reason, error)  # type: ignore[arg-type]
        return self.last

    def advance(self) -> RowStep:
        if self.last is not None:
            return self.last
        if self.fail_after is not None and self.tokens >= self.fail_after:
            self.stop("error", "The adapter gave numbers that are not finite.")
        elif not self.words:
            return replace(self.stop("end"), ids=(0,))
        else:
            self.tokens += 1
            text = self.words.pop(0)
            if self.tokens >= self.request.decoding.max_new_tokens:
                self.stop("length")
                return RowStep(text, self.tokens, "length", ids=(self.token(text),))
            return RowStep(text, self.tokens, ids=(self.token(text),))
        assert self.last is not None
        return self.last


def _pieces(text: str) -> list[str]:
    """Split into words that keep their white space, so that joining them gives the text back."""
    import re

    return re.findall(r"\S+\s*|\s+", text)
