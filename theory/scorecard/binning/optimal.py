"""Exact optimal binning of ordered prebins."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG, generator
from asymptopia.theory._core.validation import EXACT_INTEGERS, choice, fail, integer, probability, real, same_shape
from asymptopia.theory.scorecard.binning.kernels import KINDS, unit
from asymptopia.theory.scorecard.binning.permutation import permutation_pvalue
from asymptopia.theory.scorecard.binning.prebins import Prebins
from asymptopia.theory.scorecard.binning.result import BinningResult, contributions
from asymptopia.theory.scorecard.binning.source_search import TRENDS
from asymptopia.theory.scorecard.binning.status import BinningStatus
from asymptopia.theory.scorecard.shares import check_smoothing, whole_counts

Counts = NDArray[np.int64]
LARGEST_TABLE = 8 * 10**6
"""States of the dynamic programme, 4 bytes each for the way back."""
_NAMES = {code: name for name, code in TRENDS.items()}
_SELECTED = (
    "The cuts were chosen on these outcomes: `ci` and the test of `information_value()` take them as given and are too "
    "favourable; use pvalue='permutation' for a test, a hold-out sample for an interval."
)


def optimal_bins(
    good: ArrayLike | Prebins,
    bad: ArrayLike | None = None,
    *,
    max_bins: int | None = None,
    trend: str | None = "auto",
    min_share: float = 0,
    min_events: int = 0,
    divergence: str = "jeffreys",
    pvalue: str | None = None,
    repeats: int = 999,
    rng: RNG = None,
    smoothing: float = 0,
    level: float = 0.95,
) -> BinningResult:
    r"""Return the contiguous bins of ordered prebins that maximise the information value or another divergence.

    Parameters
    ----------
    good, bad : array_like, or a Prebins alone
        Whole counts, one a prebin in order, shape ``(prebins,)``. The missing values of a `Prebins` are a row of
        their own in the result: they count in the shares and in the value, not in `max_bins`.
    max_bins : int, optional
        Bins at most; None is no limit.
    trend : {"auto", "ascending", "descending", "peak", "valley", None}
        Of the event rate ``bad / (good + bad)`` along the bins. "auto" is the better of "ascending" and "descending";
        "peak" ascends and then descends, "valley" descends and then ascends, with the turn where it is best; None is
        no condition.
    min_share : float
        Smallest share of all rows in a bin, from 0 to 1, read as the decimal that it is written as.
    min_events : int
        Smallest number of bads in a bin.
    divergence : {"jeffreys", "kl", "reverse-kl", "js", "hellinger", "pearson", "neyman"}
        What is maximised, of the shares of goods p from the shares of bads q; "jeffreys" is the information value.
    pvalue : {None, "permutation"}
        Whether to test that the feature is independent of the outcome. The outcomes are permuted over the prebins and
        the whole search is repeated, so that the p-value counts it.
    repeats : int
        Permutations, at least 1.
    rng : None, int, SeedSequence, BitGenerator or Generator
        Randomness of the permutations.
    smoothing : float
        Pseudo-count added to both counts of each bin. What is maximised is then the divergence of the smoothed
        shares, ``(x + a) / (n + a bins)``, and a bin may hold one outcome only.
    level : float
        Level of `BinningResult.ci`.

    Returns
    -------
    BinningResult

    Raises
    ------
    TypeError, ValueError
        If the counts are not whole numbers with a sum of at most 2**53, a sample is empty, the shapes differ, an
        option is out of its range, or the dynamic programme would need too much memory.

    Notes
    -----
    *Feasible bins*: without smoothing each holds goods and bads, for the Weight of Evidence of a bin of one outcome is
    infinite. So prebins of one outcome at an end are merged with their neighbours (status MERGED). Neighbouring bins of
    equal rate are merged, which leaves the value as it is. If nothing else is feasible there is one bin, of value 0.

    *Method*: among monotone partitions the blocks of the isotonic regression, the vertices of the greatest convex
    minorant of the cumulated counts, maximise every f-divergence [1]_; with fewer bins an optimum uses vertices only,
    for the value of two neighbouring bins is convex in the node between them along an edge of the minorant. So a
    dynamic programme over the vertices is exact. A constraint can move the optimum off the minorant; if the optimum
    without it meets it, it stands, else a dynamic programme over the last bin of all prebins finds the optimum. It
    also serves "peak", "valley" and None. With smoothing it is run for each number of bins. Rates are compared in
    exact arithmetic.

    *Validity*: the p-value is exact for independent rows up to the Monte Carlo error; it is never below
    ``1 / (repeats + 1)``. A missing cell of one outcome enters the statistic with 1/2 added to its counts.

    References
    ----------
    .. [1] D. Blackwell, "Equivalent comparisons of experiments", Annals of Mathematical Statistics 24, 1953, theorem 6.
    .. [2] R. E. Barlow, D. J. Bartholomew, J. M. Bremner, H. D. Brunk, "Statistical Inference under Order
       Restrictions", Wiley, 1972, theorem 1.1.
    .. [3] B. Phipson, G. K. Smyth, "Permutation p-values should never be zero", Statistical Applications in Genetics
       and Molecular Biology 9(1), 2010, section 3.

    Examples
    --------
    >>> good = [120, 90, 160, 110, 80, 140, 60, 100, 70, 70]
    >>> bad = [4, 6, 5, 9, 8, 12, 11, 14, 10, 21]
    >>> found = optimal_bins(good, bad, max_bins=4, trend="ascending")
    >>> found.splits, round(found.value, 6), found.optimal
    (array([3, 6, 9]), 0.407988, True)
    >>> optimal_bins(good, bad, max_bins=4, min_share=0.15).splits
    array([3, 6, 8])
    """
    x, y, away, edges = _counts(good, bad)
    prebins, rows = x.size, int(x.sum() + y.sum()) + sum(away)
    bins = 0 if max_bins is None else integer("max_bins", max_bins, 1)
    if trend is not None:
        choice("trend", trend, [name for name in TRENDS if name is not None])
    least_rows = math.ceil(Fraction(repr(real("min_share", min_share, 0.0, 1.0))) * rows)
    least_bads = integer("min_events", min_events, 0)
    choice("divergence", divergence, KINDS)
    pseudo, level, repeats = check_smoothing(smoothing), probability("level", level), integer("repeats", repeats, 1)
    if pvalue not in {None, "permutation"}:
        raise fail(
            "pvalue", pvalue, "None or 'permutation': a test that takes the bins as given is wrong after the search"
        )
    random = generator(rng)
    way = TRENDS[trend]
    if way not in {1, -1, 2} or least_rows > 0 or least_bads > 0 or pseudo > 0:
        _refuse_large(prebins, bins, way, smoothed=pseudo > 0)

    options = (bins, way, KINDS[divergence], pseudo, float(least_rows), float(least_bads))
    parts = x.astype(np.float64), y.astype(np.float64), float(away[0]), float(away[1])
    value, nodes, chosen = unit().search(*parts, *options, -math.inf)
    feasible = nodes.size > 0
    splits = np.array(_merge_equal(x, y, nodes.tolist()) if feasible and pseudo == 0 else nodes[1:-1], dtype=np.int64)
    table = _table(x, y, away, splits)
    status = _status(x, y, table, least_rows, least_bads, pseudo)
    notes = [str(status), *([_SELECTED] if splits.size else [])]
    found = None
    if pvalue is not None:
        # one bin has the value 0, which no permutation stays below
        found = 1.0
        if feasible and value > 0:
            sizes = np.append(x + y, sum(away))
            found = permutation_pvalue(sizes, int(y.sum()) + away[1], value, options, repeats, random)
    return BinningResult(
        status=status,
        splits=splits,
        table=table,
        missing=sum(away) > 0,
        prebins=prebins,
        edges=None if edges is None else edges[splits - 1],
        value=math.fsum(contributions(table, divergence, pseudo)),
        divergence=divergence,
        smoothing=pseudo,
        trend=_NAMES[int(chosen)] if feasible or trend != "auto" else "ascending",
        optimal=True,
        pvalue=found,
        repeats=repeats if pvalue is not None else 0,
        level=level,
        notes=tuple(notes),
    )


def _counts(
    good: ArrayLike | Prebins, bad: ArrayLike | None
) -> tuple[Counts, Counts, tuple[int, int], NDArray[np.float64] | None]:
    """Return goods, bads, the two counts of the missing values, and the edges of the prebins."""
    if isinstance(good, Prebins):
        if bad is not None:
            message = "bad is given beside a Prebins, which holds both counts; expected optimal_bins(prebins) alone"
            raise TypeError(message)
        return good.good, good.bad, (good.missing_good, good.missing_bad), good.edges
    if bad is None:
        message = "bad is None; expected the counts of bads, one a prebin, or a Prebins as the only argument"
        raise TypeError(message)
    x, y = whole_counts("good", good), whole_counts("bad", bad)
    same_shape("good", x, "bad", y)
    if float(x.sum() + y.sum()) > EXACT_INTEGERS:
        raise fail("(good + bad).sum()", float(x.sum() + y.sum()), "at most 2**53 rows, which float64 counts exactly")
    return x.astype(np.int64), y.astype(np.int64), (0, 0), None


def _refuse_large(prebins: int, bins: int, way: int, *, smoothed: bool) -> None:
    """Refuse a dynamic programme whose way back would not fit."""
    free = bins == 0 or bins >= prebins
    layers = 1 if way == 0 else (prebins if smoothed else 1) if free else bins
    states = layers * (prebins + 1) ** 2 * (2 if way > 1 else 1)
    if states > LARGEST_TABLE:
        message = (
            f"{prebins} prebins and max_bins={bins or None} need {states} states; expected at most {LARGEST_TABLE} "
            "with a constraint, with smoothing or with a trend other than ascending, descending and auto: merge "
            "prebins (prebin with max_prebins=500), or lower max_bins"
        )
        raise ValueError(message)


def _merge_equal(good: Counts, bad: Counts, nodes: list[int]) -> list[int]:
    """Return the inner nodes at which the event rate changes."""
    x, y = ([0, *np.cumsum(side).tolist()] for side in (good, bad))
    kept = [nodes[0]]
    for at, after in pairwise(nodes[1:]):
        before = kept[-1]
        if (y[at] - y[before]) * (x[after] - x[at]) != (y[after] - y[at]) * (x[at] - x[before]):
            kept.append(at)
    return kept[1:]


def _table(good: Counts, bad: Counts, away: tuple[int, int], splits: Counts) -> Counts:
    starts = np.concatenate([[0], splits]).astype(np.intp)
    table = np.stack([np.add.reduceat(good, starts), np.add.reduceat(bad, starts)], axis=1)
    return np.vstack([table, [away]]).astype(np.int64) if sum(away) else table


def _status(good: Counts, bad: Counts, table: Counts, least_rows: int, least_bads: int, pseudo: float) -> BinningStatus:
    """Return the most severe limit."""
    if good.sum() + bad.sum() < least_rows or bad.sum() < least_bads:
        return BinningStatus.INFEASIBLE
    if pseudo == 0 and (table == 0).any():
        return BinningStatus.ZERO_CELL
    first, last = _end(good, bad), _end(good[::-1], bad[::-1])
    merged = pseudo == 0 and (first or last)
    if np.count_nonzero(table.sum(axis=1)) == 1:
        return BinningStatus.ONE_BIN
    return BinningStatus.MERGED if merged else BinningStatus.OK


def _end(good: Counts, bad: Counts) -> bool:
    """Return True if the first prebin that holds rows holds one outcome only."""
    first = int(np.argmax(good + bad > 0))
    return bool(good[first] == 0 or bad[first] == 0)
