"""Which votes count, so that many votes of one person move little: caps by network, and votes with a purpose left out.

Anyone can get as many voter ids as they want, and a program can recognise the models by their texts; so a single vote
is trusted little. The effect of one place is bounded, and votes that show a purpose are left out. Everything is
recomputed from all votes, and every vote that is left out has its reason.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medilite.arena.fit import LEFT, RIGHT, TIE, Ints
from medilite.arena.influence import bounded
from medilite.arena.marks import FAVOURS, REPEATED, SELECTIVE, SERIES
from medilite.arena.records import Contestant
from medilite.arena.table import VoteTable

DAY_S = 86_400.0

TRUSTED_AFTER_S = 7 * DAY_S
TRUSTED_DAYS = 3
"""A voter whose first vote is a week old, and who has voted on this many days, is not capped by their network."""

REPEATS = 4
"""From this many repeated pairs a voter has to agree with themselves on at least half of them."""

FEWEST_DECIDED = 8
"""Fewer votes than this show no purpose."""

CHANCE = 1e-4
"""Votes less likely than this by chance, among all contestants, show a purpose."""

SEQUENCE = 8
"""This many new voters of one network one after another, none at the same time, are taken for one person."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Trust:
    """The table with the reasons of votes that don't count, and what is known of each vote's voter.

    `trusted` marks votes without a cap, `suspicion` is -log10 of how likely a
    vote's voter, or network, is by chance; both have one entry a vote. `bounds`
    is how many points the votes of one network and day may move the difference
    between two ratings, by whether these are of public pairs; None if nothing is
    rated yet. `by_place` marks votes that were left out for what their network
    did, not their voter alone.
    """

    table: VoteTable
    trusted: Bools
    suspicion: NDArray[np.float64]
    bounds: Mapping[bool, float | None]
    by_place: Bools

    def crowds(self, *, trusted: bool = False) -> dict[str, tuple[int, int]]:
        """Return how many votes newcomers gave and how many these count as, by network, where they differ.

        With `trusted` the same of trusted voters, who are bounded where they share networks.
        """
        chosen = ((self.table.left_out == 0) | self.by_place) & (self.trusted == trusted) & (self.table.network >= 0)
        votes = self.table.where(chosen)
        networks = len(votes.networks)
        given = np.bincount(votes.network, minlength=networks)
        count = np.rint(np.bincount(votes.network, votes.weight * (votes.left_out == 0), networks)).astype(int)
        return {votes.networks[i]: (int(given[i]), int(count[i])) for i in np.flatnonzero(count < given)}


def judge(table: VoteTable) -> Trust:
    """Return a table's votes with their trust; votes that were left out before stay so, for their first reason."""
    trusted = _trusted_voters(table)[table.voter] if len(table) else np.zeros(0, bool)
    left_out, reasons = table.left_out.copy(), list(table.reasons)
    series = np.zeros(len(table), bool)
    series[left_out == 0] = _in_series(table.where(left_out == 0))
    by_place = _leave_out(left_out, reasons, SERIES, series & ~trusted)
    suspicion = np.zeros(len(table))
    newcomers, together = np.where(trusted, -1, table.network), _sharing(table, trusted)
    # Voters last: by then votes of many ids of one place no longer count as usual.
    for unit in (newcomers, table.voter):
        standing = left_out == 0
        votes = table.where(standing)
        for mark, chance in ((FAVOURS, _favours(votes, unit[standing])), (SELECTIVE, _selects(votes, unit[standing]))):
            suspicion[standing] = np.maximum(suspicion[standing], chance)
            sure = np.zeros(len(table), bool)
            sure[standing] = chance > -np.log10(CHANCE)
            left = _leave_out(left_out, reasons, mark, sure)
            by_place |= left & (unit is not table.voter)
    weight, bounds = np.ones(len(table)), {}
    for public in (True, False):
        counted = (left_out == 0) & (table.public == public)
        weights, bounds[public] = bounded(table, counted, newcomers, together)
        weight[counted] = weights[counted]
    judged = dataclasses.replace(table, left_out=left_out, reasons=tuple(reasons), weight=weight)
    return Trust(judged, trusted, suspicion, bounds, by_place)


@dataclass(frozen=True)
class Sensitivity:
    """How far ratings move with other votes, in points by contestant; a table without a rating has none.

    `everything` counts in full the votes that were left out or reduced for lack of trust, `trusted` only the votes of
    trusted voters; `without_tenth` leaves out the tenth of the counted votes that is most suspicious, `tenth` is how
    many those are.
    """

    counted: Mapping[Contestant, float]
    everything: Mapping[Contestant, float]
    trusted: Mapping[Contestant, float]
    without_tenth: Mapping[Contestant, float]
    tenth: int

    @property
    def most_moved(self) -> float | None:
        """The most points by which the most suspicious tenth moves any rating; None if there is none."""
        both = self.counted.keys() & self.without_tenth.keys()
        return max((abs(self.counted[c] - self.without_tenth[c]) for c in both), default=None)


def sensitivity(trust: Trust, base: Contestant | None) -> Sensitivity:
    """Return how far the ratings of a judged table move with more trust, and with less."""
    from medilite.arena.ratings import of_public_pairs, points

    table = trust.table
    rated_together = table.public == of_public_pairs(table, base)
    counted = (table.left_out == 0) & rated_together
    ours = [i for i, reason in enumerate(table.reasons) if reason in (FAVOURS, SELECTIVE, SERIES)]
    tenth = int(counted.sum()) // 10
    # Of equals the newest first: nobody had time to check those.
    order = np.lexsort((table.voted_at, trust.suspicion, ~trust.trusted, counted))
    without = counted.copy()
    without[order[len(order) - tenth :]] = False
    chosen = (counted, counted | (rated_together & np.isin(table.left_out, ours)), counted & trust.trusted, without)
    tables = (table, table.weighted(np.ones(len(table))), table, table)
    rated, everything, trusted, without_tenth = (
        points(of.where(votes), base) for of, votes in zip(tables, chosen, strict=True)
    )
    return Sensitivity(rated, everything, trusted, without_tenth, tenth)


def _leave_out(left_out: Ints, reasons: list[str], mark: str, chosen: Bools) -> Bools:
    """Leave these votes out for this reason, unless there is another; return which were."""
    chosen &= left_out == 0
    if chosen.any():
        if mark not in reasons:
            reasons.append(mark)
        left_out[chosen] = reasons.index(mark)
    return chosen


def _trusted_voters(table: VoteTable) -> Bools:
    """Return, by voter, who is signed in, or old enough, has voted on enough days, and agrees with themselves."""
    voters = int(table.voter.max()) + 1
    first = np.full(voters, np.inf)
    np.minimum.at(first, table.voter, table.voted_at)
    days = np.unique(np.stack([table.voter, (table.voted_at // DAY_S).astype(np.int64)]), axis=1)
    several = np.bincount(days[0], minlength=voters) >= TRUSTED_DAYS
    signed = np.zeros(voters, bool)
    signed[table.voter[table.account]] = True
    old = float(table.voted_at.max()) - first >= TRUSTED_AFTER_S
    return signed | (old & several & ~_contradict_themselves(table, voters))


def _sharing(table: VoteTable, trusted: Bools) -> Ints:
    """Return, by vote, a number for each group of trusted voters who have shared networks, else -1.

    A voter is in a group with everybody who has voted from one of their networks on any day, because one person can
    grow many ids at one address. Accounts are in no group: they can't be made freely.
    """
    aged = trusted & ~table.account & (table.network >= 0)
    if not aged.any():
        return np.full(len(table), -1)
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    voters, networks = int(table.voter.max()) + 1, len(table.networks)
    links = np.ones(int(aged.sum())), (table.voter[aged], voters + table.network[aged])
    group = connected_components(coo_matrix(links, shape=(voters + networks,) * 2), directed=False)[1][:voters]
    several = np.bincount(group[np.unique(table.voter[aged])], minlength=int(group.max()) + 1) > 1
    return np.where(aged & several[group][table.voter], group[table.voter], -1)


def _contradict_themselves(table: VoteTable, voters: int) -> Bools:
    """Return, by voter, whether they chose differently on most of the pairs that they were shown twice."""
    repeats = [i for i, reason in enumerate(table.reasons) if REPEATED in reason.split(",")]
    agreed, asked = np.zeros(voters), np.zeros(voters)
    if not repeats:
        return np.zeros(voters, bool)
    earlier: dict[tuple[int, int, int, int], int] = {}
    for i in np.argsort(table.voted_at, kind="stable"):
        left, right, outcome = int(table.left[i]), int(table.right[i]), int(table.outcome[i])
        won = outcome if left < right or outcome == TIE else LEFT + RIGHT - outcome
        key = (int(table.voter[i]), int(table.question[i]), min(left, right), max(left, right))
        if table.left_out[i] in repeats and key in earlier:
            asked[key[0]] += 1
            agreed[key[0]] += earlier[key] == won
        earlier.setdefault(key, won)
    return (asked >= REPEATS) & (agreed < asked / 2)


def _favours(table: VoteTable, unit: Ints) -> NDArray[np.float64]:
    """Return, by vote, -log10 of the chance that its unit (a voter, or a network) prefers some contestant as it does.

    The usual rate is how often the contestant wins with all other units. Units below 0 are none.
    """
    from scipy import stats

    count, size = len(table.contestants), int(unit.max(initial=0)) + 1
    inside = (unit >= 0) & (table.outcome != TIE)
    wins, shown = np.zeros((size, count)), np.zeros((size, count))
    for side, won in ((table.left, table.outcome == LEFT), (table.right, table.outcome == RIGHT)):
        np.add.at(shown, (unit[inside], side[inside]), 1)
        np.add.at(wins, (unit[inside & won], side[inside & won]), 1)
    all_wins, all_shown = _totals(table, count)
    # Half a win and half a loss twice, if nothing else is known.
    usual = (all_wins - wins + 1) / (all_shown - shown + 2)
    chance = np.where(shown >= FEWEST_DECIDED, stats.binom.sf(wins - 1, shown, np.minimum(usual, 0.95)), 1.0)
    least = np.minimum(chance.min(axis=1) * count, 1.0)
    return np.where(unit >= 0, -np.log10(np.maximum(least, 1e-300))[np.maximum(unit, 0)], 0.0)


def _totals(table: VoteTable, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    decided = table.outcome != TIE
    left, right = table.outcome == LEFT, table.outcome == RIGHT
    shown = np.bincount(table.left[decided], minlength=count) + np.bincount(table.right[decided], minlength=count)
    wins = np.bincount(table.left[left], minlength=count) + np.bincount(table.right[right], minlength=count)
    return wins.astype(float), shown.astype(float)


def _selects(table: VoteTable, unit: Ints) -> NDArray[np.float64]:
    """Return, by vote, -log10 of the chance that its unit got some contestant as often without skipping or undoing."""
    from scipy import stats

    count, size = len(table.contestants), int(unit.max(initial=0)) + 1
    shown, inside = np.zeros((size, count)), unit >= 0
    for side in (table.left, table.right):
        np.add.at(shown, (unit[inside], side[inside]), 1)
    votes = np.bincount(unit[inside], minlength=size).astype(float)
    others = np.maximum(len(table) - votes, 1)
    all_shown = np.bincount(table.left, minlength=count) + np.bincount(table.right, minlength=count)
    usual = np.clip((all_shown - shown + 1) / (others + 2)[:, None], 0.05, 0.95)
    enough = (votes >= 2 * FEWEST_DECIDED)[:, None]
    chance = np.where(enough, stats.binom.sf(shown - 1, votes[:, None], usual), 1.0)
    least = np.minimum(chance.min(axis=1) * count, 1.0)
    return np.where(inside, -np.log10(np.maximum(least, 1e-300))[np.maximum(unit, 0)], 0.0)


def _in_series(table: VoteTable) -> Bools:
    """Return which votes are of networks where new voters came one after another, each when the last had gone."""
    found = np.zeros(len(table), bool)
    known = np.flatnonzero(table.network >= 0)
    known = known[np.argsort(table.network[known], kind="stable")]
    for inside in np.split(known, np.flatnonzero(np.diff(table.network[known])) + 1):
        if len(inside) < SEQUENCE:
            continue
        _, voter = np.unique(table.voter[inside], return_inverse=True)
        voters, at = int(voter.max()) + 1, table.voted_at[inside]
        if voters < SEQUENCE:
            continue
        starts, ends = np.full(voters, np.inf), np.full(voters, -np.inf)
        np.minimum.at(starts, voter, at)
        np.maximum.at(ends, voter, at)
        order = np.lexsort((ends, starts))
        after = int((starts[order][1:] >= ends[order][:-1]).sum())
        soon = starts[order[-1]] - starts[order[0]] < 60.0 * len(inside)
        if soon and after >= 0.9 * (voters - 1):
            found[inside] = True
    return found
