"""Scores through the whole engine: references cost what `bench.fidelity` says, and strengths 1 and 0 are models."""

from __future__ import annotations

import pytest

from bench.fidelity_losses import Pair, int8_losses
from medilite.engine.local.engine import LocalEngine
from medilite.errors import EngineError
from medilite.models import load_profile
from medilite.prompts import question_messages, training_ids
from medilite.records import Decoding, Request
from medilite.settings import Settings, load_settings
from medilite.weights import ensure_base

QUESTION = "What are the symptoms of glaucoma?"
ANSWER = "Most people have no early symptoms. Over time side vision is lost, and without treatment sight may go."


@pytest.mark.model
@pytest.mark.slow
def test_references_cost_what_fidelity_computes_and_strengths_end_in_their_models() -> None:
    settings: Settings = load_settings(threads=2, slots=6)
    profile = load_profile("lite")
    engine = LocalEngine(profile, settings)
    try:
        asked = [Request(model, question_messages(QUESTION), scored=ANSWER) for model in profile.ids]
        *_, last = engine.stream(asked)
        tokenizer = engine._once.get().tokenizer
        prompt, answer = training_ids(tokenizer, QUESTION, ANSWER)
        base = ensure_base(profile, settings)
        for model, row in zip(profile.ids, last.rows, strict=True):
            if model not in ("base", "grpo"):
                continue
            pair = Pair("q", tuple(prompt), tuple(answer))
            ((_, loss),) = int8_losses(profile, settings, base, model, [pair])
            assert row.tokens == len(answer)
            ours = -sum(score.logprob for score in row.scores) / len(answer)
            assert ours == pytest.approx(loss / len(answer), abs=1e-4)
        parent = profile.get("grpo").stacked_on
        decoding = Decoding(max_new_tokens=12)
        wanted = [
            Request(model, question_messages(QUESTION), decoding, strength=strength)
            for model, strength in (("grpo", 1.0), ("grpo", 0.0), (parent, 1.0), ("grpo", 0.5))
        ]
        texts = [""] * 4
        for step in engine.stream(wanted):
            texts = [text + row.text for text, row in zip(texts, step.rows, strict=True)]
        assert texts[1] == texts[2]
        with pytest.raises(EngineError, match="has no adapter"):
            list(engine.stream([Request("base", question_messages(QUESTION), strength=0.5)]))
        with pytest.raises(EngineError, match="not both"):
            list(engine.stream([asked[0], wanted[0]]))
    finally:
        engine.close()
