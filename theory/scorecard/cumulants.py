"""Second-order cumulants of the plug-in Jeffreys divergence between two independent samples."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.special import log_ratio
from asymptopia.theory.scorecard.shares import Shares

Array = NDArray[np.float64]


class Cumulants(NamedTuple):
    """Mean excess over the true divergence, variance and third cumulant."""

    bias: float
    variance: float
    third: float


def second_order_cumulants(shares: Shares, n: float, m: float) -> Cumulants:
    r"""Return the first three cumulants of :math:`g^T Z + Z^T H Z / 2` with :math:`Z \sim N(0, S)`.

    Parameters
    ----------
    shares : Shares
        One table of shares, all > 0.
    n, m : float
        Sizes; ``m = inf`` for a known baseline.

    Notes
    -----
    With g the gradient, H the Hessian and S the multinomial covariance of both samples:
    :math:`\kappa_1 = \mathrm{tr}(HS)/2`, :math:`\kappa_2 = g^T S g + \mathrm{tr}((HS)^2)/2`,
    :math:`\kappa_3 = 3 g^T S H S g + \mathrm{tr}((HS)^3)`. The second term of :math:`\kappa_2` is what the first-order
    variance leaves out.
    """
    gradient, hessian, root = second_order_parts(shares, n, m)
    # in standard normal variables, and free of the directions in which the shares cannot move
    bend, lean = root.T @ hessian @ root, root.T @ gradient
    squared = bend @ bend
    return Cumulants(
        bias=float(np.trace(bend)) / 2,
        variance=float(lean @ lean) + float(np.trace(squared)) / 2,
        third=3 * float(lean @ bend @ lean) + float(np.trace(squared @ bend)),
    )


class Parts(NamedTuple):
    """Gradient and Hessian of the divergence, and R with ``R R'`` the covariance of the shares."""

    gradient: Array
    hessian: Array
    root: Array


def second_order_parts(shares: Shares, n: float, m: float) -> Parts:
    """Return what the expansion needs, for two independent multinomial samples.

    Notes
    -----
    ``diag(p) - pp' = R R'`` with ``R = diag(p)^(1/2) - p (p^(1/2))'``, since the entries of p sum to 1.
    """
    p, q, d = shares
    ratio = log_ratio(p, q, d)
    # L + 1 - q/p = L + d/p, and the mirror
    gradient = np.concatenate([ratio + d / p, -ratio - d / q])
    cross = -np.diag(1 / p + 1 / q)
    hessian = np.block([[np.diag(1 / p + q / p**2), cross], [cross, np.diag(1 / q + p / q**2)]])
    bins = p.shape[-1]
    root = np.zeros((2 * bins, 2 * bins))
    root[:bins, :bins] = _root(p) / math.sqrt(n)
    if math.isfinite(m):
        root[bins:, bins:] = _root(q) / math.sqrt(m)
    return Parts(gradient, hessian, root)


def _root(share: Array) -> Array:
    side = np.sqrt(share)
    return np.asarray(np.diag(side) - np.outer(share, side))
