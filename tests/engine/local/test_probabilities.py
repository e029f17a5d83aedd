"""What researchers ask the engine for: probabilities, scores of a text, and adapters in any strength."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from medilite.engine.local.adapters import Adapter, AdapterBank, read_adapter
from medilite.engine.local.calls import Call
from medilite.engine.local.int8_llama import MIXES, Int8Llama
from medilite.engine.local.llama import Llama
from medilite.errors import DecodingError, EngineError
from medilite.records import Decoding, Message, Request, RowStep
from tests.engine.running import ask, batch_of, run, text_of
from tests.engine.small import MODELS, chains, generate, prompts, write_base

PROMPT = prompts(1, 60)[0]
ANSWER = list(range(40, 75))


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Int8Llama]:
    made = Int8Llama(write_base(tmp_path_factory.mktemp("base")), chains(), 2)
    yield made
    made.close()


def of_all(requests: list[Request], prompt: list[int], scored: int = 0) -> Call:
    return Call(requests, [list(prompt)] * len(requests), [None] * len(requests), [scored] * len(requests))


def requests(**changes: object) -> list[Request]:
    return [replace(Request(model, (Message("user", "?"),)), **changes) for model in MODELS]  # type: ignore[arg-type]


def likely(llama: Int8Llama, model: str, ids: list[int], first: int) -> torch.Tensor:
    """Return the log-probabilities after each token from `first` on, token by token."""
    found = [generate(llama, llama.bank, [model], [ids[:end]], 1)[0, 0] for end in range(first, len(ids))]
    return torch.stack(found).log_softmax(-1)


def test_probabilities_are_the_softmax_of_the_logits_and_change_no_answer(llama: Int8Llama) -> None:
    decoding = Decoding(max_new_tokens=6, temperature=0.8, repetition_penalty=1.2)
    asked = requests(decoding=decoding, alternatives=3)
    (plain,) = run(batch_of(llama), [of_all(requests(decoding=decoding), PROMPT)])
    (found,) = run(batch_of(llama), [of_all(asked, PROMPT)])
    assert all(not row.scores for step in plain for row in step), "nothing is reported that nobody asked for"
    for number, model in enumerate(MODELS):
        assert text_of(found, number) == text_of(plain, number)
        scores = [score for step in found for score in step[number].scores]
        ids = [*PROMPT, *(score.token for score in scores)]
        wanted = likely(llama, model, ids, len(PROMPT))
        for place, score in enumerate(scores):
            assert score.logprob == pytest.approx(float(wanted[place, score.token]), abs=1e-5)
            best = wanted[place].topk(3)
            assert [log for _, log in score.best] == pytest.approx(best.values.tolist(), abs=1e-5)
            assert [text for text, _ in score.best] == [f"{token} " for token in best.indices.tolist()]


def test_a_text_is_scored_under_all_models_at_once_as_if_it_had_been_written(
    llama: Int8Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = requests(scored="…", alternatives=1, decoding=Decoding(max_new_tokens=1), visitor="one")
    batch = batch_of(llama)
    (whole,) = run(batch, [of_all(asked, PROMPT + ANSWER, len(ANSWER))])
    # In pieces, beside others who write, and with the beginning kept from before.
    monkeypatch.setattr("medilite.engine.local.running.READ_BESIDE", 7)
    (again, _) = run(batch, [of_all(asked, PROMPT + ANSWER, len(ANSWER)), ask(PROMPT, MODELS[:1], Decoding(40))])
    assert len(whole) < len(again)
    for number, model in enumerate(MODELS):
        wanted = likely(llama, model, PROMPT + ANSWER, len(PROMPT))
        for steps in (whole, again):
            row = next(step[number] for step in steps if step[number].stopped)
            assert (row.stopped, row.tokens, row.text) == ("end", len(ANSWER), "")
            assert [score.token for score in row.scores] == ANSWER
            exact = [float(wanted[place, token]) for place, token in enumerate(ANSWER)]
            assert [score.logprob for score in row.scores] == pytest.approx(exact, abs=1e-4)


def mixed(strength: float, model: str = "chain", other: str = "narrow", **more: object) -> list[Request]:
    decoding = Decoding(max_new_tokens=8)
    return [Request(model, (Message("user", "?"),), decoding, other=other, strength=strength, **more)]  # type: ignore[arg-type]


def test_a_strength_is_its_adapters_in_that_strength_beside_any_others(llama: Int8Llama) -> None:
    asked = [*mixed(0.5), *mixed(1.3), *mixed(0.25, "everything"), *mixed(1.0), *mixed(2.0, other="")]
    (found,) = run(batch_of(llama), [of_all([*asked, *requests(decoding=Decoding(8))], PROMPT)])
    low, high = chains()["chain"]
    (all_of_it,) = chains()["everything"]

    def times(adapter: Adapter, factor: float) -> Adapter:
        return Adapter({key: (a, b * factor) for key, (a, b) in adapter.pairs.items()})

    by_hand = {
        "half": [low, times(high, 0.5)],
        "beyond": [low, times(high, 1.3)],
        "mix": [times(low, 0.75), times(all_of_it, 0.25)],
        "plain": [low, high],
        "twice": [times(low, 2), times(high, 2)],
    }
    fresh = Int8Llama.__new__(Int8Llama)
    fresh.__dict__.update(llama.__dict__)
    from medilite.engine.local.int8_llama import Int8Bank

    fresh.bank = Int8Bank(llama.shape, by_hand)
    from medilite.engine.local.running import RunningBatch
    from tests.engine.running import STOP, Numbers

    batch = RunningBatch(fresh, Numbers(), frozenset({STOP}), 8, by_hand)
    plain = [Request(name, (Message("user", "?"),), Decoding(8)) for name in by_hand]
    (expected,) = run(batch, [of_all(plain, PROMPT)])
    assert [text_of(found, row) for row in range(5)] == [text_of(expected, row) for row in range(5)]
    assert len({text_of(expected, row) for row in range(5)}) > 2, "strengths that change nothing show nothing"


def test_in_float32_a_strength_gives_the_logits_of_peft_with_that_scale(tmp_path: Path) -> None:
    from peft import LoraConfig, PeftModel, get_peft_model
    from peft.tuners.lora import LoraLayer
    from transformers import LlamaForCausalLM

    base = write_base(tmp_path / "base")
    for name, modules in (("one", ["q_proj", "v_proj"]), ("two", ["v_proj", "o_proj", "up_proj"])):
        config = LoraConfig(r=4, lora_alpha=12, target_modules=modules, init_lora_weights=False, task_type="CAUSAL_LM")
        get_peft_model(LlamaForCausalLM.from_pretrained(base, dtype=torch.float32), config).save_pretrained(
            tmp_path / name
        )
    theirs: Any = PeftModel.from_pretrained(
        LlamaForCausalLM.from_pretrained(base, dtype=torch.float32), tmp_path / "one", adapter_name="one"
    )
    theirs.load_adapter(tmp_path / "two", adapter_name="two")
    exact = Llama(base, torch.device("cpu"), torch.float32)
    own = {name: [read_adapter(tmp_path / name, exact.shape, name)] for name in ("one", "two")}
    bank = AdapterBank(exact.shape, {"base": [], **own}, exact.device, torch.float32)

    def logits(model: str, other: str, strength: float) -> torch.Tensor:
        class Asked:
            def rows(self, _: object):
                return bank.rows_of(mixed(strength, model, other))

        return generate(exact, Asked(), [""], [PROMPT], 1)[0, 0]

    def peft(**scales: float) -> torch.Tensor:
        theirs.base_model.set_adapter(list(scales))
        layers = [layer for layer in theirs.modules() if isinstance(layer, LoraLayer)]
        for layer in layers:
            for name in set(scales) & set(layer.scaling):
                layer.set_scale(name, scales[name])
        with torch.inference_mode():
            return theirs(torch.tensor([PROMPT])).logits[0, -1]

    seen = [peft(one=1.0)]
    for strength in (0.5, 1.3, 0.25):
        assert float((logits("one", "base", strength) - peft(one=strength)).abs().max()) < 1e-3
        assert float((logits("two", "one", strength) - peft(two=strength, one=1 - strength)).abs().max()) < 1e-3
        seen.append(peft(one=strength))
    assert all(float((each - seen[0]).abs().max()) > 0.05 for each in seen[1:]), "scales change what is seen"


def test_the_divergence_of_a_model_from_itself_is_zero_and_from_another_is_not(llama: Int8Llama) -> None:
    """Kullback-Leibler, over each token's 20 likeliest and the rest of them together; in one batch and between two."""
    asked = [*requests(scored="…", alternatives=20), *requests(scored="…", alternatives=20)]
    (whole,) = run(batch_of(llama), [of_all(asked, PROMPT + ANSWER, len(ANSWER))])
    (alone,) = run(batch_of(llama), [of_all(asked[:1], PROMPT + ANSWER, len(ANSWER))])

    def places(steps: list[tuple[RowStep, ...]], row: int) -> list[dict[str, float]]:
        last = next(step[row] for step in steps if step[row].stopped)
        return [{word: math.exp(log) for word, log in score.best} for score in last.scores]

    def divergence(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> float:
        total = 0.0
        for p, q in zip(ours, theirs, strict=True):
            shared = sorted(set(p) & set(q))
            pairs = [(p[word], q[word]) for word in shared]
            # float32's logarithms may add up to a little more than 1.
            pairs.append((max(1 - sum(a for a, _ in pairs), 1e-9), max(1 - sum(b for _, b in pairs), 1e-9)))
            total += sum(a * math.log(a / b) for a, b in pairs)
        return total / len(ours)

    found = [places(whole, row) for row in range(len(asked))]
    for row in range(len(MODELS)):
        assert divergence(found[row], found[row + len(MODELS)]) == 0
    assert divergence(found[0], places(alone, 0)) == 0
    assert all(divergence(found[0], found[row]) > 1e-3 for row in range(1, len(MODELS)))


def test_mixes_make_room_for_each_other_and_what_was_kept_goes_with_them(llama: Int8Llama) -> None:
    batch = batch_of(llama)
    first = run(batch, [of_all(mixed(0.5, visitor="v"), PROMPT)])
    for step in range(MIXES + 2):
        run(batch, [of_all(mixed(0.01 * step + 0.02, visitor="v"), PROMPT)])
    assert len(llama.bank._mixes) == MIXES
    again = run(batch, [of_all(mixed(0.5, visitor="v"), PROMPT)])
    assert text_of(first[0], 0) == text_of(again[0], 0)
    places = set(llama.bank._mixes.values())
    with pytest.raises(EngineError, match="which is the limit"):
        llama.bank.between("narrow", "chain", 0.77, places)


def test_a_call_whose_mixes_have_no_place_waits_until_others_end(llama: Int8Llama) -> None:
    batch = batch_of(llama)
    many = [r for at in range(MIXES - 1) for r in mixed(0.3 + 0.01 * at)[:1]]
    first, second = of_all(many, PROMPT), of_all([mixed(0.6)[0], mixed(0.61)[0]], PROMPT)
    assert batch.join(first)
    assert not batch.join(second)
    assert batch.join(of_all([mixed(0.3)[0]], PROMPT)), "a mix that has a place needs no other"
    batch.drop(first)
    assert batch.join(second)


def test_an_adapter_that_is_brought_answers_beside_the_others_as_if_it_had_been_there(llama: Int8Llama) -> None:
    batch = batch_of(llama)
    _, high = chains()["chain"]
    llama.bank.add("own", "narrow", high)
    try:
        own = [Request(model, (Message("user", "?"),), Decoding(8)) for model in ("own", *MODELS)]
        (found,) = run(batch, [of_all(own, PROMPT)])
        assert text_of(found, 0) == text_of(found, 1 + MODELS.index("chain"))
        assert llama.bank.place("own") is None, "it has a place among the mixes"
        # Beside a mix that comes after it, and of which it is an end.
        (mix,) = run(batch, [of_all([*mixed(0.5), *mixed(0.5, "own"), own[0]], PROMPT)])
        assert text_of(mix, 0) == text_of(mix, 1)
        assert text_of(mix, 2) == text_of(found, 0)
    finally:
        assert llama.bank.remove("own")
    assert not llama.bank.remove("own")
    assert not llama.bank.remove("chain"), "what came with the profile stays"


@pytest.mark.parametrize(
    "wrong", [{"alternatives": -1}, {"alternatives": 21}, {"strength": 9.0}, {"strength": float("nan")}]
)
def test_what_cannot_be_asked_for_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DecodingError, match="can't be used"):
        Request("base", (), **wrong)  # type: ignore[arg-type]
