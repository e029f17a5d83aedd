"""How words are weighed while a model answers from a passage, with a tokenizer of whole words."""

from __future__ import annotations

import re

import numpy as np
import pytest

from medilite.engine.wording import NAME_GAIN, OTHER_COST, PATTERN_COST, Wording, is_name
from medilite.prompts import sourced_messages

VOCABULARY = (
    "", ".", " gene", " TTN", "TTN", " is", " doctors", "Doctors", " nephrologist", " kidney", " swells", " 7", " 9",
    "ing", "opath", " edema", "\n", "�", " Renal", " ESKD",
    " recessive", " X", "X", "-", "linked", " linked", " No", " not", " no", " (",
)  # fmt: skip


class WordTokenizer:
    """Tokens are the words of VOCABULARY, with the space before them; what is not there has none."""

    def __call__(self, text: str, **_: object) -> dict[str, list[int]]:
        pieces = re.findall(r" ?\w+|\W", text)
        return {"input_ids": [VOCABULARY.index(piece) for piece in pieces if piece in VOCABULARY]}

    def decode(self, ids: list[int], **_: object) -> str:
        return "".join(VOCABULARY[i] for i in ids)


@pytest.fixture(scope="module")
def wording() -> Wording:
    return Wording(WordTokenizer(), len(VOCABULARY))


def weighed(wording: Wording, passage: str, question: str) -> dict[str, float]:
    shifts = wording.shifts(passage, sourced_messages(question, passage)[0].content)
    assert shifts.dtype == np.float32
    return dict(zip(VOCABULARY, shifts.tolist(), strict=True))


def test_names_of_the_passage_gain_and_hard_words_that_it_lacks_cost(wording: Wording) -> None:
    found = weighed(wording, "TTN causes edema in 7 of them (ESKD).", "What does a nephrologist do?")
    # Also where it begins a sentence, and where it doesn't.
    assert {word for word, shift in found.items() if shift == NAME_GAIN} == {" TTN", "TTN", " ESKD"}
    costly = {word for word, shift in found.items() if shift == -OTHER_COST}
    assert costly == {" 9", "opath", " Renal", " kidney", " gene", " No", " not", " no"}
    # The passage's number and hard word, the question's, plain ones in any form, signs, an ending, the answer's end.
    for word in (" 7", " edema", " nephrologist", " doctors", "Doctors", " swells", ".", "\n", "�", "ing", ""):
        assert found[word] == 0, word


def test_inheritance_and_no_cost_where_nobody_says_them(wording: Wording) -> None:
    found = weighed(wording, "It is X-linked and does not go away.", "Is it inherited?")
    assert {word for word, shift in found.items() if shift == -PATTERN_COST} == {" recessive", "X"}  # "X" begins a text
    assert {word: found[word] for word in (" X", "linked", " not")} == {" X": 0, "linked": 0, " not": 0}
    # "No" is not "not": an answer that begins with it denies what was asked.
    assert found[" No"] == found[" no"] == -OTHER_COST
    other = weighed(wording, "It is recessive.", "Is it inherited?")
    assert {word for word, shift in other.items() if shift == -PATTERN_COST} == {" X", "X", "linked"}
    assert other[" linked"] == 0


def test_what_a_server_is_told_are_words_for_inheritance_and_denial_alone(wording: Wording) -> None:
    passage = "It is X-linked and does not go away."
    told = wording.costs(passage, sourced_messages("Is edema or ESKD inherited?", passage)[0].content)
    expected = {" recessive": -PATTERN_COST, "X": -PATTERN_COST, " No": -OTHER_COST, " no": -OTHER_COST}
    assert {VOCABULARY[token]: cost for token, cost in told.items()} == expected


@pytest.mark.parametrize("passage", ["It is so (recessive).", "Recessive is what it is.", '"Recessive" is the word.'])
def test_a_word_is_said_after_a_sign_and_with_a_capital_too(wording: Wording, passage: str) -> None:
    assert weighed(wording, passage, "How is it passed on?")[" recessive"] == 0


def test_a_passage_leaves_nothing_for_the_next(wording: Wording) -> None:
    first = weighed(wording, "TTN causes edema.", "Why?")
    assert weighed(wording, "It is 9.", "Why?")[" edema"] == -OTHER_COST
    assert weighed(wording, "TTN causes edema.", "Why?") == first
    assert NAME_GAIN not in weighed(wording, "It is so.", "Why?").values()


def test_a_passage_in_another_language_weighs_nothing(wording: Wording) -> None:
    spanish = "El síndrome es causado por cambios en el gen TTN y afecta a muchas personas en todo el mundo."
    assert set(weighed(wording, spanish, "What causes it?").values()) == {0}


@pytest.mark.parametrize("word", ["BRCA2", "2q33", "NIH", "mtDNA", "HbA1c"])
def test_names(word: str) -> None:
    assert is_name(word)


@pytest.mark.parametrize("word", ["Marfan", "X-linked", "kidney", "", "a", "40", "10,000"])
def test_no_names(word: str) -> None:
    assert not is_name(word)
