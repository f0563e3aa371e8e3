r"""Least divergence at a given Bayes error rate under unequal priors, and its inverse, on two-point laws.

With prior :math:`\pi` of P, :math:`q = \frac e{1-\pi}\sigma(x)` and :math:`1-p = \frac e\pi\sigma(-x)` run through all
two-point laws of Bayes error e; the divergence is convex in q.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.roots import find_root
from asymptopia.theory._core.special import phi

Array = NDArray[np.float64]

LEAST_PRIOR = 1e-100
"""Below it squares of the prior leave float64."""
_REACH = 745.0
"""Largest logit whose sigmoid is not yet 0 at the other end."""
_FAR = 9.0
_LEAST = 5e-324
_LEAST_DIVERGENCE = 1e-290


class Points(NamedTuple):
    """The probabilities of the point that P prefers: p, 1 - p, q, 1 - q and p - q, each a sum of positive terms."""

    p: Array
    p_rest: Array
    q: Array
    q_rest: Array
    gap: Array


def _points(x: Array, e: Array, loss: Array, prior: Array) -> Points:
    """Return the laws at the logit x; `loss` is min(prior, 1 - prior) - e."""
    up, down = _sigmoid(x), _sigmoid(-x)
    other = 1.0 - prior
    q, p_rest = e / other * up, e / prior * down
    small = prior < 0.5
    excess = np.abs(other - prior) * e / (prior * other)
    p = np.where(small, loss / prior + e / prior * up, 1.0 - p_rest)
    q_rest = np.where(small, 1.0 - q, loss / other + e / other * down)
    gap = np.where(small, loss / prior + excess * up, loss / other + excess * down)
    return Points(p, p_rest, q, q_rest, gap)


def _slope(x: Array, e: Array, loss: Array, prior: Array) -> Array:
    """Return a multiple > 0 of the derivative of the divergence in q."""
    at = _points(x, e, loss, prior)
    other = 1.0 - prior
    odds = _log_ratio(at.p, at.q, at.gap, np.log(e / other) - np.logaddexp(0.0, -x))
    odds += _log_ratio(at.q_rest, at.p_rest, at.gap, np.log(e / prior) - np.logaddexp(0.0, x))
    # scaled by q(1 - q), so that no term overflows where q does not
    return np.asarray(other / prior * odds * at.q * at.q_rest - at.gap)


def _log_ratio(above: Array, below: Array, gap: Array, log_below: Array) -> Array:
    """Return log(above / below) for above = below + gap, to full precision for a small gap."""
    close = gap < below
    near = np.log1p(np.where(close, gap, 0.0) / np.where(close, below, 1.0))
    return np.asarray(np.where(close, near, np.log(above) - log_below))


def least_divergence(e: Array, loss: Array, prior: Array) -> Array:
    """Return the least KL(P||Q) with Bayes error e > 0, where e + loss = min(prior, 1 - prior)."""
    e, loss, prior = (np.asarray(item, dtype=float) for item in np.broadcast_arrays(e, loss, prior))
    result = np.zeros(e.shape)
    inside = loss > 0.0
    if inside.any():
        some = e[inside], loss[inside], prior[inside]
        low, high = _bracket(*some)
        x = np.where(low < high, low, high)
        open_ = low < high
        if open_.any():
            x[open_] = find_root(_slope, low[open_], high[open_], args=tuple(item[open_] for item in some), xatol=1e-13)
        result[inside] = _divergence(_points(x, *some))
    return result


def _bracket(e: Array, loss: Array, prior: Array) -> tuple[Array, Array]:
    """Return ends of the logit between which the slope changes sign; both the same where the root is beyond them."""
    low, high = np.full(e.shape, -_REACH), np.full(e.shape, _REACH)
    with np.errstate(invalid="ignore", divide="ignore"):
        above, below = _slope(low, e, loss, prior) >= 0.0, _slope(high, e, loss, prior) <= 0.0
    return np.where(below, high, low), np.where(above, low, high)


def _divergence(at: Points) -> Array:
    """Return d(p || q)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        first = np.where(at.q > 0.0, at.q * phi(np.where(at.q > 0.0, at.gap / at.q, 0.0)), 0.0)
        second = at.q_rest * phi(np.maximum(-at.gap / at.q_rest, -1.0))
    return np.asarray(first + second)


def least_error(d: Array, prior: Array) -> Array:
    """Return the least Bayes error rate at divergence d in [0, inf]."""
    d, prior = (np.asarray(item, dtype=float) for item in np.broadcast_arrays(d, prior))
    most, other = np.minimum(prior, 1.0 - prior), 1.0 - prior
    # with q = exp(-d) and p = 1 the neglected 1 - p is exp(-prior / (q (1 - prior)))
    far = d > _FAR + np.maximum(0.0, np.log(other / prior))
    with np.errstate(under="ignore"):
        result = np.where(d == 0.0, most, np.where(far, other * np.exp(-d), 0.0))
    # at a divergence this small the loss is below rounding
    near = (d > 0.0) & (d < _LEAST_DIVERGENCE)
    result = np.where(near, most, result)
    inside = (d > 0.0) & ~far & ~near
    if inside.any():
        goal, weight, top = d[inside], prior[inside], most[inside]

        def excess(y: Array, goal: Array, weight: Array, top: Array) -> Array:
            found = least_divergence(top * _sigmoid(y), top * _sigmoid(-y), weight)
            return np.asarray(np.log(np.maximum(found, _LEAST)) - np.log(goal))

        # the error rate is at least min(prior, 1 - prior) exp(-d) / 2 (Bretagnolle and Huber)
        y = find_root(excess, -goal - 1.0, np.full(goal.shape, 700.0), args=(goal, weight, top))
        result[inside] = top * _sigmoid(y)
    return result


def _sigmoid(x: Array) -> Array:
    with np.errstate(under="ignore"):
        power = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0.0, 1.0, power) / (1.0 + power))
