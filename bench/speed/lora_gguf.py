"""LoRA adapters as llama.cpp reads them: one GGUF file an adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

_NAMES = {
    "q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output",
    "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down",
}  # fmt: skip


def write_lora(adapter: Any, shape: Any, path: Path) -> None:
    """Write an `engine.adapters.Adapter` for a base of that LlamaShape.

    llama.cpp multiplies a pair by alpha over rank. Here the scale is in B
    already, so alpha is 1 and B is multiplied by the rank.
    """
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 1.0)
    for (layer, module), (a, b) in sorted(adapter.pairs.items()):
        name = f"blk.{layer}.{_NAMES[module]}.weight"
        outputs = b.numpy().astype(np.float32) * a.shape[0]
        if module in ("q", "k"):
            outputs = interleaved(outputs, shape.heads if module == "q" else shape.kv_heads)
        writer.add_tensor(f"{name}.lora_a", np.ascontiguousarray(a.numpy(), np.float32))
        writer.add_tensor(f"{name}.lora_b", np.ascontiguousarray(outputs))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def interleaved(rows: np.ndarray, heads: int) -> np.ndarray:
    """Return a head's outputs in the order of GGUF's llama files.

    transformers rotates number i of a head with number i + D/2, llama.cpp
    neighbours; convert_hf_to_gguf.py reorders q and k like this.
    """
    half = rows.shape[0] // heads // 2
    return rows.reshape(heads, 2, half, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)
