"""The base in four or eight bits and the adapters beside it, as arrays for the compiled forward pass.

Each 32 weights of an output share a scale and an offset, as in GGUF's formats, so a base published in Q4_1 or Q8_0 is
kept to the last bit. Inputs become int8 in each step, 255 levels from the least of 32 to the greatest. The adapters
stay in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from medilite.engine.local.adapters import Adapter, fused_modules, stack_pair
from medilite.engine.local.llama import read_tensors
from medilite.engine.native.arrays import Lora, Weights, new_array
from medilite.engine.native.intrinsics import BLOCK, WIDE
from medilite.engine.native.pack import pack_eight, pack_four
from medilite.engine.native.tiles import FOUR, GROUP, TILE
from medilite.engine.shape import LlamaShape
from medilite.machine import usable_cpus

PIECE = 2048
"""How many lines of a matrix are float32 at once."""

Lines = Any
"""A tensor (N, width) of a safetensors file, or a part of one; its numbers are read as they are used."""


def unfit(shape: LlamaShape) -> str | None:
    """Return why a base can't run in int8, or None if it can."""
    widths = {
        "hidden_size": shape.hidden, "intermediate_size": shape.intermediate, "head_dim": shape.head_dim,
        "vocab_size": shape.vocabulary,
    }  # fmt: skip
    odd = {name: value for name, value in widths.items() if value % (BLOCK if name == "vocab_size" else WIDE)}
    return f"{', '.join(f'{k}={v}' for k, v in odd.items())} is no multiple of {WIDE}" if odd else None


def pack(lines: Sequence[Lines], bits: int, *, exactly: bool = False) -> np.ndarray | None:
    """Return the matrix (N, width) of some lines, one below the other, as tiles (N / 32, width / 32, bytes of a tile).

    With `exactly` None if four bits don't hold every weight to the last bit.
    """
    outputs = sum(part.shape[0] for part in lines)
    width = lines[0].shape[1]
    tiles = new_array((outputs // BLOCK, width // GROUP, FOUR if bits == 4 else TILE), np.uint8)
    return tiles if pack_into(tiles, lines, exactly=exactly) else None


def pack_into(tiles: np.ndarray, lines: Sequence[Lines], *, exactly: bool = False) -> bool:
    """Pack lines into `tiles`, piece by piece, on two threads; False as soon as `exactly` fails."""
    jobs, first = [], 0
    for part in lines:
        step = min(PIECE, part.shape[0])
        for start in range(0, part.shape[0], step):
            size = min(step, part.shape[0] - start)
            jobs.append((part, start, size, tiles[first // BLOCK : (first + size) // BLOCK]))
            first += size

    def do(job: tuple[Lines, int, int, np.ndarray]) -> bool:
        part, start, size, into = job
        piece = np.ascontiguousarray(part[start : start + size].float().numpy())
        if into.shape[2] == FOUR:
            return bool(pack_four(piece, into, exactly))
        pack_eight(piece, into)
        return True

    # The first alone: if four bits don't hold the base, it shows at once.
    if not do(jobs[0]):
        return False
    with ThreadPoolExecutor(usable_cpus()) as pool:
        return all(pool.map(do, jobs[1:]))


def read_weights(
    folder: Path, shape: LlamaShape, bits: int = 8, report: Callable[[float], None] | None = None
) -> Weights:
    """Read a base's folder and make it tiles; raises WeightsError if a tensor is missing.

    With `bits` 8 a product takes four where these hold all of its weights to the last bit, so a base published in Q4_1
    does; with 4 every product of the layers takes four, to the nearest. Embedding and head take eight. `report` gets
    the share that is done. At most one product of a layer is in memory at once.
    """
    take = read_tensors(folder)
    done, all_of_it = 0, shape.layers * 4 + (1 if shape.tied_head else 2)

    def count() -> None:
        nonlocal done
        done += 1
        if report:
            report(done / all_of_it)

    def layers(names: Sequence[str]) -> np.ndarray:
        def lines(layer: int) -> list[Lines]:
            return _interleaved([take(f"model.layers.{layer}.{name}.weight") for name in names])

        size = (sum(part.shape[0] for part in lines(0)) // BLOCK, lines(0)[0].shape[1] // GROUP)
        for kind, exactly in ((FOUR, bits == 8), (TILE, False)):
            before = done
            tiles = new_array((shape.layers, *size, kind), np.uint8)
            for layer in range(shape.layers):
                if not pack_into(tiles[layer], lines(layer), exactly=exactly):
                    break
                count()
            else:
                return tiles
            set_back(before)
        raise AssertionError("eight bits hold any weights")

    def set_back(to: int) -> None:
        nonlocal done
        done = to

    def whole(name: str) -> np.ndarray:
        tiles = pack([take(name)], 8)
        assert tiles is not None
        count()
        return tiles

    def norms(name: str) -> np.ndarray:
        return aligned([take(f"model.layers.{i}.{name}.weight").float().numpy() for i in range(shape.layers)])

    embedding = whole("model.embed_tokens.weight")
    head = embedding if shape.tied_head else whole("lm_head.weight")
    qkv = layers(["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"])
    out = layers(["self_attn.o_proj"])
    gate_up = layers(["mlp.gate_proj", "mlp.up_proj"])
    down = layers(["mlp.down_proj"])
    frequencies = shape.rope_theta ** -(np.arange(0, shape.head_dim, 2) / shape.head_dim)
    angles = np.arange(shape.context)[:, None] * frequencies
    return Weights(
        embedding, head,
        aligned(take("model.norm.weight").float().numpy()), norms("input_layernorm"), norms("post_attention_layernorm"),
        qkv, out, gate_up, down,
        aligned(np.stack([np.cos(angles), np.sin(angles)], 1)),
    )  # fmt: skip


def aligned(numbers: Any) -> np.ndarray:
    """Return a float32 copy that begins at a multiple of 64 bytes, as vectors are loaded."""
    copy = new_array(np.shape(numbers), np.float32)
    copy[...] = numbers
    return copy


def _interleaved(parts: list[Lines]) -> list[Lines]:
    """Return the lines of matrices one below the other; for gate and up alternating, a group of outputs of each."""
    if len(parts) != 2:
        return parts
    gate, up = parts
    return [part[start : start + WIDE] for start in range(0, gate.shape[0], WIDE) for part in (gate, up)]


def lay_out(shape: LlamaShape, chains: Mapping[str, Sequence[Adapter]]) -> dict[str, Lora]:
    """Return all models' adapters by product; rank 0 if no model has one."""
    found = {}
    for product, (width, places) in fused_modules(shape).items():
        out = max(end for _, end in places.values())
        pairs = [[stack_pair(chain, i, places, width, out) for chain in chains.values()] for i in range(shape.layers)]
        rank = max(a.shape[1] for layer in pairs for a, _ in layer)
        size = (shape.layers, len(chains), rank)
        lora = Lora(
            new_array((*size, width), np.float32), new_array((*size, out), np.float32),
            np.zeros(len(chains), np.int32), np.zeros((*size[:2], out // BLOCK, 2), np.int32),
        )  # fmt: skip
        for layer, models in enumerate(pairs):
            for model, (a, b) in enumerate(models):
                own = a.shape[1]
                reached = (b.view(own, out // BLOCK, BLOCK) != 0).any(-1).numpy() if own else np.zeros((0, 0), bool)
                # Rows of one module together, whichever adapter of a chain they are from.
                order = np.argsort(reached.argmax(1), kind="stable") if own else np.zeros(0, int)
                lora.a[layer, model, :own], lora.b[layer, model, :own] = a.T.numpy()[order], b.numpy()[order]
                lora.ranks[model] = max(lora.ranks[model], own)
                for block in range(out // BLOCK if own else 0):
                    if len(rows := np.flatnonzero(reached[order, block])):
                        lora.reach[layer, model, block] = rows[0], rows[-1] + 1
        found[product] = lora
    return found


def with_model(lora: Lora, model: Lora, place: int | None = None) -> Lora:
    """Return all models' adapters for a product with one more model's, at the end or at `place`."""
    models, rank = lora.a.shape[1:3]
    at = models if place is None else place
    size = max(rank, model.a.shape[2])
    grown = []
    for have, new in ((lora.a, model.a), (lora.b, model.b)):
        array = new_array((have.shape[0], max(models, at + 1), size, have.shape[3]), np.float32)
        array[:, :models, :rank] = have
        array[:, at] = 0
        array[:, at, : new.shape[2]] = new[:, 0]
        grown.append(array)
    ranks, reach = lora.ranks.copy(), lora.reach.copy()
    if place is None:
        ranks, reach = np.append(ranks, np.int32(0)), np.concatenate([reach, reach[:, :1]], 1)
    ranks[at], reach[:, at] = model.ranks[0], model.reach[:, 0]
    return Lora(grown[0], grown[1], ranks, reach)
