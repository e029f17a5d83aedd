"""What was computed for a visitor is gone on from by that visitor alone, and changes no answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from medilite.engine.local.int8_llama import Int8Llama
from medilite.engine.local.pages import PagePool
from medilite.engine.local.prefixes import KEPT_S, Prefixes
from medilite.records import Decoding
from tests.engine.local.test_running import words
from tests.engine.running import Counter, answers, ask, batch_of, run, text_of
from tests.engine.small import MODELS, adapter, chains, write_base

GREEDY = Decoding(max_new_tokens=12)
SAMPLED = Decoding(max_new_tokens=12, temperature=1.1, top_p=0.9, repetition_penalty=1.2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small base."""
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def llama(folder: Path) -> Int8Llama:
    """The small base in int8, its pages untouched."""
    return Int8Llama(folder, chains(), 1)


def test_a_turn_that_continues_the_last_one_computes_only_what_is_new(
    llama: Int8Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, seen = batch_of(llama), Counter(llama, monkeypatch)
    first = words(100, 1)
    (said,) = answers(batch, ask(first, ["chain"], GREEDY, visitor="a"))
    written = [int(word) for word in said.split()]
    seen.take()
    second = [*first, *written, *words(30, 2)]
    found = answers(batch, ask(second, ["chain"], GREEDY, visitor="a"))
    # 30 new ones, the last token of the answer, which nothing came after, and 11 of the new answer.
    assert seen.take() <= 30 + 1 + 11
    assert found == answers(batch_of(llama), ask(second, ["chain"], GREEDY))
    # Another model has other keys: it reads all of it.
    seen.take()
    answers(batch, ask(second, ["narrow"], GREEDY, visitor="a"))
    assert seen.take() >= len(second)


@pytest.mark.parametrize("length", [63, 64, 65, 100, 128, 129])
def test_asking_again_reads_one_token_and_says_the_same(
    llama: Int8Llama, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    prompt = words(length, 3)
    batch, seen = batch_of(llama), Counter(llama, monkeypatch)
    expected = answers(batch, ask(prompt, MODELS, GREEDY, visitor="a"))
    seen.take()
    again = ask(prompt, MODELS, GREEDY, visitor="a")
    assert batch.join(again)
    batch.step()
    assert seen.take() == 4
    batch.drop(again)
    assert answers(batch, ask(prompt, MODELS, GREEDY, visitor="a")) == expected
    # Other settings begin with the same prompt.
    seen.take()
    sampled = answers(batch, ask(prompt, MODELS, SAMPLED, visitor="a"))
    assert seen.take() <= 4 * 12
    assert sampled == answers(batch_of(llama), ask(prompt, MODELS, SAMPLED))


def test_nobody_gains_from_what_another_asked(llama: Int8Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, seen = batch_of(llama), Counter(llama, monkeypatch)
    prompt = words(100, 1)
    answers(batch, ask(prompt, ["base"], GREEDY, visitor="a"))
    costs = []
    for visitor in ("b", "", ""):
        seen.take()
        answers(batch, ask(prompt, ["base"], GREEDY, visitor=visitor))
        costs.append(seen.take())
    assert costs[0] == costs[1] == costs[2] >= 100


def test_how_every_conversation_begins_is_read_once_for_everybody(
    llama: Int8Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, asked = words(24, 8), words(10, 9)
    expected = answers(batch_of(llama), ask([*opening, *asked], MODELS, GREEDY))
    batch, seen = batch_of(llama, 3, opening), Counter(llama, monkeypatch)
    assert answers(batch, ask([*opening, *asked], MODELS, GREEDY)) == expected
    # Three rows at once: the prompts' ten tokens each and eleven of an answer at most.
    assert seen.take() <= 4 * (10 + 11)


def test_a_row_goes_on_while_another_of_its_visitor_shares_its_pages(llama: Int8Llama) -> None:
    prompt = words(150, 1)
    expected = [answers(batch_of(llama), ask(prompt, ["base"], d, seed=s))[0] for d, s in ((GREEDY, 3), (SAMPLED, 4))]
    batch = batch_of(llama)
    answers(batch, ask(prompt, ["base"], Decoding(max_new_tokens=1), visitor="a"))
    calls = [ask(prompt, ["base"], d, visitor="a", seed=s) for d, s in ((GREEDY, 3), (SAMPLED, 4))]
    steps = run(batch, calls, [0, 2])
    assert [text_of(got, 0) for got in steps] == expected


def test_a_stopped_answer_can_be_gone_on_from(llama: Int8Llama, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, seen = batch_of(llama), Counter(llama, monkeypatch)
    prompt = words(70, 1)
    stopped = ask(prompt, ["base"], GREEDY, visitor="a")
    assert batch.join(stopped)
    for _ in range(3):
        batch.step()
    batch.drop(stopped)
    seen.take()
    answers(batch, ask([*prompt, *words(5, 2)], ["base"], Decoding(max_new_tokens=1), visitor="a"))
    assert seen.take() == 5


def test_what_was_kept_makes_way_for_whoever_asks_now(llama: Int8Llama) -> None:
    batch = batch_of(llama, 1)
    for visitor in "abcdef":
        answers(batch, ask(words(120, ord(visitor)), ["base"], GREEDY, visitor=visitor))
    assert 0 < batch._prefixes.held <= llama.pool.size / 3
    size = llama.pool.size
    answers(batch, ask(words(llama.shape.context - 12, 1), ["base"], GREEDY))
    assert llama.pool.size == size


def test_another_adapter_makes_what_was_kept_worthless(llama: Int8Llama) -> None:
    batch, prompt = batch_of(llama), words(100, 1)
    before = answers(batch, ask(prompt, ["narrow"], GREEDY, visitor="a"))
    other = [adapter(["q", "k", "v"], 4, 9)]
    llama.bank.replace("narrow", other)
    after = answers(batch, ask(prompt, ["narrow"], GREEDY, visitor="a"))
    assert after == answers(batch_of(llama), ask(prompt, ["narrow"], GREEDY))
    assert after != before


def test_the_oldest_goes_first_and_nothing_stays_for_long(llama: Int8Llama) -> None:
    pool, now = PagePool(llama.shape), [0.0]
    kept = Prefixes(pool, 4, lambda: now[0])

    def keep(visitor: str, start: int) -> list[int]:
        tokens, pages = list(range(start, start + 100)), pool.take(2)
        kept.keep(visitor, 0, tokens, pages)
        pool.give_back(pages)
        return [*tokens, 0]

    a, b = keep("a", 0), keep("b", 1000)
    assert kept.find("a", 0, a)[0] == 100
    c = keep("c", 2000)
    assert [kept.find(visitor, 0, prompt)[0] for visitor, prompt in (("a", a), ("b", b), ("c", c))] == [100, 0, 100]
    assert kept.find("a", 1, a) == (0, [])
    now[0] = KEPT_S - 1
    kept.find("c", 0, c)
    now[0] = KEPT_S + 1
    # By themselves: an engine that is never idle is never tidied.
    assert [kept.find(visitor, 0, prompt)[0] for visitor, prompt in (("a", a), ("c", c))] == [0, 100]
    now[0] = 3 * KEPT_S
    held = pool.size - pool.free
    keep("d", 3000)
    assert pool.size - pool.free == held, "the pages of c made way for those of d"
    kept.clear()
    assert pool.free == pool.size
