"""Weights for votes of one place, so that together they move no rating by more than a bound.

A count alone bounds little: twenty votes for one model move its rating further than two hundred that are distributed as
everybody else's. So the bound is on their effect. To first order a group of votes with the score s (the gradient of
their log-likelihood) moves the strengths by C s, where C is the inverse of the other votes' information: the influence
function of the estimate (Hampel, Ronchetti, Rousseeuw and Stahel 1986, Robust Statistics, ch. 2). A group that would
move a difference between two ratings further than a share of its standard error gets a weight that reduces it to that
share; so no vote is dropped, and the bound narrows as votes come.
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
"""How far the newcomers of one network may move the difference between two ratings in a day, in its standard errors."""

SHARE_TOGETHER = 1.0
"""The same for voters who are trusted because of their ids' age, but have shared networks with each other."""

PASSES = 3
"""Passes over weights and ratings, which depend on each other; after these they change by less than a hundredth."""

Bools = NDArray[np.bool_]


def bounded(table: VoteTable, counted: Bools, newcomers: Ints, together: Ints) -> tuple[Floats, float | None]:
    """Return the weight of every vote, from 0 to 1, and the newcomers' bound in points; None if nothing is rated.

    `counted` are the votes that count. `newcomers` and `together` number the place of each vote, each kind with its own
    bound; -1 for all other votes. All votes of one place have one weight. The bound in points is the median over all
    pairs of contestants.
    """
    groups, shares = [], []
    for unit, share in ((newcomers, SHARE_OF_ERROR), (together, SHARE_TOGETHER)):
        found = _of_one_place(unit, counted & (unit >= 0))
        groups += found
        shares += [share] * len(found)
    elsewhere = int(counted.sum()) - np.array([len(group) for group in groups])
    least = [(FIRST if others < FIRST else LEAST) / len(group) for group, others in zip(groups, elsewhere, strict=True)]
    weight = np.where(counted, 1.0, 0.0)
    compared = counted & ~table.both_bad
    points = None
    for number in range(PASSES):
        for group, floor in zip(groups, least, strict=True):
            if number == 0:  # at first each network counts only with the votes that always count
                weight[group] = min(1.0, floor)
        moves = _Moves.of(table, compared, weight)
        if moves is None:
            break
        points = SHARE_OF_ERROR * moves.error * POINTS
        before, weight = weight, np.where(counted, 1.0, 0.0)
        near = moves.roughly(table, groups) > np.array(shares) / 2
        for place in np.flatnonzero(near):
            group, floor, share = groups[place], least[place], shares[place]
            inside = group[~table.both_bad[group]]
            weight[group] = min(1.0, max(floor, share * moves.weight(table, inside, before[inside])))
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


def _of_one_place(unit: Ints, chosen: Bools) -> list[Ints]:
    """Return the chosen votes of each unit that has more than LEAST of them."""
    votes = np.flatnonzero(chosen)
    votes = votes[np.argsort(unit[votes], kind="stable")]
    groups = np.split(votes, np.flatnonzero(np.diff(unit[votes])) + 1)
    return [group for group in groups if len(group) > LEAST]
