"""Checks of the data that a family's statistic takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import EXACT_INTEGERS, fail, numeric

Array = NDArray[np.float64]

LARGEST = 1e150
"""Squares of numbers up to here are floats."""
FEW = 3
"""Fewer observations are left in the units they have."""


def values(x: ArrayLike) -> Array:
    """Return one number an observation, (n,); a single number is one observation."""
    data = np.atleast_1d(numeric("x", x))
    if data.ndim == 2 and data.shape[1] == 1:
        data = data[:, 0]
    if data.ndim != 1:
        raise fail("x.shape", np.shape(x), "(n,), one number an observation")
    return data


def vectors(x: ArrayLike, d: int) -> Array:
    """Return one row of d numbers an observation, (n, d); a single row is one observation."""
    data = numeric("x", x)
    data = np.atleast_2d(data) if d > 1 or data.ndim == 2 else np.atleast_1d(data)[:, None]
    if data.ndim != 2 or data.shape[1] != d:
        raise fail("x.shape", np.shape(x), f"(n, {d}), one row an observation")
    return data


def require(x: Array, allowed: NDArray[np.bool_], expected: str) -> None:
    """Raise ValueError naming the first entry of x that is not allowed."""
    if not allowed.all():
        where = np.argwhere(~allowed)[0]
        raise fail(f"x[{', '.join(str(int(i)) for i in where)}]", float(x[tuple(where)]), expected)


def counts(x: ArrayLike) -> Array:
    """Return whole numbers >= 0, (n,)."""
    data = values(x)
    whole = (data >= 0) & (data == np.floor(data)) & (data <= EXACT_INTEGERS)
    require(data, whole, "a count: a whole number >= 0, at most 2**53")
    return data
