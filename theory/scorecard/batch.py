"""Estimate, moments, test and interval of many count tables at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.units import load_unit
from asymptopia.theory.scorecard.fast import snc_intervals
from asymptopia.theory.scorecard.laws import chi2_tails
from asymptopia.theory.scorecard.status import ScorecardStatus

Array = NDArray[np.float64]

SOURCE = '''"""The formulas of shares, moments and intervals, one table at a time, without an allocation."""
import math

import numpy as np
from numba import njit, types

SPLIT = 134217729.0


@njit(error_model="numpy", nogil=True)
def product_error(a, b, product):
    a_high, b_high = SPLIT * a, SPLIT * b
    a_high, b_high = a_high - (a_high - a), b_high - (b_high - b)
    a_low, b_low = a - a_high, b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


@njit(error_model="numpy", nogil=True)
def difference(x, n, y, m, fixed):
    """p - q, the products exact."""
    if fixed:
        product = n * y
        return ((x - product) - product_error(n, y, product)) / n
    first, second = x * m, y * n
    return ((first - second) + (product_error(x, m, first) - product_error(y, n, second))) / (n * m)


@njit(error_model="numpy", nogil=True)
def log_ratio(p, q, d):
    if abs(d) < 0.5 * q:
        return math.log1p(d / q)
    if p == 0.0 and q == 0.0:
        return 0.0
    return np.log(p) - np.log(q)


@njit(error_model="numpy", nogil=True)
def phi(d):
    """(1 + d) log(1 + d) - d"""
    if -0.5 < d < 1.0:
        ratio = d / (2.0 + d)
        square = ratio * ratio
        series = 0.0
        for k in range(17, 0, -1):
            series = 1.0 / (2 * k + 1) + square * series
        return d * ratio * (1.0 + (1.0 + ratio) * ratio * series)
    if d == -1.0:
        return 1.0
    return (1.0 + d) * math.log1p(d) - d


@njit(error_model="numpy", nogil=True)
def moments(x, y, bins, n, m, a, fixed, ratio):
    """Return divergence, variance and bias of the first `bins` entries; the log ratios go into `ratio`."""
    big_n = big_m = 0.0
    for i in range(bins):
        big_n += x[i] + a
        big_m += y[i] + a
    total = log_sum = mean_p = mean_q = 0.0
    for i in range(bins):
        p = (x[i] + a) / big_n
        if fixed:
            q, d = y[i], difference(x[i] + a, big_n, y[i], 1.0, True)
        else:
            q, d = (y[i] + a) / big_m, difference(x[i] + a, big_n, y[i] + a, big_m, False)
        ratio[i] = log_ratio(p, q, d)
        if d != 0.0:
            total += d * ratio[i]
        log_sum += ratio[i]
        mean_p += p * ratio[i]
        mean_q += q * ratio[i]
    spread_p = spread_q = far_p = far_q = odds_p = odds_q = kl_p = kl_q = 0.0
    for i in range(bins):
        p = (x[i] + a) / big_n
        if fixed:
            q, d = y[i], difference(x[i] + a, big_n, y[i], 1.0, True)
        else:
            q, d = (y[i] + a) / big_m, difference(x[i] + a, big_n, y[i] + a, big_m, False)
        spread_p += p * (ratio[i] - mean_p) ** 2
        spread_q += q * (ratio[i] - mean_q) ** 2
        far_p += d * d / p
        far_q += d * d / q
        odds_p += q / p
        odds_q += p / q
        kl_p += q * phi(d / q)
        kl_q += p * phi(-d / p)
    variance = (spread_p + far_p + 2.0 * total) / n
    bias = ((bins - 2) / 2 + a * bins + (0.5 - a) * odds_p + a * (log_sum - bins * kl_p)) / n
    if not fixed:
        variance += (spread_q + far_q + 2.0 * total) / m
        bias += ((bins - 2) / 2 + a * bins + (0.5 - a) * odds_q + a * (-log_sum - bins * kl_q)) / m
    return total, variance, bias


@njit(
    [types.void(*[types.Array(types.float64, 2, "C", readonly=True)] * 2, types.boolean, types.float64, types.float64,
                *[types.float64[:, ::1]] * 4)],
    error_model="numpy", nogil=True, cache=True,
)
def describe(counts, others, fixed, smoothing, few, out, terms, woe, woe_se):
    """Fill one row of `out` a table: see Found; and its terms, weights of evidence and their standard errors."""
    tables, width = counts.shape
    x, y, ratio = np.empty(width), np.empty(width), np.empty(width)
    place = np.empty(width, dtype=np.int64)
    for f in range(tables):
        bins = 0
        n = m = 0.0
        zero_cell = False
        for i in range(width):
            terms[f, i], woe[f, i], woe_se[f, i] = 0.0, math.nan, math.nan
            if counts[f, i] + others[f, i] > 0.0:
                x[bins], y[bins], place[bins] = counts[f, i], others[f, i], i
                n += x[bins]
                m += y[bins]
                zero_cell = zero_cell or ((x[bins] == 0.0) != (y[bins] == 0.0))
                bins += 1
        size = n if fixed else n * m / (n + m)
        smaller = n if fixed else min(n, m)
        sparse = smaller / bins < few
        for i in range(bins):
            expected = n * y[i] if fixed else (x[i] + y[i]) / (n + m) * smaller
            sparse = sparse or expected < 1.0
        a = smoothing if smoothing > 0.0 else 0.5
        smooth, variance, bias = moments(x, y, bins, n, m, a, fixed, ratio)
        rho, nu, seen = 1.0, bins - 1.0, 0.0
        if bins < 2:
            rho = nu = seen = math.nan
        elif smooth > 0.0:
            rho = size * variance / (4.0 * smooth)
            nu = max(size * bias / rho, 0.5)
            seen = size * smooth / rho
        plain = math.inf
        if smoothing == 0.0 and not zero_cell:
            plain, variance, bias = moments(x, y, bins, n, m, 0.0, fixed, ratio)
        elif not zero_cell:
            plain = 0.0
        big_n, big_m = n + bins * smoothing, m + bins * smoothing
        for i in range(bins):
            p = (x[i] + smoothing) / big_n
            q = y[i] if fixed else (y[i] + smoothing) / big_m
            d = difference(x[i] + smoothing, big_n, y[i] if fixed else y[i] + smoothing, big_m, fixed)
            value = log_ratio(p, q, d)
            woe[f, place[i]] = value
            terms[f, place[i]] = d * value if d != 0.0 else 0.0
            error = (big_n - (x[i] + smoothing)) / (x[i] + smoothing) / n
            if not fixed:
                error += (big_m - (y[i] + smoothing)) / (y[i] + smoothing) / m
            if error < math.inf:
                woe_se[f, place[i]] = math.sqrt(error)
            if smoothing > 0.0 and not zero_cell:
                d = difference(x[i], n, y[i], m, fixed)
                if d != 0.0:
                    plain += d * log_ratio(x[i] / n, y[i] if fixed else y[i] / m, d)
        if bins < 2 or (zero_cell and smoothing == 0.0):
            variance = bias = math.nan
        row = out[f]
        row[0], row[1] = plain, smooth
        row[2], row[3] = bias, math.sqrt(variance)
        row[4] = size * (smooth if smoothing > 0.0 or zero_cell else plain)
        row[5], row[6] = bins - 1.0, size
        row[7], row[8], row[9] = rho, nu, seen
        row[10], row[11] = (1.0 if sparse else 0.0), (1.0 if zero_cell else 0.0)
'''
_COLUMNS = 12
_FEW = 5


class Found(NamedTuple):
    """What is known of each table; arrays with one entry a table, the last three with one a table and bin.

    Attributes
    ----------
    estimate, estimate_smoothed, bias, se, statistic, dof, log_pvalue, n_eff, contributions, woe, woe_se
        As in `JeffreysResult`.
    rho, nu, seen : ndarray
        The law `intervals.SNC`.
    low, high : ndarray
        Its interval; NaN if nothing can be tested.
    statuses : tuple of ScorecardStatus
        The most severe limit of each table.
    """

    estimate: Array
    estimate_smoothed: Array
    bias: Array
    se: Array
    statistic: Array
    dof: NDArray[np.int64]
    log_pvalue: Array
    n_eff: Array
    rho: Array
    nu: Array
    seen: Array
    low: Array
    high: Array
    statuses: tuple[ScorecardStatus, ...]
    contributions: Array
    woe: Array
    woe_se: Array


def describe_tables(
    x: ArrayLike, y: ArrayLike, *, fixed: bool = False, smoothing: float = 0, level: float = 0.95
) -> Found:
    """Return what `describe` does for each pair of rows of `x` and `y`, but all at once.

    Parameters
    ----------
    x, y : array_like, shape (tables, bins)
        Whole counts; `y` known shares, all positive, if `fixed`. Every row has a positive sum.
    fixed : bool
        True for `FixedBaseline`, else `IndependentSamples`.
    smoothing, level : float
        Pseudo-count a bin and level of the interval.
    """
    first, second = np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(y, dtype=np.float64)
    out = np.empty((first.shape[0], _COLUMNS))
    terms, woe, woe_se = (np.empty(first.shape) for _ in range(3))
    kernel = load_unit("scorecard_tables", SOURCE).describe
    kernel(first, second, fixed, float(smoothing), _FEW, out, terms, woe, woe_se)
    columns = np.ascontiguousarray(out.T)
    dof, n_eff, rho, nu, seen = columns[5:10]
    log_pvalue = np.full(dof.size, np.nan)
    tested = dof > 0
    log_pvalue[tested] = chi2_tails(columns[4][tested], dof[tested]).sf
    low, high = snc_intervals(rho, nu, seen, n_eff, level)
    return Found(
        estimate=columns[0],
        estimate_smoothed=columns[1],
        bias=columns[2],
        se=columns[3],
        statistic=columns[4],
        dof=dof.astype(np.int64),
        log_pvalue=log_pvalue,
        n_eff=n_eff,
        rho=rho,
        nu=nu,
        seen=seen,
        low=low,
        high=high,
        statuses=tuple(_status(*row) for row in columns[[5, 10, 11]].T.tolist()),
        contributions=terms,
        woe=woe,
        woe_se=woe_se,
    )


def _status(dof: float, sparse: float, zero_cell: float) -> ScorecardStatus:
    if dof == 0:
        return ScorecardStatus.ONE_BIN
    if zero_cell:
        return ScorecardStatus.ZERO_CELL
    return ScorecardStatus.SPARSE if sparse else ScorecardStatus.OK
