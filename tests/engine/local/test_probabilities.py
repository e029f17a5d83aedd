"""What researchers ask the engine for: probabilities, scores of a text, and adapters in any strength."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from medilite.engine.local.adapters import Adapter, AdapterBank
from medilite.engine.local.calls import Call
from medilite.engine.local.int8_llama import MIXES, Int8Llama
from medilite.engine.local.llama import Llama
from medilite.errors import DecodingError, EngineError
from medilite.records import Decoding, Message, Request
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


def test_in_float32_a_strength_gives_the_logits_of_scaled_adapters(tmp_path: Path) -> None:
    exact = Llama(write_base(tmp_path), torch.device("cpu"), torch.float32)
    bank = AdapterBank(exact.shape, chains(), exact.device, torch.float32)
    low, high = chains()["chain"]
    half = Adapter({key: (a, b * 0.5) for key, (a, b) in high.pairs.items()})
    scaled = AdapterBank(exact.shape, {"half": [low, half], "narrow": [low]}, exact.device, torch.float32)

    class Asked:
        def rows(self, _: object):
            return bank.rows_of([*mixed(0.5), *requests()[1:2]])

    ids = [PROMPT, PROMPT]
    ours = generate(exact, Asked(), ["", ""], ids, 1)
    theirs = generate(exact, scaled, ["half", "narrow"], ids, 1)
    assert float((ours - theirs).abs().max()) < 1e-3


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


def test_an_adapter_that_is_brought_answers_beside_the_others_as_if_it_had_been_there(llama: Int8Llama) -> None:
    batch = batch_of(llama)
    _, high = chains()["chain"]
    llama.bank.welcome("own", "narrow", high)
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
        assert llama.bank.part("own")
    assert not llama.bank.part("own")
    assert not llama.bank.part("chain"), "what came with the profile stays"


@pytest.mark.parametrize(
    "wrong", [{"alternatives": -1}, {"alternatives": 21}, {"strength": 9.0}, {"strength": float("nan")}]
)
def test_what_cannot_be_asked_for_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DecodingError, match="can't be used"):
        Request("base", (), **wrong)  # type: ignore[arg-type]
