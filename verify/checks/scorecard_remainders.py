"""Exact finite-size values and next-order terms, from which the tolerances of the scorecard checks are taken."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln, xlogy

from asymptopia.theory.scorecard.exact import binomial_law
from asymptopia.theory.scorecard.generators import Generator
from asymptopia.theory.scorecard.shares import Shares

Array = NDArray[np.float64]
_NEGLIGIBLE = 1e-11


def exact_divergence_mean(generator: Generator, shares: Shares, n: int, m: float) -> float:
    """Return the mean of the plug-in at these sizes, by sums over both counts of each cell; empty cells left out."""
    total = 0.0
    for share, other in zip(shares.p.tolist(), shares.q.tolist(), strict=True):
        p, weight = _share_law(n, share)
        q, other_weight = (np.array([other]), np.ones(1)) if math.isinf(m) else _share_law(int(m), other)
        grid = np.broadcast_arrays(p[:, None], q[None, :])
        terms = generator.terms(Shares(grid[0], grid[1], p[:, None] - q[None, :]))
        total += float(weight @ terms @ other_weight)
    return total


def exact_jeffreys_variance(shares: Shares, n: int, m: float) -> float:
    r"""Return the variance of the plug-in Jeffreys divergence at these sizes; empty cells left out.

    Notes
    -----
    The term of cell i is a sum of four products of a function of its x and one of its y, measured from midpoints so
    that nothing cancels. The covariance of two terms needs the joint law of two cells in each sample: a trinomial.
    """
    p, q, _ = shares
    cells = [_functions(float(s), float(t), n, m) for s, t in zip(p, q, strict=True)]
    total = 0.0
    for i, (first_x, first_y) in enumerate(cells):
        for k, (second_x, second_y) in enumerate(cells[: i + 1]):
            joint_x = first_x[0] @ _joint(first_x, second_x, n, float(p[i]), float(p[k]), same=i == k) @ second_x[0].T
            joint_y = first_y[0] @ _joint(first_y, second_y, m, float(q[i]), float(q[k]), same=i == k) @ second_y[0].T
            # the means of the products, less the products of the means: entry (a, b) is function a of i, b of k
            means_x = np.outer(first_x[0] @ first_x[2], second_x[0] @ second_x[2])
            means_y = np.outer(first_y[0] @ first_y[2], second_y[0] @ second_y[2])
            value = float((joint_x * joint_y - means_x * means_y).sum())
            total += value if i == k else 2 * value
    return total


def quadratic_variance(generator: Generator, shares: Shares, covariance: Array) -> float:
    """Return ``tr((H S)^2) / 2``, what the second order adds to the variance."""
    product = hessian(generator, shares) @ covariance
    return float(np.trace(product @ product)) / 2


def hessian(generator: Generator, shares: Shares) -> Array:
    """Return the Hessian of the divergence in the shares of both samples."""
    cells = generator.cells(shares)
    across = np.diag(-cells.bend_p / shares.q)
    return np.block([[np.diag(cells.bend_p / shares.p), across], [across, np.diag(cells.bend_q / shares.q)]])


def two_sample_covariance(shares: Shares, n: float, m: float) -> Array:
    """Return the covariance of the shares of two multinomial samples."""
    bins = shares.p.size
    covariance = np.zeros((2 * bins, 2 * bins))
    covariance[:bins, :bins] = (np.diag(shares.p) - np.outer(shares.p, shares.p)) / n
    covariance[bins:, bins:] = (np.diag(shares.q) - np.outer(shares.q, shares.q)) / m
    return covariance


def paired_covariance(table: Array) -> Array:
    """Return the covariance of both margins' shares of a table of pairs, rows before columns."""
    t = table / table.sum()
    p, q = t.sum(axis=1), t.sum(axis=0)
    joint = t - np.outer(p, q)
    both = [[np.diag(p) - np.outer(p, p), joint], [joint.T, np.diag(q) - np.outer(q, q)]]
    return np.block(both) / float(table.sum())


def exact_quantile_mean(n: int, counts: Array, a: float) -> float:
    """Return the mean of the smoothed divergence of equal populations, with bins at the baseline's quantiles.

    Notes
    -----
    A bin's probability is beta(count, m + 1 - count), so that its count in the other sample is beta-binomial.
    """
    m, bins = counts.sum(), counts.size
    x = np.arange(n + 1.0)
    choose = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    total = 0.0
    for i, count in enumerate(counts.tolist()):
        # what lies above the largest observation belongs to the last bin
        shape = count + (i == bins - 1)
        rest = m + 1 - shape
        weight = np.exp(choose + betaln(x + shape, n - x + rest) - betaln(shape, rest))
        p, q = (x + a) / (n + a * bins), (count + a) / (m + a * bins)
        total += float(weight @ ((p - q) * np.log(p / q)))
    return total


def _share_law(size: int, share: float) -> tuple[Array, Array]:
    count, weight = binomial_law(size, share)
    kept = (weight > _NEGLIGIBLE) & (count > 0)
    return count[kept] / size, weight[kept] / weight[kept].sum()


def _functions(p: float, q: float, n: int, m: float) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]:
    """Return, for x and for y, the four factors of the cell's term, the shares and their probabilities."""
    centre = (p + q) / 2
    s, weight = _share_law(n, p)
    t, other = (np.array([q]), np.ones(1)) if math.isinf(m) else _share_law(int(m), q)
    away, log = s - centre, np.log(s / centre)
    other_away, other_log = t - centre, np.log(t / centre)
    ones, other_ones = np.ones_like(s), np.ones_like(t)
    return (
        (np.stack([away * log, ones, -away, -log]), s, weight),
        (np.stack([other_ones, other_away * other_log, other_log, other_away]), t, other),
    )


def _joint(
    first: tuple[Array, Array, Array],
    second: tuple[Array, Array, Array],
    size: float,
    p: float,
    q: float,
    *,
    same: bool,
) -> Array:
    """Return the joint probabilities of the counts of two cells of one sample."""
    if same:
        return np.diag(first[2])
    if math.isinf(size):
        return np.ones((1, 1))
    x, y = (np.rint(item[1] * size) for item in (first, second))
    rest = size - x[:, None] - y[None, :]
    fits = rest >= 0
    rest = np.where(fits, rest, 0.0)
    log = gammaln(size + 1) - gammaln(x + 1)[:, None] - gammaln(y + 1)[None, :] - gammaln(rest + 1)
    log = log + xlogy(x, p)[:, None] + xlogy(y, q)[None, :] + xlogy(rest, 1 - p - q)
    joint = np.where(fits, np.exp(log), 0.0)
    return np.asarray(joint / joint.sum())
