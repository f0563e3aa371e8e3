"""From values to the codes of ordered cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import EXACT_INTEGERS


def plain_values(values: ArrayLike) -> NDArray[np.float64]:
    """Return one column as float64, NaN where missing.

    Raises
    ------
    TypeError
        If it is not real and numeric.
    ValueError
        If it has not one axis, or holds an infinity or an integer beyond 2**53.
    """
    if np.ma.isMaskedArray(values):
        message = "values is a masked array; fill its masked entries with NaN first: NaN is missing"
        raise TypeError(message)
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        message = f"values has dtype {array.dtype}; expected real numbers, NaN where missing"
        raise TypeError(message)
    if array.ndim != 1:
        message = f"values has shape {array.shape}; expected one axis, of the rows"
        raise ValueError(message)
    if array.dtype.kind in "iu" and array.size:
        largest = max(int(array.max()), -int(array.min()))
        if largest > EXACT_INTEGERS:
            message = f"values holds an integer of magnitude {largest}; expected at most 2**53, exact in float64"
            raise ValueError(message)
    result = array.astype(np.float64, copy=False)
    if result.size and array.dtype.kind == "f" and np.isinf(result).any():
        row = int(np.argmax(np.isinf(result)))
        message = f"values[{row}] is {float(result[row])}; expected finite numbers, NaN where missing"
        raise ValueError(message)
    return result


def code_values(values: ArrayLike, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each value the number of edges below it, -1 for NaN."""
    array = plain_values(values)
    found: NDArray[np.int64] = np.searchsorted(edges, array, side="left").astype(np.int64)
    found[np.isnan(array)] = -1
    return found
