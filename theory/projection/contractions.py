r"""Contractions of second to fourth cumulants, from cumulants, from a finite support or from samples.

The risk to order n^-2 needs eight numbers. None of them needs a tensor of fourth order: with the whitened statistic y
and S its covariance under the truth, the only contraction of fourth cumulants is
:math:`\operatorname{Var}(y'Sy) - 2\operatorname{tr}S^2`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.validation import Array, choice, fail, numeric
from asymptopia.theory.projection.invariants import Contractions, Rows
from asymptopia.theory.projection.row_contractions import (
    exact,
    squared,
    statistic_rows,
    unbiased,
    unbiased_fourth,
    whiten_rows,
    whitened_sums,
)
from asymptopia.theory.projection.row_sums import row_scalars
from asymptopia.theory.projection.third_moments import Third, cube, truth_moments, turn
from asymptopia.theory.projection.whitening import Whitening, covariance_matrix, whiten

__all__ = [
    "Contractions",
    "Rows",
    "fourth_from_samples",
    "from_cumulants",
    "from_samples",
    "from_support",
    "truth_moments",
]

_ROUTES = ("auto", "tensor", "gram")


def from_cumulants(
    cov: ArrayLike,
    third: ArrayLike,
    fourth: Callable[[Array], Array],
    *,
    truth_cov: ArrayLike | None = None,
    truth_third: Third | None = None,
) -> Contractions:
    """Return the contractions from the cumulants of the statistic under the model.

    Parameters
    ----------
    cov : array_like, shape (p, p)
        Second cumulant G, positive definite.
    third : array_like, shape (p, p, p)
        Third cumulant T.
    fourth : callable
        ``fourth(W)`` returns ``M`` with ``M_mo = sum_ik Q_ikmo W_ik`` for a symmetric W, both (p, p); Q is the fourth
        cumulant, not the fourth moment.
    truth_cov : array_like, shape (p, p), optional
        Covariance of the statistic under the truth.
    truth_third : array_like, shape (p, p, p), or Rows, optional
        Its third cumulant under the truth. With `truth_cov` or not at all: None twice means that the truth is the
        model.

    Returns
    -------
    Contractions

    Raises
    ------
    NotMinimalError
        If `cov` is singular.
    ValueError
        If shapes do not fit, or one of the truth's cumulants is given without the other.

    Examples
    --------
    The Poisson family with mean 2: all cumulants are 2.

    >>> found = from_cumulants([[2.0]], [[[2.0]]], lambda w: 2.0 * w)
    >>> found.t0, round(found.F, 12), round(found.K, 12)
    (1.0, 0.5, 0.5)
    """
    g = covariance_matrix("cov", cov)
    p = g.shape[0]
    given: Any = fourth
    if not callable(given):
        message = f"fourth is of type {type(fourth).__name__}; expected a function of a (p, p) matrix"
        raise TypeError(message)
    tensor = cube("third", third, p)
    sigma, kappa = truth_moments(truth_cov, truth_third, p)
    change = whiten(g, sigma)
    t = turn(tensor, change.matrix)
    inverse = change.matrix.T @ change.matrix
    f, b = float(np.vdot(t, t)), squared(np.einsum("iiu->u", t))
    k = float(np.vdot(_matrix(fourth, inverse), inverse))
    if sigma is None:
        return Contractions(float(p), f, b, f, k, f, b, k)
    s, w = change.spread, change.weight
    return Contractions(
        t0=float(s.sum()),
        t1=_against(t, kappa, change),
        t21=squared(np.einsum("iiu,i->u", t, s)),
        t22=float(np.einsum("iku,i,k->", t * t, s, s)),
        t31=float(np.vdot(_matrix(fourth, w), w)),
        F=f,
        B=b,
        K=k,
    )


def from_support(
    statistic: ArrayLike,
    probs: ArrayLike,
    *,
    truth_cov: ArrayLike | None = None,
    truth_third: Third | None = None,
    route: str = "auto",
) -> Contractions:
    """Return the contractions for a model on finitely many states, exactly.

    Parameters
    ----------
    statistic : array_like, shape (N, p) or (N,)
        Statistic of each state.
    probs : array_like, shape (N,)
        Probabilities under the model, summing to 1.
    truth_cov : array_like, shape (p, p), optional
        Covariance of the statistic under the truth.
    truth_third : array_like, shape (p, p, p), or Rows, optional
        Its third cumulant under the truth, with `truth_cov` or not at all.
    route : {"auto", "tensor", "gram"}
        Third moments by slices of their tensor, N p^3 operations, or by pairs of states, N^2 p.

    Returns
    -------
    Contractions

    Raises
    ------
    NotMinimalError
        If a combination of the statistic does not vary.
    ValueError
        If shapes do not fit or the probabilities do not sum to 1.

    Examples
    --------
    >>> found = from_support([0.0, 1.0], [0.5, 0.5])
    >>> round(found.F, 12), round(found.K, 12)
    (0.0, -2.0)
    """
    choice("route", route, _ROUTES)
    rows = statistic_rows(statistic)
    weights = numeric("probs", probs, min_ndim=1)
    if weights.shape != rows.shape[:1]:
        raise fail("probs.shape", weights.shape, f"({rows.shape[0]},), one probability a row of statistic")
    if (weights < 0.0).any():
        raise fail("probs", float(weights.min()), "probabilities >= 0")
    total = float(weights.sum())
    if abs(total - 1.0) > 1e-9:
        raise fail("probs.sum()", total, "1; divide by the sum first")
    weights /= total
    # the second pass takes off what the rounded mean left
    rows -= weights @ rows
    rows -= weights @ rows
    cov = (rows.T * weights) @ rows
    sigma, kappa = truth_moments(truth_cov, truth_third, rows.shape[1])
    change = whiten(0.5 * (cov + cov.T), sigma)
    one, own, thirds = whitened_sums(rows, weights, change, kappa, route)
    return exact(one, own, thirds, change.spread, well=kappa is None)


def from_samples(
    statistic: ArrayLike,
    *,
    truth_cov: ArrayLike | None = None,
    truth_third: Third | None = None,
    route: str = "auto",
) -> Contractions:
    """Return the contractions estimated from draws of the model.

    Parameters
    ----------
    statistic : array_like, shape (N, p) or (N,)
        Statistic of independent draws from the model, N > max(p, 3).
    truth_cov : array_like, shape (p, p), optional
        Covariance of the statistic under the truth, such as the sample covariance of data.
    truth_third : array_like, shape (p, p, p), or Rows, optional
        Its third cumulant under the truth, with `truth_cov` or not at all. Data are given as `Rows`.
    route : {"auto", "tensor", "gram"}
        Third moments by slices of their tensor, N p^3 operations, or by pairs of draws, N^2 p.

    Returns
    -------
    Contractions

    Raises
    ------
    NotMinimalError
        If a combination of the statistic does not vary over the draws.
    ValueError
        If shapes do not fit or there are too few draws.

    Notes
    -----
    Third and fourth cumulants are unbiased given the whitening. A square of third moments would count each draw
    with itself, which adds about p^3 / N; that is taken off, with the effect of the estimated mean. A bias of order
    1/N from the inverse of the sampled G remains, below the noise of one call: F of p independent exponential variables
    is too small by (57 + 3p)/N, relatively. `SampledFamily` takes it off by extrapolation from its batches; so does
    twice the result less the mean of the results of both halves of the draws. No array of p^3 or N^2 numbers is held
    beyond 64 MB.

    Examples
    --------
    >>> import numpy as np
    >>> draws = np.random.default_rng(1).standard_normal(100_000)
    >>> found = from_samples(np.column_stack([draws, draws**2]))
    >>> abs(found.F - 14.0) < 1.0 and abs(found.B - 18.0) < 1.5
    True
    """
    choice("route", route, _ROUTES)
    rows, cov = _draws(statistic)
    sigma, kappa = truth_moments(truth_cov, truth_third, rows.shape[1])
    change = whiten(cov, sigma)
    one, own, thirds = whitened_sums(rows, None, change, kappa, route)
    return unbiased(rows.shape[0], one, own, thirds, change.spread, well=kappa is None)


def fourth_from_samples(statistic: ArrayLike, *, truth_cov: ArrayLike | None = None) -> float:
    r"""Return t31 alone, estimated from draws of the model, at a cost of N p^2.

    Parameters
    ----------
    statistic : array_like, shape (N, p) or (N,)
        Statistic of independent draws from the model, N > max(p, 3).
    truth_cov : array_like, shape (p, p), optional
        Covariance of the statistic under the truth; the model's where None.

    Notes
    -----
    :math:`\operatorname{Var}(y'Sy) - 2\operatorname{tr}S^2` with the weights of an unbiased fourth cumulant.

    Examples
    --------
    >>> import numpy as np
    >>> round(fourth_from_samples(np.random.default_rng(1).standard_normal(100_000)), 1) + 0.0
    0.0
    """
    rows, cov = _draws(statistic)
    n, p = rows.shape
    change = whiten(cov, None if truth_cov is None else covariance_matrix("truth_cov", truth_cov, p))
    whiten_rows(rows, change)
    trace2 = ((n - 1.0) / n) ** 2 * squared(change.spread)
    return unbiased_fourth(n, row_scalars(rows, None, change.spread), trace2)


def _draws(statistic: ArrayLike) -> tuple[Array, Array]:
    """Return the centred rows and their covariance."""
    rows = statistic_rows(statistic)
    n, p = rows.shape
    if n <= max(p, 3):
        raise fail("statistic.shape", rows.shape, f"more than {max(p, 3)} rows: draw more")
    rows -= rows.mean(axis=0)
    with np.errstate(over="ignore"):
        cov = rows.T @ rows / (n - 1.0)
    if not np.isfinite(cov).all():
        raise fail("statistic", "a table whose covariance is beyond float64", "smaller units")
    return rows, cov


def _against(t: Array, kappa: Array | Rows, change: Whitening) -> float:
    """Return the whitened tensor contracted with the truth's third cumulant."""
    if not isinstance(kappa, Rows):
        return float(np.vdot(t, turn(kappa, change.matrix)))
    p = t.shape[0]
    flat = t.reshape(p * p, p)
    total, step = 0.0, max(1, 2**22 // (p * p))
    for start in range(0, kappa.rows.shape[0], step):
        y = kappa.rows[start : start + step] @ change.matrix.T
        inner = (y @ flat.T).reshape(-1, p, p)
        cubes = np.einsum("nij,ni,nj->n", inner, y, y, optimize=False)
        total += float(cubes.sum() if kappa.weights is None else kappa.weights[start : start + step] @ cubes)
    return kappa.scale * (total / kappa.rows.shape[0] if kappa.weights is None else total)


def _matrix(fourth: Callable[[Array], Array], weight: Array) -> Array:
    result = numeric("fourth(W)", fourth(weight), min_ndim=2)
    if result.shape != weight.shape:
        raise fail("fourth(W).shape", result.shape, f"{weight.shape}, the contraction of the fourth cumulant with W")
    return result
