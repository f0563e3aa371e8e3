"""Log likelihoods by families, with respect to Lebesgue or counting measure, so that families can be compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily

Array = NDArray[np.float64]

_LOG_2PI = math.log(2.0 * math.pi)


def log_likelihood(family: ExponentialFamily, theta: Array, data: ArrayLike) -> float:
    """Return the log likelihood of the data, nats.

    Notes
    -----
    The likelihood of a family outside the table is with respect to its own reference measure.
    """
    density = _DENSITIES.get(family.name)
    if density is None:
        from asymptopia.theory.projection.families.finite import FiniteSupport

        rows = family.statistic(data)
        value = rows.shape[0] * (rows.mean(axis=0) @ theta - family.log_partition(theta))
        if isinstance(family, FiniteSupport):
            value += family.support().log_base[family.state_index(data)].sum()
        return float(value)
    return float(density(np.asarray(data, dtype=np.float64), family.usual(theta), family))


def _poisson(x: Array, usual: Mapping[str, Any], _: Any) -> float:
    from scipy.special import gammaln, xlogy

    return float((xlogy(x, usual["lam"]) - usual["lam"] - gammaln(x + 1.0)).sum())


def _negative_binomial(x: Array, usual: Mapping[str, Any], family: Any) -> float:
    from scipy.special import gammaln

    q, r = usual["q"], family.size
    return float((x * math.log(q) + r * math.log1p(-q) + gammaln(x + r) - gammaln(r) - gammaln(x + 1.0)).sum())


def _exponential(x: Array, usual: Mapping[str, Any], _: Any) -> float:
    rate = usual["rate"]
    return float((math.log(rate) - rate * x).sum())


def _gamma(x: Array, usual: Mapping[str, Any], family: Any) -> float:
    shape, rate = usual.get("shape", family.known_shape), usual["rate"]
    return float((shape * math.log(rate) - math.lgamma(shape) + (shape - 1.0) * np.log(x) - rate * x).sum())


def _normal(x: Array, usual: Mapping[str, Any], _: Any) -> float:
    s = usual["sigma2"]
    return float((-0.5 * (_LOG_2PI + math.log(s)) - 0.5 * (x - usual["mu"]) ** 2 / s).sum())


def _multivariate(x: Array, usual: Mapping[str, Any], family: Any) -> float:
    from scipy.linalg import solve_triangular

    cov = np.atleast_2d(usual["cov"])
    d = cov.shape[0]
    known = getattr(family, "known_mean", False)
    mean = usual.get("mean", 0.0 if known is True or known is False else known)
    root = np.linalg.cholesky(cov)
    z = solve_triangular(root, (x.reshape(-1, d) - mean).T, lower=True)
    return float(-0.5 * np.vdot(z, z) - z.shape[1] * (0.5 * d * _LOG_2PI + np.log(np.diag(root)).sum()))


def _inverse_gaussian(x: Array, usual: Mapping[str, Any], _: Any) -> float:
    mu, lam = usual["mu"], usual["lam"]
    return float((0.5 * (math.log(lam) - _LOG_2PI - 3.0 * np.log(x)) - lam * (x - mu) ** 2 / (2.0 * mu**2 * x)).sum())


def _beta(x: Array, usual: Mapping[str, Any], _: Any) -> float:
    from scipy.special import betaln

    a, b = usual["a"], usual["b"]
    return float(((a - 1.0) * np.log(x) + (b - 1.0) * np.log1p(-x) - betaln(a, b)).sum())


def _dirichlet(x: Array, usual: Mapping[str, Any], _: Any) -> float:
    from scipy.special import gammaln

    alpha = np.asarray(usual["alpha"])
    return float((np.log(x) @ (alpha - 1.0) + gammaln(alpha.sum()) - gammaln(alpha).sum()).sum())


_DENSITIES: dict[str, Callable[[Array, Mapping[str, Any], Any], float]] = {
    "Poisson": _poisson,
    "NegativeBinomial": _negative_binomial,
    "Exponential": _exponential,
    "Gamma": _gamma,
    "Normal": _normal,
    "MultivariateNormal": _multivariate,
    "InverseGaussian": _inverse_gaussian,
    "Beta": _beta,
    "Dirichlet": _dirichlet,
}
