"""GRPO's completions from the project's own engine: one batch, a preallocated cache, rows freed as they end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch

from medilite.engine.local.adapters import Adapter, AdapterBank, read_adapter
from medilite.engine.local.int8 import unfit
from medilite.engine.local.int8_llama import Int8Llama
from medilite.engine.local.llama import Llama
from medilite.engine.shape import LlamaShape
from medilite.errors import TrainingError
from medilite.prompts import prompt_ids
from medilite.records import Decoding, Message, Role
from training.config import GenerationConfig
from training.lean.draws import draws
from training.lean.products import bfloat16_is_fast
from training.validation import Completion

_POLICY = "policy"

TOGETHER = 32
"""Prompts that are answered at a time, as many as a step of training has completions."""

GREEDY = Decoding(max_new_tokens=256)
"""The decoding of evaluation."""


class PolicySampler:
    """Samples completions of the adapter under training, stacked on those in the folders `parents` (lowest first).

    Called by TRL as its rollout function: prompts in, token ids out. Each row has random numbers of its own, seeded by
    torch's global generator, which the trainer's checkpoints restore. On a CPU the base is in int8 if possible, unless
    a `dtype` is given; on a GPU in bfloat16.
    """

    def __init__(
        self,
        base: Path,
        parents: Sequence[Path],
        tokenizer: Any,
        generation: GenerationConfig,
        dtype: torch.dtype | None = None,
    ) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        # Samples need not have float32's precision, as with servers for GRPO: the log-probabilities are the trainer's.
        self._dtype = dtype or (torch.bfloat16 if bfloat16_is_fast() else torch.float32)
        shape = LlamaShape.read(base)
        self._parents = [read_adapter(folder, shape, folder.name) for folder in parents]
        self._llama: Llama | Int8Llama
        if dtype is None and self._device.type == "cpu" and unfit(shape) is None:
            self._llama = Int8Llama(base, {_POLICY: self._parents}, torch.get_num_threads())
        else:
            self._llama = Llama(base, self._device, self._dtype)
        self._tokenizer = tokenizer
        self._stop_ids = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
        self._decoding = Decoding(
            max_new_tokens=generation.max_new_tokens,
            temperature=generation.temperature,
            top_p=generation.top_p,
            repetition_penalty=generation.repetition_penalty,
        )

    def __call__(self, prompts: Sequence[list[dict[str, str]]], trainer: Any) -> dict[str, Any]:
        """Return TRL's rollout of conversational prompts: prompt and completion ids; TRL computes log-probabilities."""
        conversations = [[Message(cast(Role, m["role"]), m["content"]) for m in prompt] for prompt in prompts]
        ids = [prompt_ids(self._tokenizer, conversation) for conversation in conversations]
        seed = int(torch.randint(2**62, ()))
        model = trainer.accelerator.unwrap_model(trainer.model)
        completions = self.sample(live_adapter(model), ids, self._decoding, seed)
        return {"prompt_ids": ids, "completion_ids": completions, "logprobs": None}

    def answer(self, model: Any, conversations: Sequence[Sequence[Message]]) -> list[Completion]:
        """Return the policy's greedy answers, as evaluation decodes them, without using the trainer's generator."""
        prompts = [prompt_ids(self._tokenizer, conversation) for conversation in conversations]
        policy = live_adapter(model)
        # Some at a time: the cache of 300 prompts with a passage would take more memory than the training.
        pieces = (prompts[start : start + TOGETHER] for start in range(0, len(prompts), TOGETHER))
        found = [ids for piece in pieces for ids in self.sample(policy, piece, GREEDY, 0)]
        return [
            Completion(self._tokenizer.decode(ids, skip_special_tokens=True), ids[-1] in self._stop_ids)
            for ids in found
        ]

    @torch.inference_mode()
    def sample(self, policy: Adapter, prompts: Sequence[list[int]], decoding: Decoding, seed: int) -> list[list[int]]:
        """Return the completions' token ids, the end-of-turn token included where the model gave it."""
        adapters: Any = self._rows([*self._parents, policy], len(prompts))
        sampler = draws(decoding, seed, prompts, self._llama.shape.vocabulary)
        positions = torch.tensor([len(prompt) for prompt in prompts])
        longest = int(positions.max())
        cache: Any = self._llama.new_cache(len(prompts), longest + decoding.max_new_tokens)
        fed = torch.zeros(len(prompts), longest, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            fed[row, : len(prompt)] = torch.tensor(prompt)
        places, last = torch.arange(longest).expand(len(prompts), longest), positions - 1

        completions: list[list[int]] = [[] for _ in prompts]
        living = list(range(len(prompts)))
        for _ in range(decoding.max_new_tokens):
            logits = self._llama.forward(
                fed.to(self._device), places.to(self._device), cache, adapters, last.to(self._device)
            )
            chosen = sampler.choose(logits)
            if int(chosen.min()) < 0:
                raise TrainingError(
                    "The policy's logits are not finite: the run has diverged. Lower its learning rate."
                )
            for row, token in zip(living, chosen.tolist(), strict=True):
                completions[row].append(token)
            going_on = [i for i, token in enumerate(chosen.tolist()) if token not in self._stop_ids]
            if not going_on:
                break
            if len(going_on) < len(living):
                living = [living[i] for i in going_on]
                chosen, positions, adapters = chosen[going_on], positions[going_on], adapters.keep(going_on)
                sampler.keep(going_on)
                cache.keep(going_on)
            fed, places, last = chosen[:, None], positions[:, None], torch.zeros(len(living), dtype=torch.long)
            positions = positions + 1
        return completions

    def _rows(self, chain: Sequence[Adapter], count: int) -> Any:
        """Return a batch's adapters: every row has this chain, lowest first."""
        if isinstance(self._llama, Int8Llama):
            self._llama.bank.replace(_POLICY, chain)
            return self._llama.bank.rows([_POLICY] * count)
        bank = AdapterBank(self._llama.shape, {_POLICY: chain}, self._device, self._dtype)
        return bank.rows([_POLICY] * count)


def live_adapter(model: Any) -> Adapter:
    """Return the adapter under training as the engine takes it, from PEFT's wrapped modules; tensors are copied."""
    pairs = {}
    for index, layer in enumerate(model.get_base_model().model.layers):
        for part in (layer.self_attn, layer.mlp):
            for name, module in part.named_children():
                if hasattr(module, "lora_A"):
                    (key,) = module.lora_A
                    a, b = module.lora_A[key].weight.detach(), module.lora_B[key].weight.detach()
                    pairs[index, name.removesuffix("_proj")] = (a.float().cpu(), b.float().cpu() * module.scaling[key])
    return Adapter(pairs)
