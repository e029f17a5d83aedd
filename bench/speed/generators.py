"""The generators of a peer's process: each answers a visitor's asks and reports every token.

All answer greedily, without a penalty, and give exactly as many tokens as asked
for: end tokens are ignored.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.speed.workloads import Ask
from medilite.models import Profile
from medilite.settings import Settings

OnTokens = Callable[[int, int], None]
"""Gets an ask's number and the number of its new tokens."""


class Generator(Protocol):
    """Answers; used by several threads, one a visitor."""

    def answer(self, asks: Sequence[Ask], on_tokens: OnTokens) -> None:
        """Answer all of a visitor's asks and return when the last is whole."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a generator is made for: `rows` answers at once at most, of so many tokens with their prompts.

    `packages` is the folder with packages of the generator's own.
    """

    profile: Profile
    settings: Settings
    threads: int
    rows: int
    tokens: int
    gguf: Path | None = None
    vllm: str | None = None
    packages: Path | None = None


def open_generator(peer: str, setting: Setting) -> Generator:
    """Return a peer, loaded."""
    from bench.speed.own_environment import OnnxRuntime, OpenVino

    makers: dict[str, Callable[[Setting], Generator]] = {
        "int8": lambda s: Ours(s, "int8"),
        "int4": lambda s: Ours(s, "int4"),
        "float32": lambda s: Ours(s, "float32"),
        "transformers": lambda s: Transformers(s, mixed=False),
        "peft": lambda s: Transformers(s, mixed=True),
        "llamacpp": LlamaCpp,
        "llamacpp-q4_0": lambda s: LlamaCpp(s, "Q4_0"),
        "llamacpp-q8_0": lambda s: LlamaCpp(s, "Q8_0"),
        "openvino": OpenVino,
        "onnxruntime": OnnxRuntime,
        "vllm": VLLM,
    }
    return makers[peer](setting)


class Ours:
    """MediLite's engine, through the protocol that the page uses."""

    def __init__(self, setting: Setting, precision: str) -> None:
        from medilite.engine.local.engine import LocalEngine

        changes = {"precision": precision, "threads": setting.threads, "slots": max(setting.rows, 6)}
        settings = setting.settings.model_copy(update=changes)
        self._engine = LocalEngine(setting.profile, settings, endless=True)
        self._engine.load()
        self.bytes_a_step = getattr(self._engine._once.get().llama, "bytes_a_step", None)

    def answer(self, asks: Sequence[Ask], on_tokens: OnTokens) -> None:
        """As Generator."""
        from medilite.prompts import question_messages
        from medilite.records import Decoding, Request

        requests = [
            Request(ask.model, question_messages(ask.prompt.question), Decoding(ask.new_tokens)) for ask in asks
        ]
        before = [0] * len(asks)
        for step in self._engine.stream(requests):
            for number, row in enumerate(step.rows):
                if row.error:
                    raise RuntimeError(f"{asks[number].model}: {row.error}")
                if row.tokens > before[number]:
                    on_tokens(number, row.tokens - before[number])
                    before[number] = row.tokens


class Transformers:
    """transformers with PEFT's adapters: one model after another, or all of a visitor's in one mixed batch.

    Neither serves several callers at once: visitors take turns.
    """

    def __init__(self, setting: Setting, *, mixed: bool) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM

        from medilite.weights import ensure_base

        torch.set_num_threads(setting.threads)
        folder = ensure_base(setting.profile, setting.settings)
        self._mixed, self._turn = mixed, threading.Lock()
        self._chains = {model: [link.id for link in setting.profile.chain(model)] for model in setting.profile.ids}
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        for link in [spec for spec in setting.profile.models if spec.adapter]:
            path = str(setting.profile.adapter_path(link))
            if isinstance(model, PeftModel):
                model.load_adapter(path, adapter_name=link.id)
            else:
                model = PeftModel.from_pretrained(model, path, adapter_name=link.id)
        # A row of a mixed batch names one adapter, so a chain becomes one: ranks side by side, which is exact.
        self._names = {name: chain[0] if chain else "__base__" for name, chain in self._chains.items()}
        for name, chain in self._chains.items():
            if mixed and len(chain) > 1:
                self._names[name] = f"{name}-whole"
                model.add_weighted_adapter(chain, [1.0] * len(chain), self._names[name], combination_type="cat")
        self._model = model.eval()

    def answer(self, asks: Sequence[Ask], on_tokens: OnTokens) -> None:
        """As Generator."""
        with self._turn:
            if self._mixed:
                names = [self._names[ask.model] for ask in asks]
                self._generate(asks, range(len(asks)), on_tokens, adapter_names=names)
                return
            for number, ask in enumerate(asks):
                chain = self._chains[ask.model]
                if chain:
                    self._model.base_model.set_adapter(chain)
                    self._generate([ask], [number], on_tokens)
                else:
                    with self._model.disable_adapter():
                        self._generate([ask], [number], on_tokens)

    def _generate(self, asks: Sequence[Ask], numbers: Sequence[int], on_tokens: OnTokens, **more: Any) -> None:
        import torch
        from transformers.generation.streamers import BaseStreamer

        class Streamer(BaseStreamer):
            """Is given the prompt first, then every step's tokens."""

            prompted = False

            def put(self, value: Any) -> None:
                if self.prompted:
                    for number in numbers:
                        on_tokens(number, 1)
                self.prompted = True

            def end(self) -> None:
                """Nothing is held back."""

        ids = torch.tensor([ask.prompt.ids for ask in asks])  # a visitor asks all models the same
        count = asks[0].new_tokens
        if not more.get("adapter_names") or set(more["adapter_names"]) == {"__base__"}:
            more.pop("adapter_names", None)
        with torch.inference_mode():
            self._model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), streamer=Streamer(), do_sample=False,
                min_new_tokens=count, max_new_tokens=count, pad_token_id=0, **more,
            )  # fmt: skip


class LlamaCpp:
    """llama.cpp's server, in this process, with every adapter as a LoRA file; requests name theirs by scale.

    With `kind` the base is written in that format first; else it is the published file, or the one that is named.
    """

    def __init__(self, setting: Setting, kind: str = "") -> None:
        import httpx
        import xllamacpp

        from bench.speed.base_gguf import write_base
        from bench.speed.lora_gguf import write_lora
        from medilite.engine.local.adapters import read_adapter
        from medilite.engine.shape import LlamaShape
        from medilite.models import load_profile
        from medilite.weights import ensure_adapter, ensure_base, ensure_gguf

        profile = setting.profile
        folder = ensure_base(profile, setting.settings)
        shape = LlamaShape.read(folder)
        self._files = tempfile.TemporaryDirectory(prefix="medilite-speed-")
        links = [spec for spec in profile.models if spec.adapter]
        params = xllamacpp.CommonParams()
        loras = []
        for link in links:
            path = Path(self._files.name) / f"{link.id}.gguf"
            write_lora(read_adapter(ensure_adapter(profile, link), shape, link.id), shape, path)
            loras.append(xllamacpp.CommonAdapterLoraInfo(str(path), 0.0))
        place = {link.id: number for number, link in enumerate(links)}
        self._scales = {
            model: [{"id": place[link.id], "scale": 1.0} for link in profile.chain(model)] for model in profile.ids
        }
        self._none = [{"id": number, "scale": 0.0} for number in range(len(links))]
        if kind:
            base = Path(self._files.name) / f"{kind}.gguf"
            write_base(folder, setting.gguf or ensure_gguf(load_profile("lite"), setting.settings), kind, base)
        else:
            base = setting.gguf or ensure_gguf(profile, setting.settings)
        params.model.path = str(base)
        params.lora_adapters = loras
        params.n_parallel = setting.rows
        params.n_ctx = setting.rows * -(-(setting.tokens + 8) // 256) * 256
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = setting.threads
        params.warmup = True
        self._server = xllamacpp.Server(params)
        self._http = httpx.Client(
            base_url=self._server.listening_address, timeout=None,
            limits=httpx.Limits(max_keepalive_connections=0),  # it closes idle ones while they are taken up again
        )  # fmt: skip

    def answer(self, asks: Sequence[Ask], on_tokens: OnTokens) -> None:
        """As Generator."""

        def one(number: int, ask: Ask) -> None:
            wanted = {lora["id"]: lora for lora in self._scales[ask.model]}
            body = {
                "prompt": list(ask.prompt.ids), "n_predict": ask.new_tokens, "ignore_eos": True, "temperature": 0.0,
                "stream": True, "return_tokens": True, "cache_prompt": False,
                "lora": [wanted.get(lora["id"], lora) for lora in self._none],
            }  # fmt: skip
            for event in events(self._http, "/completion", body):
                if event.get("error"):
                    raise RuntimeError(f"llama.cpp: {event['error']}")
                if count := len(event.get("tokens") or ()):
                    on_tokens(number, count)

        in_threads(asks, one)


class VLLM:
    """A vLLM server that runs already, with one served name a model; its memory and threads aren't measured."""

    def __init__(self, setting: Setting) -> None:
        import httpx

        self._http = httpx.Client(base_url=(setting.vllm or "").rstrip("/").removesuffix("/v1"), timeout=None)
        served = {model["id"] for model in self._http.get("/v1/models").raise_for_status().json()["data"]}
        if missing := set(setting.profile.ids) - served:
            raise RuntimeError(
                f"{setting.vllm} serves {', '.join(sorted(served))}, and not {', '.join(sorted(missing))}."
            )

    def answer(self, asks: Sequence[Ask], on_tokens: OnTokens) -> None:
        """As Generator."""

        def one(number: int, ask: Ask) -> None:
            body = {
                "model": ask.model, "prompt": list(ask.prompt.ids), "max_tokens": ask.new_tokens,
                "min_tokens": ask.new_tokens, "ignore_eos": True, "temperature": 0.0, "stream": True,
                "stream_options": {"include_usage": True, "continuous_usage_stats": True},
            }  # fmt: skip
            before = 0
            for event in events(self._http, "/v1/completions", body):
                now = (event.get("usage") or {}).get("completion_tokens", before)
                if now > before:
                    on_tokens(number, now - before)
                    before = now

        in_threads(asks, one)


def in_threads(asks: Sequence[Ask], one: Callable[[int, Ask], None]) -> None:
    """Run `one` for every ask at once; raises what the first that failed raised."""
    with ThreadPoolExecutor(len(asks)) as pool:
        for future in [pool.submit(one, number, ask) for number, ask in enumerate(asks)]:
            future.result()


def events(http: Any, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Post and yield the server's events as they come."""
    with http.stream("POST", path, json=body) as response:
        if response.status_code != 200:
            raise RuntimeError(
                f"{path} answered {response.status_code}: {response.read().decode(errors='replace')[:300]}"
            )
        for line in response.iter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                yield json.loads(line.removeprefix("data: "))
