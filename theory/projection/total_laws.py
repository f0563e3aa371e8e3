r"""Laws of the sum of n independent counts, in saddle point form, and means of functions under them.

A probability is written as the exponential of deviances, each a sum of positive terms (Loader), so that its relative
error does not grow with n; differences of log factorials lose 1e-7 at n = 1e8.

References
----------
.. [1] C. Loader, "Fast and Accurate Computation of Binomial Probabilities", 2000.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.special import phi

Array = NDArray[np.float64]

DEPTH = 90.0
"""Terms below exp(-DEPTH) of the largest are left out; no divergence grows like that."""
MOST_TERMS = 8_000_000
_DENSE = 200.0
"""Standard deviation above which every h-th integer will do: the sum is a trapezoidal rule of an analytic function."""
_PER_SD = 16.0
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


class TotalLaw(NamedTuple):
    """The law of a sum of counts."""

    log_pmf: Callable[[Array], Array]
    mean: float
    sd: float
    top: float
    """Largest value, inf if there is none."""
    log_zero: float
    """Log probability of 0."""
    smooth: bool
    """Whether the probabilities are an analytic function over many standard deviations on both sides of the mean."""


def stirling_error(x: ArrayLike) -> Any:
    r"""Return :math:`\log\Gamma(x+1) - [(x+\tfrac12)\log x - x + \tfrac12\log 2\pi]` for x > 0, about 1/(12x)."""
    from scipy.special import gammaln

    x = np.asarray(x, dtype=float)
    low = x < 16.0
    near, far = np.where(low, x, 1.0), np.where(low, 16.0, x)
    direct = gammaln(near + 1.0) - (near + 0.5) * np.log(near) + near - _HALF_LOG_2PI
    square = (1.0 / far) ** 2
    series = np.zeros_like(far)
    for value in reversed(_STIRLING):
        series = value + series * square
    return np.where(low, direct, series / far)[()]


def poisson(mean: float) -> TotalLaw:
    """Return the Poisson law of the total."""

    def log_pmf(x: Array) -> Array:
        return poisson_log_pmf(x, mean)

    return TotalLaw(log_pmf, mean, math.sqrt(mean), math.inf, -mean, mean > _DENSE**2)


def poisson_log_pmf(x: ArrayLike, mean: ArrayLike) -> Array:
    """Return log probabilities of whole numbers x >= 0 under Poisson laws of means > 0."""
    x, mean = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(mean, dtype=float))
    at = np.where(x > 0, x, 1.0)
    logs = -stirling_error(at) - mean * phi((at - mean) / mean) - 0.5 * np.log(at) - _HALF_LOG_2PI
    return np.where(x > 0, logs, -mean)


def binomial(trials: float, p: float, q: float | None = None) -> TotalLaw:
    """Return the binomial law of the total; q = 1 - p where it is known more exactly."""
    q = 1.0 - p if q is None else q
    log_q = math.log1p(-p) if p < 0.5 else math.log(q)

    def log_pmf(x: Array) -> Array:
        return binomial_log_pmf(x, trials, p, q)

    sd = math.sqrt(trials * p * q)
    return TotalLaw(log_pmf, trials * p, sd, trials, trials * log_q, sd > _DENSE)


def binomial_log_pmf(x: ArrayLike, trials: ArrayLike, p: float, q: float) -> Array:
    """Return log probabilities of whole numbers x from 0 to `trials`."""
    x, trials = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(trials, dtype=float))
    inner = (x > 0) & (x < trials)
    # a single trial has no inner point
    size = np.where(inner, trials, 2.0)
    at = np.where(inner, x, 1.0)
    rest = size - at
    above, below = size * p, size * q
    gap = at - above
    logs = stirling_error(size) - stirling_error(at) - stirling_error(rest)
    logs = logs - above * phi(gap / above) - below * phi(np.maximum(-gap / below, -1.0))
    logs = logs - 0.5 * np.log(at) - 0.5 * np.log(rest / size) - _HALF_LOG_2PI
    log_p = math.log1p(-q) if q < 0.5 else math.log(p)
    log_q = math.log1p(-p) if p < 0.5 else math.log(q)
    return np.where(inner, logs, np.where(x == 0, trials * log_q, trials * log_p))


def negative_binomial(size: float, mean: float) -> TotalLaw:
    """Return the negative binomial law of the total, by its size and its mean."""
    success, failure = size / (size + mean), mean / (size + mean)

    def log_pmf(x: Array) -> Array:
        at = np.where(x > 0, x, 1.0)
        trials = at + size
        gap = success * (at - mean)
        above, below = trials * failure, trials * success
        logs = stirling_error(trials) - stirling_error(at) - stirling_error(size)
        logs = logs - above * phi(gap / above) - below * phi(np.maximum(-gap / below, -1.0))
        # size / trials turns binomial(size; trials) into the probability of the last success
        logs = logs + 0.5 * np.log(size / trials) - 0.5 * np.log(at) - _HALF_LOG_2PI
        return np.where(x > 0, logs, -size * math.log1p(mean / size))

    sd = math.sqrt(mean * (1.0 + mean / size))
    smooth = sd > _DENSE and size > 25.0 and mean > 25.0 * sd / math.sqrt(size)
    return TotalLaw(log_pmf, mean, sd, math.inf, -size * math.log1p(mean / size), smooth)


def tabulated(pmf: Array, n: int) -> TotalLaw:
    """Return the law of the total of n draws from probabilities of 0, 1, 2, ..., by repeated squaring."""
    base = np.trim_zeros(pmf / math.fsum(pmf), "b")
    start, law = 0, np.ones(1)
    step_start, step = 0, base
    left = n
    while True:
        if left & 1:
            start, law = _product(start, law, step_start, step)
        left >>= 1
        if not left:
            break
        step_start, step = _product(step_start, step, step_start, step)
    logs = np.full(law.size, -np.inf)
    logs[law > 0] = np.log(law[law > 0])
    points = np.arange(base.size)
    mean = math.fsum(base * points)
    sd = math.sqrt(math.fsum(base * (points - mean) ** 2))

    def log_pmf(x: Array) -> Array:
        at = np.asarray(x, dtype=float) - start
        inside = (at >= 0) & (at < law.size)
        return np.where(inside, logs[np.where(inside, at, 0.0).astype(np.int64)], -np.inf)

    top = float(n * (base.size - 1))
    log_zero = n * math.log(base[0]) if base[0] > 0 else -math.inf
    return TotalLaw(log_pmf, n * mean, math.sqrt(n) * sd, top, log_zero, False)


def _product(a_start: int, a: Array, b_start: int, b: Array) -> tuple[int, Array]:
    """Return the convolution without its ends below 1e-60, and the place of its first entry."""
    if a.size * b.size > 4e9:
        message = f"the law of the total spans {a.size + b.size} values; use a smaller n, the expansion or verify"
        raise ValueError(message)
    law = np.convolve(a, b)
    kept = np.flatnonzero(law > 1e-60 * law.max())
    law = law[kept[0] : kept[-1] + 1]
    return a_start + b_start + int(kept[0]), law / law.sum()


class Nodes(NamedTuple):
    """Values of the total and their probabilities over the largest of them."""

    x: Array
    weight: Array
    log_scale: float
    """Log of what the weights were divided by, the spacing of the values included."""


def nodes(law: TotalLaw, low: float = 0.0, high: float = math.inf) -> Nodes:
    """Return the values from `low` to `high` that matter.

    Raises
    ------
    ValueError
        If there are too many of them.
    """
    high = min(high, law.top)
    mode = min(max(math.floor(law.mean), low), high)
    reach = math.ceil(10.0 * law.sd) + 10.0
    first = _edge(law, mode, low, -reach)
    last = _edge(law, mode, high, reach)
    step = math.floor(law.sd / _PER_SD) if law.smooth else 1
    count = (last - first) / step
    if count > MOST_TERMS:
        message = (
            f"the sum has {count:.3g} terms; expected at most {MOST_TERMS}: use the expansion at so wide a law, or "
            "simulate"
        )
        raise ValueError(message)
    x = first + step * np.arange(math.floor(count) + 1.0)
    logs = law.log_pmf(x)
    top = float(logs.max())
    with np.errstate(under="ignore"):
        return Nodes(x, np.exp(logs - top), top + math.log(step))


def _edge(law: TotalLaw, mode: float, limit: float, reach: float) -> float:
    """Return where the probabilities have fallen by exp(-DEPTH), at most `limit`."""
    peak = float(law.log_pmf(np.array([mode]))[0])
    clamp = min if reach > 0 else max
    at = clamp(mode + reach, limit)
    while at != limit and float(law.log_pmf(np.array([at]))[0]) > peak - DEPTH:
        reach *= 1.5
        at = float(clamp(math.floor(mode + reach), limit))
    return at
