"""LoRA adapters of several models, applied to the rows of one batch as two batched products.

A model is a chain of adapters, lowest first. LoRA adds scale·B·A·x to a product, so a chain adds the sum, which is one
pair of products with the A's stacked and the B's side by side. Modules that the forward pass fuses (q, k, v; gate, up)
share one pair too, with zeros where a B does not reach. All models' pairs are padded with zeros to one rank, so a batch
is two `bmm`, whichever models its rows name; the base is the model whose pair is all zeros.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

from medilite.checkpoints import CONFIG_FILE, WEIGHTS_FILE
from medilite.engine.local.adapter_config import AdapterConfig, AdapterConfigError
from medilite.engine.shape import LlamaShape
from medilite.errors import ModelUnavailableError
from medilite.records import Request

_TENSOR = re.compile(
    r"base_model\.model\.model\.layers\.(0|[1-9]\d*)\."
    r"(?:self_attn\.(?=[qkvo]_)|mlp\.(?=gate_|up_|down_))(\w+)_proj\.lora_([AB])\.weight",
    re.ASCII,
)

_POINTER = b"version https://git-lfs"


def fused_modules(shape: LlamaShape) -> dict[str, tuple[int, dict[str, tuple[int, int]]]]:
    """Return, by product of the forward pass, its input width and where each PEFT module's output is in it."""
    q, kv, mlp = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim, shape.intermediate
    return {
        "qkv": (shape.hidden, {"q": (0, q), "k": (q, q + kv), "v": (q + kv, q + 2 * kv)}),
        "out": (q, {"o": (0, shape.hidden)}),
        "gate_up": (shape.hidden, {"gate": (0, mlp), "up": (mlp, 2 * mlp)}),
        "down": (mlp, {"down": (0, shape.hidden)}),
    }


@dataclass(frozen=True, slots=True)
class Adapter:
    """One adapter's tensors by (layer, module): A (rank, in) and B (out, rank) with the scale in it."""

    pairs: Mapping[tuple[int, str], tuple[torch.Tensor, torch.Tensor]]


def read_adapter(folder: Path, shape: LlamaShape, model: str) -> Adapter:
    """Read a PEFT LoRA folder; any fault raises ModelUnavailableError, which concerns that model alone."""
    try:
        return _read(folder, shape)
    except ModelUnavailableError as error:
        raise ModelUnavailableError(f"{model}: {error}") from error
    except AdapterConfigError as error:
        raise ModelUnavailableError(
            f"{model}: its adapter can't be used: {error} ({CONFIG_FILE} in {folder.name})."
        ) from error
    except Exception as error:
        raise ModelUnavailableError(
            f"{model}: its adapter can't be read ({type(error).__name__}: {error}). "
            f"Get the folder {folder.name} again, or train it again."
        ) from error


def _read(folder: Path, shape: LlamaShape) -> Adapter:
    config = AdapterConfig.read(folder / CONFIG_FILE)
    with (folder / WEIGHTS_FILE).open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise ModelUnavailableError(
                f"{folder.name}/{WEIGHTS_FILE} is a pointer of Git LFS instead of the file: run `git lfs pull`."
            )
    tensors = load_file(folder / WEIGHTS_FILE)
    halves: dict[tuple[int, str], dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        match = _TENSOR.fullmatch(name)
        if not match:
            raise ModelUnavailableError(f"its adapter holds {name}, which no module of the base takes.")
        halves.setdefault((int(match[1]), match[2]), {})[match[3]] = tensor.float()
    if not halves:
        raise ModelUnavailableError("its adapter file holds no tensor.")
    sizes = {
        module: (width, to - start)
        for width, places in fused_modules(shape).values()
        for module, (start, to) in places.items()
    }
    pairs = {}
    for (layer, module), half in halves.items():
        name = f"model.layers.{layer}.{'mlp' if module in ('gate', 'up', 'down') else 'self_attn'}.{module}_proj"
        if not config.targets_module(name):
            raise ModelUnavailableError(
                f"its adapter holds tensors of {name}, which target_modules, exclude_modules or layers_to_transform "
                "leave out, so that PEFT would ignore them. Train it again, or correct the configuration."
            )
        rank, scale = config.rank_and_scale(name)
        found = {key: tuple(tensor.shape) for key, tensor in sorted(half.items())}
        wide, out = sizes.get(module, (0, 0))
        wanted = {"A": (rank, wide), "B": (out, rank)}
        if layer >= shape.layers or found != wanted:
            raise ModelUnavailableError(
                f"its adapter does not fit this base: layer {layer}, {module}_proj has {found}, the base and"
                f" rank {rank} need {wanted}. Use the adapter that was trained on this base."
            )
        pairs[layer, module] = (half["A"], half["B"] * scale)
        if not all(bool(part.isfinite().all()) for part in pairs[layer, module]):
            raise ModelUnavailableError("its adapter holds numbers that are not finite; train it again.")
    return Adapter(pairs)


def between(chains: Mapping[str, Sequence[Adapter]], other: str, model: str, strength: float) -> list[Adapter]:
    """Return the adapters of other · (1 − strength) + model · strength; `other` "" is the base."""
    weights: dict[int, float] = {}
    links: dict[int, Adapter] = {}
    for name, share in ((other, 1 - strength), (model, strength)):
        for link in chains[name] if name else ():
            links[id(link)] = link
            weights[id(link)] = weights.get(id(link), 0.0) + share
    return [
        Adapter({key: (a, b * weights[number]) for key, (a, b) in link.pairs.items()})
        for number, link in links.items()
        if weights[number]
    ]


class AdapterBank:
    """The adapters of all models that a base carries, by product and layer."""

    def __init__(
        self, shape: LlamaShape, chains: Mapping[str, Sequence[Adapter]], device: torch.device, dtype: torch.dtype
    ) -> None:
        self._index = {model: i for i, model in enumerate(chains)}
        self._made_of = (shape, dict(chains), device, dtype)
        # (product, layer) -> A of all models (models, in, rank) and B (models, rank, out)
        self._pairs: dict[tuple[str, int], tuple[torch.Tensor, torch.Tensor]] = {}
        for product, (width, places) in fused_modules(shape).items():
            out = max(end for _, end in places.values())
            for layer in range(shape.layers):
                stacked = [stack_pair(chain, layer, places, width, out) for chain in chains.values()]
                rank = max(a.shape[1] for a, _ in stacked)
                if not rank:
                    continue
                a = torch.zeros(len(stacked), width, rank)
                b = torch.zeros(len(stacked), rank, out)
                for i, (one_a, one_b) in enumerate(stacked):
                    a[i, :, : one_a.shape[1]], b[i, : one_b.shape[0]] = one_a, one_b
                self._pairs[product, layer] = (a.to(device, dtype), b.to(device, dtype))

    def rows_of(self, requests: Sequence[Request]) -> AdapterRows:
        """Return the adapters for a batch of these requests, in the strengths that they ask for."""
        if all(request.strength == 1 for request in requests):
            return self.rows([request.model for request in requests])
        shape, chains, device, dtype = self._made_of
        own = {
            str(number): list(chains[r.model]) if r.strength == 1 else between(chains, r.other, r.model, r.strength)
            for number, r in enumerate(requests)
        }
        return AdapterBank(shape, own, device, dtype).rows(list(own))

    def rows(self, models: Sequence[str]) -> AdapterRows:
        """Return the adapters for a batch whose rows name these models."""
        index = torch.tensor([self._index[model] for model in models])
        return AdapterRows({key: (a[index.to(a.device)], b[index.to(b.device)]) for key, (a, b) in self._pairs.items()})


class AdapterRows:
    """The adapters of one batch: for each product and layer, A (B, in, rank) and B (B, rank, out)."""

    def __init__(self, pairs: dict[tuple[str, int], tuple[torch.Tensor, torch.Tensor]]) -> None:
        self._pairs = pairs

    def add(self, product: torch.Tensor, x: torch.Tensor, name: str, layer: int) -> torch.Tensor:
        """Return `product` (B, T, out) plus each row's low-rank term of `x` (B, T, in)."""
        pair = self._pairs.get((name, layer))
        return product if pair is None else torch.baddbmm(product, torch.bmm(x, pair[0]), pair[1])

    def keep(self, rows: list[int]) -> AdapterRows:
        """Return the same for a batch of these rows alone."""
        return AdapterRows({key: (a[rows], b[rows]) for key, (a, b) in self._pairs.items()})


def stack_pair(
    chain: Sequence[Adapter], layer: int, places: Mapping[str, tuple[int, int]], width: int, out: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return one model's pair for one product: A (in, sum of ranks), B (sum of ranks, out)."""
    a_parts, b_parts = [torch.zeros(width, 0)], [torch.zeros(0, out)]
    for adapter in chain:
        for module, (start, end) in places.items():
            if pair := adapter.pairs.get((layer, module)):
                placed = torch.zeros(pair[1].shape[1], out)
                placed[:, start:end] = pair[1].T
                a_parts.append(pair[0].T)
                b_parts.append(placed)
    return torch.cat(a_parts, 1), torch.cat(b_parts, 0)
