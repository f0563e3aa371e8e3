"""Ordered prebins of a numeric column: exact quantiles and the counts by outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result
from asymptopia.theory._core.validation import integer, real
from asymptopia.theory.scorecard.binning.codes import code_values, plain_values
from asymptopia.theory.scorecard.binning.status import BinningStatus

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prebins(Result):
    """Counts of goods and bads in ordered cells of a numeric column.

    Attributes
    ----------
    edges : ndarray
        Largest value of each prebin but the last: a value of the sample, so that equal values never part. Prebin i
        holds ``edges[i - 1] < value <= edges[i]``.
    good, bad : ndarray of int64
        Rows of either outcome, one entry a prebin.
    missing_good, missing_bad : int
        Rows whose value is NaN: a cell of their own.
    status : BinningStatus
        CONSTANT if there is one prebin only.
    """

    title: ClassVar[str] = "Prebins"

    edges: Array
    good: Counts
    bad: Counts
    missing_good: int
    missing_bad: int

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def n(self) -> int:
        """Number of rows, those without a value included."""
        return int(self.good.sum() + self.bad.sum()) + self.missing

    @property
    def missing(self) -> int:
        """Number of rows without a value."""
        return self.missing_good + self.missing_bad

    def code(self, values: ArrayLike) -> Counts:
        """Return the prebin of each value, -1 for NaN."""
        return code_values(values, self.edges)

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "rows", f"{self.n}, of which {self.missing} without a value"
        yield "prebins", f"{self.good.size}"

    def _columns(self) -> Mapping[str, Any]:
        gap = [np.nan] if self.missing else []
        return {
            "above": np.array([-np.inf, *self.edges.tolist(), *gap]),
            "up_to": np.array([*self.edges.tolist(), np.inf, *gap]),
            "good": np.append(self.good, [self.missing_good] * len(gap)).astype(np.int64),
            "bad": np.append(self.bad, [self.missing_bad] * len(gap)).astype(np.int64),
        }


def prebin(values: ArrayLike, y: ArrayLike, *, max_prebins: int = 100, min_share: float = 0.0) -> Prebins:
    """Return the quantile prebins of a numeric column with their counts by outcome.

    Parameters
    ----------
    values : array_like
        Numbers, shape ``(rows,)``; NaN is missing.
    y : array_like of bool or int
        Outcome of each row, 0 (good) or 1 (bad), both present.
    max_prebins : int
        Prebins at most, missing values apart.
    min_share : float
        Smallest share of all rows in a prebin, from 0 to 1; smaller ones are merged with the next, the last with the
        one before.

    Returns
    -------
    Prebins

    Raises
    ------
    TypeError
        If `values` or `y` is of another type.
    ValueError
        If a value is infinite, there is no number, or y is not binary or of one class.

    Notes
    -----
    The edges are the quantiles of the orders ``k / max_prebins``, k from 1, by the inverse of the empirical
    distribution function, exact and without sampling: the smallest value that at least that share of the numbers does
    not exceed. Equal edges are merged, and one at the maximum is dropped. So a prebin exceeds ``rows / max_prebins``
    by one row and the ties of its largest value at most. The bads are sorted by themselves; two sorts are the cost.

    References
    ----------
    .. [1] R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50(4), 1996,
       definition 1.

    Examples
    --------
    >>> found = prebin([1, 2, 2, 2, 3, 4, float("nan")], [0, 0, 1, 0, 1, 1, 0], max_prebins=3)
    >>> found.edges, found.good, found.bad, found.missing_good
    (array([2.]), array([3, 0]), array([1, 2]), 1)
    """
    column = plain_values(values)
    bad_rows = _outcome(y, column.size)
    limit = integer("max_prebins", max_prebins, 1)
    share = real("min_share", min_share, 0.0, 1.0)
    # NaN sorts last
    ordered, ordered_bad = np.sort(column), np.sort(column[bad_rows])
    numbers, bads = (int(np.searchsorted(part, np.inf, side="right")) for part in (ordered, ordered_bad))
    if numbers == 0:
        message = "values holds NaN only; expected at least one number"
        raise ValueError(message)
    gone = column.size - numbers
    gone_bad = ordered_bad.size - bads
    ordered, ordered_bad = ordered[:numbers], ordered_bad[:bads]
    cuts = min(limit, numbers)
    # numbers * k / cuts rounded up, in integers
    ranks = [-(-numbers * k // cuts) - 1 for k in range(1, cuts)]
    # adding 0.0 turns -0.0 into 0.0
    edges = np.unique(ordered[ranks]) + 0.0 if ranks else np.empty(0)
    edges = edges[edges < ordered[-1]]
    ends = np.searchsorted(ordered, edges, side="right")
    kept = _large_enough(ends, numbers, share * column.size)
    edges = edges[kept]
    total = np.diff(ends[kept], prepend=0, append=numbers)
    bad = np.diff(np.searchsorted(ordered_bad, edges, side="right"), prepend=0, append=bads)
    return Prebins(
        status=BinningStatus.CONSTANT if ordered[0] == ordered[-1] else BinningStatus.OK,
        edges=edges,
        good=(total - bad).astype(np.int64),
        bad=bad.astype(np.int64),
        missing_good=gone - gone_bad,
        missing_bad=gone_bad,
    )


def _large_enough(ends: NDArray[np.intp], rows: int, least: float) -> list[int]:
    """Return the positions of the cuts that leave at least `least` rows in every cell."""
    kept: list[int] = []
    start = 0
    for i, end in enumerate(ends.tolist()):
        if end - start >= least and rows - end >= least:
            kept.append(i)
            start = end
    return kept


def _outcome(y: ArrayLike, rows: int) -> NDArray[np.bool_]:
    array = np.asarray(y)
    if array.dtype.kind not in "biu":
        message = f"y has dtype {array.dtype}; expected booleans or the integers 0 and 1"
        raise TypeError(message)
    if array.shape != (rows,):
        message = f"y has shape {array.shape}; expected ({rows},), one outcome a row of values"
        raise ValueError(message)
    bad: NDArray[np.bool_] = array == 1
    odd = ~bad & (array != 0)
    if odd.any():
        row = int(np.argmax(odd))
        message = f"y[{row}] is {int(array[row])}; expected 0 or 1"
        raise ValueError(message)
    events = int(np.count_nonzero(bad))
    if events in {0, rows}:
        held = "no rows" if rows == 0 else f"the class {int(events > 0)} only"
        message = f"y holds {held}; expected both 0 and 1"
        raise ValueError(message)
    return bad
