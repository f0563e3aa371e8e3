r"""Elementary functions of the K-L risk that keep every digit where the textbook form cancels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import fail

Array = NDArray[np.float64]
_LARGE = 700.0
_LOG_TERMS = 21
_EXP_TERMS = 20
_SHIFT = 12
"""Where the asymptotic series of the digamma function has reached float64."""
BERNOULLI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160)
"""B_2k / (2k)."""


def log_excess(u: ArrayLike) -> Any:
    r"""Return :math:`f(u) = u - \log(1+u) \ge 0`, of which the K-L divergence between nearby members is made.

    Parameters
    ----------
    u : array_like
        Relative deviation, at least -1; :math:`f(-1) = f(\infty) = \infty`.

    Raises
    ------
    ValueError
        If an entry is below -1 or NaN.

    Notes
    -----
    Near 0 the two terms cancel to :math:`u^2/2`. With :math:`s = u/(2+u)` and :math:`\log(1+u) = 2\operatorname{artanh}
    s` the function is :math:`s\,[u - 2(s^2/3 + s^4/5 + \dots)]`, which is summed for -0.6 < u < 1.5. At most 4 units in
    the last place.

    With r the ratio of an estimated to the true scale and :math:`w = 1/r - 1`, the divergence of exponential laws is
    f(w) and of normal laws of one mean f(w)/2; Poisson laws have :math:`\lambda f(\hat\lambda/\lambda - 1)` and
    multinomial ones :math:`\sum p_i f(\hat p_i/p_i - 1)`.

    Examples
    --------
    >>> print(f"{log_excess(1e-9):.12e}")
    4.999999996667e-19
    >>> log_excess([-1.0, 0.0, 1.0]).round(6).tolist()
    [inf, 0.0, 0.306853]
    """
    u = np.asarray(u, dtype=float)
    wrong = ~(u >= -1.0)
    if wrong.any():
        raise fail("u", float(u[wrong].flat[0]), "relative deviations of at least -1")
    small = (u > -0.6) & (u < 1.5)
    near = near_log_excess(np.where(small, u, 0.0))
    large = np.where(small | np.isposinf(u), 1.5, u)
    with np.errstate(divide="ignore"):
        far = large - np.log1p(large)
    return np.where(small, near, np.where(np.isposinf(u), np.inf, far))[()]


def near_log_excess(u: NDArray[Any]) -> NDArray[Any]:
    """Return u - log(1 + u) by its series, for -0.6 < u < 1.5 and for complex u with abs(u) < 0.6.

    Examples
    --------
    >>> print(f"{near_log_excess(np.array(1e-9j)):.6e}")
    -5.000000e-19+3.333333e-28j
    """
    ratio = u / (2.0 + u)
    square = ratio * ratio
    series = np.zeros_like(ratio)
    for k in range(_LOG_TERMS, 0, -1):
        series = (1.0 / (2 * k + 1) + series) * square
    return np.asarray(ratio * (u - 2.0 * series))


def ratio_excess(u: ArrayLike, ratio: ArrayLike) -> Any:
    r"""Return `log_excess` of u, where 1 + u is also known as a ratio > 0 that is exact near 0.

    Examples
    --------
    >>> print(f"{ratio_excess(-1.0, 1e-30):.12f}")
    68.077552789821
    """
    u, ratio = np.broadcast_arrays(np.asarray(u, dtype=float), np.asarray(ratio, dtype=float))
    low = u < -0.5
    return np.where(low, u - np.log(np.where(low, ratio, 1.0)), log_excess(np.where(low, 0.0, u)))[()]


def exp_excess(a: ArrayLike) -> Any:
    r"""Return :math:`e^a - 1 - a \ge 0`.

    Parameters
    ----------
    a : array_like
        Real numbers; inf where the value is beyond float64.

    Notes
    -----
    For a centred statistic a under a law q, :math:`\log \mathrm E_q e^a = \log(1 + \mathrm E_q[e^a - 1 - a])`, a sum of
    positive terms. The Taylor series is summed for -1 < a < 1.

    Examples
    --------
    >>> print(f"{exp_excess(1e-9):.12e}")
    5.000000001667e-19
    """
    a = np.asarray(a, dtype=float)
    small = np.abs(a) < 1.0
    tiny = np.where(small, a, 0.0)
    series = np.zeros_like(tiny)
    for k in range(_EXP_TERMS, 2, -1):
        series = (1.0 + series) * tiny / k
    near = 0.5 * tiny * tiny * (1.0 + series)
    with np.errstate(over="ignore"):
        far = np.expm1(a) - a
    return np.where(small, near, far)[()]


def log_mean_exp(z: Array, weights: Array, log_weights: Array | None = None) -> float:
    r"""Return :math:`\log\sum_a w_a e^{z_a} \ge 0` of z less its mean, for weights that sum to 1.

    Parameters
    ----------
    z, weights : ndarray, shape (N,)
    log_weights : ndarray, shape (N,), optional
        Logarithms of the weights, for those that underflow.

    Notes
    -----
    The sum is one plus that of :math:`w_a(e^{z_a} - 1 - z_a)`, terms that are not negative: also a rare state with a
    large z costs no digits.

    Examples
    --------
    >>> print(f"{log_mean_exp(np.array([3.0, 0.0]), np.array([1e-10, 1 - 1e-10])):.10e}")
    1.6085536905e-09
    """
    centred = z - weights @ z
    # a second pass takes the rounding of the mean, which would count at first order
    centred = centred - weights @ centred
    if centred.max(initial=0.0) < _LARGE:
        return math.log1p(float(weights @ exp_excess(centred)))
    logs = centred + (np.log(weights) if log_weights is None else log_weights)
    return float(logs.max() + math.log(np.exp(logs - logs.max()).sum()))


def digamma_excess(x: ArrayLike) -> Any:
    r"""Return :math:`\log x - \psi(x) > 0`, about 1/(2x), without cancellation.

    Parameters
    ----------
    x : array_like
        Numbers > 0.

    Raises
    ------
    ValueError
        If an entry is not > 0.

    Notes
    -----
    :math:`g(x) = g(x+1) + f(1/x)` with `log_excess` f moves x beyond 12 in a sum of positive terms; there
    :math:`g(x) = 1/(2x) + \sum_k B_{2k}/(2k\,x^{2k})`.

    References
    ----------
    .. [1] F. W. J. Olver et al., "NIST Digital Library of Mathematical Functions", 5.5.2 and 5.11.2.

    Examples
    --------
    >>> print(f"{digamma_excess(1.0):.12f} {digamma_excess(1e8):.12e}")
    0.577215664902 5.000000008333e-09
    """
    x = np.asarray(x, dtype=float)
    wrong = ~(x > 0.0)
    if wrong.any():
        raise fail("x", float(x[wrong].flat[0]), "numbers > 0")
    moved = np.where(x < _SHIFT, x + _SHIFT, x)
    with np.errstate(under="ignore"):
        square = (1.0 / moved) ** 2
    series = np.zeros_like(moved)
    for value in reversed(BERNOULLI):
        series = (value + series) * square
    result = 0.5 / moved + series
    low = x < _SHIFT
    if low.any():
        start = np.where(low, x, 1.0)
        with np.errstate(over="ignore"):
            for k in range(_SHIFT - 1, -1, -1):
                result = result + np.where(low, log_excess(1.0 / (start + k)), 0.0)
    return result[()]
