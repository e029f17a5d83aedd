"""Settings: what a page can ask for, and no more."""

from __future__ import annotations

import pytest

from medilite.errors import DecodingError
from medilite.records import Decoding
from medilite.ui.page.decoding import DEFAULTS, SETTINGS, as_decoding, as_seed, decoding_words


def test_defaults_are_greedy_and_short():
    assert as_decoding(None, None, "", None) == DEFAULTS == Decoding(128, 0.0, 1.0, 1.1)


def test_every_end_of_every_range_is_a_decoding():
    for end in ("low", "high"):
        values = [getattr(setting, end) for setting in SETTINGS]
        assert [getattr(as_decoding(*values), setting.name) for setting in SETTINGS] == values


@pytest.mark.parametrize(
    "values",
    [(513, 0, 1, 1), (0, 0, 1, 1), (64, -0.1, 1, 1), (64, 9, 1, 1), (64, 0, 0, 1), (64, 0, 1, 0.9), (64, 0, 1, 9),
     ("64", 0, 1, 1), (True, 0, 1, 1), (64.5, 0, 1, 1), (64, float("nan"), 1, 1), ([64], 0, 1, 1)],
)  # fmt: skip
def test_anything_else_is_refused_with_a_message(values):
    with pytest.raises(DecodingError, match="can't be used"):
        as_decoding(*values)


@pytest.mark.parametrize(("value", "seed"), [(None, 0), ("", 0), (0, 0), (7, 7), (7.0, 7), (2**31 - 1, 2**31 - 1)])
def test_seed(value, seed):
    assert as_seed(value) == seed


@pytest.mark.parametrize("value", [-1, 1.5, 2**31, "7", True, float("inf"), float("nan")])
def test_no_seed(value):
    with pytest.raises(DecodingError, match="Seed"):
        as_seed(value)


def test_in_words():
    assert (
        decoding_words(DEFAULTS, 3) == "at most 128 tokens · likeliest words (temperature 0) · repetition penalty 1.1"
    )
    assert "temperature 0.8 · top-p 0.9" in decoding_words(Decoding(64, 0.8, 0.9, 1.0), 3)
    assert decoding_words(Decoding(64, 0.8, 0.9, 1.0), 3).endswith("seed 3")
