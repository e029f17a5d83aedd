"""Sure or lucky?: in how many of several answers each word is."""

from __future__ import annotations

import pytest

from medilite.lab.luck import SEEDS, Counts, decoding, most_typical, requests
from medilite.records import Message

TEXTS = [
    "Asthma makes breathing hard. Asthma is common.",
    "Asthma swells the airways.",
    "The airways swell; breathing gets hard.",
    "Asthma makes BREATHING hard: ask a doctor.",
]


def test_a_word_counts_once_an_answer_whatever_its_case_and_little_words_do_not():
    counts = Counts.of(TEXTS)
    assert counts.answers == 4
    assert (counts.by_word["asthma"], counts.by_word["breathing"], counts.by_word["airways"]) == (3, 3, 2)
    assert "the" not in counts.by_word
    assert counts.nearly_always() == ["asthma", "breathing", "hard"]
    assert "doctor" in counts.once()
    assert "airways" not in counts.once()


def test_spans_lie_on_the_words_of_the_text_and_carry_their_counts():
    text = "Ménière’s disease, and the ASTHMA."
    spans = Counts.of([*TEXTS, text]).spans(text)
    assert [(text[s.start : s.end], s.count) for s in spans] == [("Ménière’s", 1), ("disease", 1), ("ASTHMA", 4)]


@pytest.mark.parametrize("texts", [[], [""], ["", ""], ["…", "!"]])
def test_answers_without_a_word_have_no_counts_and_no_most_typical_one(texts):
    counts = Counts.of(texts)
    assert counts.by_word == {}
    assert counts.nearly_always() == counts.once() == []
    assert most_typical(texts, counts) is None


def test_of_one_or_two_answers_nothing_is_nearly_always():
    assert Counts.of(TEXTS[:1]).nearly_always() == Counts.of(TEXTS[:2]).nearly_always() == []
    assert Counts.of(TEXTS[:1]).once() == [], "one answer alone has nobody to be compared with"


def test_the_most_typical_answer_has_most_of_what_the_others_say():
    assert most_typical(TEXTS[:2] + TEXTS[3:], Counts.of(TEXTS)) == 0


def test_every_model_gets_the_same_eight_seeds_at_temperature_07():
    how = decoding(128)
    assert how.temperature == 0.7
    for model in ("base", "grpo"):
        asked = requests(model, (Message("user", "?"),), how, "v")
        assert [request.seed for request in asked] == list(SEEDS) == list(range(8))
