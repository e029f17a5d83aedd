"""What a text claims, kind by kind: cases worked by hand."""

from __future__ import annotations

import pytest

from medilite import claims
from medilite.claims import Quantity


def said(text: str, kind: str) -> list[object]:
    found = [claim for claim in claims.of(text) if claim.kind == kind]
    assert all(text[claim.start : claim.end].strip() for claim in found)
    return [claim.value for claim in found]


@pytest.mark.parametrize(
    ("text", "genes"),
    [
        ("Mutations in the SLC4A11 gene cause it.", ["SLC4A11"]),
        ("Mutations in one of several genes, including GCH1, PCBD1, PTS, and QDPR.", ["GCH1", "PCBD1", "PTS", "QDPR"]),
        ("an alteration in one copy of either the ABCA1 or the APOA1 gene", ["ABCA1", "APOA1"]),
        ("It is caused by mutations in HFE. HFE makes a protein.", ["HFE", "HFE"]),
        ("a defective gene named ATP7A", ["ATP7A"]),
        ("Mutations in the C9orf72 gene", ["C9orf72".upper()]),
        ("The MT-ND1 gene is altered.", ["MT-ND1"]),
        # Abbreviations that nothing calls a gene, and names of mutations.
        ("The AADC enzyme, DNA and an MRI. See the NIH.", []),
        ("a test for the C282Y mutation", []),
        ("Changes in DNA, changes in the mtDNA gene region", []),
        ("Changes in BP, changes in TSH levels and changes in PTH levels; variants of COVID, changes in CO2", []),
        ("Changes in the FBN1 gene", ["FBN1"]),
        ("Changes in FBN1 cause Marfan syndrome, alterations in CFTR cystic fibrosis.", ["FBN1", "CFTR"]),
    ],
)
def test_genes(text: str, genes: list[str]) -> None:
    assert said(text, "gene") == genes


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("inherited in an autosomal dominant pattern", ["dominant"]),
        ("an autosomal recessive disorder", ["recessive"]),
        ("Autosomal-recessive inheritance", ["recessive"]),
        ("autosomal dominant or recessive inheritance", ["dominant", "recessive"]),
        ("inherited in an X-linked recessive pattern", ["x-linked recessive"]),
        ("X-linked dominant; X-linked", ["x-linked dominant", "x-linked"]),
        ("a recessive condition", ["recessive"]),
        ("the dominant hand", []),
        ("This condition is not inherited.", ["none"]),
        ("It isn't passed down in families, and doesn’t seem hereditary.", ["none", "none"]),
        ("It is not contagious but is inherited.", []),
        ("It is not usually passed down. It is not an inherited disorder.", ["sporadic", "none"]),
        (
            "not thought to be inherited, n't caused by an inherited change, not a disease that is inherited",
            ["none"] * 3,
        ),
        ("It isn't passed from mother to child. It can't be passed on to any child.", ["none", "none"]),
        # What is denied is something else.
        ("There isn't a cure for this genetic disorder.", []),
        ("Doctors do not fully understand this inherited disease. You can't prevent inherited types of anemia.", []),
        ("It can't be passed from person to person, passed on by touch or passed on to other people.", []),
        ("It isn't passed on through casual contact. It can't be passed from one child to another.", []),
        ("people who have not inherited the changed gene", []),
        ("There isn't a cure for autosomal dominant ataxia.", ["dominant"]),
        ("It is not inherited in an autosomal dominant pattern.", []),
        ("It does not follow an autosomal dominant, but an autosomal recessive pattern.", ["recessive"]),
        ("Not only autosomal dominant diseases", ["dominant"]),
        # Of some cases, or of a mutation, not of the disease.
        ("Most cases are not inherited.", ["sporadic"]),
        ("new mutations, which are not inherited from a parent", ["sporadic"]),
        ("It has a mitochondrial pattern of inheritance.", ["mitochondrial"]),
    ],
)
def test_patterns(text: str, patterns: list[str]) -> None:
    assert said(text, "inheritance") == patterns


@pytest.mark.parametrize(
    ("text", "explained"),
    [
        (
            "in an autosomal dominant pattern, which means one copy of the altered gene is sufficient",
            ["dominant: one copy"],
        ),
        (
            "in an autosomal dominant pattern, which means both copies of the gene are mutated",
            ["dominant: both copies"],
        ),
        ("autosomal dominant. This means that both parents must have the gene.", ["dominant: both copies"]),
        ("autosomal dominant. Both copies of another gene are fine.", []),
        ("autosomal recessive pattern, which means both copies of the gene have mutations", ["recessive: both copies"]),
        ("autosomal recessive, which means one copy of the altered gene is enough", ["recessive: one copy"]),
        ("In autosomal recessive diseases people with only one copy of the altered gene are carriers.", []),
        ("autosomal recessive. The parents each carry one copy of the mutated gene.", []),
        ("autosomal dominant: material from one of the two copies of chromosome 9 is missing", ["dominant: one copy"]),
        ("autosomal dominant or autosomal recessive, which means both copies are altered", ["recessive: both copies"]),
        ("X-linked recessive. In females both copies must be altered.", []),
    ],
)
def test_explanations(text: str, explained: list[str]) -> None:
    assert said(text, "explanation") == explained


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It affects 1 in 10,000 people.", [Quantity("ratio", 1e4, 1e4)]),
        ("one in ten thousand newborns", [Quantity("ratio", 1e4, 1e4)]),
        ("1 in 200,000 to 500,000 people", [Quantity("ratio", 2e5, 5e5)]),
        ("1 in 500,000 to 1 in 1 million", [Quantity("ratio", 5e5, 1e6)]),
        ("about 5 per 100,000 persons", [Quantity("ratio", 2e4, 2e4)]),
        ("2 to 5 per 100,000 persons", [Quantity("ratio", 2e4, 5e4)]),
        ("1 in 10 000 people, 1 in 10\u202f000", [Quantity("ratio", 1e4, 1e4)] * 2),
        ("one in twenty-five babies", [Quantity("ratio", 25, 25)]),
        ("each child has a 1 in 4 (25 percent) chance", [Quantity("chance", 4, 4), Quantity("percent", 25, 25)]),
        ("The chance that it recurs is about 1 in 4,000.", [Quantity("chance", 4e3, 4e3)]),
        ("1 in 2 of their children, but 1 in 4 women", [Quantity("chance", 2, 2), Quantity("ratio", 4, 4)]),
        ("mapped to BRCA1 in 1994, COVID-19 in 2020, type 2 in 1,500 people", [Quantity("people", 1500, 1500)]),
        ("chromosome 21 in 1,500 people", [Quantity("chromosome", 21, 21), Quantity("people", 1500, 1500)]),
        (
            "one in 1,000 to 2,000, or 50% in 1 in 500",
            [Quantity("ratio", 1e3, 2e3), Quantity("percent", 50, 50), Quantity("ratio", 500, 500)],
        ),
        ("a 1 in 2 or 50% chance", [Quantity("chance", 2, 2)]),
        ("2 and 3 in 10,000 children", [Quantity("ratio", 1e4 / 3, 1e4 / 3)]),
        ("found in 1990, type 2 or 1 in 5,000 people", [Quantity("ratio", 5e3, 5e3)]),
        ("at ages 20 to 40 1 in 100", [Quantity("age", 20, 40), Quantity("ratio", 100, 100)]),
        ("Twenty-five percent", [Quantity("percent", 25, 25)]),
        ("5% to 10% of cases", [Quantity("percent", 5, 10)]),
        ("5% and 10% of them", [Quantity("percent", 5, 5), Quantity("percent", 10, 10)]),
        ("5 to 10 percent", [Quantity("percent", 5, 10)]),
        ("between the ages of 20 and 40", [Quantity("age", 20, 40)]),
        ("a 6-year-old child", [Quantity("age", 6, 6)]),
        ("6 months of age", [Quantity("age", 0.5, 0.5)]),
        ("in their 30s", [Quantity("age", 30, 39)]),
        ("take 500 mg twice a day", [Quantity("dose", 500, 500)]),
        ("0.5 grams, then .5 mg", [Quantity("dose", 500, 500), Quantity("dose", 0.5, 0.5)]),
        ("38 degrees Celsius or 100.4 °F", [Quantity("degrees Celsius", 38, 38), Quantity("degrees", 100.4, 100.4)]),
        ("for 2 weeks", [Quantity("time", 336, 336)]),
        # What has a unit is no "1 in N", nor are its first digits, or a range's first number.
        ("1 attack in 30 days", [Quantity("time", 720, 720)]),
        ("1 in 30 to 40 days", [Quantity("time", 720, 960)]),
        ("1 dose per 50 mg", [Quantity("dose", 50, 50)]),
        (
            "1 check per 100 days, 1 per 100,000 units, one in twenty-five days",
            [Quantity("time", 2400, 2400), Quantity("units", 1e5, 1e5), Quantity("time", 600, 600)],
        ),
        ("1 step per 30% more", [Quantity("percent", 30, 30)]),
        ("an estimated 500 cases", [Quantity("people", 500, 500)]),
        ("on chromosome 11 and on the X chromosome", [Quantity("chromosome", 11, 11)]),
        # No unit, and ways of speaking: no claim.
        ("in 1991, type 2, two people", []),
        ("one of 3 forms", []),
    ],
)
def test_numbers(text: str, numbers: list[Quantity]) -> None:
    found = said(text, "number")
    assert [quantity.unit for quantity in found] == [quantity.unit for quantity in numbers]  # type: ignore[attr-defined]
    for one, other in zip(found, numbers, strict=True):
        assert one[1:] == pytest.approx(other[1:])  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "negations"),
    [
        ("This disease is not inherited. It spreads.", 1),
        ("Children don't outgrow asthma.", 1),
        ("Children don’t outgrow asthma, it wasnt said.", 1),
        ("Not only children have asthma.", 0),
        ("There is no cure for gout, and doctors cannot prevent it.", 1),
    ],
)
def test_negations(text: str, negations: int) -> None:
    assert len(said(text, "negation")) == negations


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Costeff syndrome is rare.", ["Costeff syndrome"]),
        ("Doctors treat histidinemia.", ["histidinemia"]),
        ("People with chronic kidney disease", ["chronic kidney disease"]),
        ("This disease is a disorder.", []),
        ("The mechanism is a matter of metabolism.", []),
    ],
)
def test_conditions(text: str, named: list[str]) -> None:
    assert [text[claim.start : claim.end] for claim in claims.of(text) if claim.kind == "condition"] == named
