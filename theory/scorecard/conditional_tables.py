"""Tables with given margins: their number, and the exact tail of a statistic that adds up over bins."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.units import load_unit

Array = NDArray[np.float64]
TIES = 1e-12
"""Statistics that differ by less than this relative amount count as equal."""

_SOURCE = '''"""Exact conditional tail of an additive statistic, by a search over bins with bounds on what remains."""
import numpy as np
from numba import njit, types

_FLOATS = types.Array(types.float64, 1, "C", readonly=True)
_INTS = types.Array(types.int64, 1, "C", readonly=True)


@njit([types.float64(_FLOATS, _FLOATS, _INTS, _INTS, _INTS, _INTS, _INTS, types.float64)],
      error_model="numpy", nogil=True, cache=True)
def log_tail(terms, ways, first, last, offset, least, start, threshold):
    """Return the log probability of the tables whose terms reach the threshold.

    Bin i holds k in first[i]..last[i], with terms[offset[i] + k - first[i]] and the logarithm of the number of ways, up
    to a constant of the bin. State (i, r) has r left for the bins i and later; it lies at start[i] + r - least[i].
    """
    bins = first.size
    states = start[bins + 1]
    low = np.full(states, np.inf)
    high = np.full(states, -np.inf)
    rest = np.full(states, -np.inf)
    low[start[bins]] = 0.0
    high[start[bins]] = 0.0
    rest[start[bins]] = 0.0
    for i in range(bins - 1, -1, -1):
        most = least[i + 1] + start[i + 2] - start[i + 1] - 1
        for state in range(start[i], start[i + 1]):
            r = state - start[i] + least[i]
            top = -np.inf
            total = 0.0
            for k in range(max(first[i], r - most), min(last[i], r - least[i + 1]) + 1):
                cell = offset[i] + k - first[i]
                after = start[i + 1] + r - k - least[i + 1]
                low[state] = min(low[state], terms[cell] + low[after])
                high[state] = max(high[state], terms[cell] + high[after])
                here = ways[cell] + rest[after]
                if here > top:
                    total = total * np.exp(top - here) + 1.0
                    top = here
                else:
                    total += np.exp(here - top)
            rest[state] = top + np.log(total)
    left = np.zeros(bins + 1, np.int64)
    at = np.zeros(bins + 1, np.int64)
    end = np.zeros(bins + 1, np.int64)
    partial = np.zeros(bins + 1)
    weight = np.zeros(bins + 1)
    total = 0.0
    lost = 0.0
    top = -np.inf
    i = 0
    left[0] = least[0]
    at[0] = max(first[0], left[0] - (least[1] + start[2] - start[1] - 1))
    end[0] = min(last[0], left[0] - least[1])
    while i >= 0:
        if at[i] > end[i]:
            i -= 1
            continue
        k = at[i]
        at[i] += 1
        cell = offset[i] + k - first[i]
        r = left[i] - k
        after = start[i + 1] + r - least[i + 1]
        value = partial[i] + terms[cell]
        if value + high[after] < threshold:
            continue
        below = weight[i] + ways[cell]
        if value + low[after] >= threshold:
            here = below + rest[after]
            if here > top:
                total *= np.exp(top - here)
                lost *= np.exp(top - here)
                top = here
            share = np.exp(here - top)
            # compensated: 1e7 summands of all sizes
            new = total + share
            if total >= share:
                lost += (total - new) + share
            else:
                lost += (share - new) + total
            total = new
            continue
        i += 1
        left[i] = r
        partial[i] = value
        weight[i] = below
        at[i] = max(first[i], r - (least[i + 1] + start[i + 2] - start[i + 1] - 1))
        end[i] = min(last[i], r - least[i + 1])
    return top + np.log(total + lost) - rest[0]
'''


class Ranges(NamedTuple):
    """Least and largest count of sample 1 in each bin."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]


def ranges(sizes: NDArray[np.int64], n: int) -> Ranges:
    """Return the counts that a bin of `sizes` can hold of sample 1, of size `n`."""
    return Ranges(np.maximum(0, n - (sizes.sum() - sizes)), np.minimum(sizes, n))


def count_tables(sizes: NDArray[np.int64], n: int, limit: float) -> float:
    """Return the number of tables with bins of `sizes` and `n` in sample 1; inf where it exceeds `limit`."""
    first, last = ranges(sizes, n)
    width = np.sort(last - first + 1)
    if width[-1] > limit:
        return math.inf
    ways = np.ones(1)
    # the widest bin takes what is left
    spare = int(n - first.sum())
    for size in width[:-1]:
        sums = np.concatenate([[0.0], np.cumsum(ways)])
        reach = np.arange(min(ways.size + size - 1, spare + 1))
        ways = sums[np.minimum(reach + 1, ways.size)] - sums[np.maximum(reach + 1 - size, 0)]
        if ways.max() > limit:
            return math.inf
    total = float(ways[max(0, spare + 1 - int(width[-1])) : spare + 1].sum())
    return total if total <= limit else math.inf


def exact_log_tail(
    sizes: NDArray[np.int64], n: int, terms: Callable[[Array, NDArray[np.int64]], Array], observed: NDArray[np.int64]
) -> float:
    """Return the log of the exact probability that the statistic reaches its observed value, given all margins.

    Parameters
    ----------
    sizes : ndarray of int, shape (B,)
        Size of each bin, > 0.
    n : int
        Size of sample 1.
    terms : callable
        ``terms(k, i)``: what the counts k of sample 1 in the bins i add to the statistic, elementwise.
    observed : ndarray of int, shape (B,)
        Observed counts of sample 1.

    Notes
    -----
    A search over bins, the widest last, that stops where the least or the largest sum still possible decides.
    """
    order = np.argsort(np.subtract(*ranges(sizes, n)[::-1]), kind="stable")
    sizes, observed = sizes[order], observed[order]
    first, last = ranges(sizes, n)
    width = last - first + 1
    offset = np.concatenate([[0], np.cumsum(width)[:-1]]).astype(np.int64)
    bin_of = np.repeat(np.arange(sizes.size), width)
    k = np.arange(width.sum()) - offset[bin_of] + first[bin_of]
    table = terms(k.astype(np.float64), order[bin_of])
    ways = np.concatenate([_log_ways(*item) for item in zip(sizes, first, last, strict=True)])
    # what can be left for the bins i and later
    least = np.maximum(n - np.concatenate([[0], np.cumsum(last)]), np.concatenate([np.cumsum(first[::-1])[::-1], [0]]))
    most = np.minimum(n - np.concatenate([[0], np.cumsum(first)]), np.concatenate([np.cumsum(last[::-1])[::-1], [0]]))
    start = np.concatenate([[0], np.cumsum(most - least + 1)]).astype(np.int64)
    seen = float(table[offset + observed - first].sum())
    unit = load_unit("scorecard_conditional", _SOURCE)
    found = unit.log_tail(table, ways, first, last, offset, least, start, seen * (1 - TIES))
    return min(float(found), 0.0)


def _log_ways(size: int, first: int, last: int) -> Array:
    """Return the logarithms of ``size`` over k for k in first..last, less that of the first.

    Sums of ratios keep the digits that log factorials of 1e9 have lost.
    """
    k = np.arange(first + 1, last + 1, dtype=np.float64)
    return np.concatenate([[0.0], np.cumsum(np.log((size - k + 1) / k))])
