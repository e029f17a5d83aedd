"""Text arrives piece by piece and adds up to the whole."""

from __future__ import annotations

import pytest

from medilite.engine.detokenize import IncrementalText


@pytest.mark.model
@pytest.mark.parametrize(
    "text",
    [
        "Asthma is a disease of the lungs.",
        "Größe: 5 µg/m² – café",
        "🫁 breathe 👩🏽‍⚕️ well",
        "喘息は肺の病気です。",
        "a\n\n- b\n- c  d",
    ],
)
def test_pieces_add_up_and_never_hold_half_a_character(random_engine, text: str) -> None:
    tokenizer = random_engine._once.get().tokenizer
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    incremental = IncrementalText(tokenizer)
    pieces = [incremental.add(token) for token in ids]
    assert not any("\ufffd" in piece for piece in pieces)
    assert "".join(pieces) + incremental.rest() == tokenizer.decode(ids) == text


@pytest.mark.model
def test_an_answer_cut_inside_a_character_shows_that_it_was(random_engine) -> None:
    tokenizer = random_engine._once.get().tokenizer
    ids = tokenizer("🫁", add_special_tokens=False)["input_ids"]
    assert len(ids) > 1
    incremental = IncrementalText(tokenizer)
    assert incremental.add(ids[0]) == ""
    assert "\ufffd" in incremental.rest()
