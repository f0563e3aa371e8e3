r"""The curve of Vajda: least divergence at a given total variation, in Fedotov's, Harremoes' and Topsoe's parameter.

With :math:`\sinh t = t(1+A)` and :math:`C = \cosh t - \sinh(t)/t`, both power series of positive terms,

.. math:: \lambda = \coth t - \tfrac1t = \frac C{t(1+A)},\quad V = \tfrac t2(1-\lambda^2),\quad
          L = \frac C{1+A} + \frac A{(1+A)^2} - f\Big(\frac{-A}{1+A}\Big),

where f(u) = u - log(1+u). With :math:`\varepsilon = 1/(e^{2t}-1)` the other end is

.. math:: 1 - V = \frac1{2t} + 2\varepsilon(t - 1 + t\varepsilon),\quad
          L = \log 2t + 2t\varepsilon - \log(1-e^{-2t}) - 4t^2\varepsilon(1+\varepsilon).

The slope :math:`dL/dV` is 2t.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.projection.stable_risk import log_excess

Array = NDArray[np.float64]

_SPLIT = 2.5
_A = [1.0 / math.factorial(2 * k + 3) for k in range(16)]
"""Coefficients of A / t**2 in t**2."""
_C = [(2 * k + 2) / math.factorial(2 * k + 3) for k in range(16)]
"""Coefficients of C / t**2 in t**2."""
_TINY_V = 1e-6
_TINY_D = 1e-13
_FAR = 45.0
"""Beyond this divergence V = 1 - exp(-d): the correction is of the order exp(-exp(d))."""
_ROUNDS = 60
_CLOSE = 1e-9
"""Newton steps this short leave an error below rounding behind them."""


class Curve(NamedTuple):
    """The curve at parameters t: V, 1 - V, L and t dV/dt."""

    v: Array
    rest: Array
    divergence: Array
    gain: Array


def curve(t: Array) -> Curve:
    """Return the curve at t > 0, every column to a few units in the last place."""
    near, far = _near(np.minimum(t, _SPLIT)), _far(np.maximum(t, _SPLIT))
    low = t < _SPLIT
    return Curve(*(np.where(low, a, b) for a, b in zip(near, far, strict=True)))


def _near(t: Array) -> Curve:
    square = t * t
    a2, c2 = np.zeros_like(t), np.zeros_like(t)
    for x, y in zip(reversed(_A), reversed(_C), strict=True):
        a2, c2 = x + square * a2, y + square * c2
    a, c = a2 * square, c2 * square
    whole = 1.0 + a
    langevin = t * c2 / whole
    v = 0.5 * t * (1.0 - langevin) * (1.0 + langevin)
    divergence = c / whole + a / whole**2 - log_excess(-a / whole)
    # the derivative of the Langevin function is 1/t^2 - 1/sinh(t)^2
    bend = a2 * (2.0 + a) / whole**2
    return Curve(v, 1.0 - v, divergence, v - square * langevin * bend)


def _far(t: Array) -> Curve:
    with np.errstate(under="ignore"):
        power = np.exp(-2.0 * t)
    eps = power / -np.expm1(-2.0 * t)
    rest = 0.5 / t + 2.0 * eps * (t - 1.0 + t * eps)
    with np.errstate(under="ignore"):
        divergence = np.log(2.0 * t) + 2.0 * t * eps - np.log1p(-power) - 4.0 * t * (t * eps) * (1.0 + eps)
        # d eps / dt = -2 eps (1 + eps)
        gain = 0.5 / t + 2.0 * t * eps * (1.0 + eps) * (2.0 * (t + 2.0 * t * eps) - 3.0)
    return Curve(1.0 - rest, rest, divergence, gain)


def least_divergence(v: Array, rest: Array) -> Array:
    """Return L(V) for V in [0, 1) and 1 - V, whichever of the two is exact."""
    v, rest = np.asarray(v, dtype=float), np.asarray(rest, dtype=float)
    with np.errstate(under="ignore"):
        tiny = 2.0 * v * v * (1.0 + 2.0 * v * v / 9.0)
    inside = v > _TINY_V
    if not inside.any():
        return tiny
    goal, other = np.where(inside, v, 0.5), np.where(inside, rest, 0.5)
    # beyond t = 1e15 the exponentials are gone and 1 - V = 1/(2t)
    log_t = np.log(2.0 * goal * (1.0 - 0.75 * goal) / other)
    aim = np.log(goal / other)
    for _ in range(_ROUNDS):
        t = np.exp(log_t)
        at = curve(t)
        # V / (1 - V) is between t/2 and 2t: Newton's method on its logarithm never leaves
        step = (np.log(at.v / at.rest) - aim) * at.v * at.rest / at.gain
        log_t = log_t - np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < _CLOSE:
            break
    t = np.exp(log_t)
    at = curve(t)
    short = np.where(goal < 0.5, goal - at.v, at.rest - other)
    return np.where(inside, at.divergence + 2.0 * t * short, tiny)


def most_variation(d: Array) -> tuple[Array, Array]:
    """Return the V with L(V) = d and 1 - V, for d in [0, inf]."""
    d = np.asarray(d, dtype=float)
    small = np.minimum(d, 1.0)
    # V^2 = (d/2)(1 - d/9 + ...)
    v_low = np.sqrt(0.5 * small) * (1.0 - small / 18.0)
    with np.errstate(under="ignore"):
        rest_high = np.exp(-d)
    low, high = d < _TINY_D, d > _FAR
    v, rest = np.where(low, v_low, 1.0 - rest_high), np.where(low, 1.0 - v_low, rest_high)
    inside = ~(low | high)
    if not inside.any():
        return v, rest
    goal = np.where(inside, d, 1.0)
    aim = np.log(np.expm1(2.0 * goal))
    # sqrt(exp(2 L) - 1) is between t and 2t
    log_t = 0.5 * aim - math.log(2.0) * goal / (1.0 + goal)
    for _ in range(_ROUNDS):
        t = np.exp(log_t)
        at = curve(t)
        rise = 4.0 * t * at.gain / -np.expm1(-2.0 * at.divergence)
        step = (np.log(np.expm1(2.0 * at.divergence)) - aim) / rise
        log_t = log_t - np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < _CLOSE:
            break
    t = np.exp(log_t)
    at = curve(t)
    shift = 0.5 * (goal - at.divergence) / t
    return np.where(inside, at.v + shift, v), np.where(inside, at.rest - shift, rest)
