"""The transformer under a Llama's head, by hand if possible: frozen weights, adapters of PEFT, rows end to end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from training.lean.attention import Heads
from training.lean.layer import Frozen, Layer, Low, Rows
from training.lean.products import FrozenLinear

_PRODUCTS = (("q_proj", "k_proj", "v_proj"), ("o_proj",), ("gate_proj", "up_proj"), ("down_proj",))


def hidden_states(
    causal: Any, ids: torch.Tensor, lengths: Sequence[int], seeds: Sequence[int] | None = None
) -> torch.Tensor:
    """Return the last hidden states (N, H) of rows that lie end to end in `ids` (N,).

    `seeds` are `dropout_seeds` that were drawn before; else they are drawn now.
    """
    body = _body(causal)
    return body(ids, lengths, dropout_seeds(causal) if seeds is None else seeds)


def causal_of(model: Any) -> Any:
    """Return the causal model that PEFT may have wrapped."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def is_by_hand(causal: Any) -> bool:
    """Return whether the model's layers are computed here, so that several threads can run them at a time."""
    return isinstance(_body(causal), _Body)


def dropout_seeds(causal: Any) -> list[int]:
    """Draw the seeds of one pass's dropouts from torch's generator, which checkpoints save; [] for other models."""
    body = _body(causal)
    count = body.dropouts() if isinstance(body, _Body) else 0
    return torch.randint(2**31, (count,)).tolist() if count else []


def _body(causal: Any) -> _Body | _Padded:
    body = _BODIES.get(causal)
    if body is None or (isinstance(body, _Body) and body.moved()):
        with torch.inference_mode(False):  # or the weights could never be trained on
            body = _BODIES[causal] = _Body(causal) if _fits(causal) else _Padded(causal)
    if isinstance(body, _Body) and torch.is_grad_enabled() and _base_is_trained(causal):
        body = _Padded(causal)
    return body


class _Body:
    """Weights that share an input as one matrix; the model's own become views of it."""

    def __init__(self, causal: Any) -> None:
        config = causal.config
        self._model = causal.model
        width = self._model.layers[0].self_attn.head_dim
        heads = Heads(config.num_attention_heads, config.num_key_value_heads, width)
        self._frozen = []
        for layer in self._model.layers:
            parts = _parts(layer)
            qkv, out, gate_up, down = (_side_by_side([_base(parts[n]) for n in names]) for names in _PRODUCTS)
            self._frozen.append(
                Frozen(
                    attention_norm=layer.input_layernorm.weight,
                    qkv=qkv,
                    out=out,
                    mlp_norm=layer.post_attention_layernorm.weight,
                    gate_up=gate_up,
                    down=down,
                    heads=heads,
                    eps=layer.input_layernorm.variance_epsilon,
                )
            )

    def moved(self) -> bool:
        """Return whether the model's weights have moved, for instance to another device."""
        return any(
            _base(layer.self_attn.q_proj).weight.data_ptr() != frozen.qkv.data_ptr()
            for layer, frozen in zip(self._model.layers, self._frozen, strict=True)
        )

    def dropouts(self) -> int:
        """Return how many adapters' inputs are dropped out of in one pass."""
        own = (low for layer in self._model.layers for by_product in _adapters(layer)[0] for low in by_product)
        return sum(low.dropout > 0 for low in own)

    def __call__(self, ids: torch.Tensor, lengths: Sequence[int], seeds: Sequence[int]) -> torch.Tensor:
        places = torch.cat([torch.arange(length) for length in lengths]).to(ids.device)
        x = self._model.embed_tokens(ids).float()
        cosine, sine = self._model.rotary_emb(x[None], places[None])
        half = cosine.shape[-1] // 2
        rows = Rows(lengths, cosine[0, :, :half].contiguous(), sine[0, :, :half].contiguous(), iter(seeds))
        for layer, frozen in zip(self._model.layers, self._frozen, strict=True):
            adapters, factors = _adapters(layer)
            x = Layer.apply(x, frozen, rows, adapters, *factors)
        return self._model.norm(x)


class _Padded:
    """Any other model: transformers' own forward, with rows padded on the right."""

    def __init__(self, causal: Any) -> None:
        self._model = causal.model

    def __call__(self, ids: torch.Tensor, lengths: Sequence[int], seeds: Sequence[int]) -> torch.Tensor:
        # No attention mask is needed: no used position attends to the padding on the right.
        padded = nn.utils.rnn.pad_sequence(list(ids.split(list(lengths))), batch_first=True)
        hidden = self._model(input_ids=padded, use_cache=False).last_hidden_state
        return torch.cat([row[:length] for row, length in zip(hidden, lengths, strict=True)])


_BODIES: WeakKeyDictionary[Any, _Body | _Padded] = WeakKeyDictionary()


def _parts(layer: Any) -> dict[str, Any]:
    return dict([*layer.self_attn.named_children(), *layer.mlp.named_children()])


def _base(module: Any) -> nn.Linear:
    return getattr(module, "base_layer", module)


def _side_by_side(linears: Sequence[nn.Linear]) -> torch.Tensor:
    """Return the weights as one matrix, of which each layer's own becomes a part."""
    if len(linears) == 1:
        return linears[0].weight.data
    whole = torch.cat([linear.weight.data for linear in linears])
    for linear, part in zip(linears, whole.split([linear.out_features for linear in linears]), strict=True):
        linear.weight.data = part
    return whole


def _fits(causal: Any) -> bool:
    """Return whether the model is a plain Llama, with or without adapters."""
    config = causal.config
    if config.model_type != "llama" or config.hidden_act != "silu" or config.attention_dropout:
        return False
    if any(getattr(module, "gradient_checkpointing", False) for module in causal.modules()):
        return False
    linears = [_base(_parts(layer)[name]) for layer in causal.model.layers for names in _PRODUCTS for name in names]
    return all(type(one) in (nn.Linear, FrozenLinear) and one.bias is None for one in linears)


def _base_is_trained(causal: Any) -> bool:
    return any(p.requires_grad and "lora_" not in name for name, p in causal.named_parameters())


def _adapters(layer: Any) -> tuple[list[list[Low]], list[torch.Tensor]]:
    """Return the layer's active adapters by product, and their A, B, A, B, …"""
    parts = _parts(layer)
    adapters: list[list[Low]] = []
    factors: list[torch.Tensor] = []
    for names in _PRODUCTS:
        own: list[Low] = []
        start = 0
        for name in names:
            module = parts[name]
            outputs = slice(start, start + _base(module).out_features)
            start = outputs.stop
            for key in _active(module):
                dropout = module.lora_dropout[key]
                share = dropout.p if isinstance(dropout, nn.Dropout) and dropout.training else 0.0
                own.append(Low(outputs, module.scaling[key], share))
                factors += [module.lora_A[key].weight, module.lora_B[key].weight]
        adapters.append(own)
    return adapters, factors


def _active(module: Any) -> list[str]:
    if not hasattr(module, "lora_A") or module.disable_adapters or module.merged:
        return []
    return [key for key in module.active_adapters if key in module.lora_A]
