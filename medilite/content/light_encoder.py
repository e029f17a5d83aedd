"""The sentence encoder for one short text at a time: no torch, its weights mapped into memory, not copied.

The app encodes a question now and then, beside an engine that takes every core.
`embeddings.SentenceEncoder` is for many texts; it needs torch, which a remote
engine's app does without, and 90 MB of its own. Here only the rows of the word
table that a question has are ever read, and the layers' 43 MB are pages of the
file that the system may drop. Vectors agree with SentenceEncoder's to 1e-4.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medilite.errors import WeightsError

if TYPE_CHECKING:
    import numpy as np

MOST_TOKENS = 32
"""Most tokens of a text that count, the two marks included: time grows with them, and questions have 15."""

EVEN = 4
"""Rows of the products come in multiples of this."""

_HEADS = 12
_EPSILON = 1e-12


class LightEncoder:
    """all-MiniLM-L6-v2 in NumPy, from the folder that `embeddings.ensure_encoder` made."""

    def __init__(self, folder: Path) -> None:
        """Map the weights. Raises WeightsError if the folder can't be read."""
        from tokenizers import Tokenizer

        try:
            self._weights = _mapped(folder / "model.safetensors")
            # Its Rust errors share no base but Exception.
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:
            raise WeightsError(
                f"The sentence encoder in {folder} can't be read ({error}). Remove the folder."
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._layers = sum(name.endswith("attention.self.query.weight") for name in self._weights)

    def encode_one(self, text: str) -> np.ndarray:
        """Return the unit vector of the first MOST_TOKENS tokens of `text`: float32, (width,)."""
        import numpy as np

        w = self._weights
        tokens = self._tokenizer.encode(text).ids
        count = len(tokens)
        # A product of 15 rows takes OpenBLAS longer than one of 16: the rows to the next EVEN are thrown away.
        ids = np.array(tokens + [0] * (-count % EVEN))
        x = (
            w["embeddings.word_embeddings.weight"][ids]
            + w["embeddings.position_embeddings.weight"][: len(ids)]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(self._layers):
            at = f"encoder.layer.{layer}."
            x = self._norm(x + self._attend(x, count, at + "attention."), at + "attention.output.LayerNorm")
            inner = _gelu(self._linear(x, at + "intermediate.dense"))
            x = self._norm(x + self._linear(inner, at + "output.dense"), at + "output.LayerNorm")
        total = x[:count].sum(axis=0)
        return total / np.linalg.norm(total)

    def _linear(self, x: np.ndarray, name: str) -> np.ndarray:
        return x @ self._weights[name + ".weight"].T + self._weights[name + ".bias"]

    def _norm(self, x: np.ndarray, name: str) -> np.ndarray:
        import numpy as np

        x = x - x.mean(axis=1, keepdims=True)
        x /= np.sqrt((x * x).mean(axis=1, keepdims=True) + _EPSILON)
        return x * self._weights[name + ".weight"] + self._weights[name + ".bias"]

    def _attend(self, x: np.ndarray, count: int, at: str) -> np.ndarray:
        """Return what the tokens take from the first `count` of them."""
        import numpy as np

        tokens, width = x.shape
        q, k, v = (
            self._linear(x, at + f"self.{part}").reshape(tokens, _HEADS, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        k, v = k[:, :count], v[:, :count]
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(width // _HEADS)
        weights = np.exp(scores - scores.max(axis=2, keepdims=True))
        weights /= weights.sum(axis=2, keepdims=True)
        return self._linear((weights @ v).transpose(1, 0, 2).reshape(tokens, width), at + "output.dense")


def _gelu(x: np.ndarray) -> np.ndarray:
    """Return x times the normal distribution's share below x (erf by Abramowitz & Stegun 7.1.26, error 1.5e-7)."""
    import numpy as np

    z = np.abs(x) * math.sqrt(0.5)
    t = 1 / (1 + 0.3275911 * z)
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return 0.5 * x * (1 + np.sign(x) * (1 - poly * np.exp(-z * z)))


def _mapped(path: Path) -> dict[str, Any]:
    """Return the float32 arrays of a safetensors file, as views of the mapped file (format: 8 bytes, JSON, data)."""
    import numpy as np

    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    data = np.memmap(path, np.uint8, "r", offset=8 + size)
    found = {}
    for name, about in header.items():
        if name != "__metadata__" and about["dtype"] == "F32":
            start, end = about["data_offsets"]
            found[name] = np.asarray(data[start:end]).view(np.float32).reshape(about["shape"])
    return found
