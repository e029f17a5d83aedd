"""The encoder without torch gives what the one with torch gives."""

from __future__ import annotations

import numpy as np
import pytest

from medilite.content.embeddings import ensure_encoder
from medilite.content.light_encoder import MOST_TOKENS, LightEncoder
from medilite.errors import WeightsError
from medilite.settings import load_settings


@pytest.mark.model
def test_it_agrees_with_the_encoder_for_many_texts(encoder):
    light = LightEncoder(ensure_encoder(load_settings()))
    texts = ["What is Ménière's disease?", "hay fever", "x", "Can my son get cystic fibrosis from me? 100 %"]
    assert np.abs(encoder.encode(texts) - np.stack([light.encode_one(text) for text in texts])).max() < 1e-5
    long = "fever " * 500
    assert np.array_equal(light.encode_one(long), light.encode_one("fever " * (MOST_TOKENS - 2)))
    assert light.encode_one("").shape == (384,)


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="can't be read"):
        LightEncoder(tmp_path)
