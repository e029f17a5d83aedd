"""Repetition and echo by hand."""

from __future__ import annotations

import pytest

from medilite.content import echo_share, repeated_ngrams, words


def test_words() -> None:
    assert words("Ménière’s  X-linked *B12* don't, 3.5 mg!") == [
        "meniere's",
        "x",
        "linked",
        "b12",
        "don't",
        "3",
        "5",
        "mg",
    ]
    assert words(" … !!") == []


@pytest.mark.parametrize(
    ("text", "n", "share"),
    [
        # a b c d | b c d a | c d a b | d a b c | a b c d: the fifth is the first again.
        ("a b c d a b c d", 4, 1 / 5),
        ("A b, c d. a B c — d!", 4, 1 / 5),
        # Nine bigrams, all the same.
        ("rest " * 10, 2, 8 / 9),
        ("take rest and drink water", 4, 0),
        ("one two three four", 4, 0),
        ("one two three", 4, None),
        ("", 4, None),
    ],
)
def test_repeated_ngrams(text: str, n: int, share: float | None) -> None:
    assert repeated_ngrams(text, n) == (None if share is None else pytest.approx(share))


QUESTION = "What are the symptoms of Hereditary Motor and Sensory Neuropathy Type II ?"


@pytest.mark.parametrize(
    ("question", "answer", "share"),
    [
        # "what are the symptoms" is copied, 4 words of 8; the rest is the answer's own.
        (QUESTION, "What are the symptoms? Your feet feel numb.", 4 / 8),
        (QUESTION, QUESTION, 1),
        (QUESTION, f"{QUESTION} {QUESTION}", 1),
        # The name, however long and often, and a phrase without a word of asking.
        (QUESTION, "Hereditary motor and sensory neuropathy type II makes the feet weak.", 0),
        (QUESTION, "The symptoms of hereditary motor and sensory neuropathy type II are weak feet.", 0),
        # The longest run counts, "are the symptoms of hereditary motor" (6 of 7), not each four of it.
        (QUESTION, "Are the symptoms of hereditary motor bad", 6 / 7),
        # Three words in a row are too few, unless they are the whole question.
        (QUESTION, "What are the signs?", 0),
        ("What is gout?", "What is gout? It is a swollen joint.", 3 / 8),
        ("What is gout?", "Gout is a swollen joint.", 0),
        ("Gout?", "Gout. It is gout.", 0),
        ("", "It is gout.", 0),
        (QUESTION, "…", None),
    ],
)
def test_echo_share(question: str, answer: str, share: float | None) -> None:
    assert echo_share(question, answer) == (None if share is None else pytest.approx(share))
