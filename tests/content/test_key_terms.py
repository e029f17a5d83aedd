"""Key terms and their recall by hand."""

from __future__ import annotations

from math import log

import pytest

from medilite.content import key_term_recall, key_terms

# Stems: gout crystal joint (crystal twice); the rest are function words, general words and a number.
REFERENCE = "Gout is a disease. Crystals form in a joint in 9 of 10 people; the crystals cause pain."


def test_terms_and_weights() -> None:
    total = 4 + log(2)
    assert dict(key_terms(REFERENCE)) == pytest.approx(
        {"crystal": (1 + log(2)) / total, "gout": 1 / total, "joint": 1 / total, "pain": 1 / total}
    )
    assert list(key_terms(REFERENCE)) == ["crystal", "gout", "joint", "pain"]


def test_the_questions_own_words_are_no_key_terms() -> None:
    assert set(key_terms(REFERENCE, "What causes gout in joints?")) == {"crystal", "pain"}


def test_the_weightiest_and_first_stay() -> None:
    assert list(key_terms(REFERENCE, limit=2)) == ["crystal", "gout"]
    assert sum(key_terms(REFERENCE, limit=2).values()) == pytest.approx(1)


@pytest.mark.parametrize("text", ["", "This is not the one.", "12 34 b c", "People may have symptoms; it isnt rare."])
def test_a_text_without_key_terms(text: str) -> None:
    assert key_terms(text) == {}


@pytest.mark.parametrize(
    ("answer", "references", "question", "recall"),
    [
        ("A crystal in the joint.", [REFERENCE], "", (2 + log(2)) / (4 + log(2))),
        # Inflection, case, order and repetition do not matter.
        ("JOINTS crystallised, crystals: joint", [REFERENCE], "", (2 + log(2)) / (4 + log(2))),
        # Of crystal and pain, the question's own words left out.
        ("Gout is pain in the joints.", [REFERENCE], "Gout in joints?", 1 / (2 + log(2))),
        # The best reference counts, and one without key terms is passed over.
        ("Drink water.", [REFERENCE, "Drink water and rest.", "It is so."], "", 2 / 3),
        ("", [REFERENCE], "", 0),
        ("Drink water.", [], "", None),
        ("Drink water.", ["It is so.", ""], "", None),
    ],
)
def test_recall(answer: str, references: list[str], question: str, recall: float | None) -> None:
    assert key_term_recall(answer, references, question) == (None if recall is None else pytest.approx(recall))
