r"""The Bayes error rate and the K-L divergence: sharp bounds, their inverses and thresholds of the divergence."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import choice, fail, numeric
from asymptopia.theory.projection import bayes_prior, vajda

Array = NDArray[np.float64]
LEAST = 1e-300
"""Error rates below it are not told from 0."""
LEAST_LOSS = 1e-150
BOUNDS = ("sharp", "pinsker", "local", "bh")
"""Relations between the divergence and the total variation that are offered."""


class BayesErrorBounds(NamedTuple):
    """Smallest and largest Bayes error rate; the largest is approached, not attained."""

    low: Any
    high: Any


def min_kl_given_tv(v: ArrayLike | None = None, *, complement: ArrayLike | None = None) -> Any:
    r"""Return the smallest K-L divergence L(V) between two laws of total variation V, in nats.

    Parameters
    ----------
    v : array_like
        Total variation :math:`V = \tfrac12\int|p - q|`, 0 <= V < 1.
    complement : array_like, optional
        1 - V in (0, 1] instead, which keeps its digits near V = 1.

    Returns
    -------
    float or ndarray

    Raises
    ------
    TypeError
        If not exactly one of the two is given, or it is not of real numbers.
    ValueError
        If it is out of range.

    Notes
    -----
    No assumption on the laws. The minimum is attained by two laws on two points:

    .. math:: L(V) = \min_b d(b+V\,\|\,b), \qquad V = \tfrac t2\Big[1 - \big(\coth t - \tfrac1t\big)^2\Big],\quad
              L = \log\frac t{\sinh t} + t\coth t - \frac{t^2}{\sinh^2t},

    with :math:`L'(V) = 2t`, :math:`L = 2V^2 + \tfrac49V^4 + \tfrac{32}{135}V^6 + \dots` and, for V near 1,
    :math:`L = -\log(1-V)` up to exponentially small terms. The parametric form is evaluated in sums of positive terms;
    at most 1e-14 relative, beside what the rounding of the argument costs.

    References
    ----------
    .. [1] A. A. Fedotov, P. Harremoes, F. Topsoe, "Refinements of Pinsker's inequality", IEEE Trans. Inform. Theory
       49, 2003, 1491-1498, theorem 1.

    Examples
    --------
    >>> print(f"{min_kl_given_tv(0.1):.14f} {min_kl_given_tv(0.5):.14f}")
    0.02004468315795 0.53229790889200
    >>> round(min_kl_given_tv(complement=1e-100), 9)
    230.258509299
    """
    if (v is None) == (complement is None):
        message = "v and complement are both given or both missing; expected exactly one of them"
        raise TypeError(message)
    if v is not None:
        value = numeric("v", v)
        wrong = ~((value >= 0.0) & (value < 1.0))
        if wrong.any():
            raise fail("v", float(value[wrong].flat[0]), "total variations in [0, 1): at 1 the divergence is infinite")
        rest = 1.0 - value
    else:
        rest = numeric("complement", [] if complement is None else complement)
        wrong = ~((rest > 0.0) & (rest <= 1.0))
        if wrong.any():
            raise fail("complement", float(rest[wrong].flat[0]), "1 - V in (0, 1]")
        value = 1.0 - rest
    return _give(vajda.least_divergence(value, rest))


def max_tv_given_kl(d: ArrayLike, *, complement: bool = False) -> Any:
    r"""Return the largest total variation between two laws of K-L divergence d, the inverse of `min_kl_given_tv`.

    Parameters
    ----------
    d : array_like
        Divergence in nats, >= 0; inf gives 1.
    complement : bool
        Return 1 - V instead, which keeps its digits where d is large.

    Returns
    -------
    float or ndarray

    Raises
    ------
    TypeError
        If `d` is not of real numbers.
    ValueError
        If an entry is negative or NaN.

    Notes
    -----
    Newton's method in log t on :math:`\log(e^{2L(t)} - 1)`, which is nearly linear, with the curve of
    `min_kl_given_tv`. Where :math:`e^{-2t}` is below rounding, V is :math:`1 - e^{-d}`. At most 1e-14 relative, in V
    and in 1 - V.

    References
    ----------
    .. [1] A. A. Fedotov, P. Harremoes, F. Topsoe, "Refinements of Pinsker's inequality", IEEE Trans. Inform. Theory
       49, 2003, 1491-1498, theorem 1.

    Examples
    --------
    >>> print(f"{max_tv_given_kl(0.02):.14f}")
    0.09988872789816
    >>> print(f"{max_tv_given_kl(100.0, complement=True):.12e}")
    3.720075976021e-44
    """
    largest, rest = vajda.most_variation(_divergence("d", d))
    return _give(rest if complement else largest)


def bayes_error_bounds(kl: ArrayLike, prior: ArrayLike = 0.5, *, method: str = "sharp") -> BayesErrorBounds:
    r"""Return the smallest and largest Bayes error rate of two classes whose laws have K-L divergence `kl`.

    Parameters
    ----------
    kl : array_like
        Divergence KL(P||Q) in nats, >= 0; inf is allowed.
    prior : array_like
        Prior probability of P, in (0, 1); broadcast against `kl`.
    method : {"sharp", "pinsker", "bh", "local"}
        Lower bound: the attained one; through :math:`V \le \sqrt{D/2}`; through :math:`V \le \sqrt{1-e^{-D}}`
        (Bretagnolle and Huber); or the leading order :math:`V = \sqrt{D/\pi}` of laws whose log ratio is nearly normal,
        which is no bound.

    Returns
    -------
    BayesErrorBounds
        `low` and `high`, floats or arrays.

    Raises
    ------
    TypeError
        If an argument is not of real numbers.
    ValueError
        If a divergence is negative, a prior is outside (0, 1) or the method is unknown.

    Notes
    -----
    :math:`Er = \int\min(\pi p, (1-\pi)q)`, at equal priors :math:`(1-V)/2`. The upper end :math:`\min(\pi, 1-\pi)` is
    the supremum for every divergence, infinite ones included: a large divergence never implies that the laws can be
    told apart. The methods other than "sharp" take :math:`Er \ge \min(\pi,1-\pi)(1-V)`, which is weak at unequal
    priors; where their V exceeds 1 the bound is 0.

    References
    ----------
    .. [1] J. Bretagnolle, C. Huber, "Estimation des densites: risque minimax", Seminaire de probabilites XII, 1978,
       342-363, lemma 2.1.
    .. [2] A. A. Fedotov, P. Harremoes, F. Topsoe, "Refinements of Pinsker's inequality", IEEE Trans. Inform. Theory
       49, 2003, 1491-1498.

    Examples
    --------
    >>> low, high = bayes_error_bounds(0.02)
    >>> print(f"{low:.14f}", high)
    0.45005563605092 0.5
    >>> round(bayes_error_bounds(0.02, method="pinsker").low, 12)
    0.45
    """
    divergence, weight = np.broadcast_arrays(_divergence("kl", kl), _prior(prior))
    kind = choice("method", method, BOUNDS)
    high = np.minimum(weight, 1.0 - weight)
    if kind == "sharp":
        low = _per_prior(weight, divergence, lambda d: 0.5 * vajda.most_variation(d)[1], bayes_prior.least_error)
    else:
        low = high * _complement(divergence, kind)
    return BayesErrorBounds(_give(low), _give(np.array(high)))


def min_kl_given_bayes_error(e: ArrayLike, prior: ArrayLike = 0.5) -> Any:
    r"""Return the smallest K-L divergence KL(P||Q), in nats, between two laws whose Bayes error rate is `e`.

    Parameters
    ----------
    e : array_like
        Bayes error rate, in (0, min(prior, 1 - prior)].
    prior : array_like
        Prior probability of P, in (0, 1); broadcast against `e`.

    Returns
    -------
    float or ndarray

    Raises
    ------
    TypeError
        If an argument is not of real numbers.
    ValueError
        If one is out of range.

    Notes
    -----
    By data processing the minimum is over laws on two points,

    .. math:: \min_q d(p\|q), \qquad \pi(1-p) + (1-\pi)q = e,

    a convex problem. With :math:`q = \frac e{1-\pi}\sigma` and :math:`1-p = \frac e\pi(1-\sigma)` the constraint holds
    for every :math:`\sigma`, and p - q is a sum of positive terms. Not symmetric in the prior, for the divergence is
    not.

    References
    ----------
    .. [1] A. A. Fedotov, P. Harremoes, F. Topsoe, "Refinements of Pinsker's inequality", IEEE Trans. Inform. Theory
       49, 2003, 1491-1498 (equal priors; the others are derived here).

    Examples
    --------
    >>> print(f"{min_kl_given_bayes_error(0.2, prior=0.3):.14f}")
    0.66094637881771
    """
    error, weight = np.broadcast_arrays(numeric("e", e), _prior(prior))
    high = np.minimum(weight, 1.0 - weight)
    wrong = ~((error > 0.0) & (error <= high))
    if wrong.any():
        most = float(high[wrong].flat[0])
        raise fail("e", float(error[wrong].flat[0]), f"error rates in (0, {most:g}], at most min(prior, 1 - prior)")
    if (error < LEAST).any():
        raise fail("e", float(error.min()), f"error rates of at least {LEAST:g}")
    return _give(
        _per_prior(
            weight,
            error,
            lambda x: vajda.least_divergence(1.0 - 2.0 * x, 2.0 * x),
            lambda x, w: bayes_prior.least_divergence(x, np.minimum(w, 1.0 - w) - x, w),
        )
    )


def kl_threshold(alpha: ArrayLike, bound: str = "sharp", prior: ArrayLike = 0.5) -> Any:
    r"""Return the divergence up to which the Bayes error rate stays within `alpha` of its largest value.

    Parameters
    ----------
    alpha : array_like
        Allowed loss of error rate, in (0, 1/2) at equal priors, else in (0, min(prior, 1 - prior)).
    bound : {"sharp", "pinsker", "local", "bh"}
        Relation used, see `bayes_error_bounds`. At equal priors the thresholds are L(2 alpha), 8 alpha^2,
        4 pi alpha^2 and -log(1 - 4 alpha^2).
    prior : array_like
        Prior probability of the first law, in (0, 1).

    Returns
    -------
    float or ndarray
        Divergence in nats.

    Raises
    ------
    TypeError
        If an argument is not of real numbers.
    ValueError
        If one is out of range.

    Notes
    -----
    The lower bounds of the error rate are convex in the divergence, so that a mean divergence (a risk) of at most the
    threshold keeps the mean error rate above :math:`\min(\pi,1-\pi) - \alpha` (Jensen's inequality). "bh" is weaker
    than "pinsker" below 1.59 nats, and "local" is a leading order, not a bound. The criterion is sufficient, not
    necessary.

    References
    ----------
    .. [1] Y. Sheena, "MLE convergence speed to information projection of exponential family: Criterion for model
       dimension and sample size", arXiv 2105.08947 (the bound of Pinsker).

    Examples
    --------
    >>> print(f"{kl_threshold(0.05):.14f}")
    0.02004468315795
    >>> round(kl_threshold(0.05, bound="pinsker"), 12), round(kl_threshold(0.05, bound="local"), 6)
    (0.02, 0.031416)
    """
    loss, weight = np.broadcast_arrays(numeric("alpha", alpha), _prior(prior))
    kind = choice("bound", bound, BOUNDS)
    high = np.minimum(weight, 1.0 - weight)
    wrong = ~((loss > 0.0) & (loss < high))
    if wrong.any():
        most = float(high[wrong].flat[0])
        raise fail("alpha", float(loss[wrong].flat[0]), f"numbers in (0, {most:g}), below min(prior, 1 - prior)")
    if (loss < LEAST_LOSS).any():
        raise fail("alpha", float(loss.min()), f"numbers of at least {LEAST_LOSS:g}, whose squares are floats")
    v = loss / high
    if kind == "sharp":
        found = _per_prior(
            weight,
            loss,
            lambda x: vajda.least_divergence(2.0 * x, 1.0 - 2.0 * x),
            lambda x, w: bayes_prior.least_divergence(np.minimum(w, 1.0 - w) - x, x, w),
        )
    elif kind == "pinsker":
        found = 2.0 * v * v
    elif kind == "local":
        found = math.pi * v * v
    else:
        # the second form where 1 - v^2 cancels
        found = np.where(v < 0.5, -np.log1p(-v * v), -(np.log1p(-v) + np.log1p(v)))
    return _give(np.asarray(found))


def _per_prior(weight: Array, value: Array, equal: Any, unequal: Any) -> Array:
    """Return `equal` of the values at prior 1/2 and `unequal` of values and priors elsewhere."""
    result = np.empty(value.shape)
    half = weight == 0.5
    if half.any():
        result[half] = equal(value[half])
    if not half.all():
        result[~half] = unequal(value[~half], weight[~half])
    return result


def _complement(d: Array, kind: str) -> Array:
    """Return 1 - V of the bound of that name, 0 where V exceeds 1."""
    if kind == "bh":
        return np.asarray(np.exp(-d) / (1.0 + np.sqrt(-np.expm1(-d))))
    return np.asarray(np.maximum(0.0, 1.0 - np.sqrt(d / (2.0 if kind == "pinsker" else math.pi))))


def _divergence(name: str, value: ArrayLike) -> Array:
    """Return divergences as a float64 array, inf included."""
    raw = np.asarray(value)
    endless = np.isposinf(raw) if raw.dtype.kind == "f" else np.zeros(raw.shape, dtype=np.bool_)
    array = np.array(numeric(name, value if not endless.any() else np.where(endless, 0.0, raw)))
    array[endless] = np.inf
    if (array < 0.0).any():
        raise fail(name, float(array[array < 0.0].flat[0]), "divergences >= 0, in nats")
    return array


def _prior(value: ArrayLike) -> Array:
    array = numeric("prior", value)
    wrong = ~((array >= bayes_prior.LEAST_PRIOR) & (array < 1.0))
    if wrong.any():
        raise fail("prior", float(array[wrong].flat[0]), "probabilities strictly between 0 and 1, at least 1e-100")
    return array


def _give(value: Array) -> Any:
    """Return an array of no axes as a float, any other as it is."""
    return float(value) if np.ndim(value) == 0 else value
