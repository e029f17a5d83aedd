"""Losses of references under one model, by the int8 engine and by transformers with PEFT in float32."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.study_way import load
from eval.questions import Question
from medilite.models import Profile
from medilite.settings import Settings

MAX_ANSWER_TOKENS = 256
"""A reference is cut there, as long as an answer may be."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question's prompt and its first reference as token ids."""

    qid: str
    prompt: tuple[int, ...]
    answer: tuple[int, ...]


def pairs_of(base: Path, questions: Sequence[Question]) -> list[Pair]:
    """Return the questions with their first references, tokenised as in training."""
    from transformers import AutoTokenizer

    from medilite.prompts import training_ids

    tokenizer = AutoTokenizer.from_pretrained(base)
    pairs = []
    for question in questions:
        prompt, answer = training_ids(tokenizer, question.text, question.references[0])
        pairs.append(Pair(question.qid, tuple(prompt), tuple(answer[:MAX_ANSWER_TOKENS])))
    return pairs


def int8_losses(
    profile: Profile, settings: Settings, base: Path, model: str, pairs: Sequence[Pair]
) -> Iterator[tuple[Pair, float]]:
    """Yield each pair with the summed loss (nats) of its answer, as the int8 engine computes it."""
    import numpy as np
    import torch

    from medilite.engine.local.adapters import read_adapter
    from medilite.engine.local.int8_llama import TOGETHER, Int8Llama
    from medilite.engine.native.arrays import Tokens
    from medilite.engine.shape import LlamaShape
    from medilite.weights import ensure_adapter

    shape = LlamaShape.read(base)
    chain = [read_adapter(ensure_adapter(profile, link), shape, link.id) for link in profile.chain(model)]
    llama = Int8Llama(base, {model: chain}, settings.threads or torch.get_num_threads())
    try:
        for pair in pairs:
            ids = np.array(pair.prompt + pair.answer[:-1], np.int32)
            first = len(pair.prompt) - 1
            logits = np.empty((len(pair.answer), shape.vocabulary), np.float32)
            cache = llama.new_cache(1, len(ids))
            for start in range(0, len(ids), TOGETHER):
                at = np.arange(start, min(start + TOGETHER, len(ids)), dtype=np.int32)
                wanted = np.flatnonzero(at >= first).astype(np.int32)
                here = slice(max(at[0] - first, 0), max(at[-1] + 1 - first, 0))
                zeros = np.zeros(len(at), np.int32)
                llama.run(Tokens(ids[at], at, zeros, zeros, cache.tables, wanted), logits[here])
            cache.close()
            targets = torch.tensor(pair.answer)
            yield pair, float(torch.nn.functional.cross_entropy(torch.from_numpy(logits), targets, reduction="sum"))
    finally:
        llama.close()


def float32_losses(
    profile: Profile, settings: Settings, base: Path, model: str, pairs: Sequence[Pair]
) -> Iterator[tuple[Pair, float]]:
    """Yield each pair with the summed loss (nats) of its answer, as transformers with PEFT computes it."""
    import torch

    if settings.threads:
        torch.set_num_threads(settings.threads)
    _, whole = load(profile, base, model, on_gpu=False)
    with torch.inference_mode():
        for pair in pairs:
            ids = torch.tensor([pair.prompt + pair.answer], device=whole.device)
            logits = whole(ids, logits_to_keep=len(pair.answer) + 1).logits[0, :-1].float()
            targets = ids[0, len(pair.prompt) :]
            yield pair, float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
