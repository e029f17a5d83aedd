"""The engine against transformers and PEFT: the same tokens, the same logits, the stacked model included.

PEFT's logits are computed in one pass over prompt and answer. Where each token
of the answer is PEFT's likeliest at its place, greedy decoding by PEFT gives
that answer; a literal `generate` by the stacked model guards the argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from medilite.engine.local.engine import LocalEngine
from medilite.engine.local.llama import Llama
from medilite.models import Profile, load_profile
from medilite.prompts import prompt_ids, question_messages
from medilite.questions import load_questions
from medilite.records import Decoding, Request
from medilite.settings import load_settings
from tests.support.thorough import usually

pytestmark = pytest.mark.model

QUESTIONS = usually(2, 20)
NEW_TOKENS = 16


class _Recorder:
    """Keeps the logits that the engine saw at every step, by model."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[torch.Tensor] = []
        forward = Llama.forward

        def recording(llama: Llama, *arguments: Any) -> torch.Tensor:
            logits = forward(llama, *arguments)
            self.steps.append(logits)
            return logits

        monkeypatch.setattr(Llama, "forward", recording)


def run(engine: LocalEngine, requests: list[Request], recorder: _Recorder) -> list[tuple[list[int], torch.Tensor]]:
    """Return (greedy tokens, logits at each) of every request; a row that stops keeps the stop token's logits."""
    recorder.steps.clear()
    alive = list(range(len(requests)))
    logits: list[list[torch.Tensor]] = [[] for _ in requests]
    for step in engine.stream(requests):
        for place, i in enumerate(alive):
            logits[i].append(recorder.steps[-1][place])
        alive = [i for i in alive if step.rows[i].stopped is None]
    rows = [torch.stack(row) for row in logits]
    return [(row.argmax(-1).tolist(), row) for row in rows]


def peft_models(profile: Profile, weights: Path) -> Iterator[tuple[str, Any]]:
    """Yield each model's id, and transformers' model with its adapters active by PEFT, stacked ones together."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(weights, dtype=torch.float32).eval()
    yield profile.ids[0], loaded
    first, *others = [spec for spec in profile.models if spec.adapter]
    wrapped = PeftModel.from_pretrained(loaded, str(profile.adapter_path(first)), adapter_name=first.id)
    for spec in others:
        wrapped.load_adapter(str(profile.adapter_path(spec)), adapter_name=spec.id)
    for spec in (first, *others):
        wrapped.base_model.set_adapter([link.id for link in profile.chain(spec.id)])
        yield spec.id, wrapped.eval()


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> _Recorder:
    """Record every forward pass of the test."""
    return _Recorder(monkeypatch)


def check_against_peft(engine: LocalEngine, weights: Path, recorder: _Recorder, questions: list[str]) -> None:
    """Compare every row of every batch of six with PEFT; print and check agreement and logit differences."""
    profile = engine._profile
    tokenizer = engine._once.get().tokenizer
    decoding = Decoding(max_new_tokens=NEW_TOKENS)
    answers: dict[tuple[str, str], tuple[list[int], torch.Tensor]] = {}
    for question in questions:
        requests = [Request(model, question_messages(question), decoding) for model in profile.ids]
        for model, answer in zip(profile.ids, run(engine, requests, recorder), strict=True):
            answers[question, model] = answer

    agreed = compared = 0
    largest = 0.0
    for model, reference in peft_models(profile, weights):
        for number, question in enumerate(questions):
            tokens, logits = answers[question, model]
            prompt = prompt_ids(tokenizer, question_messages(question))
            with torch.inference_mode():
                whole = reference(input_ids=torch.tensor([prompt + tokens[:-1]])).logits[0, len(prompt) - 1 :]
            same = whole.argmax(-1) == torch.tensor(tokens)
            # Up to the first difference the prefixes agree; after it PEFT would have gone another way.
            prefix = len(tokens) if bool(same.all()) else int(same.long().argmin()) + 1
            agreed += prefix if bool(same.all()) else prefix - 1
            compared += len(tokens)
            largest = max(largest, float((whole[:prefix] - logits[:prefix]).abs().max()))
            if number == 0 and profile.get(model).stacked_on:
                generated = reference.generate(
                    input_ids=torch.tensor([prompt]), max_new_tokens=NEW_TOKENS, do_sample=False
                )[0, len(prompt) :].tolist()
                assert generated == tokens, f"{model}: PEFT's own generate gives another answer"
    print(f"\n{agreed} of {compared} tokens agree ({agreed / compared:.2%}), largest logit difference {largest:.2e}")
    assert agreed / compared > 0.99
    assert largest < 1e-3


def test_six_models_in_one_batch_are_what_peft_gives_one_by_one(
    weights: Path, random_engine: LocalEngine, recorder: _Recorder
) -> None:
    """Random adapters move every model far from the base, so a mix-up between rows can't pass."""
    check_against_peft(random_engine, weights, recorder, [q.question for q in load_questions()[:2]])


@pytest.mark.slow
def test_the_committed_adapters_are_what_peft_gives(weights: Path, recorder: _Recorder) -> None:
    """The six real models, each on every question."""
    engine = LocalEngine(load_profile("lite"), load_settings(precision="float32"))
    engine.load()
    questions = [q.question for q in load_questions()]
    check_against_peft(engine, weights, recorder, questions[:: len(questions) // QUESTIONS][:QUESTIONS])
