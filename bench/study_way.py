"""Answers as the study made them: one model after another, PEFT on transformers, batches of 32, greedy.

Only to measure `eval.generate` against (bench.pace). The study called
transformers' pipeline, which is tokenise, pad on the left and `generate`, as here.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medilite.models import Profile
from medilite.prompts import prompt_ids, question_messages
from medilite.weights import ensure_adapter

BATCH_SIZE = 32


@dataclass(frozen=True, slots=True)
class Made:
    """One model's answers to all questions: texts in order, their tokens (the closing ones not counted), and times."""

    model: str
    texts: tuple[str, ...]
    tokens: int
    load_s: float
    answer_s: float


def answer_all(
    profile: Profile,
    base: Path,
    models: Sequence[str],
    questions: Sequence[str],
    max_new_tokens: int,
    batch_size: int = BATCH_SIZE,
) -> Iterator[Made]:
    """Yield each model's answers as it is done; loading is timed apart, and a model is freed before the next."""
    for name in models:
        began = time.perf_counter()
        tokenizer, model = load(profile, base, name)
        loaded = time.perf_counter()
        texts: list[str] = []
        tokens = 0
        for start in range(0, len(questions), batch_size):
            said, count = answer_batch(tokenizer, model, questions[start : start + batch_size], max_new_tokens)
            texts += said
            tokens += count
        yield Made(name, tuple(texts), tokens, loaded - began, time.perf_counter() - loaded)
        del model
        gc.collect()


def load(profile: Profile, base: Path, name: str, *, on_gpu: bool | None = None) -> tuple[Any, Any]:
    """Return (tokenizer, model): the base, parent adapters merged into it, the model's own as PEFT runs it.

    Float32 on a CPU, bfloat16 on a GPU (by default where there is one), as the engine's own ways there.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    on_gpu = torch.cuda.is_available() if on_gpu is None else on_gpu
    tokenizer = AutoTokenizer.from_pretrained(base)
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16 if on_gpu else torch.float32)
    links = profile.chain(name)
    for link in links:
        model = PeftModel.from_pretrained(model, str(ensure_adapter(profile, link)))
        if link is not links[-1]:
            model = model.merge_and_unload()
    return tokenizer, model.to("cuda" if on_gpu else "cpu").eval()


def answer_batch(tokenizer: Any, model: Any, questions: Sequence[str], max_new_tokens: int) -> tuple[list[str], int]:
    """Return (texts, tokens in all) of one batch, padded on the left."""
    import torch
    from transformers import GenerationConfig

    prompts = [prompt_ids(tokenizer, question_messages(question)) for question in questions]
    longest = max(map(len, prompts))
    stops = sorted(i for i, token in tokenizer.added_tokens_decoder.items() if token.special)
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    ids = torch.tensor([[padding] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    config = GenerationConfig(
        do_sample=False, max_new_tokens=max_new_tokens, eos_token_id=stops, pad_token_id=padding, use_cache=True
    )
    with torch.inference_mode():
        whole = model.generate(
            input_ids=ids.to(model.device), attention_mask=mask.to(model.device), generation_config=config
        )
    said = [_until_stop(row, set(stops)) for row in whole[:, longest:].tolist()]
    return [tokenizer.decode(row, skip_special_tokens=True) for row in said], sum(map(len, said))


def _until_stop(ids: list[int], stops: set[int]) -> list[int]:
    end = next((i for i, token in enumerate(ids) if token in stops), len(ids))
    return ids[:end]
