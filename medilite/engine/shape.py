"""The dimensions of a Llama model; no torch, so that anything may import it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medilite.errors import WeightsError

_SIZES = (
    "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size", "vocab_size",
    "max_position_embeddings",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LlamaShape:
    """The numbers of config.json that the forward pass needs."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocabulary: int
    context: int
    rms_norm_eps: float
    rope_theta: float
    tied_head: bool

    @classmethod
    def read(cls, folder: Path) -> LlamaShape:
        """Read config.json; raises WeightsError if the architecture isn't plain Llama."""
        try:
            raw: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise WeightsError(f"{folder / 'config.json'} is no JSON ({error}). Get it again.") from error
        if not isinstance(raw, dict) or not isinstance(
            raw.get("rope_parameters") or raw.get("rope_scaling") or {}, dict
        ):
            raise WeightsError(f"{folder / 'config.json'} describes no model. Get it again.")
        rope: dict[str, Any] = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
        unlike = {
            "model_type": raw.get("model_type") != "llama",
            "rope_type": rope.get("rope_type", rope.get("type", "default")) != "default",
            "attention_bias": bool(raw.get("attention_bias")),
            "mlp_bias": bool(raw.get("mlp_bias")),
            "hidden_act": raw.get("hidden_act", "silu") != "silu",
            "quantization_config": bool(raw.get("quantization_config")),
        }
        if wrong := [key for key, differs in unlike.items() if differs]:
            raise WeightsError(
                f"{folder.name}/config.json: the engine runs plain Llama models; {', '.join(wrong)} is something else "
                f"({', '.join(f'{key}={raw.get(key)!r}' for key in wrong)}). Use a SmolLM2 or another Llama base."
            )
        for key in (*_SIZES, "num_key_value_heads", "head_dim", "rms_norm_eps", "rope_theta"):
            value = raw.get(key)
            whole = isinstance(value, int) and not isinstance(value, bool)
            number = whole or isinstance(value, float) or (value is None and key != "rms_norm_eps")
            right = whole if key in _SIZES else number
            if not right or (value is not None and not 0 < value < 2**31):
                raise WeightsError(f"{folder / 'config.json'}: {key}={value!r} can't be right. Get it again.")
        heads = raw["num_attention_heads"]
        return cls(
            layers=raw["num_hidden_layers"],
            hidden=raw["hidden_size"],
            heads=heads,
            kv_heads=raw.get("num_key_value_heads") or heads,
            head_dim=raw.get("head_dim") or raw["hidden_size"] // heads,
            intermediate=raw["intermediate_size"],
            vocabulary=raw["vocab_size"],
            context=raw["max_position_embeddings"],
            rms_norm_eps=raw["rms_norm_eps"],
            rope_theta=float(rope.get("rope_theta") or raw.get("rope_theta") or 10000.0),
            tied_head=bool(raw.get("tie_word_embeddings")),
        )
