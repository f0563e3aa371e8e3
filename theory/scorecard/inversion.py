r"""Tail probabilities from a cumulant function, by the trapezoid rule on a steepest-descent parabola.

For a positive random variable with cumulant function K, analytic off a cut on the positive real axis,

.. math:: P(X > x) = \frac{1}{2\pi i} \int \frac{e^{K(s) - s x}}{s}\,ds

over a path that passes between 0 and the cut; a path left of 0 gives :math:`-P(X \le x)`. The parabola through the
saddle point with the curvature of the steepest descent makes the integrand a smooth bump, on which the trapezoid rule
converges geometrically: both tails keep their relative precision however small they are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
_STEP = 0.06
_NODES = (np.arange(220) + 0.5) * _STEP


def log_tail(exponent: Callable[[Complex], Complex], start: Array, second: Array, third: Array) -> Array:
    r"""Return ``log P(X > x)`` where `start` > 0 and ``log P(X <= x)`` where it is < 0.

    Parameters
    ----------
    exponent : callable
        :math:`K(s) - s x` for complex s; the shape of `start` with one more axis, of the nodes.
    start : ndarray
        Where the parabola crosses the real axis: at the saddle point, or left of it by about the width of the bump
        where the saddle point is nearer to the pole at 0.
    second, third : ndarray
        Derivatives :math:`K''`, :math:`K'''` there.
    """
    bend = (third / (6.0 * second))[..., None]
    scale = 1.0 / np.sqrt(second)[..., None]
    t = _NODES * scale
    path = start[..., None] + bend * t * t + 1j * t
    top = exponent(start[..., None].astype(np.complex128)).real
    slope = 2.0 * bend * t + 1j
    bump = np.exp(exponent(path) - top) * slope / path
    total = bump.imag.sum(axis=-1) * (_STEP / np.pi) * scale[..., 0]
    result: Array = top[..., 0] + np.log(np.sign(start) * total)
    return result
