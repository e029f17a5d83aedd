"""How often claims are misread: planting and counting by hand, and the committed measurement."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

import pytest

from eval import claims as measuring
from eval.planted import PLANTS, disease_of, plant
from eval.questions import Question, load_questions
from medilite.claims.reliability import FILE, HIGHEST_FALSE_ALARMS, LOWEST_SENSITIVITY, reliability

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data" / "medquad"


def question(text: str, *references: str) -> Question:
    return Question("q", text, references, ("q",), "GHR", "inheritance")


GOUT = question(
    "Is Costeff syndrome inherited ?",
    "Costeff syndrome is inherited in an autosomal dominant pattern, which means one copy of the altered gene in each "
    "cell is sufficient to cause the disorder. Mutations in the OPA3 gene cause it. It affects 1 in 10,000 people. "
    "The condition is not found in adults who have no family history.",
)
OTHER = question("What is (are) Gaucher disease ?", "Mutations in the GBA gene cause Gaucher disease.")


@pytest.mark.parametrize("kind", PLANTS)
def test_an_error_changes_the_text_and_is_found(kind):
    planted = [plant(kind, GOUT, GOUT.references[0], [OTHER], random.Random(seed)) for seed in range(8)]
    planted = [one for one in planted if one]
    assert planted
    for one in planted:
        assert one.text != GOUT.references[0]
        assert one.now in one.text
        assert one.now not in GOUT.references[0]
    # With some seeds there is nothing to plant.
    seen = [one for seed in range(8) for one in measuring.look((GOUT, (OTHER,), seed)) if one.kind == kind]
    assert {one.found for one in seen} - {None} == {True}
    assert not any(one.alarm for one in seen)


def test_nothing_is_planted_where_there_is_nothing_of_the_kind():
    plain = question("What causes gout ?", "It hurts.")
    assert [plant(kind, plain, "It hurts.", [OTHER], random.Random(1)) for kind in PLANTS] == [None] * len(PLANTS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Is Costeff syndrome inherited ?", "Costeff syndrome"),
        ("What are the genetic changes related to gout ?", "gout"),
        ("How many people are affected by gout ?", "gout"),
        ("Do you have information about gout", None),
    ],
)
def test_the_disease_of_a_question(text, name):
    assert disease_of(text) == name


def test_shares_have_wilsons_interval():
    # Worked by hand: k 8 of n 10, z 1.96.
    assert measuring.share([True] * 8 + [False] * 2) == {
        "n": 10,
        "hits": 8,
        "share": 0.8,
        "low": 0.4902,
        "high": 0.9433,
    }
    assert measuring.share([])["share"] is None


def test_a_kind_that_falls_below_is_not_reliable():
    seen = [measuring.Seen("gene", hit, False, None, None) for hit in [True] * 79 + [False] * 21]
    assert not measuring.measured(seen)["gene"]["reliable"]
    assert measuring.measured(seen[:-1])["gene"]["reliable"] is False
    assert measuring.measured(seen[:80])["gene"]["reliable"]
    noisy = [dataclasses.replace(one, alarm=i < 6) for i, one in enumerate(seen[:80])]
    assert not measuring.measured(noisy)["gene"]["reliable"]


def test_the_committed_measurement_says_what_it_calls_reliable():
    assert set(reliability()) == set(PLANTS)
    for row in reliability().values():
        assert row.sensitivity.n >= 20
        below = row.sensitivity.share < LOWEST_SENSITIVITY or (row.false_alarms.share or 0) > HIGHEST_FALSE_ALARMS
        assert row.reliable is not below


@pytest.mark.slow
def test_the_committed_measurement_can_be_made_again_for_some_questions():
    if not (DATA / "manifest.json").exists():
        pytest.skip("data/medquad is not prepared: make data")
    about = json.loads(FILE.read_text(encoding="utf-8"))["about"]
    some = load_questions(DATA, about["split"])[:40]
    again = measuring.measure(some)
    committed = reliability()
    for kind, row in again.items():
        if row["sensitivity"]["n"] >= 20:
            assert row["sensitivity"]["high"] >= committed[kind].sensitivity.low
    assert sum(row["sensitivity"]["n"] for row in again.values()) > 50


def test_the_table_in_the_docs_is_the_committed_measurement():
    text = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    assert set(reliability()) == set(PLANTS)
    for kind, row in reliability().items():
        for rate in (row.sensitivity, row.false_alarms, row.sensitivity_elsewhere, row.false_alarms_elsewhere):
            shown = f"{100 * rate.share:.1f} % ({100 * rate.low:.1f}–{100 * rate.high:.1f}), n {rate.n:,}"
            assert shown in next(line for line in text.splitlines() if line.startswith(f"| {kind} |"))
