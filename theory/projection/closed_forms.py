r"""Closed forms of the risk's coefficients where the truth is in the model.

Each function takes the usual parameters, as scalars or arrays, and returns a `ClosedForm`. With the dual potential's
contractions the risk has :math:`c_2 = A_3/3 + 3A_4/8`, the reverse risk :math:`A_3/6 + A_4/8` and the optimism
:math:`(A_3 + A_4)/2`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.validation import Array, fail, integer, numeric
from asymptopia.theory.projection.coefficients import ClosedForm
from asymptopia.theory.projection.families.protocol import check_family
from asymptopia.theory.projection.polygamma_forms import dirichlet, gamma

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily

__all__ = [
    "ClosedForm",
    "bernoulli",
    "closed_form",
    "dirichlet",
    "exponential",
    "gamma",
    "gamma_known_shape",
    "inverse_gaussian",
    "multinomial",
    "multivariate_normal",
    "multivariate_normal_known_mean",
    "negative_binomial",
    "normal",
    "poisson",
]


_LEAST = 1e-100


def bernoulli(p: ArrayLike) -> ClosedForm:
    """Return the coefficients for a Bernoulli variable, given that both outcomes occur; p in (0, 1).

    Examples
    --------
    >>> bernoulli(0.5).c2
    0.75
    """
    q = within("p", p, 0.0, 1.0)
    s1, s2 = 1.0 / (q * (1.0 - q)), 1.0 / (q * q) + 1.0 / ((1.0 - q) * (1.0 - q))
    return _cells(s1, s2, 2.0)


def multinomial(probs: ArrayLike) -> ClosedForm:
    """Return the coefficients for one draw from k cells, given that all occur; `probs` has the cells last.

    Examples
    --------
    >>> round(multinomial([0.5, 0.3, 0.2]).c2, 12)
    2.888888888889
    """
    p = numeric("probs", probs, min_ndim=1)
    if p.shape[-1] < 2:
        raise fail("probs.shape[-1]", p.shape[-1], "at least 2 cells")
    if (p <= 0.0).any():
        raise fail("probs", float(p.min()), "probabilities > 0: drop empty cells")
    if (np.abs(p.sum(axis=-1) - 1.0) > 1e-9).any():
        raise fail("probs.sum(axis=-1)", p.sum(axis=-1).tolist(), "1")
    return _cells(_give((1.0 / p).sum(axis=-1)), _give((1.0 / (p * p)).sum(axis=-1)), float(p.shape[-1]))


def _cells(s1: Any, s2: Any, k: float) -> ClosedForm:
    """Return the coefficients from the sums of 1/p and 1/p^2 over k cells."""
    first = 0.5 * (k - 1.0) + 0.0 * s1
    risk = (first, (5.0 * s1 + 1.0) / 12.0 - 0.5 * k, 0.75 * s2 - 1.25 * s1 + 0.5 * k)
    return ClosedForm.of(risk, (first, (s1 - 1.0) / 12.0, (s2 - s1) / 12.0))


def poisson(lam: ArrayLike) -> ClosedForm:
    """Return the coefficients for a Poisson variable of mean `lam` > 0, given that not all are 0."""
    x = 1.0 / within("lam", lam, 0.0)
    half = 0.5 + 0.0 * x
    return ClosedForm.of((half, 5.0 * x / 12.0, 0.75 * x * x), (half, x / 12.0, x * x / 12.0))


def negative_binomial(size: ArrayLike, q: ArrayLike) -> ClosedForm:
    """Return the coefficients for P(x) ~ q^x with known `size` > 0 and q in (0, 1), given that not all are 0."""
    r, q = np.broadcast_arrays(within("size", size, 0.0), within("q", q, 0.0, 1.0))
    x = 1.0 / (q * r)
    half = 0.5 + 0.0 * x
    risk = (half, (5.0 * q * q + q + 5.0) * x / 12.0, (3.0 * q**4 - q**3 - q + 3.0) * x * x / 4.0)
    reverse = (half, (q * q - q + 1.0) * x / 12.0, (1.0 - q) * (1.0 - q**3) * x * x / 12.0)
    return _given(ClosedForm.of(risk, reverse))


def exponential() -> ClosedForm:
    """Return the coefficients for an exponential variable, the same at every rate."""
    return gamma_known_shape(1.0)


def gamma_known_shape(shape: ArrayLike) -> ClosedForm:
    """Return the coefficients for the rate of a gamma variable of known shape > 0, the same at every rate."""
    x = 1.0 / within("shape", shape, 0.0)
    half = 0.5 + 0.0 * x
    return ClosedForm.of((half, 11.0 * x / 12.0, x * x), (half, x / 12.0, 0.0 * x))


def normal() -> ClosedForm:
    """Return the coefficients for the mean and variance of a normal variable."""
    return ClosedForm.of((1.0, 61.0 / 12.0, 17.0), (1.0, 11.0 / 12.0, 1.0))


def multivariate_normal(d: int) -> ClosedForm:
    """Return the coefficients for the mean and covariance of a normal vector in d dimensions.

    The optimism is p/(n - d - 2) exactly, p = d(d + 3)/2.
    """
    d = integer("d", d, 1)
    p = d * (d + 3) / 2
    risk = (p / 2, d * (10 * d * d + 51 * d + 61) / 24, d * (d + 2) * (d + 3) * (11 * d + 23) / 24)
    return ClosedForm.of(risk, (p / 2, d * (2 * d * d + 9 * d + 11) / 24, d * (d + 1) * (d + 2) * (d + 3) / 24))


def multivariate_normal_known_mean(d: int) -> ClosedForm:
    """Return the coefficients for the covariance of a normal vector of known mean in d dimensions.

    The optimism is p/(n - d - 1) exactly, p = d(d + 1)/2.
    """
    d = integer("d", d, 1)
    p = d * (d + 1) / 2
    risk = (p / 2, d * (10 * d * d + 21 * d + 13) / 24, d * (d + 1) * (11 * d * d + 23 * d + 14) / 24)
    return ClosedForm.of(risk, (p / 2, d * (2 * d * d + 3 * d - 1) / 24, (d - 1) * d * (d + 1) * (d + 2) / 24))


def inverse_gaussian(mu: ArrayLike, lam: ArrayLike) -> ClosedForm:
    """Return the coefficients for mean `mu` > 0 and shape `lam` > 0 of an inverse Gaussian variable."""
    phi = within("mu", mu, 0.0) / within("lam", lam, 0.0)
    one = 1.0 + 0.0 * phi
    risk = (one, 61.0 / 12.0 + 1.5 * phi, 17.0 + 4.5 * phi)
    return ClosedForm.of(risk, (one, 11.0 / 12.0 * one, one))


def closed_form(family: ExponentialFamily, theta: ArrayLike) -> ClosedForm | None:
    """Return the coefficients of a family at `theta`, natural parameter (p,), or None where no closed form is known.

    Raises
    ------
    TypeError
        If `family` is no exponential family.

    Examples
    --------
    >>> from asymptopia.theory.projection.families.discrete import Poisson
    >>> family = Poisson()
    >>> round(closed_form(family, family.natural(lam=2.0)).c2, 12)
    0.208333333333
    """
    check_family(family)
    kind = type(family)
    # a class of the user may carry the same name
    if not kind.__module__.startswith("asymptopia.theory.projection.families"):
        return None
    return _by_name(kind.__name__, family, theta)


def _by_name(name: str, family: Any, theta: ArrayLike) -> ClosedForm | None:
    # those that do not depend on theta first: `usual` of a covariance matrix costs an inverse
    match name:
        case "Exponential":
            return exponential()
        case "Normal":
            return normal()
        case "Gamma" if family.known_shape is not None:
            return gamma_known_shape(family.known_shape)
        case "MultivariateNormal":
            # a known mean is True or the vector itself
            full = family.known_mean is False or family.known_mean is None
            return multivariate_normal(family.d) if full else multivariate_normal_known_mean(family.d)
    if name not in _USUAL:
        return None
    form, names = _USUAL[name]
    usual = family.usual(theta)
    if name == "Beta":
        return dirichlet([usual["a"], usual["b"]])
    fixed = [family.size] if name == "NegativeBinomial" else []
    return form(*fixed, *(usual[key] for key in names))


_USUAL: dict[str, tuple[Callable[..., ClosedForm], tuple[str, ...]]] = {
    "Bernoulli": (bernoulli, ("p",)),
    "Multinomial": (multinomial, ("probs",)),
    "Poisson": (poisson, ("lam",)),
    "NegativeBinomial": (negative_binomial, ("q",)),
    "Gamma": (gamma, ("shape",)),
    "InverseGaussian": (inverse_gaussian, ("mu", "lam")),
    "Beta": (dirichlet, ("a", "b")),
    "Dirichlet": (dirichlet, ("alpha",)),
}


def within(name: str, value: ArrayLike, low: float, high: float = math.inf) -> Any:
    """Return `value` as a float or an array strictly between `low` and `high`, and not below 1e-100 where low is 0."""
    array = numeric(name, value)
    bad = ~((array > low) & (array < high))
    least = low == 0.0 and not bad.any()
    if least:
        # the third power of its inverse is a float
        bad = array < _LEAST
    if bad.any():
        span = f"numbers > {low:g}" if high == math.inf else f"numbers in ({low:g}, {high:g})"
        span = f"numbers of at least {_LEAST:g}" if least else span
        raise fail(name, float(array[bad].flat[0]), span)
    return _give(array)


def _give(value: Array) -> Any:
    return float(value) if np.ndim(value) == 0 else value


def _given(form: ClosedForm) -> ClosedForm:
    return ClosedForm(*(item if item is None else _give(item) for item in form))
