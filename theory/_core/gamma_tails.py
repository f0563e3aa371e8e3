"""Logarithms of the regularised incomplete gamma functions, far beyond the underflow of float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
_MAXITER = 100_000
_TINY = 1e-290


def log_gammaincc(a: ArrayLike, x: ArrayLike) -> Any:
    """Return ``log Q(a, x)``, the upper regularised incomplete gamma function.

    Parameters
    ----------
    a : array_like
        Shape > 0.
    x : array_like
        Argument >= 0. The p-value of a chi-square T on k degrees of freedom is ``Q(k/2, T/2)``.
    """
    from scipy.special import gammainc, gammaincc

    a, x = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(x, dtype=float))
    upper = gammaincc(a, x)
    with np.errstate(divide="ignore"):
        result = np.where(upper > 0.5, np.log1p(-gammainc(a, x)), np.log(upper))
    tail = (upper < _TINY) & (x < np.inf)
    if tail.any():
        result[tail] = _log_prefactor(a[tail], x[tail]) + np.log(_upper_fraction(a[tail], x[tail]))
    return result[()]


def log_gammainc(a: ArrayLike, x: ArrayLike) -> Any:
    """Return ``log P(a, x)``, the lower regularised incomplete gamma function, for a > 0 and x >= 0."""
    from scipy.special import gammainc, gammaincc

    a, x = np.broadcast_arrays(np.asarray(a, dtype=float), np.asarray(x, dtype=float))
    lower = gammainc(a, x)
    with np.errstate(divide="ignore"):
        result = np.where(lower > 0.5, np.log1p(-gammaincc(a, x)), np.log(lower))
    tail = (lower < _TINY) & (x > 0)
    if tail.any():
        result[tail] = _log_prefactor(a[tail], x[tail]) - np.log(a[tail]) + np.log(_lower_series(a[tail], x[tail]))
    return result[()]


def _log_prefactor(a: Array, x: Array) -> Array:
    """``log(x**a exp(-x) / Gamma(a))``, without cancelling the three large terms where x is near a."""
    from scipy.special import gammaln

    d = (x - a) / a
    from asymptopia.theory._core.special import phi

    # Stirling remainder: gammaln(a) - [(a - 1/2) log a - a + log(2 pi) / 2]
    large = a > 50.0
    b = np.where(large, a, 50.0)
    remainder = 1 / (12 * b) - 1 / (360 * b**3) + 1 / (1260 * b**5) - 1 / (1680 * b**7)
    # a log(x/a) - (x - a) = a (log1p(d) - d) = a (phi(d) - d log1p(d)); the latter does not cancel near d = 0
    near = np.abs(d) < 0.5
    close = np.where(near, d, 0.0)
    shape = a * np.where(near, phi(close) - close * np.log1p(close), np.log(x) - np.log(a) - d)
    scaled = shape + 0.5 * np.log(a) - 0.5 * np.log(2 * np.pi) - remainder
    return np.where(large, scaled, a * np.log(x) - x - gammaln(a))


def _upper_fraction(a: Array, x: Array) -> Array:
    """Continued fraction of ``Gamma(a, x) exp(x) x**-a`` for x > a + 1, by Lentz's method (DLMF 8.9.2)."""
    b = x + 1.0 - a
    c = np.full_like(x, 1e300)
    d = 1.0 / b
    value = d.copy()
    for i in range(1, _MAXITER):
        term = -i * (i - a)
        b = b + 2.0
        d = 1.0 / (term * d + b)
        c = b + term / c
        value *= c * d
        if np.all(np.abs(c * d - 1.0) < 1e-16 * 4):
            return value
    message = "the continued fraction of the upper incomplete gamma function did not converge"
    raise ArithmeticError(message)


def _lower_series(a: Array, x: Array) -> Array:
    """Series ``sum_k x**k / ((a+1)...(a+k))`` for x < a (DLMF 8.11.4)."""
    term = np.ones_like(x)
    total = np.ones_like(x)
    for k in range(1, _MAXITER):
        term = term * x / (a + k)
        total += term
        if np.all(term < 1e-17 * total):
            return total
    message = "the series of the lower incomplete gamma function did not converge"
    raise ArithmeticError(message)
