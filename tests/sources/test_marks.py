"""An answer against its source, sentence by sentence."""

from __future__ import annotations

import pytest

from medilite.sources.marks import mark

SOURCE = (
    "Usher syndrome affects hearing and vision. Mutations in the MYO7A gene cause Usher syndrome. It is inherited in "
    "an autosomal recessive pattern, which means both copies of the gene in each cell have mutations. It affects about "
    "4 in 100,000 people. Vitamin A does not cure the loss of vision."
)


@pytest.mark.parametrize(
    ("sentence", "verdict", "quote"),
    [
        ("Hearing and vision are affected.", "found", "Usher syndrome affects hearing and vision."),
        ("Warm compresses and rest relieve swollen ankles.", "not_found", ""),
        ("Mutations in the BRCA1 gene cause it.", "at_odds", "Mutations in the MYO7A gene cause Usher syndrome."),
        ("The condition is inherited in an autosomal dominant pattern.", "at_odds", "autosomal recessive"),
        ("It affects about 1 in 250 people.", "at_odds", "4 in 100,000"),
        ("Usher syndrome is a syndrome.", None, ""),
    ],
)
def test_a_sentence_and_its_source(sentence, verdict, quote):
    marks = mark(sentence, [SOURCE], "What is Usher syndrome?")
    assert [one.verdict for one in marks] == ([verdict] if verdict else [])
    if marks:
        assert sentence[marks[0].start : marks[0].end] == sentence
        assert quote in marks[0].quote


def test_places_are_those_of_the_whole_answer_and_nothing_is_marked_without_a_source():
    answer = "**Hearing and vision** are affected.\n\n- Warm compresses relieve swollen ankles."
    assert [answer[m.start : m.end] for m in mark(answer, [SOURCE])][-1].startswith("Warm compresses")
    assert mark(answer, []) == []
    assert mark("", [SOURCE]) == []


def test_a_number_that_the_source_lacks_is_not_found_in_it():
    assert [m.verdict for m in mark("Vision and hearing are affected at 30.", [SOURCE])] != ["found"]


@pytest.mark.parametrize(
    "sentence", ["Each child of two carriers has a 1 in 4 chance of it.", "It affects fewer than 1 in 250 people."]
)
def test_a_chance_and_a_bound_are_at_odds_with_no_prevalence(sentence):
    assert "at_odds" not in [one.verdict for one in mark(sentence, [SOURCE])]


DOMINANT = "It is inherited in an autosomal dominant pattern. It affects 1 in 5,000 people."
KCNQ1 = "Mutations in the KCNQ1 gene cause Romano-Ward syndrome. It affects 1 in 7,000 people."


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("There isn't a cure for this genetic disorder.", DOMINANT),
        ("Doctors do not fully understand this inherited disease.", DOMINANT),
        ("It can't be passed from person to person.", DOMINANT),
        ("It isn’t passed on by touch or casual contact.", DOMINANT),
        ("A child who has not inherited the gene will not get it.", DOMINANT),
        (
            "Sickle cell anemia is inherited in an autosomal recessive pattern.",
            "You can't prevent inherited types of hemolytic anemia.",
        ),
        *(
            (f"Changes in {what} can cause fainting.", KCNQ1)
            for what in ("BP", "TSH levels", "LDL", "CSF", "REM sleep", "CO2", "RSV", "COVID", "PTH levels")
        ),
        ("You may have 1 attack in 30 days.", KCNQ1),
        ("You may have 1 attack in 30 to 40 days.", KCNQ1),
        ("Take 1 dose per 50 mg.", KCNQ1),
        ("You need 1 check per 100 days.", KCNQ1),
    ],
)
def test_what_denies_names_or_counts_something_else_is_not_at_odds(sentence, source):
    assert "at_odds" not in [one.verdict for one in mark(sentence, [source], "What is it?")]


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("It is not inherited.", DOMINANT),
        ("It isn’t passed down in families.", DOMINANT),
        ("This is not an inherited disorder.", DOMINANT),
        ("It is not thought to be inherited.", DOMINANT),
        ("Changes in FBN1 cause it.", KCNQ1),
        ("Changes in the FBN1 gene cause it.", KCNQ1),
        ("It affects 1 in 30 people.", KCNQ1),
    ],
)
def test_what_denies_names_or_counts_the_same_is_still_at_odds(sentence, source):
    assert [one.verdict for one in mark(sentence, [source], "What is it?")] == ["at_odds"]
