r"""Exact risks of families whose estimate is a function of a total count: Bernoulli, Poisson, negative binomial."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.projection.stable_risk import log_excess, ratio_excess
from asymptopia.theory.projection.total_laws import Nodes, TotalLaw, binomial, nodes

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


class Risk(NamedTuple):
    """A risk in nats, inf where it has no meaning, and the probability that no MLE exists."""

    value: float
    prob_no_mle: float
    certain: bool = False
    """Whether the MLE exists for every sample; the probability may underflow where it does not."""


def bernoulli_risk(n: int, p: float, q: float, smoothing: float | None = None) -> Risk:
    """Return the risk given 0 < total < n, or with `smoothing` added to both counts; p + q = 1."""
    if p > q:
        p, q = q, p
    law = binomial(n, p, q)
    missing = math.exp(n * math.log1p(-p)) + math.exp(n * math.log(p))
    extra = 0.0 if smoothing is None else smoothing
    size = n + 2.0 * extra

    def divergence(total: Array) -> Array:
        # both differences from integers: 1 - p would cost digits in a rare cell
        up, down = total - n * p, (n - total) - n * q
        shift = extra * (1.0 - 2.0 * p)
        above = p * ratio_excess((up + shift) / (size * p), (total + extra) / (size * p))
        return np.asarray(above + q * ratio_excess((down - shift) / (size * q), (n - total + extra) / (size * q)))

    if smoothing is None:
        value = _conditional(law, divergence, 1.0, n - 1.0)
    else:
        value = _conditional(law, divergence, 0.0, float(n))
    return Risk(value, min(1.0, missing))


Divergence = Callable[[Array, Array], Array]
"""Of the relative deviation u of an estimated from a true mean, and of their ratio 1 + u, which is exact near 0."""


def count_risk(law: TotalLaw, divergence: Divergence, n: int, mean: float, smoothing: float | None = None) -> Risk:
    """Return the risk given a positive total, or with `smoothing` added to the total."""
    extra = 0.0 if smoothing is None else smoothing

    def at(total: Array) -> Array:
        ratio = (total + extra) / (n * mean)
        return divergence(np.maximum((total + extra - n * mean) / (n * mean), -1.0), ratio)

    value = _conditional(law, at, 1.0 if smoothing is None else 0.0, math.inf)
    return Risk(value, math.exp(law.log_zero), law.log_zero == -math.inf)


def poisson_divergence(lam: float) -> Divergence:
    """Return lam f(u)."""

    def at(u: Array, ratio: Array) -> Array:
        return np.asarray(lam * ratio_excess(u, ratio))

    return at


def negative_binomial_divergence(size: float, mean: float) -> Divergence:
    r"""Return the divergence of negative binomial laws of one size.

    It is :math:`m f(u) - (m+r) f(mu/(m+r)) = \int_0^r f\big(\frac{-mu}{m+s+mu}\big)\,ds`; where r is small beside m
    the difference cancels, and 16 Gauss-Legendre nodes give the integral.
    """
    whole = size + mean

    def at(u: Array, ratio: Array) -> Array:
        plain = mean * ratio_excess(u, ratio) - whole * ratio_excess(mean * u / whole, (size + mean * ratio) / whole)
        if size > 0.5 * mean:
            return np.asarray(plain)
        near = np.abs(u) < 0.5
        shift = mean * np.where(near, u, 0.0)
        total = np.zeros_like(u)
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            total += weight * log_excess(-shift / (mean + 0.5 * size * (1.0 + node) + shift))
        return np.where(near, 0.5 * size * total, plain)

    return at


def expectation(found: Nodes, values: Array) -> float:
    """Return the mean of values under the weights of the nodes."""
    return float((found.weight @ values) / found.weight.sum())


def _conditional(law: TotalLaw, divergence: Callable[[Array], Array], low: float, high: float) -> float:
    """Return the mean divergence given a total from `low` to `high`, inf if there is none."""
    if min(high, law.top) < low:
        return math.inf
    found = nodes(law, low, high)
    return expectation(found, divergence(found.x))
