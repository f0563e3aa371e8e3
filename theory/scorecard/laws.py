"""Noncentral and weighted chi-square laws, both tails in log space, and the inverse in the noncentrality."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.gamma_tails import log_gammainc, log_gammaincc
from asymptopia.theory._core.roots import find_root
from asymptopia.theory._core.special import log1mexp
from asymptopia.theory.scorecard.inversion import log_tail

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
_TINY = 1e-18
_SECANTS = 12
_SETTLED = 1e-12
_NODES = 220
_BLOCK = 2**19


class LogTails(NamedTuple):
    """Logarithms of ``P(X <= x)`` and ``P(X > x)``."""

    cdf: Any
    sf: Any


def chi2_tails(x: ArrayLike, dof: ArrayLike) -> LogTails:
    """Return the log tails of the central chi-square law, for x >= 0 and dof > 0."""
    a, half = np.asarray(dof, dtype=float) / 2, np.asarray(x, dtype=float) / 2
    return LogTails(log_gammainc(a, half), log_gammaincc(a, half))


def noncentral_chi2_tails(x: ArrayLike, dof: ArrayLike, noncentrality: ArrayLike) -> LogTails:
    """Return the log tails of the noncentral chi-square law.

    Parameters
    ----------
    x : array_like
        Argument >= 0.
    dof : array_like
        Degrees of freedom > 0, not necessarily whole.
    noncentrality : array_like
        At least 0: the sum of the squared means.

    Notes
    -----
    Relative error of the smaller probability below ``1e-14 (1 + |log probability|)``, against the Poisson mixture and
    quadrature at 40 digits: dof 0.5 to 1000, noncentrality 1e-8 to 1e12, probabilities down to 1e-1300. The usual
    routines underflow there.
    """
    x, k, lam = np.broadcast_arrays(*(np.asarray(item, dtype=float) for item in (x, dof, noncentrality)))
    shape = x.shape
    x, k, lam = x.ravel(), k.ravel(), lam.ravel()
    cdf, sf = np.empty_like(x), np.empty_like(x)
    # far left of the mean only the first Poisson term is left: exp(-lam/2) times the central law
    left = x * (1.0 + lam) < _TINY
    central = left | (lam == 0) | (x == np.inf)
    if central.any():
        cdf[central], sf[central] = chi2_tails(x[central], k[central])
        cdf[left] -= lam[left] / 2
        sf[left] = log1mexp(cdf[left])
    rest = ~central
    if rest.any():
        cdf[rest], sf[rest] = _invert_noncentral(x[rest], k[rest], lam[rest])
    return LogTails(cdf.reshape(shape)[()], sf.reshape(shape)[()])


def _invert_noncentral(x: Array, k: Array, lam: Array) -> tuple[Array, Array]:
    # K(s) = lam s w - k/2 log(1 - 2 s) with w = 1/(1 - 2 s); K'(s) = k w + lam w^2 = x at the saddle point
    w = 2 * x / (k + np.sqrt(k * k + 4 * lam * x))
    saddle = (w - 1) / (2 * w)
    upper = saddle * np.sqrt(2 * k * w * w + 4 * lam * w**3) > 1
    start = np.where(upper, saddle, np.minimum(saddle, -1 / np.sqrt(2 * k + 4 * lam)))
    w = 1 / (1 - 2 * start)
    second, third = 2 * k * w**2 + 4 * lam * w**3, 8 * k * w**3 + 24 * lam * w**4
    near = (np.abs(start) < 0.1)[:, None]
    x_, k_, lam_ = x[:, None], k[:, None], lam[:, None]

    def exponent(s: Complex) -> Complex:
        # near the mean the linear terms cancel: s (k + lam - x) is formed first
        log = np.log1p(-2 * s)
        close = -k_ / 2 * (log + 2 * s) + s * (k_ + (lam_ - x_)) + 2 * lam_ * s * s / (1 - 2 * s)
        return np.where(near, close, -k_ / 2 * log + s * (lam_ / (1 - 2 * s) - x_))

    return _both(log_tail(exponent, start, second, third), upper)


def _both(tail: Array, upper: NDArray[np.bool_]) -> tuple[Array, Array]:
    tail = np.minimum(tail, 0.0)
    other = log1mexp(tail)
    return np.where(upper, other, tail), np.where(upper, tail, other)


def noncentrality_at(x: ArrayLike, dof: ArrayLike, log_cdf: ArrayLike, log_sf: ArrayLike) -> Any:
    """Return the noncentrality at which ``P(X <= x)`` has the given value, 0 where none is that large.

    Parameters
    ----------
    x, dof : array_like
        Argument > 0 and degrees of freedom > 0.
    log_cdf, log_sf : array_like
        Logarithms of the target probability and of its complement.

    Notes
    -----
    The root is sought in the square root of the noncentrality on the normal scale, where the law is nearly linear.
    """
    goal = _normal_scale(np.asarray(log_cdf, dtype=float), np.asarray(log_sf, dtype=float))
    x, k, goal = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(dof, dtype=float), goal)

    def gap(root: Array, x: Array, k: Array, goal: Array) -> Array:
        return _normal_scale(*noncentral_chi2_tails(x, k, root * root)) - goal

    result = np.zeros(x.shape)
    inside = gap(result, x, k, goal) > 0
    if inside.any():
        result[inside] = _root(gap, (x[inside], k[inside], goal[inside])) ** 2
    return result[()]


def _root(gap: Callable[..., Array], args: tuple[Array, Array, Array]) -> Array:
    """Root of a function that falls nearly linearly: by secants, and by a bracket where they do not settle."""
    x, k, goal = args
    old = np.sqrt(np.maximum(x - k, 1.0)) + np.maximum(-goal, 0.0)
    new = old + 0.25
    value = gap(old, *args)
    settled = np.zeros(x.shape, dtype=bool)
    for _ in range(_SECANTS):
        latest = gap(new, *args)
        slope = (latest - value) / np.where(new == old, 1.0, new - old)
        step = np.where(settled | (slope >= 0), 0.0, latest / np.where(slope >= 0, 1.0, slope))
        settled |= (slope < 0) & (np.abs(step) <= _SETTLED * new)
        old, new, value = new, np.where(new > step, new - step, new / 2), latest
        if settled.all():
            return new
    rest = ~settled
    args = (x[rest], k[rest], goal[rest])
    high = np.sqrt(args[0]) + np.abs(args[2]) + 1.0
    while (short := gap(high, *args) >= 0).any():
        high = np.where(short, 2 * high, high)
    new[rest] = find_root(gap, 0.0, high, args=args)
    return new


def _normal_scale(log_cdf: Array, log_sf: Array) -> Array:
    from scipy.special import ndtri_exp

    lower = log_cdf < log_sf
    quantile = ndtri_exp(np.where(lower, log_cdf, log_sf))
    result: Array = np.where(lower, quantile, -quantile)
    return result


def weighted_chi2_tails(x: ArrayLike, weights: Array) -> LogTails:
    r"""Return the log tails of :math:`\sum_i w_i \chi^2_1` at `x` > 0, for weights > 0.

    Notes
    -----
    Exact inversion of the moment generating function. Ruben's series agrees, and needs terms in proportion to the
    ratio of the largest to the smallest weight.
    """
    # K(s) = -1/2 sum log(1 - 2 w s); with s in units of 1/(2 max w)
    w = weights / weights.max()
    points = np.asarray(x, dtype=float)
    flat = points.ravel() / float(weights.max())
    cdf, sf = np.empty_like(flat), np.empty_like(flat)
    rows = max(1, _BLOCK // (_NODES * w.size))
    # far left the density is that of its leading power, and the saddle point would overflow
    left = flat < _TINY * w.min()
    if left.any():
        cdf[left] = _leading_power(flat[left], w)
        sf[left] = log1mexp(cdf[left])
    rest = np.flatnonzero(~left)
    for first in range(0, rest.size, rows):
        block = rest[first : first + rows]
        cdf[block], sf[block] = _invert_weighted(flat[block], w)
    if points.ndim == 0:
        return LogTails(float(cdf[0]), float(sf[0]))
    return LogTails(cdf.reshape(points.shape), sf.reshape(points.shape))


def _invert_weighted(x: Array, w: Array) -> tuple[Array, Array]:
    # K'(s) = x, where v = 1 - 2 s lies between 1/x and k/x
    slack = 1e-12
    ends = (1 - slack) / x, (1 + slack) * w.size / x
    saddle = (1 - find_root(_weighted_gap(w), *ends, args=(x,))) / 2
    upper = saddle * np.sqrt(2 * ((w / (1 - 2 * w * saddle[:, None])) ** 2).sum(axis=-1)) > 1
    start = np.where(upper, saddle, np.minimum(saddle, -1 / np.sqrt(2 * (w * w).sum())))
    tilted = w / (1 - 2 * w * start[:, None])
    second, third = 2 * (tilted**2).sum(axis=-1), 8 * (tilted**3).sum(axis=-1)

    def exponent(s: Complex) -> Complex:
        result: Complex = -0.5 * np.log1p(-2 * s[..., None] * w).sum(axis=-1) - s * x[:, None]
        return result

    return _both(log_tail(exponent, start, second, third), upper)


def _leading_power(x: Array, w: Array) -> Array:
    from scipy.special import gammaln

    half = w.size / 2
    result: Array = half * np.log(x / 2) - np.log(w).sum() / 2 - gammaln(half + 1)
    return result


def _weighted_gap(w: Array) -> Callable[[Array, Array], Array]:
    def gap(v: Array, x: Array) -> Array:
        result: Array = (w / ((1 - w) + w * v[..., None])).sum(axis=-1) / x - 1
        return result

    return gap


def weighted_chi2_sf(x: float, weights: ArrayLike) -> float:
    """Return ``P(sum w_i chi2_1 > x)`` for weights >= 0, of which the zeros have no effect.

    Examples
    --------
    >>> round(weighted_chi2_sf(10.0, [3.0, 2.0, 1.0, 0.5]), 12)
    0.19305524885
    """
    w = np.asarray(weights, dtype=float)
    w = w[w > 0]
    if x <= 0:
        return 1.0
    return float(np.exp(weighted_chi2_tails(x, w).sf)) if w.size else 0.0
