"""Votes that somebody wants to move a rating by, beside honest ones: what `test_bought_votes` measures.

python -m tests.attacks.bought [RUNS [FIRST SEED]]

The bound (`influence.SHARE_OF_ERROR`) was chosen on seeds 1000 to 1039: of 0.30,
0.33 and 0.36 the largest with no move above 9.5 points. Report other seeds.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np

from medilite.arena.fit import LEFT, RIGHT, TIE
from medilite.arena.ratings import points, rate
from medilite.arena.table import VoteTable
from medilite.arena.trust import Trust, judge
from tests.arena.simulate import CONTESTANTS, World, choose, reliabilities, table, votes

HONEST, BOUGHT = 1500, 500
BASE, FAVOURITE = CONTESTANTS[0], 2


def honest(seed: int, count: int = HONEST) -> VoteTable:
    """Return honest votes: each voter at an address of their own."""
    made = votes(World(), np.random.default_rng(seed), count)
    return dataclasses.replace(made, network=made.voter.copy(), networks=tuple(f"n{i}" for i in range(count)))


def attack(
    seed: int,
    *,
    each: int = 5,
    random_share: float = 0.0,
    skips: bool = False,
    beside: bool = False,
    count: int = BOUGHT,
    loser: int | None = None,
    also: int | None = None,
    ties: bool = False,
    apart_s: float = 0.2,
    days: int = 1,
    sets: int = 0,
) -> VoteTable:
    """Return `count` votes of one address with fresh ids that choose FAVOURITE wherever it stands.

    `also` is a second favourite, `loser` one that is never chosen, and `ties`
    calls every pair equally good instead. `random_share` of the votes choose by
    chance, as a cover; with `skips` only pairs with FAVOURITE are voted on;
    `beside` has the ids vote by turns, as a class does. Votes are `apart_s`
    seconds apart, on so many `days`; with `sets` the ids are in so many sets, of
    which no two vote on one day.
    """
    rng = np.random.default_rng(10_000 + seed)
    left = rng.integers(0, 6, count)
    right = (left + rng.integers(1, 6, count)) % 6
    if skips:
        other = np.where(left == FAVOURITE, right, left)
        other = np.where(other == FAVOURITE, (FAVOURITE + 1) % 6, other)
        side = rng.random(count) < 0.5
        left, right = np.where(side, FAVOURITE, other), np.where(side, other, FAVOURITE)
    rank = np.zeros(6)
    for model, value in ((also, 1), (loser, -1), (FAVOURITE, 2)):
        if model is not None:
            rank[model] = value
    chance = rng.choice([LEFT, RIGHT], count)
    outcome = np.select([rank[left] > rank[right], rank[left] < rank[right]], [LEFT, RIGHT], chance)
    outcome = np.where(rng.random(count) < random_share, rng.choice([LEFT, RIGHT], count), TIE if ties else outcome)
    voter = np.arange(count) % (count // each) if beside else np.arange(count) // each
    day = np.arange(count) * days // count
    if sets:
        day = voter % sets + sets * (np.arange(count) // (count // each))
    return table(
        left, right, outcome, voter, rng.integers(0, 130, count), rng.uniform(0.1, 0.9, count),
        network=day, voted_at=1.7e9 + 5e4 + np.arange(count) * apart_s + day * 86_400.0,
    )  # fmt: skip


def with_flags(made: VoteTable, seed: int) -> VoteTable:
    """Return the votes with 7 % of them "both bad", and 2 % of the answers called wrong or unsafe."""
    rng, count = np.random.default_rng(30_000 + seed), len(made)
    bad = rng.random(count) < 0.07
    return dataclasses.replace(
        made, both_bad=bad, outcome=np.where(bad, TIE, made.outcome),
        left_unsafe=rng.random(count) < 0.02, right_unsafe=rng.random(count) < 0.02,
    )  # fmt: skip


def slander(seed: int, count: int = 400) -> VoteTable:
    """Return votes of twenty fresh ids of one address: "both bad" on every pair, and FAVOURITE called unsafe."""
    made = attack(seed, beside=True, count=count, each=count // 20)
    return dataclasses.replace(
        made, both_bad=np.ones(count, bool), outcome=np.full(count, TIE),
        left_unsafe=made.left == FAVOURITE, right_unsafe=made.right == FAVOURITE,
    )  # fmt: skip


def shares(trust: Trust) -> np.ndarray:
    """Return in per cent how often FAVOURITE's votes are "both bad", and how often it is called wrong or unsafe."""
    (row,) = (row for row in rate(trust.table, BASE).rows if row.contestant == CONTESTANTS[FAVOURITE])
    assert row.bad is not None
    assert row.unsafe is not None
    return 100 * np.array([row.bad.value, row.unsafe.value])


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


def office(seed: int, colleagues: int = 30, each: int = 10, days: int = 10) -> VoteTable:
    """Return honest votes of people who share an address and vote there on so many days, until they are trusted."""
    one, count = school(seed, colleagues, each), colleagues * each
    day = np.arange(count) * days // count
    return dataclasses.replace(
        one, network=day, networks=tuple(f"n{i}" for i in range(days)), voted_at=one.voted_at + day * 86_400.0
    )


def colleagues_weight(seed: int, colleagues: int, each: int, *, cheat: bool = False) -> float:
    """Return as how many votes those of an office count, beside honest voters and, with `cheat`, OVER_DAYS."""
    mine = together(honest(seed), office(seed, colleagues, each))
    after = judge(together(mine, attack(seed, **OVER_DAYS)) if cheat else mine).table
    inside = (after.voter > honest(seed).voter.max()) & (after.voter <= mine.voter.max())
    assert inside.sum() == colleagues * each
    return float((after.weight * (after.left_out == 0))[inside].sum())


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
    fields["networks"] = tuple(f"n{i}" for i in range(int(fields["network"].max()) + 1))
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
    "…two minutes apart": {"apart_s": 120.0},
    "…a third of them by chance": {"random_share": 1 / 3},
    "…two thirds of them by chance": {"random_share": 2 / 3},
    "…only where it stands, skipping": {"skips": True},
    "…skipping, two thirds by chance": {"skips": True, "random_share": 2 / 3},
    "…ids by turns": {"beside": True},
    "…by turns, a third by chance": {"beside": True, "random_share": 1 / 3},
    "…by turns, two thirds by chance": {"beside": True, "random_share": 2 / 3},
    "…by turns, skipping, two thirds by chance": {"beside": True, "skips": True, "random_share": 2 / 3},
    "…by turns, 85 % by chance": {"beside": True, "random_share": 0.85},
    "…by turns, 85 % by chance, two minutes apart": {"beside": True, "random_share": 0.85, "apart_s": 120.0},
    "…by turns, 95 % by chance": {"beside": True, "random_share": 0.95},
    "…for two models, 85 % by chance": {"beside": True, "random_share": 0.85, "also": 4},
    "…for one, against another": {"beside": True, "loser": 5},
    "…for one, against another, 85 % by chance": {"beside": True, "random_share": 0.85, "loser": 5},
    "…for one, against the base, 85 % by chance": {"beside": True, "random_share": 0.85, "loser": 0},
    "…all equally good": {"beside": True, "ties": True},
    "…half equally good, half by chance": {"beside": True, "ties": True, "random_share": 0.5},
    "200 votes, by turns, 85 % by chance": {"beside": True, "random_share": 0.85, "count": 200},
    "100 votes, by turns, two thirds by chance": {"beside": True, "random_share": 2 / 3, "count": 100},
    "60 votes, by turns, a third by chance": {"beside": True, "random_share": 1 / 3, "count": 60},
    "30 votes for one model, by turns": {"beside": True, "count": 30},
    "30 votes for one, against the base": {"beside": True, "count": 30, "loser": 0},
    "20 votes for one model, one an id": {"beside": True, "count": 20, "each": 1},
    "20 votes, only where it stands, a third by chance": {
        "beside": True, "count": 20, "skips": True, "each": 2, "random_share": 1 / 3,
    },
    "12 votes, only where it stands": {"beside": True, "count": 12, "skips": True, "each": 2},
    "7 votes, only where it stands": {"beside": True, "count": 7, "skips": True, "each": 1},
}  # fmt: skip
"""Each is given on one day at one address."""

OVER_DAYS = {"beside": True, "random_share": 2 / 3, "days": 10, "apart_s": 60.0}
"""The same 500 votes on ten days: each day's network has another name, for no address is kept."""


AGED = {
    "a hundred ids on ten days, two thirds by chance": OVER_DAYS,
    "…a third by chance": {**OVER_DAYS, "random_share": 1 / 3},
    "…85 % by chance": {**OVER_DAYS, "random_share": 0.85},
    "…for one, against another": {**OVER_DAYS, "loser": 5},
    "…on twenty days": {**OVER_DAYS, "days": 20},
    "…in seven sets that share no day": {**OVER_DAYS, "sets": 7},
    "…a thousand votes": {**OVER_DAYS, "count": 1000},
    "…250 votes": {**OVER_DAYS, "count": 250},
    "four ids, 125 votes each": {**OVER_DAYS, "each": 125},
}
"""The same by ids that have grown old on one address; some vote on even days, the others on odd ones."""

OFFICES = {"thirty": (30, 10), "ten": (10, 10), "sixty": (60, 10), "five, sixty votes each,": (5, 60)}
"""Honest colleagues who share an address and whose browsers are old: how many, and votes of each."""


def main(runs: int, first: int) -> None:
    """Print what each attack moves, and what a school and honest voters lose."""
    print(f"{HONEST} honest votes, {runs} runs from seed {first}; points by which the most moved rating moves:")
    lost, purpose, before = [], [], {}
    for seed in range(first, first + runs):
        before[seed] = judge(honest(seed))
        alone = before[seed].table
        lost.append(HONEST - alone.counted.size)
        purpose.append(int((alone.left_out != 0).sum()))
    for name, options in {**CASES, **AGED}.items():
        shifts, raw, counted = [], [], []
        for seed in before:
            mine, theirs = honest(seed), attack(seed, **options)
            both = together(mine, theirs)
            after = judge(both)
            shifts.append(moved(before[seed], after))
            raw.append(moved(dataclasses.replace(after, table=mine), dataclasses.replace(after, table=both)))
            counted.append(after.table.counted.size - before[seed].table.counted.size)
        print(
            f"{name:50s} mean {np.mean(shifts):5.1f}, 95 % below {np.percentile(shifts, 95):5.1f}, most "
            f"{np.max(shifts):5.1f}; without trust {np.mean(raw):6.1f}; counted as {np.mean(counted):5.1f}"
        )
    for count in (500, HONEST):
        flagged = {seed: with_flags(honest(seed, count), seed) for seed in before}
        usual = {seed: shares(judge(votes)) for seed, votes in flagged.items()}
        shifts = [shares(judge(together(votes, slander(seed)))) - usual[seed] for seed, votes in flagged.items()]
        raw = [shares(dataclasses.replace(before[seed], table=together(votes, slander(seed)))) - usual[seed]
               for seed, votes in flagged.items()]  # fmt: skip
        for name, moved_by, unbounded in zip(
            ('"both bad"', "unsafe"), np.transpose(shifts), np.transpose(raw), strict=True
        ):
            print(
                f"400 votes beside {count} honest ones move the share of {name} by {np.mean(moved_by):.1f} points in "
                f"the mean, {np.max(moved_by):.1f} at most; without trust {np.mean(unbounded):.1f}"
            )
    for name, (colleagues, each) in OFFICES.items():
        weights = [colleagues_weight(seed, colleagues, each) for seed in before]
        full = sum(weight == colleagues * each for weight in weights)
        print(f"{name} honest old colleagues count in full in {full} of {runs} runs (least {min(weights):.0f})")
    beside = [colleagues_weight(seed, 30, 10, cheat=True) for seed in before]
    full = sum(weight == 300 for weight in beside)
    print(f"thirty, while a hundred old ids of another address cheat: {full} of {runs} runs (least {min(beside):.0f})")
    pupils = []
    for seed in before:
        after = judge(together(honest(seed), school(seed)))
        pupils.append(float(after.table.weight[after.table.network == after.table.network.max()].sum()))
    low, middle, high = np.percentile(pupils, [10, 50, 90])
    print(
        f"thirty of one school, ten votes each, count as {middle:.0f} of 300 "
        f"(a tenth of runs below {low:.0f}, a tenth above {high:.0f})"
    )
    print(
        f"with nobody attacking, {HONEST} honest votes count as {HONEST - np.mean(lost):.0f} "
        f"(least {HONEST - max(lost)}), {np.mean(purpose):.2f} (most {max(purpose)}) of them "
        "left out as by somebody with a purpose"
    )


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*[*given, *(20, 0)[len(given) :]])
