r"""Exact risks of the MLE in families of gamma, normal and inverse Gaussian laws, elementwise in n and parameters.

With :math:`g(x) = \log x - \psi(x)` every formula is a short sum of terms of the order of the result, so that nothing
cancels at large n. All values are in nats; where the mean of the divergence does not exist they are inf.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory.projection.stable_risk import digamma_excess

Array = NDArray[np.float64]


def gamma_risk(n: ArrayLike, shape: ArrayLike, true_shape: ArrayLike | None = None) -> Any:
    r"""Return the risk of gamma laws of known shape k, the data gamma with shape a of any scale.

    Parameters
    ----------
    n : array_like
        Sample sizes, >= 1.
    shape : array_like
        Shape k > 0 of the model; 1 for exponential laws.
    true_shape : array_like, optional
        Shape a > 0 of the data; that of the model if None.

    Notes
    -----
    :math:`k\,[1/(na-1) - g(na)]` for na > 1: the estimated rate over the true one is k/a times na over a gamma variable
    of shape na.

    Examples
    --------
    >>> print(f"{gamma_risk(5, 1.0):.15f}")
    0.146679755997700
    """
    k = np.asarray(shape, dtype=float)
    x = np.asarray(n, dtype=float) * (k if true_shape is None else np.asarray(true_shape, dtype=float))
    return _finite(x > 1.0, x, 2.0, lambda x: 1.0 / (x - 1.0) - digamma_excess(x), k)


def normal_risk(n: ArrayLike) -> Any:
    r"""Return the risk of normal laws of unknown mean and variance.

    Parameters
    ----------
    n : array_like
        Sample sizes, >= 1.

    Notes
    -----
    :math:`\tfrac12[\log(1-\tfrac1n) - g(\tfrac{n-1}2)] + \tfrac2{n-3}` for n >= 4.

    Examples
    --------
    >>> print(f"{normal_risk(10):.15f}")
    0.175430792677000
    """
    return multivariate_normal_risk(n, 1)


def multivariate_normal_risk(n: ArrayLike, d: int, *, known_mean: bool = False) -> Any:
    r"""Return the risk of d-variate normal laws, of unknown mean and covariance or covariance only.

    Parameters
    ----------
    n : array_like
        Sample sizes, >= 1.
    d : int
        Dimension, >= 1.
    known_mean : bool
        Whether only the covariance is estimated, about the known mean.

    Notes
    -----
    With :math:`m = n-1`, or n where the mean is known,

    .. math:: \tfrac12\Big[\sum_{i=0}^{d-1}\log\big(1-\tfrac{n-m+i}n\big) - g\big(\tfrac{m-i}2\big)\Big]
              + \frac{d(d+1+2(n-m))}{2(m-d-1)},\qquad m \ge d+2,

    from the chi-square factors of the Wishart determinant and the mean of its inverse.

    References
    ----------
    .. [1] T. W. Anderson, "An Introduction to Multivariate Statistical Analysis", 3rd ed., 2003, section 7.5.

    Examples
    --------
    >>> print(f"{multivariate_normal_risk(15, 3):.14f} {multivariate_normal_risk(10, 2, known_mean=True):.14f}")
    0.56355213615170 0.26662781353299
    """
    size = np.asarray(n, dtype=float)
    lost = 0.0 if known_mean else 1.0

    def risk(size: Array) -> Array:
        free = size - lost
        total = np.zeros_like(size)
        for i in range(d):
            total += np.log1p(-(lost + i) / size) - digamma_excess(0.5 * (free - i))
        return np.asarray(0.5 * (total + d * (d + 1.0 + 2.0 * lost) / (free - d - 1.0)))

    return _finite(size - lost >= d + 2.0, size, d + 4.0, risk, 1.0)


def inverse_gaussian_risk(n: ArrayLike, phi: ArrayLike) -> Any:
    r"""Return the risk of inverse Gaussian laws of unknown mean and shape.

    Parameters
    ----------
    n : array_like
        Sample sizes, >= 1.
    phi : array_like
        Mean over shape, :math:`\mu/\lambda > 0`.

    Notes
    -----
    :math:`\tfrac12[\log(1-\tfrac1n) - g(\tfrac{n-1}2)] + \frac{4 + 3\varphi/n}{2(n-3)}` for n >= 4: the sample mean is
    inverse Gaussian and independent of the estimated shape, whose reciprocal is a chi-square variable.

    References
    ----------
    .. [1] M. C. K. Tweedie, "Statistical Properties of Inverse Gaussian Distributions I", Ann. Math. Statist. 28, 1957,
       362-377.

    Examples
    --------
    >>> print(f"{inverse_gaussian_risk(20, 0.5):.15f}")
    0.067429332880923
    """
    size, ratio = np.broadcast_arrays(np.asarray(n, dtype=float), np.asarray(phi, dtype=float))

    def extra(size: Array) -> Array:
        return np.asarray(1.5 * ratio / (size * (size - 3.0)))

    base = np.asarray(normal_risk(size))
    return (base + _finite(size >= 4.0, size, 5.0, extra, 1.0))[()]


def _finite(inside: Any, x: Array, inner: float, risk: Any, factor: Any) -> Any:
    """Return ``factor * risk(x)`` inside and inf elsewhere; `inner` stands in for x there."""
    return np.where(inside, factor * risk(np.where(inside, x, inner)), np.inf)[()]
