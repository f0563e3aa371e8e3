"""Bin counts by outcome, in one pass over coded rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.units import load_unit
from asymptopia.theory._core.validation import integer

_SLOTS = {"i": "bins if code < 0 else (code if code < bins else bins + 1)", "u": "code if code < bins else bins + 1"}
_SOURCE = '''"""Bin counts of {kind} codes by a binary outcome."""
import numpy as np
from numba import njit, types

BLOCK = 8192
_ARGUMENTS = (
    types.Array(types.{kind}, 2, "A", readonly=True), types.Array(types.uint8, 1, "C", readonly=True), types.int64
)


@njit([types.int64[:, :, ::1](*_ARGUMENTS)], error_model="numpy", nogil=True, cache=True)
def tally(codes, y, bins):
    """Return (features, bins + 2, 2) counts: the codes below bins, the negative codes, the codes too large."""
    rows, features = codes.shape
    # four tables by turns: equal codes in successive rows would wait for one another in a single one
    lanes = np.zeros((features, 4, 2 * (bins + 2)), dtype=np.int64)
    # a block of rows stays in cache, whichever axis is contiguous
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        whole = start + (stop - start) // 4 * 4
        for f in range(features):
            lane = lanes[f]
            for i in range(start, whole, 4):
                for k in range(4):
                    code = {cast}(codes[i + k, f])
                    lane[k, 2 * np.int64({slot}) + y[i + k]] += 1
            for i in range(whole, stop):
                code = {cast}(codes[i, f])
                lane[0, 2 * np.int64({slot}) + y[i]] += 1
    table = np.empty((features, bins + 2, 2), dtype=np.int64)
    for f in range(features):
        for c in range(bins + 2):
            for v in range(2):
                at = 2 * c + v
                table[f, c, v] = lanes[f, 0, at] + lanes[f, 1, at] + lanes[f, 2, at] + lanes[f, 3, at]
    return table
'''


def count_table(codes: ArrayLike, y: ArrayLike, bins: int) -> NDArray[np.int64]:
    """Return the number of rows by feature, bin and outcome.

    Parameters
    ----------
    codes : array_like of int
        Bin of each row and feature, shape ``(rows, features)``, or ``(rows,)`` for one feature; from 0 to
        ``bins - 1``. A negative code means missing and is counted in the last bin, ``bins - 1``, which must then hold
        no regular code of that feature. Any integer type and either memory order is read without a copy.
    y : array_like of bool or int
        Outcome of each row, shape ``(rows,)``, 0 (good) or 1 (bad), both present.
    bins : int
        Number of bins, the one reserved for missing included.

    Returns
    -------
    ndarray of int64, shape (features, bins, 2)
        ``[f, i, 0]`` counts goods and ``[f, i, 1]`` bads. Every row is counted once in every feature.

    Raises
    ------
    TypeError
        If `codes` is not of integers, or `y` of neither integers nor booleans.
    ValueError
        If a code is too large or both missing and regular codes meet in the last bin (the message names row and
        feature), `y` is not binary or of one class, or the shapes do not fit.

    Notes
    -----
    The first call for a type of codes compiles for about a second; the machine code is kept in the user's cache folder.

    Examples
    --------
    >>> count_table([[0, 1], [1, -1], [1, 0], [0, 0]], [0, 1, 0, 1], bins=3)
    array([[[1, 1],
            [1, 1],
            [0, 0]],
    <BLANKLINE>
           [[1, 1],
            [1, 0],
            [0, 1]]])
    """
    bins = integer("bins", bins, 1)
    rows = _codes(codes)
    outcome = _binary(y, rows.shape[0])
    kind = rows.dtype.name
    cast = "np.uint64" if kind == "uint64" else "np.int64"
    slot = _SLOTS[rows.dtype.kind].replace("bins", "np.uint64(bins)") if kind == "uint64" else _SLOTS[rows.dtype.kind]
    unit = load_unit(f"scorecard_count_{kind}", _SOURCE.format(kind=kind, cast=cast, slot=slot))
    table: NDArray[np.int64] = unit.tally(rows, outcome, bins)
    if table[:, bins + 1].any():
        feature = int(np.flatnonzero(table[:, bins + 1].any(axis=1))[0])
        row = int(np.argmax(rows[:, feature] >= bins))
        message = (
            f"codes[{row}, {feature}] is {int(rows[row, feature])}; expected at most bins - 1 = {bins - 1}: a level "
            "that the bins do not know needs a bin of its own"
        )
        raise ValueError(message)
    missing, last = table[:, bins], table[:, bins - 1]
    mixed = missing.any(axis=1) & last.any(axis=1)
    if mixed.any():
        feature = int(np.flatnonzero(mixed)[0])
        row = int(np.argmax(rows[:, feature] < 0))
        message = (
            f"codes[{row}, {feature}] is {int(rows[row, feature])}, missing, and bin {bins - 1} of feature {feature} "
            f"also holds regular codes; give bins={bins + 1} to keep the last bin for missing"
        )
        raise ValueError(message)
    last += missing
    return np.ascontiguousarray(table[:, :bins])


def _codes(codes: ArrayLike) -> NDArray[Any]:
    array = np.asarray(codes)
    if array.dtype.kind not in "iu":
        message = (
            f"codes has dtype {array.dtype}; expected integers: code missing values (NaN) as -1, and categories by "
            "their position"
        )
        raise TypeError(message)
    if array.ndim not in {1, 2}:
        message = f"codes has shape {array.shape}; expected (rows, features) or (rows,)"
        raise ValueError(message)
    array = array[:, None] if array.ndim == 1 else array
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _binary(y: ArrayLike, rows: int) -> NDArray[np.uint8]:
    array = np.asarray(y)
    if array.dtype.kind not in "biu":
        message = f"y has dtype {array.dtype}; expected booleans or the integers 0 and 1"
        raise TypeError(message)
    if array.shape != (rows,):
        message = f"y has shape {array.shape}; expected ({rows},), one outcome a row of codes"
        raise ValueError(message)
    odd = (array != 0) & (array != 1)
    if odd.any():
        row = int(np.argmax(odd))
        message = f"y[{row}] is {int(array[row])}; expected 0 or 1"
        raise ValueError(message)
    outcome = np.ascontiguousarray(array, dtype=np.uint8)
    events = int(np.count_nonzero(outcome))
    if events in {0, rows}:
        held = "no rows" if rows == 0 else f"the class {int(events > 0)} only"
        message = f"y holds {held}; expected both 0 and 1"
        raise ValueError(message)
    return outcome
