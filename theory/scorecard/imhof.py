"""Imhof's oscillating integral for a weighted sum of chi-squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ERROR = 1e-9
"""Absolute error."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_PANELS = 400
_BATCH = 16
_NEGLIGIBLE = 1e-12


def imhof_sf(x: float, weights: Array) -> float:
    r"""Return ``P(sum w_i chi2_1 > x)`` at `x` > 0 for weights > 0 of which the largest is 1, to 1e-9 absolute.

    Raises
    ------
    ArithmeticError
        If the integral does not settle to that.

    Notes
    -----
    .. math:: \frac12 + \frac1\pi \int_0^\infty \frac{\sin\theta(u)}{u \rho(u)}\,du, \quad
        \theta = \tfrac12 \sum \arctan(w_i u) - \tfrac12 x u, \quad \rho = \prod (1 + w_i^2 u^2)^{1/4}.

    Gauss-Legendre panels: doubling up to the period :math:`2\pi/x`, then half periods, whose alternating sums are
    extrapolated by Wynn's epsilon algorithm. The error is judged by two successive extrapolations.
    """
    half = 2 * np.pi / x
    first = min(half, 1.0 / weights.size) / 4
    edges = [0.0, first]
    while edges[-1] * 2 < half:
        edges.append(edges[-1] * 2)
    edges.append(half)
    total = float(_panels(np.array(edges), x, weights).sum())
    sums, previous, settled = [total], np.inf, 0
    end = half
    while len(sums) < _PANELS:
        parts = _panels(end + half * np.arange(_BATCH + 1, dtype=np.float64), x, weights)
        for part in parts:
            sums.append(sums[-1] + float(part))
        end += half * _BATCH
        if np.abs(parts[-2:]).max() < _NEGLIGIBLE:
            return _probability(sums[-1])
        found = _epsilon(sums[-2 * _BATCH :])
        settled = settled + 1 if abs(found - previous) < ERROR / 10 else 0
        if settled == 2:
            return _probability(found)
        previous = found
    message = f"the integral at x = {x:g} times the largest weight did not settle to {ERROR:g}; take method='exact'"
    raise ArithmeticError(message)


def _probability(integral: float) -> float:
    value = 0.5 + integral / np.pi
    if not -ERROR <= value <= 1 + ERROR:
        message = f"the integral gives the probability {value!r}; take method='exact'"
        raise ArithmeticError(message)
    # within its error the value may lie outside [0, 1]
    return float(min(max(value, 0.0), 1.0))


def _panels(edges: Array, x: float, weights: Array) -> Array:
    """Return the integrals over the panels between successive edges."""
    width = np.diff(edges)[:, None] / 2
    u = edges[:-1, None] + width * (1 + _NODES)
    scaled = u[..., None] * weights
    theta = np.arctan(scaled).sum(axis=-1) / 2 - x * u / 2
    log_rho = np.log1p(scaled * scaled).sum(axis=-1) / 4
    result: Array = (width * _WEIGHTS * np.sin(theta) * np.exp(-log_rho) / u).sum(axis=-1)
    return result


def _epsilon(sums: list[float]) -> float:
    """Return the limit of the partial sums by Wynn's epsilon algorithm (1956)."""
    older, old = np.zeros(len(sums) + 1), np.array(sums)
    best = old[-1]
    for column in range(1, len(sums)):
        step = np.diff(old)
        if (step == 0).any():
            return float(old[-1] if column % 2 else best)
        older, old = old, older[1:-1] + 1 / step
        if column % 2 == 0:
            best = old[-1]
    return float(best)
