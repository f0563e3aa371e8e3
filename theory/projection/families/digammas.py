r"""Remainders of Stirling's series of the polygamma functions, without cancellation at any argument.

Cumulants of gamma, beta and Dirichlet laws hold differences such as :math:`a\psi_1(a) - 1`, which lose
:math:`\log_{10} a` digits when the polygamma functions are evaluated first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory.projection.stable_risk import digamma_excess

Array = NDArray[np.float64]

_BERNOULLI = (
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
    854513 / 138,
    -236364091 / 2730,
)
_FAR = 10.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def stirling_curvature(a: ArrayLike) -> Any:
    r"""Return :math:`\psi_1(a) - 1/a - 1/(2a^2) > 0`, the curvature of the remainder of Stirling's formula."""
    shifted, steps = _steps(a)
    series = sum(b * shifted ** (1 - 2 * k) for k, b in enumerate(_BERNOULLI, 1))
    return _sum_back(series / shifted**2, [0.5 / (s * (s + 1)) ** 2 for s in steps], steps)


def trigamma_excess(a: ArrayLike) -> Any:
    r"""Return :math:`\psi_1(a) - 1/a > 0`."""
    return 0.5 / np.asarray(a, dtype=float) ** 2 + stirling_curvature(a)


def tetragamma_excess(a: ArrayLike) -> Any:
    r"""Return :math:`\psi_2(a) + 1/a^2 < 0`."""
    shifted, steps = _steps(a)
    series = sum((2 * k + 1) * b * shifted ** (1 - 2 * k) for k, b in enumerate(_BERNOULLI, 1))
    total = -(1 + series) / shifted**3
    return _sum_back(total, [-(3 * s + 2) / (s**3 * (s + 1) ** 2) for s in steps], steps)


def pentagamma_excess(a: ArrayLike) -> Any:
    r"""Return :math:`\psi_3(a) - 2/a^3 > 0`."""
    shifted, steps = _steps(a)
    series = sum((2 * k + 1) * (2 * k + 2) * b * shifted ** (1 - 2 * k) for k, b in enumerate(_BERNOULLI, 1))
    total = (3 + series) / shifted**4
    terms = [(12 * s * s + 16 * s + 6) / (s**4 * (s + 1) ** 3) for s in steps]
    return _sum_back(total, terms, steps)


def gammaln_bregman(a: ArrayLike, b: ArrayLike) -> Any:
    r"""Return :math:`s(b) - s(a) - (b-a)s'(a) \ge 0` for the remainder s of Stirling's formula of the log gamma.

    Notes
    -----
    :math:`s(a) = \log\Gamma(a) - (a-1/2)\log a + a - \log(2\pi)/2` is convex. Near equality the value is
    :math:`\int_0^1 (1-t)\,s''(a + t(b-a))(b-a)^2 dt`.
    """
    from scipy.special import gammaln

    a, b = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(b, dtype=float))
    near = np.abs(b - a) < a / 2
    end = np.where(near, b, a)
    nodes = (_NODES + 1) / 2
    curvature = stirling_curvature(a + np.multiply.outer(nodes, end - a))
    close = np.tensordot(_WEIGHTS / 2 * (1 - nodes), curvature, axes=(0, 0)) * (end - a) ** 2

    def remainder(x: Array) -> Array:
        # beyond, the terms cancel to about 1/(12 x)
        far = np.maximum(x, _FAR)
        series = sum(c / (2 * k * (2 * k - 1)) * far ** (1 - 2 * k) for k, c in enumerate(_BERNOULLI, 1))
        small = np.minimum(x, _FAR)
        plain = gammaln(small) - (small - 0.5) * np.log(small) + small - 0.5 * np.log(2 * np.pi)
        result: Array = np.where(x >= _FAR, series, plain)
        return result

    apart = remainder(b) - remainder(a) - (b - a) * (0.5 / a - digamma_excess(a))
    return np.where(near, close, apart)[()]


def _steps(a: ArrayLike) -> tuple[Array, list[Array]]:
    """Return the argument moved to at least 10 and the steps on the way (those taken by none excluded)."""
    a = np.asarray(a, dtype=float)
    shifted = a.astype(float)
    steps = []
    while bool((shifted < _FAR).any()):
        # those that are far already take no step: any harmless number stands in for them
        steps.append(np.minimum(shifted, _FAR))
        shifted = np.where(shifted < _FAR, shifted + 1, shifted)
    return shifted, steps


def _sum_back(total: Any, terms: list[Any], steps: list[Array]) -> Any:
    for term, step in zip(reversed(terms), reversed(steps), strict=True):
        total = total + np.where(step < _FAR, term, 0.0)
    return np.asarray(total)[()]
