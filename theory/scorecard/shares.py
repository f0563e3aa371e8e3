"""Bin shares of two samples and their difference, free of cancellation."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core import validation

Array = NDArray[np.float64]
_SPLIT = 2.0**27 + 1.0
_SUM_TOLERANCE = 1e-9
HALF = 0.5
"""Pseudo-count of the smoothed estimator: the term ``sum q/p`` of the bias cancels at this value."""


class Shares(NamedTuple):
    """Shares of both samples, cells along the last axis.

    Attributes
    ----------
    p, q : ndarray
        Shares of sample 1 and 2.
    d : ndarray
        ``p - q`` to a few units in the last place of the difference itself.
    """

    p: Array
    q: Array
    d: Array


def two_samples(x: Array, y: Array, a: float, used: NDArray[np.bool_] | None = None) -> Shares:
    """Return the shares of counts `x` and `y` with `a` added to every cell, or to the cells of `used` only."""
    add = a if used is None else np.where(used, a, 0.0)
    x, y = x + add, y + add
    n, m = x.sum(axis=-1, keepdims=True), y.sum(axis=-1, keepdims=True)
    return Shares(x / n, y / m, cross_difference(x, m, y, n) / (n * m))


def against_fixed(x: Array, q: Array, a: float) -> Shares:
    """Return the shares of counts `x` with `a` added to every cell beside the known probabilities `q`."""
    x = x + a
    n = x.sum(axis=-1, keepdims=True)
    product, error = _two_product(n, q)
    return Shares(x / n, np.broadcast_to(q, x.shape), ((x - product) - error) / n)


def cross_difference(x: Array, m: Array, y: Array, n: Array) -> Array:
    """Return ``x m - y n`` with both products taken exactly, so that only the result is rounded."""
    first, first_error = _two_product(x, m)
    second, second_error = _two_product(y, n)
    return (first - second) + (first_error - second_error)


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the rounded product and its rounding error (Dekker 1971)."""
    product = a * b
    a_high, b_high = (scaled - (scaled - part) for part, scaled in ((a, _SPLIT * a), (b, _SPLIT * b)))
    a_low, b_low = a - a_high, b - b_high
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def check_smoothing(value: Any) -> float:
    """Return the pseudo-count a cell, finite and >= 0."""
    return validation.real("smoothing", value, 0.0, float(np.finfo(float).max))


def whole_counts(name: str, value: ArrayLike) -> Array:
    """Return the whole counts of one table, one axis.

    Raises
    ------
    TypeError, ValueError
        As `asymptopia.theory._core.validation.counts`; ValueError also for a fraction or another number of axes.
    """
    if np.ndim(value) != 1:
        message = (
            f"{name} has shape {np.shape(value)}; expected one axis, of the bins: one table gives one result, so loop "
            "over the tables"
        )
        raise ValueError(message)
    return refuse_fractions(name, validation.counts(name, value))


def refuse_fractions(name: str, array: Array) -> Array:
    """Return `array` if all its entries are whole numbers, and raise ValueError otherwise."""
    fraction = array != np.floor(array)
    if fraction.any():
        where = ", ".join(str(int(i)) for i in np.argwhere(fraction)[0])
        message = (
            f"{name}[{where}] is {float(array[fraction][0])!r}; expected whole counts. Weighted counts have another "
            "variance: n is the number of observations, not the sum of their weights"
        )
        raise ValueError(message)
    return array


def known_shares(name: str, value: ArrayLike) -> Array:
    """Return the known shares of a baseline, divided by their sum.

    Raises
    ------
    TypeError, ValueError
        If they are not numbers on one axis, not all positive, or their sum is not within 1e-9 of 1.
    """
    if np.ndim(value) != 1:
        message = f"{name} has shape {np.shape(value)}; expected one axis, of the bins"
        raise ValueError(message)
    q = validation.numeric(name, value)
    if q.size == 0 or not (q > 0).all():
        where = int(np.argmin(q)) if q.size else 0
        message = (
            f"{name}[{where}] is {float(q[where]) if q.size else None!r}; the shares of a fixed baseline must be "
            "> 0: merge the bin with a neighbour"
        )
        raise ValueError(message)
    size = math.fsum(q)
    if abs(size - 1) > _SUM_TOLERANCE:
        raise validation.fail(f"{name}.sum()", size, f"1 within {_SUM_TOLERANCE:g}; counts belong to baseline='random'")
    return np.asarray(q / size)


def pair_table(name: str, value: ArrayLike, other: str, rest: object) -> Array:
    """Return the whole counts of a square table of pairs; `rest`, the argument `other`, must be left out.

    Raises
    ------
    TypeError, ValueError
        If the table is not square or not of whole counts, or `rest` is given.
    """
    if rest is not None:
        message = f"{other} is given; with design='paired' {name} is the whole table of pairs, first by second bin"
        raise ValueError(message)
    table = validation.numeric(name, value)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        message = f"{name} has shape {table.shape}; expected a square table of pairs, first by second bin"
        raise ValueError(message)
    validation.counts(name, table.ravel())
    return refuse_fractions(name, table)
