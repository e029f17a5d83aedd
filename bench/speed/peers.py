"""Who can be measured, and what each needs."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from dataclasses import dataclass

from medilite.errors import ConfigError, suggestion

BENCH = "pip install -r requirements-bench.txt"
LLAMA_CPP = ("xllamacpp", "gguf", "httpx")


@dataclass(frozen=True, slots=True)
class Peer:
    """One way of having models answer. `modules` have to be there; `install` gets them."""

    name: str
    title: str
    modules: tuple[str, ...] = ()
    install: str = ""
    by_default: bool = True


PEERS = (
    Peer("int8", "MediLite, int8"),
    Peer("int4", "MediLite, int4", by_default=False),
    Peer("float32", "MediLite, float32", by_default=False),
    Peer("before", "MediLite before", by_default=False),
    Peer("transformers", "transformers and PEFT, one model after another, float32", ("transformers", "peft"), BENCH),
    Peer("peft", "PEFT mixed batch, float32", ("transformers", "peft"), BENCH),
    Peer("llamacpp", "llama.cpp, the published file (lite: Q4_1) with LoRA files", LLAMA_CPP, BENCH),
    Peer("llamacpp-q4_0", "llama.cpp, Q4_0 (repacked as it loads) with LoRA files", LLAMA_CPP, BENCH),
    Peer("llamacpp-q8_0", "llama.cpp, Q8_0 with LoRA files", LLAMA_CPP, BENCH),
    Peer("openvino", "OpenVINO GenAI, the base's GGUF file, no adapters", by_default=False),
    Peer("onnxruntime", "ONNX Runtime GenAI, int4, no adapters", by_default=False),
    Peer("vllm", "vLLM's server", ("httpx",), BENCH, by_default=False),
)


NEEDS = {
    "vllm": "--peers vllm: no server is given. Start one (docs/SPEED.md says how) and name it by --vllm URL.",
    "openvino": "--peers openvino: no folder with its packages is named. `pip install --no-deps --target DIR"
    " openvino-genai openvino openvino-tokenizers`, then --openvino DIR.",
    "onnxruntime": "--peers onnxruntime: no folder with its packages is named. `pip install --no-deps --target DIR"
    " onnxruntime-genai onnxruntime onnx onnx-ir ml_dtypes protobuf flatbuffers`, then --onnxruntime DIR.",
    "before": "--peers before: no commit is given. Name one by --before COMMIT.",
}


def choose(names: str | None, given: Collection[str]) -> tuple[Peer, ...]:
    """Return the peers named ("all" or "id,id"), or by default those that need nothing but what is `given`.

    Of NEEDS, the peers whose option was given. Raises ConfigError with the near name, or where such a
    peer is asked for without its option.
    """
    known = {peer.name: peer for peer in PEERS}
    if names is None:
        wanted = {peer.name for peer in PEERS if peer.by_default} | set(given)
    elif names.strip() == "all":
        wanted = {name for name in known if name not in NEEDS or name in given}
    else:
        wanted = {name.strip() for name in names.split(",") if name.strip()}
    for name in sorted(wanted - set(known)):
        raise ConfigError(
            f"--peers {name!r}: there is no such peer.{suggestion(name, known)} Known: {', '.join(known)}."
        )
    for name in NEEDS:
        if name in wanted and name not in given:
            raise ConfigError(NEEDS[name])
    return tuple(peer for peer in PEERS if peer.name in wanted)


def why_absent(peer: Peer) -> str | None:
    """Return why a peer can't be measured here, with the command that fixes it, or None."""
    missing = [module for module in peer.modules if importlib.util.find_spec(module) is None]
    return f"{', '.join(missing)} is not installed: {peer.install}" if missing else None
