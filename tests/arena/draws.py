"""How many votes the draw of pairs saves over drawing blindly: `python -m tests.arena.draws`.

Votes are simulated from known strengths, with pairs, questions and sides drawn
by `medilite.arena.drawing` from what the votes so far have told, and blindly:
every pair, question and seed with the same chance. Told is how many of the
blind draw's votes the other needs to the same mean width of the models'
intervals: of those that the app shows, and, with less noise, of those that
follow from what the votes tell about the true strengths.

Beside them stands what no draw can beat: the A-optimal design for the very
strengths (Atkinson, Donev and Tobias 2007, Optimum Experimental Designs, ch.
10), by pairs alone and with every vote on the two answers of each pair that are
least alike.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from medilite.arena.drawing import Knowledge, Opponents, Place, draw_place, draw_sides
from medilite.arena.ratings import POINTS, rate
from medilite.arena.table import VoteTable
from tests.arena.simulate import CONTESTANTS, World, choose, reliabilities, table, voters_of

EVEN = np.linspace(-0.5, 0.5, 6)
PAIRS = list(combinations(range(6), 2))
REFIT = 50
"""After so many votes the draw gets the ratings of the votes so far."""

CHECKS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of the votes after which widths are looked at."""


@dataclass(frozen=True)
class Case:
    """A world to draw in. `before` votes on all but the last contestant are there already, drawn blindly."""

    name: str
    world: World
    before: int = 0


def spread(points: float, **fields: object) -> World:
    """Return a world of six strengths, evenly `points` from the weakest to the strongest."""
    return World(strengths=EVEN * points / POINTS, **fields)  # type: ignore[arg-type]


MANY_TIES = (0.5, 2.0)
"""Nearly half of the votes are ties: few between answers that differ, most between those that are much alike."""

CASES = (
    *(Case(f"spread of {points} points", spread(points)) for points in (100, 200, 400, 800)),
    Case("200 points, half of the votes ties", spread(200, tie=MANY_TIES)),
    Case("200 points, 2,000 votes there, one new model", spread(200), 2000),
)


@dataclass
class Ballots:
    """Votes as they are cast, one list a column."""

    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    question: list[int] = field(default_factory=list)
    similarity: list[float] = field(default_factory=list)
    outcome: list[int] = field(default_factory=list)

    def table(self, voters: np.ndarray, count: int | None = None) -> VoteTable:
        columns = (self.left, self.right, self.outcome, voters, self.question, self.similarity)
        return table(*(np.array(column[:count]) for column in columns[:3]), voters[: len(self.left[:count])],
                     np.array(self.question[:count]), np.array(self.similarity[:count]))  # fmt: skip


def simulate(case: Case, votes: int, informed: bool, seed: int) -> np.ndarray:
    """Return the mean widths after each of CHECKS of `votes` votes (and those that were there before): (checks, 2).

    First that of the intervals that the app shows, then that which follows from
    what the votes tell, up to a constant.
    """
    rng, dice = np.random.default_rng(seed), random.Random(seed)
    world = case.world
    places = places_of(world, rng)
    voters = voters_of(rng, case.before + votes, 10.0)
    reliability, effects = reliabilities(rng, len(voters))[voters], world.question_effects(rng)
    cast, knowledge, told = Ballots(), Knowledge(), np.zeros(len(PAIRS))
    widths = []
    checks = {case.before + round(share * votes) for share in CHECKS}
    for number in range(case.before + votes):
        blind = number < case.before or not informed
        if not blind and (number - case.before) % REFIT == 0 and number:
            found = rate(cast.table(voters), CONTESTANTS[0])
            knowledge.strengths, knowledge.tie = found.strengths, found.tie
        if blind:
            among = [two for two in places if number >= case.before or CONTESTANTS[-1] not in two]
            two = dice.choice(among)
            place = dice.choice(places[two])
            left, right = dice.sample(sorted(two), 2)
        else:
            drawn = draw_place(places, knowledge, dice)
            assert drawn is not None
            place = drawn.place
            left, right, _ = draw_sides(drawn.two, knowledge, dice)
        knowledge.note(left, right, place.question)
        a, b, q = CONTESTANTS.index(left), CONTESTANTS.index(right), int(place.question)
        chances = world.chances(np.array([a]), np.array([b]), np.array([place.similarity]))
        outcome = choose(rng, chances, reliability[number : number + 1], effects[q, [a], [b]])[0]
        for column, value in zip(vars(cast).values(), (a, b, q, place.similarity, outcome), strict=True):
            column.append(value)
        told[PAIRS.index((min(a, b), max(a, b)))] += _information(world, a, b, np.array([place.similarity]))[0]
        if number + 1 in checks:
            rows = rate(cast.table(voters), CONTESTANTS[0]).rows
            shown = np.mean([2 * row.rating.half_width for row in rows if row.rating])
            widths.append((shown, _mean_width(told)))
    return np.array(widths)


def places_of(world: World, rng: np.random.Generator) -> dict[Opponents, list[Place]]:
    """Return two seeds' answers to every question for every two, as unlike each other as `simulate.votes` has them."""
    return {
        frozenset((CONTESTANTS[a], CONTESTANTS[b])): [
            Place(str(question), seed, float(rng.uniform(0.1, 0.9)))
            for question in range(world.questions)
            for seed in (0, 1)
        ]
        for a, b in PAIRS
    }


def votes_needed(case: Case, votes: int, runs: int, seed: int = 0) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return which share of the blind draw's votes the other needs to the same mean width, and its standard error.

    First by the intervals that the app shows, then by what the votes tell.
    """
    blind = np.array([simulate(case, votes, False, seed + run)[-1] for run in range(runs)])
    informed = np.array([simulate(case, votes, True, seed + run) for run in range(runs)])
    first, second = (_share(informed[:, :, i], blind[:, i]) for i in (0, 1))
    return first, second


def _share(informed: np.ndarray, blind: np.ndarray) -> tuple[float, float]:
    """Return at which share of the votes the curves (runs, checks) meet the goals (runs,), with its jackknife error."""
    at = np.log(CHECKS)

    def meet(chosen: np.ndarray) -> float:
        # Widths fall with the votes, so the curve meets the goal once; beyond its ends it goes on as it ended.
        curve, goal = np.log(informed[chosen].mean(axis=0)), np.log(blind[chosen].mean())
        i = int(np.clip((curve > goal).sum(), 1, len(curve) - 1))
        return float(np.exp(at[i] + (goal - curve[i]) * (at[i] - at[i - 1]) / (curve[i] - curve[i - 1])))

    every = np.arange(len(blind))
    without = np.array([meet(np.delete(every, run)) for run in every]) if len(every) > 1 else np.array([np.nan])
    error = np.sqrt((len(every) - 1) / len(every) * ((without - without.mean()) ** 2).sum())
    return meet(every), float(error)


# --- what no draw can beat -----------------------------------------------------------------


def optimum(world: World) -> tuple[float, float]:
    """Return the shares of the blind draw's votes that the best design needs: by pairs alone, and by answers too.

    For votes that depend on nothing but strengths and likeness, and in the limit of many.
    """
    similarity = np.linspace(0.1, 0.9, 401)
    left, right = np.array(PAIRS).T
    tells = np.array(
        [_information(world, a, b, similarity) for a, b in zip(left, right, strict=True)]
    )  # (pairs, similarities)
    blind = _mean_width(tells.mean(axis=1) / len(PAIRS))
    return tuple(float((_best_width(values) / blind) ** 2) for values in (tells.mean(axis=1), tells.max(axis=1)))  # type: ignore[return-value]


def _information(world: World, a: int, b: int, similarity: np.ndarray) -> np.ndarray:
    strengths = dict(zip(CONTESTANTS, world.strengths, strict=True))
    return Knowledge(strengths, world.tie).information(frozenset((CONTESTANTS[a], CONTESTANTS[b])), similarity)


def _mean_width(weights: np.ndarray) -> float:
    """Return the mean width, up to a constant, where each pair has told so much."""
    x = np.zeros((len(PAIRS), 6))
    for row, (a, b) in enumerate(PAIRS):
        x[row, a], x[row, b] = 1, -1
    covariance = np.linalg.pinv(x.T @ (x * weights[:, None]))
    return float(np.sqrt(np.diag(covariance)).mean())


def _best_width(tells: np.ndarray) -> float:
    from scipy import optimize

    def width(logits: np.ndarray) -> float:
        shares = np.exp(logits - logits.max())
        return np.log(_mean_width(shares / shares.sum() * tells))

    return float(np.exp(optimize.minimize(width, np.zeros(len(PAIRS))).fun))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.arena.draws", description=__doc__)
    parser.add_argument("--votes", type=int, default=2000, help="votes of the blind draw (%(default)s)")
    parser.add_argument("--runs", type=int, default=100, help="repetitions of each (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    print(f"votes needed, of {options.votes:,} drawn blindly; {options.runs} runs, seed {options.seed}")
    print(f"{'world':<46} {'as shown':>12} {'as told':>12} {'optimum: pairs':>15} {'and answers':>12}")
    for case in CASES:
        needed = votes_needed(case, options.votes, options.runs, options.seed)
        cells = " ".join(f"{share:>5.0%} ± {1.96 * error:>4.1%}" for share, error in needed)
        best = [f"{share:.0%}" for share in optimum(case.world)] if not case.before else ["–", "–"]
        print(f"{case.name:<46} {cells} {best[0]:>15} {best[1]:>12}", flush=True)


if __name__ == "__main__":
    main()
