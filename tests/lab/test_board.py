"""The small paired board: what is clear, what is not, and how many questions it would take."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from medilite.lab.board import Paired, needed
from medilite.leaderboard import FOLDER, load_board


def test_a_hand_worked_case():
    found = Paired.of([-1.0, -2.0, -3.0, None])
    assert (found.asked, found.n, found.mean, found.verdict) == (4, 3, -2.0, "unclear")
    # t(0.975, 2) = 4.3027, standard deviation 1, over the square root of 3.
    assert (found.low, found.high) == pytest.approx((-2 - 4.3027 / math.sqrt(3), -2 + 4.3027 / math.sqrt(3)), abs=1e-3)
    assert found.needed == math.ceil(((1.95996 + 1.28155) / 2) ** 2)


@pytest.mark.parametrize(
    ("differences", "same", "verdict"),
    [
        ([0.0] * 32, 32, "same"), ([None] * 32, 32, "same"), ([None] * 32, 0, "none"), ([1.0], 0, "none"),
        ([], 0, "none"),
        ([-1.0, -1.1] * 16, 3, "clear"), ([1.0, -1.0] * 16, 0, "unclear"),
    ],
)  # fmt: skip
def test_the_verdicts(differences, same, verdict):
    found = Paired.of(differences, same)
    assert found.verdict == verdict
    if verdict == "none":
        assert found.mean is None, "nothing known is null, not 0"
    if differences == [1.0, -1.0] * 16:
        assert found.needed is None


def test_half_the_difference_needs_four_times_as_many():
    assert needed(0.3, 4.0) == pytest.approx(4 * needed(0.6, 4.0), abs=4)
    assert needed(0.0, 4.0) is None
    assert needed(100.0, 1.0) == 2


def grade_differences() -> list[float]:
    """The committed board's paired differences in grade, GRPO minus its parent, of answers that don't loop."""
    columns = load_board(FOLDER / "lite").scores()["clean/known"]
    names = ("model", "qid", "flesch_kincaid_grade", "loops")
    rows = zip(*(columns[name] for name in names), strict=True)
    grades = {(model, qid): grade for model, qid, grade, loops in rows if not loops and grade is not None}
    pairs = ((grades.get((model, qid)), grades.get(("sft-r16-high", qid))) for model, qid in grades if model == "grpo")
    return [one - other for one, other in pairs if one is not None and other is not None]


def test_a_planted_difference_of_0_3_grades_is_found_at_the_number_foretold():
    """50 simulations on the spread of real pairs: of 32 questions the number is foretold, on new ones it is tried."""
    real = grade_differences()
    middle = statistics.fmean(real)
    planted = [value - middle - 0.3 for value in real]
    draw = random.Random(23)
    found = 0
    for _ in range(50):
        pilot = draw.choices(planted, k=32)
        foretold = needed(0.3, statistics.stdev(pilot))
        board = Paired.of(draw.choices(planted, k=foretold))
        found += board.verdict == "clear" and board.mean < 0
    assert found >= 40, found
    assert statistics.stdev(real) > 1, "real pairs differ"
