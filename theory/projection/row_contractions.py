"""Contractions from the rows of a statistic: whitened in place, then exact for a law or unbiased for a sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.validation import Array, fail, numeric
from asymptopia.theory.projection.invariants import Contractions, Rows
from asymptopia.theory.projection.row_sums import Scalars, Thirds, row_scalars, third_sums
from asymptopia.theory.projection.third_moments import turn
from asymptopia.theory.projection.whitening import Whitening

_BLOCK = 2048


def statistic_rows(statistic: ArrayLike) -> Array:
    """Return a copy of the statistic with two axes."""
    rows = numeric("statistic", statistic, min_ndim=1)
    rows = rows[:, None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or rows.shape[0] < 2:
        raise fail("statistic.shape", rows.shape, "(N, p) with N >= 2")
    return np.ascontiguousarray(rows)


def whiten_rows(rows: Array, change: Whitening) -> None:
    """Whiten centred rows in place."""
    for start in range(0, rows.shape[0], _BLOCK):
        rows[start : start + _BLOCK] = rows[start : start + _BLOCK] @ change.matrix.T


def whitened_sums(
    rows: Array, weights: Array | None, change: Whitening, kappa: Array | Rows | None, route: str
) -> tuple[Scalars, Scalars, Thirds]:
    """Whiten the rows in place and return their scalars with S = I and with S, and the contractions of thirds."""
    whiten_rows(rows, change)
    truth: Array | Rows | None
    if isinstance(kappa, Rows):
        truth = Rows(kappa.rows @ change.matrix.T, kappa.weights, kappa.scale)
    else:
        truth = None if kappa is None else turn(kappa, change.matrix)
    one = row_scalars(rows, weights, np.ones(rows.shape[1]))
    own = one if kappa is None else row_scalars(rows, weights, change.spread)
    return one, own, third_sums(rows, weights, change.spread, truth, route)


def exact(one: Scalars, own: Scalars, thirds: Thirds, s: Array, *, well: bool) -> Contractions:
    """Return the contractions of a law whose moments are known."""
    return Contractions(
        t0=float(s.sum()),
        t1=thirds.plain if well else thirds.truth,
        t21=squared(own.v),
        t22=thirds.spread,
        t31=own.q2 - own.q**2 - 2.0 * float(s @ s),
        F=thirds.plain,
        B=squared(one.v),
        K=one.q2 - one.q**2 - 2.0 * s.size,
    )


def unbiased(n: int, one: Scalars, own: Scalars, thirds: Thirds, s: Array, *, well: bool) -> Contractions:
    """Return estimates of the contractions from the moments of n rows whose sample covariance is I."""
    scale = n**2 / ((n - 1.0) * (n - 2.0))

    plain = other_rows(n, scale**2 * thirds.plain, one.d22)
    return Contractions(
        t0=float(s.sum()),
        t1=plain if well else scale * thirds.truth,
        t21=other_rows(n, scale**2 * squared(own.v), own.d21),
        t22=plain if well else other_rows(n, scale**2 * thirds.spread, own.d22),
        t31=unbiased_fourth(n, own, ((n - 1.0) / n) ** 2 * float(s @ s)),
        F=plain,
        B=other_rows(n, scale**2 * squared(one.v), one.d21),
        K=unbiased_fourth(n, one, ((n - 1.0) / n) ** 2 * s.size),
    )


def other_rows(n: int, value: float, excess: float) -> float:
    """Return a square of unbiased third cumulants less what each row adds with itself.

    The mean of `value` is the contraction plus ``(excess - contraction) / n``, up to 1/n^2.
    """
    return (value - excess / n) * n / (n - 1.0)


def unbiased_fourth(n: int, found: Scalars, trace2: float) -> float:
    """Return the unbiased fourth cumulant contracted with S twice, from n centred rows.

    Parameters
    ----------
    trace2 : float
        tr(S M S M) with M the mean of y y'.
    """
    scale = n**2 / ((n - 1.0) * (n - 2.0) * (n - 3.0))
    return scale * ((n + 1.0) * found.q2 - (n - 1.0) * (found.q**2 + 2.0 * trace2))


def squared(vector: Array) -> float:
    """Return the squared norm."""
    return float(vector @ vector)
