"""The fast engine's model for CPUs: the same function as `llama.Llama`, in int8, with a cache in pages.

Has the interface of `Llama`, so a `Batch` runs on either. A cache is a table of pages from one pool: when rows end,
others take their pages, and nothing is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from medilite.engine.local.adapters import Adapter, between
from medilite.engine.local.int8 import lay_out, read_weights, unfit, with_model
from medilite.engine.local.int8_files import kept_weights
from medilite.engine.local.pages import PagedCache, PagePool, pages_for
from medilite.engine.native.arrays import PAGE, Int8, Lora, Scratch, Shape, Tokens, new_array
from medilite.engine.native.forward import forward, phases
from medilite.engine.native.intrinsics import WIDE
from medilite.engine.native.team import Team
from medilite.engine.native.tiles import GROUP, TILE
from medilite.engine.shape import LlamaShape
from medilite.errors import EngineError, WeightsError
from medilite.processor import lacking
from medilite.records import Request

TOGETHER = 512
"""Most tokens in one forward pass; longer prompts go in pieces."""


MIXES = 16
"""How many mixes of two models are kept."""


class ModelRows:
    """Which model each row of a batch is, by its place in the bank."""

    def __init__(self, models: np.ndarray) -> None:
        self.models = models

    def keep(self, rows: list[int]) -> ModelRows:
        """Return the same for a batch of these rows alone."""
        return ModelRows(self.models[rows])


class Int8Bank:
    """The adapters of all models that the base carries; `edition` counts how often one was replaced."""

    def __init__(self, shape: LlamaShape, chains: Mapping[str, Sequence[Adapter]]) -> None:
        self._shape = shape
        self._chains = dict(chains)
        self._index = {model: i for i, model in enumerate(chains)}
        self.edition = 0
        self.products: dict[str, Lora] = lay_out(shape, chains)
        self._mixes: dict[tuple[str, str, float], int] = {}  # most recently used last

    @property
    def rank(self) -> int:
        """The greatest rank of any model's pair for one product."""
        return max(lora.a.shape[2] for lora in self.products.values())

    def place(self, model: str) -> int | None:
        """Return a model's number in `products`; None for one that was brought, which has none of its own."""
        return self._index.get(model)

    def add(self, model: str, parent: str | None, own: Adapter) -> None:
        """Add an adapter that was brought, on top of its parent's; rows find it by `between`."""
        self._chains[model] = [*self._chains[parent], own] if parent else [own]

    def remove(self, model: str) -> bool:
        """Remove an adapter that was brought; return False if there is none."""
        return model not in self._index and self._chains.pop(model, None) is not None

    def between(self, other: str, model: str, strength: float, busy: Collection[int]) -> tuple[int, bool]:
        """Return the place of the mix other · (1 − strength) + model · strength, and whether it is new there.

        `other` "" is the base. There is room for MIXES of them; then the least recently used one whose place isn't
        `busy` is replaced. Raises EngineError if all are busy.
        """
        key = (other, model, strength)
        if (place := self._mixes.pop(key, None)) is not None:
            self._mixes[key] = place
            return place, False
        made = lay_out(self._shape, {"": between(self._chains, other, model, strength)})
        if len(self._mixes) < MIXES:
            place = len(self._index) + len(self._mixes)
            self.products = {name: with_model(lora, made[name]) for name, lora in self.products.items()}
        else:
            free = next((old for old, at in self._mixes.items() if at not in busy), None)
            if free is None:
                raise EngineError(f"{MIXES} mixes of adapters are being answered, which is the limit. Ask again later.")
            place = self._mixes.pop(free)
            self.products = {name: with_model(lora, made[name], place) for name, lora in self.products.items()}
        self._mixes[key] = place
        return place, True

    def has_room_for(self, requests: Iterable[Request], busy: Collection[int]) -> bool:
        """Whether all mixes that requests need can have a place at once, beside those whose place is `busy`."""
        needed = {(r.other, r.model, r.strength) for r in requests if r.strength != 1 or self.place(r.model) is None}
        held = sum(key not in needed and at in busy for key, at in self._mixes.items())
        return len(needed) + held <= MIXES

    def rows_of(self, requests: Sequence[Request]) -> ModelRows:
        """Return the adapters for a batch of these requests."""
        return self.rows([request.model for request in requests])

    def rows(self, models: Sequence[str]) -> ModelRows:
        """Return the adapters for a batch whose rows name these models."""
        return ModelRows(np.array([self._index[model] for model in models], np.int32))

    def replace(self, model: str, chain: Sequence[Adapter]) -> None:
        """Give a model other adapters, lowest first; running batches use them from their next step."""
        self._chains[model] = list(chain)
        self.products = lay_out(self._shape, {name: self._chains[name] for name in self._index})
        self._mixes.clear()
        self.edition += 1


class Int8Llama:
    """The base in int8 and the forward pass over it; `bank` holds the adapters that rows name.

    With `keep_in` the base's tiles are kept in that folder and read at the next start. `bits` 4 rounds the weights
    to 16 levels, and `report` gets the share of the tiles that is made (`int8.read_weights`).
    """

    def __init__(
        self,
        folder: Path,
        chains: Mapping[str, Sequence[Adapter]],
        threads: int,
        keep_in: Path | None = None,
        bits: int = 8,
        report: Callable[[float], None] | None = None,
    ) -> None:
        self.shape = shape = LlamaShape.read(folder)
        if reason := unfit(shape):
            raise WeightsError(
                f"{folder.name} can't run in int8: {reason}. Set MEDILITE_PRECISION=float32, or use a SmolLM2 base."
            )
        if missing := lacking():
            raise WeightsError(f"{missing}, which int8 needs. Set MEDILITE_PRECISION=float32.")
        if keep_in:
            self._weights = kept_weights(folder, shape, keep_in, bits, report)
        else:
            self._weights = read_weights(folder, shape, bits, report)
        self.device = torch.device("cpu")
        self.bank = Int8Bank(shape, chains)
        self.pool = PagePool(shape)
        self._threads = threads
        self._team = Team(threads, phases(shape.layers))
        self._numbers = Shape(shape.heads, shape.kv_heads, shape.head_dim, shape.intermediate, shape.rms_norm_eps)
        self._scratch = self._new_scratch(64)

    @property
    def bytes_a_step(self) -> int:
        """Bytes of weights that a step reads, however many rows it has: all but the embedding."""
        read = self._weights
        return sum(each.nbytes for each in (read.qkv, read.out, read.gate_up, read.down, read.head))

    def new_cache(self, rows: int, positions: int) -> PagedCache:
        """Return an empty cache for that many rows and positions."""
        return PagedCache(self.pool, rows, positions)

    def warm_up(self) -> None:
        """Compile what a step runs: a minute once; the result is kept beside the code."""
        cache, rows = self.new_cache(1, 1), ModelRows(np.zeros(1, np.int32))
        nothing = torch.zeros(1, 1, dtype=torch.long)
        self.forward(nothing, nothing, cache, rows, nothing[0])

    def forward(
        self, ids: torch.Tensor, positions: torch.Tensor, cache: PagedCache, adapters: ModelRows, last: torch.Tensor
    ) -> torch.Tensor:
        """Return float32 logits (B, vocabulary) after token `last[b]` of each row, and fill the cache.

        `ids` and `positions` are (B, T); what is right of `last` is padding and ignored. A row's logits don't depend on
        the others, to the last bit.
        """
        lengths = last.numpy() + 1
        ends = np.cumsum(lengths)
        inside = np.arange(ids.shape[1]) < lengths[:, None]
        rows = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        words, places = ids.numpy()[inside].astype(np.int32), positions.numpy()[inside].astype(np.int32)
        models = adapters.models[rows]
        logits = np.empty((len(lengths), self.shape.vocabulary), np.float32)
        for start in range(0, len(rows), TOGETHER):
            piece = slice(start, min(start + TOGETHER, len(rows)))
            ending = np.flatnonzero((ends > piece.start) & (ends <= piece.stop))
            wanted = (ends[ending] - 1 - piece.start).astype(np.int32)
            tokens = Tokens(words[piece], places[piece], rows[piece], models[piece], cache.tables, wanted)
            # The rows' ends come in order, so what a piece gives is a slice.
            self.run(tokens, logits[ending[0] : ending[-1] + 1] if len(ending) else logits[:0])
        return torch.from_numpy(logits)

    def run(self, tokens: Tokens, logits: np.ndarray) -> None:
        """Put tokens through all layers; fills their pages and float32 `logits` (wanted tokens, vocabulary)."""
        room = self._scratch
        if len(tokens.ids) > len(room.x) or self.bank.rank > room.shrunk.shape[1]:
            self._scratch = self._new_scratch(max(len(tokens.ids), len(room.x)))
        lora = self.bank.products
        self._team.run(
            forward, self._weights, lora["qkv"], lora["out"], lora["gate_up"], lora["down"], self.pool.pages, tokens,
            self._scratch, self._numbers, logits,
        )  # fmt: skip

    def close(self) -> None:
        """End the threads; nothing can be computed afterwards."""
        self._team.close()

    def _new_scratch(self, count: int) -> Scratch:
        shape = self.shape
        queries = shape.heads * shape.head_dim
        widest = max(shape.hidden, queries, shape.intermediate)

        def int8() -> Int8:
            return Int8(np.zeros(count * widest, np.int8), np.zeros(3 * count * widest // GROUP, np.float32))

        return Scratch(
            np.zeros((count, shape.hidden), np.float32), np.zeros(count * widest, np.float32), int8(), int8(),
            np.zeros((count, queries), np.float32), np.zeros((count, self.bank.rank), np.float32),
            np.zeros((self._threads, shape.heads // shape.kv_heads, pages_for(shape.context) * PAGE), np.float32),
            np.zeros((self._threads, count, max(2 * WIDE, shape.head_dim)), np.float32),
            new_array((self._threads, widest // GROUP * TILE), np.uint8),
        )  # fmt: skip
