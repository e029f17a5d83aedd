"""Where answers part: tokens that are told, answers that go on from a beginning, how far models are apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from medilite.engine.local.batch import Batch
from medilite.engine.local.calls import Call
from medilite.engine.local.divergence import bits_apart
from medilite.engine.local.int8_llama import Int8Llama
from medilite.engine.validate import check_plain, checked
from medilite.errors import EngineError
from medilite.models import load_profile
from medilite.records import Decoding, Message, Request, RowStep
from tests.engine.running import STOP, Numbers, ask, batch_of, run, text_of
from tests.engine.small import MODELS, chains, prompts, write_base
from tests.engine.small import generate as logits_of

PROMPT = prompts(1, 60)[0]
ANSWER = tuple(range(40, 75))
ASKED = (Message("user", "?"),)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Int8Llama]:
    made = Int8Llama(write_base(tmp_path_factory.mktemp("base")), chains(), 2)
    yield made
    made.close()


def ids_of(steps: Sequence[tuple[RowStep, ...]], row: int) -> tuple[int, ...]:
    return tuple(token for step in steps for token in step[row].ids)


def floats(llama: Int8Llama, call: Call) -> list[tuple[RowStep, ...]]:
    """The steps of a call in the batch of its own, which engines in floating point use."""
    batch, steps = Batch(llama, llama.bank, Numbers(), frozenset({STOP}), call), []
    while not steps or not all(row.stopped for row in steps[-1]):
        steps.append(batch.step())
    return steps


@pytest.mark.parametrize("decoding", [Decoding(14, repetition_penalty=1.3), Decoding(14, temperature=0.9, top_p=0.9)])
@pytest.mark.parametrize("how", ["running", "own"])
def test_a_model_that_goes_on_from_its_own_beginning_writes_the_same(
    llama: Int8Llama, decoding: Decoding, how: str
) -> None:
    def steps_of(call: Call) -> list[tuple[RowStep, ...]]:
        return run(batch_of(llama), [call])[0] if how == "running" else floats(llama, call)

    whole = steps_of(ask(PROMPT, MODELS, decoding))
    for number, model in enumerate(MODELS):
        ids = ids_of(whole, number)
        assert "".join(f"{token} " for token in ids if token != STOP) == text_of(whole, number)
        begun = ids[:5]
        # Beside one that begins elsewhere, with the same seed.
        requests = [
            Request(model, ASKED, replace(decoding, max_new_tokens=14 - len(some)), 3, begun=some)
            for some in (begun, ids[:2])
        ]
        call = Call(requests, [[*PROMPT, *r.begun] for r in requests], [None, None])
        gone_on = steps_of(call)
        for row, request in enumerate(requests):
            assert (*request.begun, *ids_of(gone_on, row)) == ids, (model, row)
            assert text_of(gone_on, row) == "".join(f"{t} " for t in ids[len(request.begun) :] if t != STOP)


def compared(models: Sequence[str] = MODELS, **changes: object) -> Call:
    requests = [Request(m, ASKED, Decoding(1), scored=ANSWER, divergence=True, **changes) for m in models]  # type: ignore[arg-type]
    return Call(requests, [[*PROMPT, *ANSWER]] * len(models), [None] * len(models), [len(ANSWER)] * len(models))


def test_divergences_are_those_of_the_distributions_however_the_text_is_cut(
    llama: Int8Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(llama)
    plans = [compared(visitor="one", alternatives=1)]
    (whole,) = run(batch, plans)
    monkeypatch.setattr("medilite.engine.local.running.READ_BESIDE", 9)
    # One model's prompt is kept from before, so it has less to read than the others; and somebody else writes.
    run(batch, [ask(PROMPT, MODELS[:1], Decoding(2), visitor="two")])
    again, _ = run(batch, [compared(visitor="two"), ask(PROMPT, MODELS[:1], Decoding(60))])
    assert len(whole) < len(again)
    ids = [*PROMPT, *ANSWER]
    logs = torch.stack(
        [
            torch.stack([logits_of(llama, llama.bank, [m], [ids[:end]], 1)[0, 0] for m in MODELS]).log_softmax(-1)
            for end in range(len(PROMPT), len(ids))
        ]
    ).double()  # (places, models, vocabulary)
    mean = logs.exp().mean(1).clamp(min=1e-30).log()
    for steps in (whole, again):
        rows = [next(step[n] for step in steps if step[n].stopped) for n in range(len(MODELS))]
        for n, row in enumerate(rows):
            assert [score.token for score in row.scores] == list(ANSWER)
            for place, score in enumerate(row.scores):
                own = logs[place, n]
                others = [*logs[place], mean[place]]
                wanted = [float((own.exp() * (own - other)).sum() / np.log(2)) for other in others]
                assert score.bits == pytest.approx(wanted, abs=2e-4)
                assert score.bits[n] == pytest.approx(0, abs=1e-6)
        apart = sum(row.scores[5].bits[-1] or 0 for row in rows) / len(rows)
        assert 0 < apart < np.log2(len(MODELS))


def test_the_rest_of_an_answer_after_its_beginning_is_scored_as_in_the_whole(llama: Int8Llama) -> None:
    (whole,) = run(batch_of(llama), [compared(alternatives=2)])
    call = compared(alternatives=2)
    rest = [replace(request, begun=ANSWER[:7], scored=ANSWER[7:]) for request in call.requests]
    (steps,) = run(batch_of(llama), [replace(call, requests=rest, scored=[len(ANSWER) - 7] * len(rest))])
    for row in range(len(MODELS)):
        scores, of_all = (next(step[row].scores for step in some if step[row].stopped) for some in (steps, whole))
        assert scores == of_all[7:]


def test_a_model_that_cannot_answer_has_no_divergence_and_the_others_do(llama: Int8Llama) -> None:
    call = compared()
    call = replace(call, prompts=[*call.prompts[:1], None, *call.prompts[2:]], errors=[None, "gone", None, None])
    (steps,) = run(batch_of(llama), [call])
    rows = steps[-1]
    assert (rows[1].stopped, rows[1].scores) == ("error", ())
    scores = next(step[0].scores for step in steps if step[0].stopped)
    assert all(score.bits[1] is None and score.bits[2] is not None for score in scores)


def test_models_are_compared_all_at_once_or_not_at_all(tmp_path: Path) -> None:
    llama = Int8Llama(write_base(tmp_path, max_position_embeddings=1024), chains(), 2)
    batch, short, writing = batch_of(llama, 4), compared(), ask(PROMPT, MODELS[:1], Decoding(9))
    long = replace(short, prompts=[[*(PROMPT * 700)[:700], *ANSWER]] * len(MODELS))
    # Four rows fit the slots, but not the pages, which are for 512 tokens a row.
    assert batch.join(writing)
    assert not batch.join(long)
    batch.drop(writing)
    with pytest.raises(EngineError, match=r"4 models can't be compared at once.*shorter question.*MEDILITE_SLOTS"):
        batch.join(long)
    assert batch.free_slots == 4
    # Nothing of it is left, and two of them fit.
    for call in (short, replace(long, prompts=[*long.prompts[:2], None, None], errors=[None, None, "gone", "gone"])):
        (steps,) = run(batch, [call])
        scored = [scores for row in range(2) for step in steps if (scores := step[row].scores)]
        assert all(None not in score.bits[:2] for scores in scored for score in scores)
    llama.close()


def test_nobody_asked_so_nothing_is_compared(llama: Int8Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medilite.engine.local.running.bits_apart", lambda _: pytest.fail("not asked for"))
    call = compared()
    plain = replace(call, requests=[replace(request, divergence=False) for request in call.requests])
    (steps,) = run(batch_of(llama), [plain])
    assert {score.bits for row in steps[-1] for score in row.scores} == {()}


def test_two_models_that_say_the_same_are_no_bits_apart_and_what_is_no_number_is_none() -> None:
    logits = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], np.float32)
    assert bits_apart(logits) == [[0, 0, 0], [0, 0, 0]]
    # What one thinks half as likely: a bit.
    half = np.log(np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]], np.float32))
    assert bits_apart(half)[0][1] == pytest.approx(0.25, abs=1e-6)
    assert bits_apart(np.array([[np.nan, 0.0], [0.0, 0.0]], np.float32))[0][0] is None
    # A token that one model rules out is no infinity.
    far = np.array([[0.0, -200.0], [-200.0, 0.0]], np.float32)
    assert bits_apart(far)[0] == [0, pytest.approx(288.5, abs=0.1), pytest.approx(1, abs=1e-5)]


@pytest.mark.parametrize(
    ("requests", "why"),
    [
        ([Request("base", ASKED, scored=())], "no answer to score"),
        ([Request("base", ASKED, divergence=True)], "score the same one"),
        ([Request("base", ASKED, scored=(1,), divergence=True), Request("grpo", ASKED, scored=(2,), divergence=True)],
         "score the same one"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(requests: list[Request], why: str) -> None:
    with pytest.raises(EngineError, match=why):
        checked(load_profile("lite"), requests)


def test_engines_without_compiled_code_say_so(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"beginning of an answer .* MEDILITE_ENGINE=local"):
        check_plain([Request("base", ASKED, begun=(3,))], "model servers")
    check_plain([Request("base", ASKED, begun=(3,))], "an engine in floats", strengths=True)
