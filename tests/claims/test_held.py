"""Claims held against references: each kind found, not found, and at odds, worked by hand."""

from __future__ import annotations

import math

import pytest

from medilite import claims

QUESTION = "Is Meckel syndrome inherited ?"
RECESSIVE = (
    "Meckel syndrome is inherited in an autosomal recessive pattern, which means both copies of the gene in each cell "
    "have mutations. Mutations in the MKS1 gene cause it. It affects 1 in 13,000 to 140,000 people worldwide. "
    "Symptoms begin between the ages of 2 and 5. Affected infants do not survive the first weeks of life outside."
)


def verdicts(answer: str, kind: str, *references: str, question: str = QUESTION) -> list[str]:
    found = claims.held_against(answer, references or (RECESSIVE,), question)
    return [finding.verdict for finding in found.claims if finding.claim.kind == kind]


@pytest.mark.parametrize(
    ("answer", "kind", "verdict"),
    [
        ("Mutations in the MKS1 gene cause it.", "gene", "found"),
        ("Mutations in the BRCA1 gene cause it.", "gene", "at_odds"),
        ("It is an autosomal recessive disease.", "inheritance", "found"),
        ("It is inherited in an autosomal dominant pattern.", "inheritance", "at_odds"),
        ("It is not inherited.", "inheritance", "at_odds"),
        ("Most cases are not inherited.", "inheritance", "not_found"),
        ("It is recessive inheritance, which means both copies are altered.", "explanation", "found"),
        ("It is autosomal dominant, which means both copies of the gene are altered.", "explanation", "at_odds"),
        ("It affects 1 in 20,000 people.", "number", "found"),
        ("It affects 1 in 13,000 people.", "number", "found"),
        ("It affects 1 in 500 people.", "number", "at_odds"),
        # A chance is no prevalence, a bound is compared with bounds alone, and a range may contain the reference's.
        ("Each child of two carriers has a 1 in 4 chance of it.", "number", "not_found"),
        ("It affects fewer than 1 in 500 people.", "number", "not_found"),
        ("It affects 1 to 500 per 5,000,000 people.", "number", "not_found"),
        ("About 30 percent of infants have it.", "number", "not_found"),
        ("Symptoms begin between the ages of 20 and 50.", "number", "at_odds"),
        ("Take 500 mg a day.", "number", "not_found"),
        ("Affected infants don't survive the first weeks of life outside.", "negation", "found"),
        ("Affected infants survive the first weeks of life outside.", "negation", "at_odds"),
        ("Meckel syndrome is rare.", "condition", "found"),
        ("Meckel syndrome is like Costeff syndrome.", "condition", "not_found"),
        ("Costeff syndrome is inherited.", "condition", "at_odds"),
    ],
)
def test_a_claim_is_found_not_found_or_at_odds(answer: str, kind: str, verdict: str) -> None:
    assert verdicts(answer, kind)[-1] == verdict


def test_nothing_is_at_odds_with_references_that_do_not_speak_of_it() -> None:
    reference = "Lyme disease is caused by bacteria that ticks carry."
    answer = "Mutations in the MKS1 gene cause it. It is autosomal dominant and affects 1 in 10,000 people."
    found = claims.held_against(answer, [reference], "What causes Lyme disease ?")
    assert [finding.verdict for finding in found.claims] == ["not_found"] * 3
    assert found.inheritance_from_nowhere
    assert found.invented_prevalences == 1
    assert not claims.held_against("It is recessive inheritance.", [RECESSIVE], QUESTION).inheritance_from_nowhere


def test_one_reference_that_says_it_is_enough() -> None:
    other = "Meckel syndrome is inherited in an autosomal dominant pattern. It affects 1 in 900 people."
    answer = "It is autosomal dominant and affects 1 in 900 people."
    assert verdicts(answer, "inheritance", RECESSIVE, other) == ["found"]
    assert verdicts(answer, "number", RECESSIVE, other) == ["found"]


def test_what_the_question_says_is_found() -> None:
    question = "What causes autosomal recessive BRCA1 deficiency ?"
    answer = "The BRCA1 gene causes autosomal recessive BRCA1 deficiency."
    assert {f.verdict for f in claims.held_against(answer, ["No text."], question).claims} == {"found"}


def test_evidence_is_where_the_reference_says_it() -> None:
    found = claims.held_against("The BRCA1 gene causes it.", ["Nothing.", RECESSIVE], QUESTION)
    evidence = next(f.evidence for f in found.claims if f.claim.kind == "gene")
    assert evidence is not None
    assert ("Nothing.", RECESSIVE)[evidence.reference][evidence.start : evidence.end] == "MKS1"


def test_a_claim_said_twice_counts_once() -> None:
    found = claims.held_against("The BRCA1 gene. The BRCA1 gene.", [RECESSIVE], QUESTION)
    assert len([f for f in found.claims if f.claim.kind == "gene"]) == 2
    assert found.count("at_odds", "gene") == found.count("at_odds") == 1


def test_precision_recall_and_f1_are_shares_of_weight() -> None:
    reference, answer = "Kidney stones hurt.", "Kidney stones bleed."
    from medilite.claims.rarity import weight

    found = claims.held_against(answer, [reference], "?")
    both = weight("kidney") + weight("stone")
    assert found.precision == pytest.approx(both / (both + weight("bleed")))
    assert found.recall == pytest.approx(both / (both + weight("hurt")))
    assert found.f1 == pytest.approx(2 / (1 / found.precision + 1 / found.recall))
    assert found.unsupported_terms == 1
    assert [(answer[term.start : term.end], term.found) for term in found.terms] == [
        ("Kidney", True), ("stones", True), ("bleed", False),
    ]  # fmt: skip


def test_words_of_the_question_and_repeats_earn_nothing() -> None:
    reference = "Kidney stones hurt."
    echo = claims.held_against("Kidney stones. Kidney stones.", [reference], "What are kidney stones ?")
    assert echo.precision is None
    assert echo.f1 == 0
    once = claims.held_against("They hurt and bleed.", [reference], "What are kidney stones ?")
    again = claims.held_against("They hurt and bleed. " * 5, [reference], "What are kidney stones ?")
    assert once.precision == again.precision
    assert once.unsupported_terms == again.unsupported_terms == 1


@pytest.mark.parametrize("text", ["", "   ", "?!", "１２３", "1 in 0 people, 5 in 5, 0 percent", "\x00<b>", "é" * 500])
def test_odd_texts_have_findings_too(text: str) -> None:
    found = claims.held_against(text, ["", text], text)
    assert all(f.verdict == "found" for f in found.claims)
    assert found.recall is None or math.isfinite(found.recall)


def test_an_untouched_reference_has_nothing_against_it() -> None:
    found = claims.held_against(RECESSIVE, [RECESSIVE], QUESTION)
    assert {finding.verdict for finding in found.claims} == {"found"}
    assert {finding.claim.kind for finding in found.claims} >= {"gene", "inheritance", "explanation", "number"}
    assert found.precision == found.recall == found.f1 == 1


@pytest.mark.parametrize("piece", ["beta-Amino-", "A1", "1 in 1", "autosomal dominant ", "not ", "(", "of the one "])
@pytest.mark.timeout(60)  # backtracking over such a chain of hyphens took minutes, reading it takes about a second
def test_a_loop_of_two_thousand_words_takes_no_time(piece: str) -> None:
    text = "Costeff syndrome is caused by " + piece * 2000
    claims.held_against(text, [RECESSIVE], QUESTION)  # fails by its time limit alone
