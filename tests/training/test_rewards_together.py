"""The rewards of lite together: no way out pays as much as a decent plain answer."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import pytest

from medilite.content import stems
from medilite.models import ROOT
from tests.training.reward_cases import CASES, GENETIC, Bad, Case, additions, bad_answers, cheats
from training.config import GRPORun, RewardsConfig, load_config
from training.rewards import Limit, reward_functions

MARGIN = 1.5
"""By how much a decent answer has to lead: half as much again as the spread (standard deviation 1.0) of the
rewards of eight answers that the fine-tuned 135M model gives to one question."""

MARGIN_IF_CUT = 0.5
"""The same for a decent answer that only lacks its end."""

MARGIN_IF_ADDED = 0.5
"""The same for a decent answer with something made up at its end: half the spread, so that it is seen."""

CUT = {"cut off by the limit", "cut off by itself", "right, but never ending"}
LIMIT = Limit(max_new_tokens=128, end_ids=frozenset({2}))


class BagOfStems:
    """Stands in for the encoder: texts are close that share words."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), 4096), np.float32)
        for row, text in enumerate(texts):
            for stem in stems(text):
                vectors[row, crc32(stem.encode()) % 4096] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)


LITE = load_config(ROOT / "training" / "configs" / "lite" / "grpo.yaml", GRPORun).rewards
BEFORE = RewardsConfig(
    readability=1.0, length=0.5, sentences=1.0, closeness=3.0, key_terms=3.0, repetition=1.0, echo=0.5, ending=0.5,
    ease_enough=70, length_low=30, length_high=300,
)  # fmt: skip
"""Those of the first committed GRPO adapter."""


def totals(case: Case, answers: Sequence[Bad], config: RewardsConfig = LITE) -> list[float]:
    """Return what GRPO would get for each answer: the weighted sum, as TRL forms it."""
    functions, weights = reward_functions(config, LIMIT, BagOfStems())
    rewards = [
        function(
            completions=[answer.text for answer in answers],
            completion_ids=[[5, 2] if answer.ended else [5] * LIMIT.max_new_tokens for answer in answers],
            question=[case.question] * len(answers),
            references=[[*case.references]] * len(answers),
        )
        for function in functions
    ]
    return [
        sum(w * r for w, r in zip(weights, row, strict=True) if r is not None) for row in zip(*rewards, strict=True)
    ]


def too_near(case: Case, config: RewardsConfig = LITE) -> dict[str, float]:
    """Return by how much the decent answer leads, for the bad answers that it doesn't lead by enough."""
    bad = bad_answers(case)
    decent, *others = totals(case, [Bad(case.decent), *bad.values()], config)
    leads = dict(zip(bad, (decent - other for other in others), strict=True))
    return {name: lead for name, lead in leads.items() if lead < (MARGIN_IF_CUT if name in CUT else MARGIN)}


@pytest.mark.parametrize("config", [LITE, BEFORE], ids=["lite", "before"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.subject)
def test_no_way_out_pays(case: Case, config: RewardsConfig) -> None:
    assert too_near(case, config) == {}


@pytest.mark.parametrize("case", [*CASES, GENETIC], ids=lambda case: case.subject)
def test_the_audits_ways_of_cheating_do_not_pay(case: Case) -> None:
    other = CASES[0] if case is not CASES[0] else CASES[1]
    ways, more = cheats(case, other), additions(case, other)
    answers = [Bad(case.decent), *ways.values(), *more.values()]
    decent, *others = totals(case, answers)
    leads = dict(zip([*ways, *more], (decent - one for one in others), strict=True))
    assert {name: lead for name, lead in leads.items() if lead < (MARGIN_IF_ADDED if name in more else MARGIN)} == {}


def test_the_rewards_of_before_paid_for_inventing() -> None:
    """Why there are others now: with recall alone, a made-up claim costs a decent answer next to nothing."""
    more = additions(GENETIC, CASES[0])
    decent, *others = totals(GENETIC, [Bad(GENETIC.decent), *more.values()], BEFORE)
    assert max(others) > decent - MARGIN_IF_ADDED


@pytest.mark.parametrize("config", [LITE, BEFORE], ids=["lite", "before"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.subject)
def test_hard_words_that_say_it_beat_easy_words_that_say_nothing(case: Case, config: RewardsConfig) -> None:
    bad = bad_answers(case)
    names = ("easy words", "easy words on the subject", "the question, then easy words")
    said, *empty = totals(case, [Bad(case.references[0]), *(bad[name] for name in names)], config)
    assert said > max(empty) + MARGIN
