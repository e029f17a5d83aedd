"""Rewards of claiming no more than the references say, by hand."""

from __future__ import annotations

from math import sqrt

import pytest

from medilite.claims import Claim, Finding, Findings
from training.config import RewardsConfig
from training.rewards import Limit, f1_reward, found_in, precision_reward, reward_functions, supported_reward
from training.rewards.claimed import F1_LIMIT, PRECISION_ENOUGH

REFERENCE = "Wilson disease is caused by mutations in the ATP7B gene. It affects 1 in 30,000 people."
QUESTION = "What causes Wilson disease ?"


def findings(
    precision: float | None = None, f1: float | None = None, claims: tuple[tuple[str, str, str], ...] = ()
) -> Findings:
    """Return findings of an answer with these measures and (kind, value, verdict) claims."""
    made = tuple(Finding(Claim(kind, 0, 1, value), verdict, "") for kind, value, verdict in claims)  # type: ignore[arg-type]
    return Findings(made, (), precision, None, f1, True)


@pytest.mark.parametrize(
    ("f1", "reward"),
    [(0, -1), (F1_LIMIT / 4, 0), (F1_LIMIT / 2, 2 * sqrt(0.5) - 1), (F1_LIMIT, 1), (1, 1), (None, None)],
)
def test_f1(f1: float | None, reward: float | None) -> None:
    assert f1_reward(findings(f1=f1)) == (None if reward is None else pytest.approx(reward))


@pytest.mark.parametrize(
    ("precision", "reward"), [(None, -1), (0, -1), (PRECISION_ENOUGH / 2, 0), (PRECISION_ENOUGH, 1), (1, 1)]
)
def test_precision(precision: float | None, reward: float) -> None:
    assert precision_reward(findings(precision=precision)) == pytest.approx(reward)


@pytest.mark.parametrize(
    ("claims", "reward"),
    [
        ((), 1),
        ((("gene", "ATP7B", "found"), ("number", "1 in 30,000", "found")), 1),
        ((("gene", "COL4A5", "not_found"),), 0.5),
        ((("gene", "COL4A5", "at_odds"),), 0),
        ((("number", "1 in 10,000", "not_found"), ("inheritance", "dominant", "not_found")), 0),
        ((("explanation", "dominant, both", "at_odds"), ("number", "1 in 10,000", "at_odds")), -1),
        (tuple(("gene", f"G{i}", "not_found") for i in range(9)), -1),
        ((("gene", "COL4A5", "not_found"), ("gene", "COL4A5", "not_found")), 0.5),
        ((("condition", "gout", "not_found"), ("negation", "no", "not_found")), 1),
        ((("condition", "gout", "at_odds"),), 0),
    ],
)
def test_supported(claims: tuple[tuple[str, str, str], ...], reward: float) -> None:
    assert supported_reward(findings(claims=claims)) == reward


def test_without_references_nothing_is_rewarded_or_taken() -> None:
    for reward in (f1_reward, precision_reward, supported_reward):
        assert reward(found_in("It is caused by the COL4A5 gene.", (), QUESTION)) is None


def test_in_trls_form_they_read_question_and_references() -> None:
    config = RewardsConfig(readability=0, length=0, f1=3, precision=2, supported=1)
    functions, weights = reward_functions(config, Limit(8, frozenset({2})))
    completions = [
        "Mutations in the ATP7B gene.",
        [{"role": "assistant", "content": "It is the COL4A5 gene, in 1 in 10,000 people."}],
        "",
    ]
    columns = {"question": [QUESTION] * 3, "references": [[REFERENCE], [REFERENCE], []]}

    got = {function.__name__: function(completions=completions, **columns) for function in functions}

    assert dict(zip(got, weights, strict=True)) == {"f1": 3, "precision": 2, "supported": 1}
    for name, (right, wrong, without) in got.items():
        assert right > wrong, name  # type: ignore[operator]
        assert without is None
    assert got["supported"] == [1, -1, None]
