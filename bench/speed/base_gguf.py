"""A base's folder as llama.cpp reads it, in a format of its own choice: one GGUF file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.speed.lora_gguf import interleaved
from medilite.engine.shape import LlamaShape

_LAYER = {
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip


def write_base(folder: Path, tokenizer: Path, kind: str, path: Path) -> None:
    """Write the base of `folder` with its products in `kind` ("Q4_0", "Q4_1", "Q8_0"), embedding and head in Q8_0.

    The tokenizer is copied from another GGUF file of the same vocabulary. Numbers are rounded by the package gguf.
    """
    import gguf

    from medilite.engine.local.llama import read_tensors

    shape, take = LlamaShape.read(folder), read_tensors(folder)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(folder.name)
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.intermediate)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_layer_norm_rms_eps(shape.rms_norm_eps)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType[f"MOSTLY_{kind}"])
    for name, field in gguf.GGUFReader(tokenizer).fields.items():
        if name.startswith("tokenizer."):
            of = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], of)

    def add(name: str, of: str, quantised: str, heads: int = 0) -> None:
        values = take(of).float().numpy()
        if heads:
            values = np.ascontiguousarray(interleaved(values, heads))
        if values.ndim == 1:
            writer.add_tensor(f"{name}.weight", values)
            return
        form = gguf.GGMLQuantizationType[quantised]
        writer.add_tensor(f"{name}.weight", gguf.quants.quantize(values, form), raw_dtype=form)

    add("token_embd", "model.embed_tokens.weight", "Q8_0")
    add("output_norm", "model.norm.weight", kind)
    if not shape.tied_head:
        add("output", "lm_head.weight", "Q8_0")
    turned = {"attn_q": shape.heads, "attn_k": shape.kv_heads}
    for layer in range(shape.layers):
        for name, module in _LAYER.items():
            add(f"blk.{layer}.{name}", f"model.layers.{layer}.{module}.weight", kind, turned.get(name, 0))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
