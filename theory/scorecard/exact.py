"""Exact finite-size moments of the estimators, by sums over binomial laws."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import fail, integer, numeric, real, same_shape

Array = NDArray[np.float64]
REACH = 12.0
"""Standard deviations around the mean that are summed; what lies beyond is below 1e-30."""


def exact_mean(p: ArrayLike, q: ArrayLike, n: int, m: float, a: float = 0.5) -> float:
    r"""Return the exact mean of the Jeffreys divergence estimated from two samples, in nats.

    Parameters
    ----------
    p, q : array_like, shape (B,)
        True shares, all > 0.
    n : int
        Size of the first sample.
    m : int or inf
        Size of the second sample; ``inf`` for a known baseline, which is not smoothed.
    a : float
        Pseudo-count added to each cell of a random sample. At 0 the mean is given that no cell is empty, for it is
        infinite otherwise.

    Raises
    ------
    ValueError
        If a share is not in (0, 1), the shapes differ, or a size is below 1.

    Notes
    -----
    Each term couples two independent binomial counts, so that
    :math:`E[\hat J] = \sum_i E[\hat p \log \hat p] + E[\hat q \log \hat q] - E[\hat p] E[\log \hat q]
    - E[\hat q] E[\log \hat p]`: 4 B one-dimensional sums, exact at every size.

    Examples
    --------
    >>> round(exact_mean([0.5, 0.3, 0.2], [0.4, 0.4, 0.2], 6, 5), 12)
    0.541289454479
    """
    p, q = _shares("p", p), _shares("q", q)
    same_shape("p", p, "q", q)
    n, a = integer("n", n, 1), real("a", a, 0.0)
    total = 0.0
    for share, other in zip(p.tolist(), q.tolist(), strict=True):
        # measured from the midpoint: (s - t)(log s - log t) stays as it is, and nothing cancels
        centre = (share + other) / 2
        away, log, product = _entropy_terms(n, share, a, p.size, centre)
        if math.isinf(m):
            other_away, other_log = other - centre, math.log(other / centre)
            other_product = other_away * other_log
        else:
            other_away, other_log, other_product = _entropy_terms(integer("m", m, 1), other, a, p.size, centre)
        total += product + other_product - away * other_log - other_away * log
    return total


def exact_log_count(n: int, p: float, a: float) -> tuple[float, float]:
    """Return the exact mean and variance of ``log(x + a)`` for a binomial count x (given x >= 1 where a is 0)."""
    _, weight, value = _logs(n, p, a)
    mean = float(weight @ value)
    return mean, float(weight @ (value - mean) ** 2)


def exact_log_count_covariance(n: int, p0: float, p1: float, a: float) -> float:
    """Return the exact covariance of ``log(x0 + a)`` and ``log(x1 + a)`` for two cells of a multinomial count."""
    mean, other = exact_log_count(n, p0, a)[0], exact_log_count(n, p1, a)[0]
    k, weight, value = _logs(n, p0, a)
    total = 0.0
    for count, probability, deviation in zip(k.tolist(), weight.tolist(), (value - mean).tolist(), strict=True):
        if probability > 1e-22:
            inner = exact_log_count(n - int(count), p1 / (1 - p0), a)[0]
            total += probability * deviation * (inner - other)
    return total


def binomial_law(n: int, p: float) -> tuple[Array, Array]:
    """Return the counts that matter and their probabilities, for a binomial law with 0 < p < 1.

    Notes
    -----
    Logarithms of successive ratios are summed outwards from the mode, so that no large terms cancel.
    """
    centre = min(n, math.floor((n + 1) * p))
    reach = math.ceil(REACH * math.sqrt(n * p * (1 - p)) + REACH**2)
    low, high = max(0, centre - reach), min(n, centre + reach)
    k = np.arange(low, high + 1, dtype=float)
    step = np.log((n - k[:-1]) * p) - np.log((k[:-1] + 1) * (1 - p))
    mode = centre - low
    log_weight = np.zeros(k.size)
    log_weight[mode + 1 :] = np.cumsum(step[mode:])
    log_weight[:mode] = -np.cumsum(step[:mode][::-1])[::-1]
    weight = np.exp(log_weight)
    return k, weight / weight.sum()


def _shares(name: str, value: ArrayLike) -> Array:
    array = numeric(name, value, min_ndim=1)
    if not ((array > 0) & (array < 1)).all():
        raise fail(name, array.tolist(), "shares in (0, 1)")
    return array


def _logs(n: int, p: float, a: float) -> tuple[Array, Array, Array]:
    """Return counts, probabilities and ``log(count + a)``; given a count of at least 1 where a is 0."""
    k, weight = binomial_law(n, p)
    if a == 0.0 and k[0] == 0.0:
        k, weight = k[1:], weight[1:] / weight[1:].sum()
    return k, weight, np.log(k + a)


def _entropy_terms(n: int, p: float, a: float, bins: int, centre: float) -> tuple[float, float, float]:
    """Return the means of s - c, log(s/c) and their product for the smoothed share s and the centre c."""
    k, weight, log_count = _logs(n, p, a)
    size = n + a * bins
    away, log = (k + a) / size - centre, log_count - math.log(size * centre)
    return float(weight @ away), float(weight @ log), float(weight @ (away * log))
