"""The forks of the real models, held against what the parents do; `python -m bench.forks` does it for 200 pairs."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from bench.forks import pairs, score, written
from medilite.engine.protocol import collect
from medilite.errors import ModelUnavailableError, UnknownModelError
from medilite.lab.board import Paired
from medilite.lab.own_adapter import Brought
from medilite.lab.saves import SavedModels
from medilite.models import ROOT
from medilite.prompts import question_messages
from medilite.readability import measure
from medilite.records import Decoding, Request
from medilite.settings import load_settings
from tests.support.saves import with_saves

pytestmark = pytest.mark.model


def test_a_fork_is_where_the_parents_own_choice_is_another(engine, lite):
    held = []
    for question in ("What is asthma?", "How is high blood pressure treated?"):
        found = written(engine, lite, question, Decoding(max_new_tokens=16))
        behind = score(engine, found)
        held += pairs(engine, found, behind)
        most = math.log2(len(lite.ids))
        for one in found.scored.values():
            assert all(bits is not None and 0 <= bits <= most + 1e-6 for bits in one.apart)
        # What a model wrote greedily is what it holds for likeliest.
        assert all(far < 1e-6 for model in lite.ids for far in behind[model][model])
    assert len(held) == 2 * (len(lite.ids) - 1)
    assert [pair for pair in held if not pair.agrees] == []
    assert any(pair.at for pair in held)


def test_a_copy_of_grpo_that_is_brought_is_no_different(engine, lite, tmp_path):
    brought = Brought(engine, lite, load_settings())
    spec, _ = brought.bring(str(ROOT / "assets/adapters/lite/grpo"), "A copy", "Teal", "sft-r16-high")
    assert spec.id not in engine.availability(), "nobody else is offered it"
    asked = ("What is asthma?", "How is high blood pressure treated?", "What causes gout?")
    requests = [
        Request(model, question_messages(question), Decoding(max_new_tokens=24))
        for question in asked for model in (spec.id, "grpo", *(("base",) if question == asked[0] else ()))
    ]  # fmt: skip
    answers = collect(requests, engine.stream(requests))
    assert {answer.stopped for answer in answers} <= {"end", "length"}
    texts = {(answer.model, request.messages): answer.text for answer, request in zip(answers, requests, strict=True)}
    pairs = [(texts[spec.id, question_messages(q)], texts["grpo", question_messages(q)]) for q in asked]
    grades = [[measure(text).flesch_kincaid_grade for text in pair] for pair in pairs]
    found = Paired.of([one - other for one, other in grades], sum(one == other for one, other in pairs))
    assert found.verdict == "same"
    assert texts[spec.id, question_messages(asked[0])] != texts["base", question_messages(asked[0])]
    engine.let_go(spec.id)
    with pytest.raises(UnknownModelError):
        next(engine.stream(requests[:1]))
    with pytest.raises(ModelUnavailableError, match="does not fit this base"):
        # An adapter whose settings say another rank than its tensors have.
        brought.bring(str(_wrong(ROOT / "assets/adapters/lite/grpo", tmp_path)), "Wrong", "Teal", "base")


def test_saves_answer_beside_their_parent_and_the_last_of_grpo_as_grpo(engine, lite, tmp_path):
    # Not in half precision: rounding may decide where two words are nearly as likely.
    profile = with_saves(lite, tmp_path / "grpo", (0, 60), numbers="float32")
    with SavedModels(engine, profile).lent("grpo") as saves:
        models = ["sft-r16-high", *(save.spec.id for save in saves), "grpo"]
        requests = [
            Request(model, question_messages("What is asthma?"), Decoding(max_new_tokens=16)) for model in models
        ]
        parent, first, last, grpo = [answer.text for answer in collect(requests, engine.stream(requests))]
    assert (first, last) == (parent, grpo)
    assert parent != grpo
    assert not [model for model in engine.availability() if model.startswith("save-")]


def _wrong(folder: Path, made: Path) -> Path:
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copy(folder / name, made / name)
    config = json.loads((made / "adapter_config.json").read_text()) | {"r": 4}
    (made / "adapter_config.json").write_text(json.dumps(config))
    return made
