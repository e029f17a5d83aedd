"""Who can be measured, and what each needs."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from medilite.errors import ConfigError, suggestion

BENCH = "pip install -r requirements-bench.txt"


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
    Peer("float32", "MediLite, float32", by_default=False),
    Peer("transformers", "transformers and PEFT, one model after another, float32", ("transformers", "peft"), BENCH),
    Peer("peft", "PEFT mixed batch, float32", ("transformers", "peft"), BENCH),
    Peer("llamacpp", "llama.cpp, Q4_1 with LoRA files", ("xllamacpp", "gguf", "httpx"), BENCH),
    Peer("vllm", "vLLM's server", ("httpx",), BENCH, by_default=False),
)


def choose(names: str | None, vllm: str | None) -> tuple[Peer, ...]:
    """Return the peers named ("all" or "id,id"), or by default those that need no server but one that is given.

    Raises ConfigError with the near name, or where vLLM is asked for without a server.
    """
    known = {peer.name: peer for peer in PEERS}
    if names is None:
        wanted = {peer.name for peer in PEERS if peer.by_default} | ({"vllm"} if vllm else set())
    elif names.strip() == "all":
        wanted = {name for name in known if name != "vllm" or vllm}
    else:
        wanted = {name.strip() for name in names.split(",") if name.strip()}
    for name in sorted(wanted - set(known)):
        raise ConfigError(
            f"--peers {name!r}: there is no such peer.{suggestion(name, known)} Known: {', '.join(known)}."
        )
    if "vllm" in wanted and not vllm:
        raise ConfigError(
            "--peers vllm: no server is given. Start one (docs/SPEED.md says how) and name it by --vllm URL."
        )
    return tuple(peer for peer in PEERS if peer.name in wanted)


def why_absent(peer: Peer) -> str | None:
    """Return why a peer can't be measured here, with the command that mends it, or None."""
    missing = [module for module in peer.modules if importlib.util.find_spec(module) is None]
    return f"{', '.join(missing)} is not installed: {peer.install}" if missing else None
