"""Weights for votes of one place, so that together they move no rating by more than a bound.

A count alone bounds little: twenty votes for one model move its rating further than two hundred that are distributed as
everybody else's. So the bound is on their effect. To first order a group of votes with the score s (the gradient of
their log-likelihood) moves the strengths by C s, where C is the inverse of the other votes' information: the influence
function of the estimate (Hampel, Ronchetti, Rousseeuw and Stahel 1986, Robust Statistics, ch. 2). A group that would
move a difference between two ratings further than a share of its standard error gets a weight that reduces it to that
share; so no vote is dropped, and the bound narrows as votes come.

A vote for "both bad", or that calls an answer wrong or unsafe, need not move a rating. What it moves is one of two
shares of a contestant's votes, so the weight is also one with which the group moves no such share further.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from medilite.arena.fit import PRIOR_SD, Design, Floats, Ints, derivatives, hessian
from medilite.arena.ratings import POINTS, fitted_strengths, vote_columns
from medilite.arena.table import VoteTable

LEAST = 4
"""This many votes of one network and day always count…"""

FIRST = 20
"""…and this many while fewer came from elsewhere: there is nobody yet to outvote."""

SHARE_OF_ERROR = 0.33
"""How far the newcomers of one network may move the difference between two ratings in a day, in its standard errors.

The same for a contestant's share of "both bad", or of answers called wrong or unsafe, unless LEAST votes (FIRST while
fewer came from elsewhere) move it further: discounting the first report of an unsafe answer would defeat the column's
purpose.
"""

SHARE_TOGETHER = 1.0
"""The same for groups of trusted voters who share networks, once they depart from the others: all such together."""

CHANCE = 3e-3
"""How likely an honest group is at most to depart so far by chance, over all pairs of contestants (Bonferroni).

Chosen on seeds 1000 to 1039 of tests/attacks/bought.py: none of 160 honest groups departs so far, and each of 480
that cheat with 500 votes does.
"""

USUAL = 2.5
"""Groups that depart are taken, the furthest first, until the others depart by this many standard deviations.

A smaller number would take more honest groups that lean the same way by chance (with 1.64, 6 of 60 offices of thirty),
a larger one leaves more of a cheat that is spread over several.
"""

PASSES = 3
"""Passes over weights and ratings, which depend on each other; after these they change by less than a hundredth."""

Bools = NDArray[np.bool_]


def bounded(table: VoteTable, counted: Bools, newcomers: Ints, together: Ints) -> tuple[Floats, float | None]:
    """Return the weight of every vote, from 0 to 1, and the newcomers' bound in points; None if nothing is rated.

    `counted` are the votes that count. `newcomers` numbers the place of each vote of newcomers, `together` the group of
    trusted voters who share networks; -1 for all other votes. Each place of newcomers is bounded, in the ratings and in
    the shares of "both bad" and of answers called wrong or unsafe. Groups are only if they depart from what the others'
    votes say by more than chance allows, and then together. All votes of one place have one weight. The bound in
    points is the median over all pairs of contestants.
    """
    groups = _of_one_place(newcomers, counted & (newcomers >= 0))
    shares = [SHARE_OF_ERROR] * len(groups)
    compared = counted & ~table.both_bad
    weight = np.where(counted, 1.0, 0.0)
    # At first each network counts only with the votes that always count.
    least = _least(groups, counted)
    for group, floor in zip(groups, least, strict=True):
        weight[group] = min(1.0, floor)
    aged = _of_one_place(together, counted & (together >= 0))
    if aged and (others := _Moves.of(table, compared, np.where(together >= 0, 0.0, weight))) is not None:
        departing = others.departing(table, aged)
        if len(departing):
            groups, shares = [*groups, departing], [*shares, SHARE_TOGETHER]
            least = _least(groups, counted)
            weight[departing] = min(1.0, least[-1])
    points = None
    for _ in range(PASSES):
        moves = _Moves.of(table, compared, weight)
        if moves is None:
            break
        points = SHARE_OF_ERROR * moves.error * POINTS
        before, weight = weight, np.where(counted, 1.0, 0.0)
        near = moves.roughly(table, groups) > np.array(shares) / 2
        said = _weights_in_shares(table, before, groups, np.array(least), np.array(shares))
        for place in np.flatnonzero(near | (said < 1)):
            group, floor, share, most = groups[place], least[place], shares[place], min(1.0, said[place])
            inside = group[~table.both_bad[group]]
            if near[place]:
                most = min(most, max(floor, share * moves.weight(table, inside, before[inside])))
            weight[group] = most
    return weight, points


class _Moves:
    """The fit of the counted votes, and how far a few more would move it."""

    def __init__(self, parameters: Floats, information: Floats, ties: int, contestants: Ints) -> None:
        self._parameters, self._information = parameters, information
        self._ties, self._contestants = ties, contestants.tolist()
        count = len(contestants)
        pairs = np.zeros((count * (count - 1) // 2, len(parameters)))
        for row, (one, other) in enumerate(combinations(range(count), 2)):
            pairs[row, one], pairs[row, other] = 1, -1
        self._pairs = pairs
        self._errors = np.sqrt(((pairs @ np.linalg.inv(information)) * pairs).sum(axis=1))

    @classmethod
    def of(cls, table: VoteTable, compared: Bools, weight: Floats) -> _Moves | None:
        """Return the fit of votes with these weights; None if they are on fewer than two contestants."""
        votes = table.weighted(weight).where(compared)
        here = np.unique(np.concatenate([votes.left, votes.right]))
        if len(here) < 2:
            return None
        fitted, design, *_ = fitted_strengths(votes, here.tolist(), at_equal=False)
        assert fitted is not None
        assert design is not None
        return cls(fitted.parameters, fitted.hessian, design.z.shape[1], here)

    @property
    def error(self) -> float:
        """The median standard error of a difference, in natural logarithms."""
        return float(np.median(self._errors))

    def roughly(self, table: VoteTable, groups: Sequence[Ints]) -> Floats:
        """Return approximately how far each group moves a difference at most, in its standard errors.

        It is less than `weight` uses, since the group's own votes are included in the information: by half at most,
        unless the group is most of all votes, which gets infinity.
        """
        if not groups:
            return np.zeros(0)
        votes, sizes = np.concatenate(groups), np.array([len(group) for group in groups])
        scores = self._derivatives(table, votes)[1] * ~table.both_bad[votes][:, None]
        sums = np.add.reduceat(scores, np.concatenate([[0], np.cumsum(sizes)[:-1]]))
        moved = np.abs(sums @ np.linalg.solve(self._information, self._pairs.T)) / self._errors
        return np.where(sizes > len(table) / 4, np.inf, moved.max(axis=1))

    def departing(self, table: VoteTable, groups: Sequence[Ints]) -> Ints:
        """Return the votes of those groups, none of them in this fit, that depart from it by more than chance allows.

        A group's score has the variance J + J C J: its own information J, and what the fit is uncertain of. Groups are
        looked at one by one and all together, since one person's ids can be in several. Those that move the ratings in
        one direction are then taken, the furthest first, until the rest departs as far as honest groups do.
        """
        from scipy import stats

        inverse = np.linalg.inv(self._information)
        ways = inverse @ self._pairs.T
        scores, own = [], []
        for group in groups:
            design, score, information = self._derivatives(table, group[~table.both_bad[group]])
            scores.append(score.sum(axis=0))
            own.append(hessian(design, information) - np.eye(design.size) / PRIOR_SD**2)
        moved, spread = np.array(scores) @ ways, np.array(own) @ ways

        def departures(chosen: Sequence[int]) -> Floats:
            """Return by how many standard deviations these groups together move each pair."""
            through = spread[chosen].sum(axis=0)
            variance = (ways * through).sum(axis=0) + (through * (inverse @ through)).sum(axis=0)
            return moved[chosen].sum(axis=0) / np.sqrt(np.maximum(variance, 1e-12))

        alone = np.array([departures([i]) for i in range(len(groups))])
        allowed = float(stats.norm.isf(CHANCE / (2 * len(self._pairs))))
        far = np.abs(alone).max(axis=1)
        taken: dict[int, tuple[int, float]] = {}  # by group, the way and sign for which it was taken
        left, way, sign = list(range(len(groups))), -1, 1.0
        while left:
            pooled = departures(left)
            if way < 0 or sign * pooled[way] <= USUAL:
                furthest = max((pooled, *alone[left]), key=lambda one: float(np.abs(one).max()))
                way = int(np.abs(furthest).argmax())
                sign = float(np.sign(furthest[way]))
                if abs(furthest[way]) <= allowed:
                    break
            gone = max(left, key=lambda i: sign * alone[i, way])
            taken[gone] = way, sign
            left.remove(gone)
        # Honest groups can have been taken before those of which they were thought to be part.
        for back in sorted(taken, key=lambda i: far[i]):
            way, sign = taken[back]
            if far[back] <= allowed and sign * departures([*left, back])[way] <= USUAL:
                left.append(back)
        return np.concatenate([group for i, group in enumerate(groups) if i not in left] or [np.zeros(0, int)])

    def _derivatives(self, table: VoteTable, votes: Ints) -> tuple[Design, Floats, Floats]:
        x, z = vote_columns(table, votes, self._contestants)
        design = Design(x, z[:, : self._ties], table.outcome[votes], np.ones(len(votes)))
        return design, *derivatives(design, self._parameters)[1:]

    def weight(self, table: VoteTable, group: Ints, before: Floats) -> float:
        """Return the weight, which may be above 1, by which a group's votes move a difference by its standard error.

        `before` is the weight with which each of them is counted already.
        """
        design, scores, information = self._derivatives(table, group)
        own = Design(design.x, design.z, design.outcome, before)
        rest = self._information - hessian(own, information) + np.eye(design.size) / PRIOR_SD**2
        moved = np.abs(self._pairs @ np.linalg.solve(rest, scores.sum(axis=0)))
        return float(np.min(self._errors / np.maximum(moved, 1e-12)))


def _weights_in_shares(
    table: VoteTable, before: Floats, groups: Sequence[Ints], least: Floats, shares: Floats
) -> Floats:
    """Return the weight of each group, which may be above 1, by which it moves a contestant's shares by their bound.

    `before` is the weight with which each vote is counted already. What a group says is compared with what all others
    say of the same contestant; half a yes in one vote more is assumed of them, so that a first yes is no surprise.
    """
    sizes, count = np.array([len(group) for group in groups], int), len(table.contestants)
    weights = np.full(len(groups), np.inf)
    if not groups:
        return weights
    votes, of = np.concatenate(groups), np.repeat(np.arange(len(groups)), sizes)

    def by_contestant(left: Bools, right: Bools) -> tuple[Floats, Floats]:
        """Return how often each group says this of each contestant, and all others, as they are counted."""
        sums, own, everybody = np.zeros((len(groups), count)), np.zeros((len(groups), count)), np.zeros(count)
        for side, says in ((table.left, left), (table.right, right)):
            everybody += np.bincount(side, before * says, count)
            np.add.at(sums, (of, side[votes]), says[votes])
            np.add.at(own, (of, side[votes]), (before * says)[votes])
        return sums, np.maximum(everybody - own, 0)

    every = np.ones(len(table), bool)
    shown, others = by_contestant(every, every)
    for left, right in ((table.both_bad, table.both_bad), (table.left_unsafe, table.right_unsafe)):
        yes, others_yes = by_contestant(left, right)
        usual = (others_yes + 0.5) / (others + 1)
        error = np.sqrt(usual * (1 - usual) * others)
        allowed = np.maximum((least * sizes)[:, None], shares[:, None] * error)
        weights = np.minimum(weights, (allowed / np.maximum(np.abs(yes - usual * shown), 1e-12)).min(axis=1))
    return weights


def _least(groups: Sequence[Ints], counted: Bools) -> list[float]:
    """Return the weight of each group with which as many of its votes count as always do."""
    elsewhere = int(counted.sum()) - np.array([len(group) for group in groups])
    return [(FIRST if others < FIRST else LEAST) / len(group) for group, others in zip(groups, elsewhere, strict=True)]


def _of_one_place(unit: Ints, chosen: Bools) -> list[Ints]:
    """Return the chosen votes of each unit that has more than LEAST of them."""
    votes = np.flatnonzero(chosen)
    votes = votes[np.argsort(unit[votes], kind="stable")]
    groups = np.split(votes, np.flatnonzero(np.diff(unit[votes])) + 1)
    return [group for group in groups if len(group) > LEAST]
