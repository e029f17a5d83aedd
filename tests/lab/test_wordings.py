"""The same question in other words: fixed rules under which an emergency stays one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medilite.lab.lay_words import _PAIRS, CLINICAL, plain_words
from medilite.lab.wordings import LABELS, wordings
from medilite.questions import load_questions
from medilite.safety import emergency_notice
from tests.test_safety import EMERGENCIES

NO = re.compile(r"(?i)\b(?:no|not|never|none|without|nor|neither|cannot|\w+n['’]t)\b")
SENTENCES = [line.strip() for text in EMERGENCIES.values() for line in text.strip().splitlines()]


def test_each_rule_words_a_question_its_own_way():
    made = {one.kind: one.text for one in wordings("What are the symptoms of hypertension?")}
    assert list(made) == list(LABELS)
    assert made["lay"] == "how do I know if I have high blood pressure?"
    assert made["second-language"] == "Please, I want to ask: What symptom of hypertension?"
    assert made["clinical"] == "What is the clinical presentation of hypertension?"
    assert made["typos"] != "What are the symptoms of hypertension?"
    back = {one.kind: one.text for one in wordings("How do I treat high blood pressure?")}
    assert back["clinical"] == "What is the management of hypertension?"


def test_the_same_question_is_worded_the_same_every_time():
    # Written down: two calls of one process also agree where a draw goes by what differs between processes.
    assert wordings("What causes a heart attack?")[0].text == "What cuases a haert attack?"


LETTERED = """
hepatitis A infection | influenza A virus | vitamin A deficiency | group A strep | strep A infection | type A blood
blood type A donors | haemophilia A carriers | immunoglobulin A deficiency | class A drugs | hepatitis a infection
influenza a virus | vitamin a deficiency | group a strep | strep a infection | hemophilia a carriers | a fib treatment
type I diabetes | type II collagen | factor V Leiden | factor VIII deficiency | vitamin B12 deficiency | HbA1c values
hepatitis B and C | mucopolysaccharidosis type I | bipolar I disorder | vitamin K2 | COX-2 inhibitors | MELAS syndrome
""".replace("\n", " | ").split(" | ")[1:-1]
"""Names of which a letter or a number is a part."""

NAMED = """
scarlet fever | yellow fever | dengue fever | Q fever | Rift Valley fever | heat stroke | stomach flu | belly button
diabetes insipidus | diabetes mellitus | Diabetes mellitus | blood cancer | malignant hyperthermia | ocular hypertension
idiopathic intracranial hypertension | chronic fatigue syndrome | chronic myeloid leukemia | varicella zoster virus
severe acute respiratory syndrome | respiratory syncytial virus | benign paroxysmal positional vertigo
""".replace("\n", " | ").split(" | ")[1:-1]
"""Names with a word in them that has another name by itself."""


def worded(question: str) -> dict[str, str]:
    return {one.kind: one.text for one in wordings(question)}


@pytest.mark.parametrize("name", LETTERED)
@pytest.mark.parametrize("asked", ["What causes the {}?", "Is it contagious? {} in a child"])
def test_a_letter_or_number_of_a_name_stays_in_every_wording(name, asked):
    """It is no article, no pronoun and no typo: hepatitis without its A is another disease."""
    letters = re.findall(r"\b(?:[aA]|[A-Z]+|\w*\d\w*|HbA1c)\b", name)
    for kind, text in worded(asked.format(name)).items():
        assert [word for word in re.findall(r"\b\w+\b", text) if word in letters][: len(letters)] == letters, kind


@pytest.mark.parametrize("name", NAMED)
def test_a_name_is_not_put_in_other_words_that_make_it_another_disease(name):
    made = worded(f"What is {name} in adults?")
    if name.casefold() != "diabetes mellitus":
        assert name in made["lay"]
    assert "clinical" not in made or name in made["clinical"]


def test_articles_go_wherever_they_are_none_of_a_name():
    asked = "A child has the flu. The throat is red and an ear hurts.\nAn aunt has hepatitis A. A vaccine?"
    assert worded(asked)["second-language"] == (
        "Please, I want to ask: child has flu. throat is red and ear hurts.\naunt has hepatitis A. vaccine?"
    )


def stays(question: str) -> None:
    notice = emergency_notice(question)
    for one in wordings(question):
        found = emergency_notice(one.text)
        assert (found.kind if found else None) == (notice.kind if notice else None), (question, one)
        assert [w.casefold() for w in NO.findall(one.text)] == [w.casefold() for w in NO.findall(question)]
        assert re.findall(r"\d+", one.text) == re.findall(r"\d+", question)


def test_the_notice_survives_every_wording_of_every_emergency():
    assert len(SENTENCES) > 150
    for sentence in SENTENCES:
        stays(sentence)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(SENTENCES + [q.question for q in load_questions()]), min_size=1, max_size=3))
def test_the_notice_survives_in_questions_put_together(parts):
    stays(" ".join(parts))


@settings(max_examples=60)
@given(st.text(max_size=80))
def test_any_text_is_worded_without_an_error(text):
    stays(text)


@pytest.mark.parametrize("question", ["?", "", "a", "12"])
def test_what_cannot_be_worded_otherwise_hardly_is(question):
    assert {one.kind for one in wordings(question)} <= {"second-language"}


def test_the_word_list_is_in_order_and_no_word_means_two_things():
    listed = [line.partition(": ")[0] for line in _PAIRS.strip().splitlines()]
    assert listed == sorted(set(listed)), "in order, and none twice: the later one would count unseen"
    plain = [one for one, _ in CLINICAL]
    assert len(plain) == len(set(plain)), "a plain word has one clinical word to go back to"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dyspnea and a MYOCARDIAL INFARCTION, then dyspnea.",
         (("dyspnea", "shortness of breath"), ("myocardial infarction", "heart attack"))),
        ("An infarction; edema.", (("infarction", "blocked blood flow"), ("edema", "swelling"))),
        ("Renally, pre-renal or papilledema: parts of other words are left alone.", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_plainer_words_come_once_in_the_texts_order_for_whole_words_alone(text, found):
    assert plain_words(text) == found
