"""The running batch: calls join and leave between steps, and no row can tell what it shares them with."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
import torch

from medilite.engine.local import running
from medilite.engine.local.calls import Call
from medilite.engine.local.int8_llama import Int8Llama
from medilite.records import Decoding
from tests.engine.running import STOP, Counter, answers, ask, batch_of, run, text_of
from tests.engine.small import MODELS, VOCABULARY, adapter, chains, generate, prompts, write_base

GREEDY = Decoding(max_new_tokens=12)
SAMPLED = Decoding(max_new_tokens=12, temperature=1.1, top_p=0.9, repetition_penalty=1.2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small base."""
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def llama(folder: Path) -> Int8Llama:
    """The small base in int8, its pages untouched."""
    return Int8Llama(folder, chains(), 2)


def words(count: int, seed: int) -> list[int]:
    """Return a random prompt."""
    return torch.randint(0, VOCABULARY - 1, (count,), generator=torch.Generator().manual_seed(seed)).tolist()


def test_greedy_answers_are_those_of_a_plain_loop(llama: Int8Llama) -> None:
    prompt = words(80, 1)
    expected = generate(llama, llama.bank, MODELS, [prompt] * 4, 12).argmax(-1)
    found = answers(batch_of(llama), ask(prompt, MODELS, GREEDY))
    for tokens, text in zip(expected.tolist(), found, strict=True):
        until = tokens.index(STOP) if STOP in tokens else len(tokens)
        assert text == "".join(f"{token} " for token in tokens[:until])


@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_a_request_gives_the_same_answer_alone_and_among_47_others(llama: Int8Llama, decoding: Decoding) -> None:
    others = [
        ask(words(5 + 17 * i, i), MODELS[: 1 + i % 4], GREEDY if i % 3 else SAMPLED, seed=3 + i % 2) for i in range(19)
    ]
    others.append(ask(words(12, 77), ["base"], SAMPLED))
    assert sum(len(call.requests) for call in others) == 47
    prompt = words(40, 99)
    alone = answers(batch_of(llama), ask(prompt, ["chain"], decoding))
    batch = batch_of(llama, 48)
    steps = run(batch, [*others, one := ask(prompt, ["chain"], decoding)], [0, 0, *range(0, 18), 9])
    assert [text_of(steps[-1], 0)] == alone
    assert one.requests[0].model == "chain"
    # The others, too, say what they say alone.
    for call, got in list(zip(others, steps, strict=False))[::5]:
        again = Call(call.requests, call.prompts, call.errors)
        assert [text_of(got, row) for row in range(len(call.requests))] == answers(batch_of(llama), again)


def test_prompts_read_in_pieces_give_the_same_logits_bit_for_bit(
    llama: Int8Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Counter(llama, monkeypatch)
    found = []
    for piece in (1000, 7):
        monkeypatch.setattr(running, "READ_ALONE", piece)
        monkeypatch.setattr(running, "READ_BESIDE", piece)
        seen.tokens.clear(), seen.logits.clear()
        run(batch_of(llama), [ask(words(90, 4), ["everything", "chain"], GREEDY)])
        assert max(seen.tokens) == (180 if piece == 1000 else 7)
        found.append(np.stack([logits for logits in seen.logits if len(logits) == 2]))
    assert np.array_equal(*found)


def test_a_long_prompt_does_not_stall_those_who_write(llama: Int8Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Counter(llama, monkeypatch)
    first = ask(words(10, 1), MODELS, Decoding(max_new_tokens=40))
    long, short = ask(words(400, 2), ["base", "chain"], GREEDY), ask(words(20, 3), ["base"], GREEDY)
    steps = run(batch_of(llama), [first, long, short], [0, 3, 4])
    # Every step of the first visitor but those of reading its own prompt brought a token a row.
    assert all(all(row.tokens == number for row in rows) for number, rows in enumerate(steps[0], 1))
    assert max(seen.tokens) <= 64 + 4 + 1
    # The short question does not stand behind the long conversation.
    assert len(steps[2]) < len(steps[1])
    assert next(i for i, rows in enumerate(steps[2]) if rows[0].tokens) <= 1
    # Rows of one call begin together.
    assert all(len({row.tokens for row in rows}) == 1 for rows in steps[1] if not any(row.stopped for row in rows))


def test_two_visitors_write_in_step(llama: Int8Llama) -> None:
    decoding = Decoding(max_new_tokens=20)
    steps = run(batch_of(llama), [ask(words(9, 1), ["base"], decoding), ask(words(9, 2), ["narrow"], decoding)], [0, 5])
    assert [rows[0].tokens for rows in steps[0][:3]] == [1, 2, 3]
    assert [rows[0].tokens for rows in steps[1][:3]] == [1, 2, 3]
    assert steps[0][-1][0].stopped


def test_dropping_a_call_frees_its_slots_and_pages_at_once(llama: Int8Llama) -> None:
    batch = batch_of(llama, 8)
    free = llama.pool.free
    leaving = ask(words(30, 1), MODELS, Decoding(max_new_tokens=300))
    staying = ask(words(30, 2), MODELS, GREEDY)
    late = ask(words(30, 3), MODELS, GREEDY)
    assert batch.join(leaving)
    batch.step()
    assert batch.join(staying)
    batch.step()
    assert not batch.join(late)
    batch.drop(leaving)
    assert batch.free_slots == 4
    assert batch.join(late)
    for call in (staying, late, leaving):
        batch.drop(call)
    assert (batch.free_slots, llama.pool.free) == (8, free)


def test_a_row_that_ends_frees_its_slot_while_the_others_go_on(llama: Int8Llama) -> None:
    batch = batch_of(llama, 4)
    call = ask(words(8, 1), ["base", "narrow"], GREEDY)
    call.requests[0] = ask([], ["base"], Decoding(max_new_tokens=2)).requests[0]
    assert batch.join(call)
    batch.step()
    assert batch.free_slots == 2
    ((_, rows),) = batch.step()
    assert rows[0].stopped == "length"
    assert rows[1].stopped is None
    assert batch.free_slots == 3


def test_a_row_that_fails_spoils_no_other(folder: Path) -> None:
    broken = adapter(["q"], 2, 4)
    broken.pairs[1, "q"][1][0, 0] = torch.nan
    llama = Int8Llama(folder, {**chains(), "broken": [broken]}, 1)
    prompt = words(20, 5)
    expected = answers(batch_of(llama), ask(prompt, ["base", "narrow"], GREEDY))
    batch = batch_of(llama)
    (steps,) = run(batch, [ask(prompt, ["base", "broken", "narrow"], GREEDY)])
    assert [text_of(steps, 0), text_of(steps, 2)] == expected
    assert (steps[-1][1].stopped, steps[-1][1].error) == ("error", "the model's output was not a number")
    assert batch.free_slots == 48
    # A text that can't be made of the tokens is its row's own failure, too.
    batch = batch_of(llama)
    batch._tokenizer.unreadable = int(expected[0].split()[3])
    (steps,) = run(batch, [ask(prompt, ["base", "narrow"], GREEDY)])
    assert "no word" in (steps[-1][0].error or "")
    if str(batch._tokenizer.unreadable) not in expected[1].split():
        assert text_of(steps, 1) == expected[1]


def test_a_row_that_can_not_start_ends_with_its_reason(llama: Int8Llama) -> None:
    call = ask(words(8, 1), ["base", "narrow"], GREEDY)
    call.prompts[0], call.errors[0] = None, "its adapter is missing"
    (steps,) = run(batch_of(llama), [call])
    assert all(rows[0].stopped == "error" for rows in steps)
    assert steps[-1][0].error == "its adapter is missing"
    assert steps[-1][1].tokens == 12


def test_a_call_larger_than_the_batch_is_answered_in_portions(llama: Int8Llama) -> None:
    prompt = words(30, 6)
    calls = [ask(prompt, MODELS * 3, decoding) for decoding in (GREEDY, SAMPLED)]
    expected = [answers(batch_of(llama), ask(prompt, MODELS * 3, decoding)) for decoding in (GREEDY, SAMPLED)]
    small = batch_of(llama, 5)
    assert [answers(small, call) for call in calls] == expected
    assert small.free_slots == 5


def test_one_row_of_the_whole_context_fits_always(llama: Int8Llama) -> None:
    batch = batch_of(llama, 1)
    whole = llama.shape.context
    (steps,) = run(batch, [ask(words(whole - 3, 7), ["base"], Decoding(max_new_tokens=3), visitor="v")])
    assert steps[-1][0].tokens <= 3
    # Another one goes on from nearly all of it, which asks for one page more.
    (steps,) = run(batch, [ask(words(whole - 3, 7), ["base"], Decoding(max_new_tokens=2), visitor="v")])
    assert steps[-1][0].tokens <= 2
    assert llama.pool.size == -(-whole // 64) + 1


def _objects() -> int:
    """Return how many objects are alive that can refer to others: whatever is kept of a request is among them."""
    gc.collect()
    return len(gc.get_objects())


def test_a_thousand_requests_leave_memory_where_it_was(llama: Int8Llama) -> None:
    batch = batch_of(llama, 12, opening=words(10, 0))
    short = Decoding(max_new_tokens=2)

    def many(count: int, first: int) -> None:
        for number in range(first, first + count, 5):
            run(
                batch, [ask(words(40, i), ["base", "chain"], short, visitor=f"v{i}") for i in range(number, number + 5)]
            )

    many(100, 0)
    pages, objects = (llama.pool.size, batch.free_slots), _objects()
    many(1000, 100)
    assert _objects() < objects + 500, "less than one for two requests"
    assert (llama.pool.size, batch.free_slots) == pages
    batch._prefixes.clear()
    assert llama.pool.free == llama.pool.size


def test_short_prompts_of_many_lengths_all_end(llama: Int8Llama) -> None:
    batch = batch_of(llama, 7)
    calls = [ask(prompt, [MODELS[i % 4]], GREEDY) for i, prompt in enumerate(prompts(20, 90))]
    for steps in run(batch, calls):
        assert steps[-1][0].stopped in ("end", "length")
    assert batch.free_slots == 7
