"""Answers are cut at their own sentences and sections, and nothing of them is lost."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medilite.sources.passages import PASSAGE_WORDS, cut_passages, fitting, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One thing. Another, e.g. this. Dr. Who came.", ["One thing.", "Another, e.g. this.", "Dr. Who came."]),
        ("Signs include - Fever - A cough", ["Signs include", "- Fever", "- A cough"]),
        ("Cataract 90% Short stature 7.5% Deafness", ["Cataract 90%", "Short stature 7.5%", "Deafness"]),
        ("The dose is 2.5 mg. 1 in 10,000 people", ["The dose is 2.5 mg.", "1 in 10,000 people"]),
        ("", []),
    ],
)
def test_sentences(text, expected):
    assert [text[cut.start : cut.end] for cut in sentences(text)] == expected


def test_a_question_inside_and_a_blank_line_begin_a_passage():
    text = "It is rare. What helps? Rest helps.\n\nSee a doctor."
    assert [text[c.start : c.end] for c in cut_passages(text)] == [
        "It is rare.", "What helps? Rest helps.", "See a doctor.",
    ]  # fmt: skip


def test_passages_keep_whole_sentences_and_to_their_length():
    text = " ".join(f"Sentence {i} has exactly seven words here." for i in range(60))
    cuts = cut_passages(text)
    assert all(len(text[c.start : c.end].split()) <= PASSAGE_WORDS and text[c.end - 1] == "." for c in cuts)
    assert len(cuts) > 3


@pytest.mark.parametrize(
    ("most", "kept"),
    [(99, "One thing. Two things. Three."), (28, "One thing. Two things."), (10, "One thing."), (9, ""), (0, "")],
)
def test_what_fits_is_whole_sentences(most, kept):
    asked = []

    def fits(text):
        asked.append(text)
        return len(text) <= most

    assert fitting("One thing. Two things. Three.", fits) == kept
    assert len(asked) <= 4
    assert fitting("", lambda text: False) == ""


@given(st.text(alphabet=st.sampled_from("ab A.?!-%9\n•"), max_size=400))
def test_no_character_but_white_space_is_lost(text):
    for cuts in (sentences(text), cut_passages(text)):
        assert "".join("".join(text[c.start : c.end].split()) for c in cuts) == "".join(text.split())
        assert all(a.end <= b.start for a, b in itertools.pairwise(cuts))
