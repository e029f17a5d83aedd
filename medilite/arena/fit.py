"""The Davidson model of choices between two, and the covariance of its parameters.

Davidson (1970, JASA 65:317) adds ties to Bradley and Terry's model: the left
answer wins, ties or loses with odds

    exp(d/2) : exp(e) : exp(-d/2),   d = theta_left - theta_right + side + …

where theta are strengths in natural logarithms of the odds, and `side` is the advantage of being on the left (Davidson
and Beaver 1977, Biometrics 33:693). A tie is worth half a win. How likely ties are, e, may differ from vote to vote:
answers that are nearly the same are nearly always tied, which says nothing about who is stronger. Both d and e are
linear in the parameters, so the log-likelihood is concave; a weak normal prior on every parameter keeps the maximum
finite where one model never lost.

Votes of one voter resemble each other, and so do votes on one question, so the
covariance is the two-way cluster-robust one of Cameron, Gelbach and Miller
(2011, JBES 29:238). Few clusters make it too small; each cluster's score is
therefore enlarged as Mancl and DeRouen (2001, Biometrics 57:126) do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEFT, TIE, RIGHT = 0, 1, 2
"""Outcomes of a vote."""

PRIOR_SD = 3.0
"""Standard deviation of the prior on every parameter, in natural logarithms (521 points of a rating)."""

EXACT_CLUSTERS = 20_000
"""With more clusters than this, the correction for few clusters is left out: it would change nothing."""


@dataclass(frozen=True)
class Design:
    """Votes as numbers. Row i is `weight[i]` votes that are identical to the model.

    `x` (rows, columns) gives d = x @ b, and `z` (rows, tie columns) e = z @ c
    for the parameters (b, c). `outcome` (rows,) is LEFT, TIE or RIGHT. Without
    a single tie e can't be known: then `z` has to have no column.
    """

    x: Floats
    z: Floats
    outcome: Ints
    weight: Floats

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return self.x.shape[1] + self.z.shape[1]

    def probabilities(self, parameters: Floats) -> Floats:
        """Return P(left), P(tie), P(right) of every row, shape (rows, 3)."""
        columns = self.x.shape[1]
        e = self.z @ parameters[columns:] if self.z.shape[1] else -np.inf
        return probabilities(self.x @ parameters[:columns], e)


@dataclass(frozen=True)
class Fit:
    """The parameters, and what their covariance needs.

    `scores` (rows, parameters) are a single vote's; `information` (rows, 3) is a single vote's information about d,
    about d and e together, and about e.
    """

    parameters: Floats
    hessian: Floats
    scores: Floats
    information: Floats


def fit(design: Design) -> Fit:
    """Return the most probable parameters."""
    from scipy import optimize

    def negative(b: Floats) -> tuple[float, Floats]:
        loglik, scores, _ = derivatives(design, b)
        gradient = design.weight @ scores - b / PRIOR_SD**2
        return -(loglik - 0.5 * float(b @ b) / PRIOR_SD**2), -gradient

    def curvature(b: Floats) -> Floats:
        return hessian(design, derivatives(design, b)[2])

    start = np.zeros(design.size)
    found = optimize.minimize(negative, start, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-7})
    _, scores, information = derivatives(design, found.x)
    return Fit(found.x, hessian(design, information), scores, information)


def covariance(
    design: Design, fitted: Fit, row: Ints, ways: Sequence[Ints], weight: Floats | None = None
) -> tuple[Floats, int]:
    """Return the covariance of the parameters, and the smaller number of clusters of the two ways.

    `row` is the design's row of every vote, `weight` how much it counts (1 where
    not given); each of the one or two `ways` to
    cluster numbers every vote's cluster, from 0. Votes that share both clusters
    would count twice and are taken off once.
    """
    bread: Floats = np.asarray(np.linalg.inv(fitted.hessian), dtype=np.float64)
    clusters = [compact(way) for way in ways]
    total = sum((_meat(design, fitted, bread, row, cluster, weight) for cluster in clusters), np.zeros(bread.shape))
    if len(clusters) == 2:
        first, second = clusters
        both = np.unique(first * (int(second.max()) + 1) + second, return_inverse=True)[1]
        total = total - _meat(design, fitted, bread, row, both, weight)
    # The subtraction can leave a negative eigenvalue, which is set to 0 as Cameron, Gelbach and Miller advise.
    values, vectors = np.linalg.eigh(bread @ total @ bread)
    fewest = min(int(cluster.max()) + 1 for cluster in clusters)
    return (vectors * np.maximum(values, 0)) @ vectors.T, fewest


def compact(codes: Ints) -> Ints:
    """Return the codes renumbered without gaps."""
    used = np.bincount(codes) > 0
    return (np.cumsum(used) - 1)[codes]


def probabilities(d: Floats | float, e: Floats | float = -np.inf) -> Floats:
    """Return P(left), P(tie), P(right) for d and e, shape (..., 3); e of minus infinity means no ties."""
    d, e = np.broadcast_arrays(np.asarray(d, float), np.asarray(e, float))
    logits = np.stack([d / 2, e, -d / 2], axis=-1)
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


def derivatives(design: Design, b: Floats) -> tuple[float, Floats, Floats]:
    """Return the log-likelihood, and per vote of each row its scores and information as in Fit."""
    p = design.probabilities(b)
    chosen = p[np.arange(len(p)), design.outcome]
    loglik = float(design.weight @ np.log(np.maximum(chosen, 1e-300)))
    mean, tie = (p[:, LEFT] - p[:, RIGHT]) / 2, p[:, TIE]
    said = (design.outcome == LEFT) / 2 - (design.outcome == RIGHT) / 2
    tied = design.outcome == TIE
    scores = np.hstack([design.x * (said - mean)[:, None], design.z * (tied - tie)[:, None]])
    return loglik, scores, np.stack([(1 - tie) / 4 - mean**2, -mean * tie, tie * (1 - tie)], axis=1)


def hessian(design: Design, information: Floats) -> Floats:
    """Return the Hessian of the negative log-posterior: all votes' information, and the prior's."""
    dd, de, ee = (information * design.weight[:, None]).T[:, :, None]
    x, z = design.x, design.z
    cross = x.T @ (z * de)
    return np.block([[x.T @ (x * dd), cross], [cross.T, z.T @ (z * ee)]]) + np.eye(design.size) / PRIOR_SD**2


def _meat(design: Design, fitted: Fit, bread: Floats, row: Ints, cluster: Ints, weight: Floats | None) -> Floats:
    """Return the sum over clusters of the outer products of their scores."""
    from scipy import sparse

    shape = (int(cluster.max()) + 1, len(design.weight))
    members = sparse.coo_array((np.ones(len(row)) if weight is None else weight, (cluster, row)), shape=shape).tocsr()
    sums = members @ fitted.scores
    if shape[0] <= EXACT_CLUSTERS:
        information = _information(design, fitted, members)
        sums = np.linalg.solve(np.eye(len(bread)) - information @ bread, sums[:, :, None])[:, :, 0]
    return sums.T @ sums


def _information(design: Design, fitted: Fit, members: Any) -> Floats:
    """Return each cluster's share of the Hessian (clusters, parameters, parameters)."""
    columns = [*((x, 0) for x in design.x.T), *((z, 1) for z in design.z.T)]
    result = np.empty((members.shape[0], design.size, design.size))
    for i, (first, kind) in enumerate(columns):
        for j, (second, other) in enumerate(columns[: i + 1]):
            result[:, i, j] = result[:, j, i] = members @ (first * second * fitted.information[:, kind + other])
    return result
