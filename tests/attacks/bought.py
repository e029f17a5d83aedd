"""Votes that somebody wants to move a rating by, beside honest ones: what `test_bought_votes` measures.

python -m tests.attacks.bought [RUNS]
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np

from medilite.arena.fit import LEFT, RIGHT
from medilite.arena.marks import CROWDED
from medilite.arena.ratings import points
from medilite.arena.table import VoteTable
from medilite.arena.trust import Trust, judge
from tests.arena.simulate import CONTESTANTS, World, choose, reliabilities, table, votes

HONEST, BOUGHT = 1500, 500
BASE, FAVOURITE = CONTESTANTS[0], 2


def honest(seed: int, count: int = HONEST) -> VoteTable:
    """Return honest votes: each voter at an address of their own."""
    made = votes(World(), np.random.default_rng(seed), count)
    return dataclasses.replace(made, network=made.voter.copy())


def attack(
    seed: int,
    *,
    each: int = 5,
    random_share: float = 0.0,
    skips: bool = False,
    beside: bool = False,
    count: int = BOUGHT,
) -> VoteTable:
    """Return `count` votes of one address and day with fresh ids that choose FAVOURITE wherever it stands.

    `random_share` of them choose by chance, as a cover; with `skips` only pairs
    with FAVOURITE are voted on; `beside` has the ids vote by turns, as a class does.
    """
    rng = np.random.default_rng(10_000 + seed)
    left = rng.integers(0, 6, count)
    right = (left + rng.integers(1, 6, count)) % 6
    if skips:
        other = np.where(left == FAVOURITE, right, left)
        other = np.where(other == FAVOURITE, (FAVOURITE + 1) % 6, other)
        side = rng.random(count) < 0.5
        left, right = np.where(side, FAVOURITE, other), np.where(side, other, FAVOURITE)
    outcome = np.where(left == FAVOURITE, LEFT, np.where(right == FAVOURITE, RIGHT, rng.choice([LEFT, RIGHT], count)))
    outcome = np.where(rng.random(count) < random_share, rng.choice([LEFT, RIGHT], count), outcome)
    voter = np.arange(count) % (count // each) if beside else np.arange(count) // each
    return table(
        left, right, outcome, voter, rng.integers(0, 130, count), rng.uniform(0.1, 0.9, count),
        network=np.zeros(count, np.int64), voted_at=1.7e9 + 5e4 + np.arange(count) * 0.2,
    )  # fmt: skip


def school(seed: int, pupils: int = 30, each: int = 10) -> VoteTable:
    """Return honest votes of newcomers who share one address and vote beside one another."""
    rng = np.random.default_rng(20_000 + seed)
    count = pupils * each
    left = rng.integers(0, 6, count)
    right = (left + rng.integers(1, 6, count)) % 6
    voter = np.tile(np.arange(pupils), each)
    world, similarity, question = World(), rng.uniform(0.1, 0.9, count), rng.integers(0, 130, count)
    effects = world.question_effects(rng)[question, left, right]
    outcome = choose(rng, world.chances(left, right, similarity), reliabilities(rng, pupils)[voter], effects)
    return table(
        left, right, outcome, voter, question, similarity, network=np.zeros(count, np.int64),
        voted_at=1.7e9 + 5e4 + np.arange(count) * 3.0,
    )  # fmt: skip


def together(one: VoteTable, other: VoteTable) -> VoteTable:
    """Return both as one table: the second's voters and networks are others than the first's."""
    fields = {}
    for field in dataclasses.fields(VoteTable):
        first, second = getattr(one, field.name), getattr(other, field.name)
        if field.name == "voter":
            second = second + int(first.max()) + 1
        if field.name == "network":
            second = np.where(second < 0, second, second + int(first.max()) + 1)
        fields[field.name] = np.concatenate([first, second]) if isinstance(first, np.ndarray) else first
    fields["questions"] = max(one.questions, other.questions, key=len)
    made = VoteTable(**fields)
    order = np.argsort(made.voted_at, kind="stable")
    return VoteTable(**{n: v[order] if isinstance(v, np.ndarray) else v for n, v in vars(made).items()})


def moved(before: Trust, after: Trust) -> float:
    """Return the most points by which any rating of the counted votes moves."""
    ratings = [points(trust.table.counted, BASE) for trust in (before, after)]
    return max(abs(ratings[0][c] - ratings[1][c]) for c in ratings[0])


CASES = {
    "500 votes for one model, 5 an id": {},
    "…one vote an id": {"each": 1},
    "…20 an id": {"each": 20},
    "…a third of them by chance": {"random_share": 1 / 3},
    "…two thirds of them by chance": {"random_share": 2 / 3},
    "…only where it stands, skipping": {"skips": True},
    "…skipping, two thirds by chance": {"skips": True, "random_share": 2 / 3},
    "…ids by turns": {"beside": True},
    "…by turns, a third by chance": {"beside": True, "random_share": 1 / 3},
    "…by turns, two thirds by chance": {"beside": True, "random_share": 2 / 3},
    "…by turns, 85 % by chance": {"beside": True, "random_share": 0.85},
    "…by turns, 95 % by chance": {"beside": True, "random_share": 0.95},
    "30 votes for one model, by turns": {"beside": True, "count": 30},
    "12 votes, only where it stands": {"beside": True, "count": 12, "skips": True, "each": 2},
    "…by turns, skipping, two thirds by chance": {"beside": True, "skips": True, "random_share": 2 / 3},
}


def main(runs: int) -> None:
    """Print what each attack moves, and what a school loses."""
    print(f"{HONEST} honest votes, {runs} runs; points by which the most moved rating moves: mean, most")
    for name, options in CASES.items():
        shifts, raw, counted = [], [], []
        for seed in range(runs):
            mine, theirs = honest(seed), attack(seed, **options)
            both = together(mine, theirs)
            before, after = judge(mine), judge(both)
            shifts.append(moved(before, after))
            raw.append(moved(dataclasses.replace(before, table=mine), dataclasses.replace(before, table=both)))
            counted.append(len(after.table.counted) - len(before.table.counted))
        print(
            f"{name:40s} {np.mean(shifts):6.1f} {np.max(shifts):6.1f}   without trust {np.mean(raw):6.1f}"
            f"   counted {np.mean(counted):6.1f}"
        )
    lost, false, purpose = [], [], []
    for seed in range(runs):
        mine = honest(seed)
        after = judge(together(mine, school(seed)))
        lost.append(300 - (len(after.table.counted) - len(judge(mine).table.counted)))
        alone = judge(mine).table
        false.append(HONEST - len(alone.counted))
        purpose.append(sum(int((alone.left_out == i).sum()) for i, r in enumerate(alone.reasons) if r != CROWDED and i))
    print(f"thirty of one school, ten votes each: {300 - np.mean(lost):.1f} of 300 count (cap {after.cap})")
    print(
        f"honest votes left out with nobody attacking: {np.mean(false):.1f} of {HONEST} (most {max(false)}), as more "
        f"than {after.cap} a day of one address; {np.mean(purpose):.2f} (most {max(purpose)}) of them for purpose"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
