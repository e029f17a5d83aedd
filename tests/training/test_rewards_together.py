"""The rewards of lite and of lite-full together: no way out pays as much as a decent plain answer."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import pytest

from medilite.content import Encoder, SentenceEncoder, stems
from medilite.models import ROOT
from tests.training.reward_cases import CASES, GENETIC, Bad, Case, additions, bad_answers, cheats
from training.config import GRPORun, load_config
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


def totals(case: Case, answers: Sequence[Bad], encoder: Encoder, recipe: str = "lite") -> list[float]:
    """Return what GRPO would get for each answer: the weighted sum, as TRL forms it."""
    config = load_config(ROOT / "training" / "configs" / recipe / "grpo.yaml", GRPORun).rewards
    functions, weights = reward_functions(config, LIMIT, encoder)
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


def too_near(case: Case, encoder: Encoder, recipe: str = "lite") -> dict[str, float]:
    """Return by how much the decent answer leads, for the bad answers that it doesn't lead by enough."""
    bad = bad_answers(case)
    decent, *others = totals(case, [Bad(case.decent), *bad.values()], encoder, recipe)
    leads = dict(zip(bad, (decent - other for other in others), strict=True))
    return {name: lead for name, lead in leads.items() if lead < (MARGIN_IF_CUT if name in CUT else MARGIN)}


@pytest.mark.parametrize("recipe", ["lite", "lite-full"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.subject)
def test_no_way_out_pays(case: Case, recipe: str) -> None:
    assert too_near(case, BagOfStems(), recipe) == {}


@pytest.mark.parametrize("case", [*CASES, GENETIC], ids=lambda case: case.subject)
def test_the_audits_ways_of_cheating_do_not_pay(case: Case) -> None:
    other = CASES[0] if case is not CASES[0] else CASES[1]
    ways, more = cheats(case, other), additions(case, other)
    answers = [Bad(case.decent), *ways.values(), *more.values()]
    decent, *others = totals(case, answers, BagOfStems(), "lite-full")
    leads = dict(zip([*ways, *more], (decent - one for one in others), strict=True))
    assert {name: lead for name, lead in leads.items() if lead < (MARGIN_IF_ADDED if name in more else MARGIN)} == {}


def test_the_rewards_of_before_paid_for_inventing() -> None:
    """Why there are others now: with recall alone, a made-up claim costs a decent answer next to nothing."""
    more = additions(GENETIC, CASES[0])
    decent, *others = totals(GENETIC, [Bad(GENETIC.decent), *more.values()], BagOfStems(), "lite")
    assert max(others) > decent - MARGIN_IF_ADDED


@pytest.mark.model
def test_no_way_out_pays_with_the_real_encoder(encoder: SentenceEncoder) -> None:
    for case in CASES:
        assert too_near(case, encoder) == {}


@pytest.mark.model
def test_hard_words_that_say_it_beat_easy_words_that_say_nothing(encoder: SentenceEncoder) -> None:
    for case in CASES:
        bad = bad_answers(case)
        names = ("easy words", "easy words on the subject", "the question, then easy words")
        said, *empty = totals(case, [Bad(case.references[0]), *(bad[name] for name in names)], encoder)
        assert said > max(empty) + MARGIN
