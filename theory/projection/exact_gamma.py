r"""Exact risk of gamma laws of unknown shape and rate, from the law of the ratio of their two means.

With x-bar the arithmetic and G the geometric mean of n gamma variables of shape a, the estimated shape depends on
:math:`D = \log(\bar x/G)` alone, which is independent of x-bar, and

.. math:: E\,e^{-sD} = n^s\,\frac{\Gamma(na)}{\Gamma(na+s)}\,\Big[\frac{\Gamma(a+s/n)}{\Gamma(a)}\Big]^n .

Its inversion is an integral over :math:`\tau = a + s/n`, along the path :math:`\tau = t(\theta\cot\theta + i\theta)`
from the saddle point t of :math:`D = g(t) - g(nt)`, :math:`g(x) = \log x - \psi(x)`. There and on the way to it every
term is a Bregman divergence of log gamma, of second order, so that no large terms cancel at any n or shape.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.roots import find_root
from asymptopia.theory.projection.families.digammas import gammaln_bregman, trigamma_excess
from asymptopia.theory.projection.families.gammas import shape_of
from asymptopia.theory.projection.stable_risk import BERNOULLI, digamma_excess, near_log_excess, ratio_excess

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

LEAST_SIZE = 4
"""From which the estimated shape has a mean."""
_SHIFT = 14
"""Where eight terms of Stirling's series have reached float64."""
_STIRLING = tuple(value / (2 * k + 1) for k, value in enumerate(BERNOULLI))
_ANGLES = 48
_TAIL = 45.0
"""Minus the logarithm of what is left out at each end."""
_STEP = 0.125
"""In the logarithm of the shape; for concentrated laws a quarter of a standard deviation."""
_MASS = 1e-8
"""How far the integral of the density may be from 1; 1e-15 times the root of n is usual."""


class GapLaw(NamedTuple):
    """Nodes and weights for means under the law of D."""

    gap: Array
    """D."""
    shape: Array
    """Estimated shape at that D."""
    weight: Array
    """Density times step; the sum is 1."""


def gamma_both_risk(n: int, shape: float) -> float:
    r"""Return the risk of gamma laws of unknown shape and rate, the same at every rate, in nats.

    Parameters
    ----------
    n : int
        Sample size, >= 2.
    shape : float
        True shape a > 0.

    Notes
    -----
    With f(u) = u - log(1+u), s the remainder of Stirling's formula and the estimate :math:`\hat a(D)`,

    .. math:: E[\hat a]\Big[\frac1{na-1} - g(na)\Big]
              + E\Big[\tfrac12 f\Big(\frac{\hat a}a - 1\Big) + s(\hat a) - s(a) - (\hat a-a)s'(a)\Big],

    all terms positive. It is inf for n < 4, where the estimated shape has no mean, and for na <= 1, where the estimated
    rate has none. Within 1e-14 up to n = 1e6; beyond it the rounding of the shape counts, 1e-16 times the root of n.

    Raises
    ------
    ArithmeticError
        If the density does not integrate to 1.

    References
    ----------
    .. [1] R. E. Glaser, "The Ratio of the Geometric Mean to the Arithmetic Mean for a Random Sample from a Gamma
       Distribution", J. Amer. Statist. Assoc. 71, 1976, 480-487 (the law of the ratio; the risk is derived here).

    Examples
    --------
    >>> print(f"{gamma_both_risk(10, 2.0):.12f}", gamma_both_risk(3, 2.0))
    0.177920906218 inf
    """
    total = n * shape
    if n < LEAST_SIZE or not total > 1.0:
        return math.inf
    law = gap_law(n, shape)
    rate = 1.0 / (total - 1.0) - float(digamma_excess(total))
    ratio = law.shape / shape
    own = 0.5 * ratio_excess((law.shape - shape) / shape, ratio) + gammaln_bregman(shape, law.shape)
    return float(law.weight @ (law.shape * rate + own))


def gap_law(n: int, shape: float) -> GapLaw:
    """Return nodes and weights for means under the law of D, of functions that grow at most like the estimated shape.

    Parameters
    ----------
    n : int
        Sample size, >= 4.
    shape : float
        True shape > 0.
    """
    half = 0.5 * (n - 1.0)
    step = min(_STEP, 0.25 / math.sqrt(half))

    def exponent(place: Array) -> Array:
        own = half * ratio_excess((shape - place) / place, shape / place) + n * gammaln_bregman(place, shape)
        return np.asarray(gammaln_bregman(n * place, n * shape) - own)

    def reach(sign: int) -> int:
        # a mean of the estimated shape weighs a large one, which a small D stands for, with itself
        count = 0
        while True:
            count += 16
            away = sign * count * step
            if float(exponent(np.array(shape * math.exp(away)))) + max(away, 0.0) < -_TAIL:
                return count

    place = shape * np.exp(step * np.arange(-reach(-1), reach(1) + 1))
    slope = trigamma_excess(place) - n * trigamma_excess(n * place)
    density = np.exp(exponent(place)) * (0.5 * n / math.pi) * _inverted(n, place)
    weight = density * place * slope * step
    if not abs(weight.sum() - 1.0) < _MASS:
        message = f"the density of the log ratio of means integrates to {weight.sum()!r} at n = {n}, shape = {shape:g}"
        raise ArithmeticError(message)
    gap = np.asarray(digamma_excess(place) - digamma_excess(n * place))
    return GapLaw(gap, np.asarray(shape_of(gap)), weight)


def _inverted(n: int, place: Array) -> Array:
    """Return the integral over tau of exp(E(tau) - E(t)), divided by i, for saddle points t."""
    half = 0.5 * (n - 1.0)

    def height(angle: Any) -> Any:
        return angle / np.tan(angle) - 1.0 - np.log(angle / np.sin(angle))

    last = float(find_root(lambda angle: half * height(angle) + _TAIL, 1e-9, math.pi - 1e-9))
    angles = (np.arange(_ANGLES) + 0.5) * (last / _ANGLES)
    away = angles / np.tan(angles) - 1.0 + 1j * angles
    pace = 1.0 / np.tan(angles) - angles / np.sin(angles) ** 2 + 1j
    far = place >= _SHIFT
    exponent = np.empty((place.size, angles.size), dtype=complex)
    t = place[far][:, None]
    exponent[far] = half * _excess(away, 1.0 + away) + n * _remainder(t, away) - _remainder(n * t, away)
    t = place[~far][:, None]
    exponent[~far] = n * _bregman(t, t * away) - _bregman(n * t, n * t * away)
    # the lower half of the path adds the conjugate
    return np.asarray(2.0 * (last / _ANGLES) * place * (np.exp(exponent) * pace / 1j).real.sum(axis=1))


def _bregman(t: Array, d: Complex) -> Complex:
    r"""Return :math:`\log\Gamma(t+d) - \log\Gamma(t) - \psi(t)d`, a sum of terms of second order."""
    total = np.zeros(d.shape, dtype=complex)
    for k in range(_SHIFT):
        total += _excess(d / (t + k), (t + d + k) / (t + k))
    shifted = t + _SHIFT
    u = d / shifted
    f = _excess(u, 1.0 + u)
    # x log x, less half of log x, and the remainder of Stirling's formula
    return np.asarray(total + shifted * (u * u - (1.0 + u) * f) + 0.5 * f + _remainder(shifted, u))


def _excess(u: Complex, ratio: Complex) -> Complex:
    """Return u - log(1 + u), where 1 + u is also known as a ratio."""
    near = np.abs(u) < 0.5
    return np.where(near, near_log_excess(np.where(near, u, 0.0)), u - np.log(ratio))


def _remainder(t: Array, u: Complex) -> Complex:
    r"""Return :math:`s(t+tu) - s(t) - tu\,s'(t)` for the remainder s of Stirling's formula.

    Notes
    -----
    :math:`(1+u)^{-q} - 1 + qu = u^2\sum_{j=1}^q (q-j+1)(1+u)^{-j}`.
    """
    w = 1.0 / (1.0 + u)
    total = np.zeros(np.broadcast_shapes(t.shape, u.shape), dtype=complex)
    for k in range(len(_STIRLING), 0, -1):
        power = 2 * k - 1
        inner = np.zeros_like(w)
        for j in range(power, 0, -1):
            inner = (power - j + 1 + inner) * w
        total = total / (t * t) + _STIRLING[k - 1] * inner
    return np.asarray(u * u * total / t)
