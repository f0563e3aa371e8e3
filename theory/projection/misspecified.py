"""Closed forms of the risk's coefficients where the truth is outside the model.

Each function takes what it needs of the truth, as scalars or arrays, and returns a `ClosedForm`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.validation import fail, integer, numeric
from asymptopia.theory.projection.closed_forms import within
from asymptopia.theory.projection.coefficients import ClosedForm

__all__ = [
    "exponential_from_gamma",
    "independent_binary",
    "mardia_trace",
    "normal_from_moments",
    "poisson_from_counts",
    "poisson_from_negative_binomial",
]

_ROUNDING = 1e-12


def exponential_from_gamma(shape: ArrayLike) -> ClosedForm:
    """Return the coefficients of the exponential family where the truth is a gamma variable of this shape, any scale.

    The optimism is 1/(shape n - 1) exactly.

    Examples
    --------
    >>> exponential_from_gamma(2.0).c1, exponential_from_gamma(2.0).optimism2
    (0.25, 0.25)
    """
    x = 1.0 / within("shape", shape, 0.0)
    return ClosedForm.of((0.5 * x, 11.0 * x * x / 12.0, x**3), (0.5 * x, x * x / 12.0, 0.0 * x))


def poisson_from_negative_binomial(mean: ArrayLike, size: ArrayLike) -> ClosedForm:
    """Return the coefficients of the Poisson family where the truth is negative binomial, given that not all are 0.

    Parameters
    ----------
    mean, size : array_like
        Mean l > 0 and size r > 0 of the truth, whose variance is ``l + l^2/r``.
    """
    m, r = within("mean", mean, 0.0), within("size", size, 0.0)
    x, y = 1.0 / m, 1.0 / r
    risk = (
        0.5 * (1.0 + m * y),
        m * y * y / 12.0 + 0.5 * y + 5.0 * x / 12.0,
        0.5 * y * y + 1.25 * x * y + 0.75 * x * x,
    )
    reverse = (risk[0], x / 12.0 - m * y * y / 12.0, (x * x + x * y) / 12.0)
    return ClosedForm.of(risk, reverse)


def poisson_from_counts(
    mean: ArrayLike, var: ArrayLike, third: ArrayLike, fourth: ArrayLike | None = None
) -> ClosedForm:
    """Return the coefficients of the Poisson family for counts of any law, given that not all are 0.

    Parameters
    ----------
    mean, var, third : array_like
        Mean > 0, variance > 0 and third central moment of the truth.
    fourth : array_like, optional
        Fourth cumulant (the fourth central moment less ``3 var^2``), for the third coefficients.
    """
    m, v, k3 = within("mean", mean, 0.0), within("var", var, 0.0), _number("third", third)
    first = 0.5 * v / m
    risk2 = -k3 / (3.0 * m**2) + 0.75 * v**2 / m**3
    reverse2 = -k3 / (6.0 * m**2) + 0.25 * v**2 / m**3
    if fourth is None:
        return ClosedForm.of((first, risk2, None), (first, reverse2, None))
    k4 = _number("fourth", fourth)
    risk3 = 0.25 * k4 / m**3 - 2.0 * v * k3 / m**4 + 2.5 * v**3 / m**5
    reverse3 = k4 / (12.0 * m**3) - 0.5 * v * k3 / m**4 + 0.5 * v**3 / m**5
    return ClosedForm.of((first, risk2, risk3), (first, reverse2, reverse3))


def normal_from_moments(skewness: ArrayLike, excess_kurtosis: ArrayLike, sixth: ArrayLike) -> ClosedForm:
    """Return the coefficients of the normal family, mean and variance, for any truth with six moments.

    Parameters
    ----------
    skewness, excess_kurtosis : array_like
        Third moment of the standardized variable, and its fourth less 3.
    sixth : array_like
        Its sixth moment, 15 for a normal truth.

    Raises
    ------
    ValueError
        If no law has these moments.

    Examples
    --------
    A Laplace truth:

    >>> normal_from_moments(0.0, 3.0, 90.0).c1
    1.75
    """
    g1, g2, m6 = _number("skewness", skewness), _number("excess_kurtosis", excess_kurtosis), _number("sixth", sixth)
    room = g2 + 2.0 - g1**2
    if np.any(room < -_ROUNDING * (1.0 + np.abs(g2) + g1**2)):
        raise fail("excess_kurtosis", excess_kurtosis, "at least skewness^2 - 2: no law has less")
    if np.any(m6 < (g2 + 3.0) ** 2 * (1.0 - _ROUNDING)):
        raise fail("sixth", sixth, "at least (excess_kurtosis + 3)^2: no law has less")
    first = 1.0 + 0.25 * g2
    risk = 121.0 / 12.0 - m6 / 3.0 + 3.0 * g1**2 + 1.125 * g2**2 + 6.0 * g2
    reverse = 41.0 / 12.0 - m6 / 6.0 + g1**2 + 0.375 * g2**2 + 2.0 * g2
    return ClosedForm.of((first, risk, None), (first, reverse, None))


def independent_binary(probs: ArrayLike) -> ClosedForm:
    """Return the coefficients of the model of k independent binary variables, whatever the true dependence.

    Parameters
    ----------
    probs : array_like, shape (..., k)
        True probabilities of each being 1, in (0, 1).

    Notes
    -----
    The divergence is a sum over the variables, and so is its mean; covariances between them cancel in the expansion.
    """
    from asymptopia.theory.projection.closed_forms import bernoulli

    p = np.atleast_1d(within("probs", probs, 0.0, 1.0))
    sums = [np.sum(item, axis=-1) for item in bernoulli(p)]
    return ClosedForm(*(float(item) if np.ndim(item) == 0 else item for item in sums))


def mardia_trace(kurtosis: ArrayLike, d: int) -> Any:
    """Return t0 of the multivariate normal family, mean and covariance, for a truth of Mardia kurtosis ``E|y|^4``.

    The leading risk is t0/(2n). A normal truth has the kurtosis d(d + 2).
    """
    d = integer("d", d, 1)
    value = _number("kurtosis", kurtosis)
    if np.any(value < d * d * (1.0 - _ROUNDING)):
        raise fail("kurtosis", kurtosis, f"at least d^2 = {d * d}: no law has less")
    return 0.5 * (value + d)


def _number(name: str, value: ArrayLike) -> Any:
    array = numeric(name, value)
    return float(array) if array.ndim == 0 else array
