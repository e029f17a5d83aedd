"""Answers where ZeroGPU lends the GPU, with a stand-in for its package: what goes in and out is pickled, as it does."""

from __future__ import annotations

import importlib
import pickle
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from medilite.engine import open_engine
from medilite.engine.local.adapters import AdapterBank
from medilite.engine.local.batch import Batch, OneByOne
from medilite.engine.local.calls import Call
from medilite.engine.local.llama import Llama
from medilite.engine.local.scheduler import Scheduler
from medilite.errors import EngineError
from medilite.records import Decoding
from medilite.settings import load_settings
from tests.engine.running import STOP, Numbers, ask
from tests.engine.small import MODELS, VOCABULARY, chains, write_base


class Spaces(types.ModuleType):
    """Stands in for `spaces`; `refuses` is the error that it raises instead of lending a GPU."""

    def __init__(self) -> None:
        super().__init__("spaces")
        self.declared: list[int] = []
        self.refuses: Exception | None = None
        self.ended = 0

    def GPU(self, *, duration: Callable[..., int]) -> Callable:
        def marked(task: Callable[..., Iterator]) -> Callable[..., Iterator]:
            def lend(*args: Any) -> Iterator:
                self.declared.append(duration(*args))
                if self.refuses is not None:
                    raise self.refuses
                try:
                    for result in task(*pickle.loads(pickle.dumps(args))):
                        yield pickle.loads(pickle.dumps(result))
                finally:
                    self.ended += 1

            return lend

        return marked


@pytest.fixture
def spaces(monkeypatch: pytest.MonkeyPatch) -> Spaces:
    stand_in = Spaces()
    monkeypatch.setitem(sys.modules, "spaces", stand_in)
    monkeypatch.delitem(sys.modules, "medilite.engine.local.zero", raising=False)
    return stand_in


@pytest.fixture
def begin(tmp_path) -> Callable[[Call], Batch]:
    cpu = torch.device("cpu")
    llama = Llama(write_base(tmp_path), cpu, torch.float32)
    bank = AdapterBank(llama.shape, chains(), cpu, torch.float32)
    return lambda call: Batch(llama, bank, Numbers(), frozenset({STOP}), call)


@pytest.fixture
def engine(spaces, begin, lite, monkeypatch):
    opened = open_engine(lite, load_settings(zero_gpu=True))
    zero = importlib.import_module("medilite.engine.local.zero")
    assert type(opened) is zero.ZeroEngine
    monkeypatch.setattr(zero, "_begin", begin)
    yield opened
    sys.modules.pop("medilite.engine.local.zero", None)


def test_answers_are_those_of_the_local_engine(engine, begin):
    decoding = Decoding(max_new_tokens=12, temperature=0.7)
    call = ask([1, 2, 3], MODELS, decoding)
    local = list(Scheduler(OneByOne(begin)).stream(ask([1, 2, 3], MODELS, decoding)))
    assert list(engine._answer(None, call)) == local


def test_words_are_weighed_as_by_the_local_engine(engine, begin):
    def weighed() -> Call:
        call = ask([1, 2, 3], MODELS, Decoding(max_new_tokens=12))
        # The second model's row alone; another is chosen from a hundred tokens.
        shifts = [None] * len(MODELS)
        shifts[1] = np.where(np.arange(VOCABULARY) < 100, 1000, 0).astype(np.float32)
        return replace(call, shifts=shifts)

    local = list(Scheduler(OneByOne(begin)).stream(weighed()))
    assert all(token < 100 for step in local for token in step.rows[1].ids)
    assert list(engine._answer(None, weighed())) == local


def test_the_declared_time_grows_with_the_answer_and_has_an_end(engine, spaces):
    for tokens in (16, 256, 2000):
        with closing(engine._answer(None, ask([1], MODELS, Decoding(max_new_tokens=tokens)))) as steps:
            next(steps)
    short, usual, long = spaces.declared
    assert short < usual < long == 60


def test_leaving_gives_the_gpu_back(engine, spaces):
    with closing(engine._answer(None, ask([1, 2], MODELS, Decoding(max_new_tokens=50)))) as steps:
        next(steps)
        assert spaces.ended == 0
    assert spaces.ended == 1


def test_a_used_up_quota_is_a_sentence(engine, spaces):
    class GradioError(Exception):
        message = "You have exceeded your GPU quota."

    spaces.refuses = GradioError()
    with pytest.raises(EngineError, match=r"^ZeroGPU gave no answer: .* exceeded your GPU quota\. Try again later\.$"):
        list(engine._answer(None, ask([1], MODELS, Decoding())))


def test_what_fails_on_the_gpu_is_not_called_a_lack_of_one(engine, spaces):
    spaces.refuses = RuntimeError("out of memory")
    with pytest.raises(EngineError, match=r"^ZeroGPU gave no answer: RuntimeError\. Try again later\.$"):
        list(engine._answer(None, ask([1], MODELS, Decoding())))


def test_no_gpu_is_asked_for_where_no_model_can_answer(engine, spaces):
    call = Call(ask([1], ["base"], Decoding()).requests, [None], ["its adapter is missing"])
    (step,) = engine._answer(None, call)
    assert step.rows[0].stopped == "error"
    assert spaces.declared == []


def test_elsewhere_the_package_is_not_asked_for(lite, monkeypatch):
    monkeypatch.setitem(sys.modules, "spaces", None)
    assert type(open_engine(lite, load_settings())).__name__ == "LocalEngine"


def test_the_variable_of_a_zerogpu_space_is_read(monkeypatch):
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert load_settings().zero_gpu is True
