"""Replicates of the checks of sampling designs: bin sizes fixed, the same accounts twice, weights, quantile bins."""

from __future__ import annotations

from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import exp, log
from asymptopia.verify.device.gamma import beta
from asymptopia.verify.device.normal import normal
from asymptopia.verify.device.stream import Stream, uniform


def fixed_bins_square(stream: Stream, params: list[float]) -> float:
    """Return (J - centre)^2 where the bin sizes are fixed by design.

    params: bins, pseudo-count, centre, then two a bin: its size and its event rate.
    """
    bins = int(params[0])
    a = params[1]
    j = 0
    goods = bads = good_sum = bad_sum = 0.0
    for i in range(bins):
        size = int(params[3 + 2 * i])
        count, j = binomial(stream, j, size, params[4 + 2 * i])
        x = size - count + a
        y = count + a
        ratio = log(x) - log(y)
        goods += x
        bads += y
        good_sum += x * ratio
        bad_sum += y * ratio
    spread = good_sum / goods - bad_sum / bads - params[2]
    return spread * spread


def paired_statistics(stream: Stream, params: list[float]) -> tuple[float, float, float, float]:
    """Return (J - centre)^2, T = n_e J, and whether T exceeds each of two critical values, for a table of 4 by 4 bins.

    params: accounts, pseudo-count of the diagonal, centre, n_e, both critical values, then P(cell | no earlier one) row
    by row.
    """
    n = int(params[0])
    a = params[1]
    x0 = x1 = x2 = x3 = y0 = y1 = y2 = y3 = 0
    left = n
    j = 0
    # one call for all cells: each would be compiled on its own
    for cell in range(16):
        count, j = binomial(stream, j, left, params[6 + cell])
        left -= count
        row = cell >> 2
        column = cell & 3
        x0 += count if row == 0 else 0
        x1 += count if row == 1 else 0
        x2 += count if row == 2 else 0
        x3 += count if row == 3 else 0
        y0 += count if column == 0 else 0
        y1 += count if column == 1 else 0
        y2 += count if column == 2 else 0
        y3 += count if column == 3 else 0
    total = (
        jeffreys_of_counts(x0 + a, y0 + a)
        + jeffreys_of_counts(x1 + a, y1 + a)
        + jeffreys_of_counts(x2 + a, y2 + a)
        + jeffreys_of_counts(x3 + a, y3 + a)
    ) / (n + 4.0 * a)
    spread = total - params[2]
    statistic = params[3] * total
    reject = 1.0 if statistic > params[4] else 0.0
    naive = 1.0 if statistic > params[5] else 0.0
    return spread * spread, statistic, reject, naive


def jeffreys_of_counts(x: float, y: float) -> float:
    """Return (x - y) log(x / y)."""
    return (x - y) * (log(x) - log(y))


def weighted_bins(
    stream: Stream, j: int, params: list[float], base: int
) -> tuple[float, float, float, float, float, float, float, float, int]:
    """Return the sum of the weights in each of 4 bins, the sum of the clusters' squared weights, and the next block.

    A cluster lies in one bin. params from `base` on: clusters, rows of a cluster, three cumulative shares of bins, four
    means of the logarithm of a weight; params[0] is its standard deviation.
    """
    s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = 0.0
    members = int(params[base + 1])
    for _ in range(int(params[base])):
        u, j = uniform(stream, j)
        code = 0 if u < params[base + 2] else 1 if u < params[base + 3] else 2 if u < params[base + 4] else 3
        weight = 0.0
        for _ in range(members):
            z, j = normal(stream, j)
            weight += exp(params[base + 5 + code] + params[0] * z)
        square = weight * weight
        s0 += weight if code == 0 else 0.0
        s1 += weight if code == 1 else 0.0
        s2 += weight if code == 2 else 0.0
        s3 += weight if code == 3 else 0.0
        t0 += square if code == 0 else 0.0
        t1 += square if code == 1 else 0.0
        t2 += square if code == 2 else 0.0
        t3 += square if code == 3 else 0.0
    return s0, s1, s2, s3, t0, t1, t2, t3, j


def survey_statistics(stream: Stream, params: list[float]) -> tuple[float, float]:
    """Return (J - centre)^2 of two weighted samples, and the linearised estimate of the variance from them.

    params: standard deviation of the logarithm of a weight, centre, then nine a sample for `weighted_bins`.
    """
    x0, x1, x2, x3, c0, c1, c2, c3, j = weighted_bins(stream, 0, params, 2)
    y0, y1, y2, y3, e0, e1, e2, e3, j = weighted_bins(stream, j, params, 11)
    x = x0 + x1 + x2 + x3
    y = y0 + y1 + y2 + y3
    shares_p = (x0 / x, x1 / x, x2 / x, x3 / x)
    shares_q = (y0 / y, y1 / y, y2 / y, y3 / y)
    squares_p = (c0, c1, c2, c3)
    squares_q = (e0, e1, e2, e3)
    total = mean_p = mean_q = variance = 0.0
    for i in range(4):
        p = shares_p[i]
        q = shares_q[i]
        ratio = log(p) - log(q)
        total += (p - q) * ratio
        mean_p += p * (ratio - q / p)
        mean_q += q * (ratio + p / q)
    for i in range(4):
        p = shares_p[i]
        q = shares_q[i]
        ratio = log(p) - log(q)
        away_p = ratio - q / p - mean_p
        away_q = ratio + p / q - mean_q
        variance += squares_p[i] * away_p * away_p / (x * x) + squares_q[i] * away_q * away_q / (y * y)
    spread = total - params[1]
    return spread * spread, variance


def quantile_null(stream: Stream, params: list[float]) -> tuple[float, float, float]:
    """Return T = n_e J of equal populations, T > critical and n J > critical, for bins at quantiles of the baseline.

    The baseline's counts are what the quantiles make them; the bins' probabilities are spacings of its order
    statistics, drawn as a chain of beta variates. params: bins, n, m, pseudo-count, n_e, critical value, then the
    baseline's counts.
    """
    bins = int(params[0])
    n = int(params[1])
    m = params[2]
    a = params[3]
    left = n
    rest = m + 1.0
    j = 0
    total = 0.0
    for i in range(bins):
        count = params[6 + i]
        rest -= count
        share = 1.0
        if i < bins - 1:
            share, j = beta(stream, j, count, rest)
        x, j = binomial(stream, j, left, share)
        left -= x
        p = (x + a) / (n + a * bins)
        q = (count + a) / (m + a * bins)
        total += (p - q) * (log(p) - log(q))
    statistic = params[4] * total
    reject = 1.0 if statistic > params[5] else 0.0
    with_n = 1.0 if n * total > params[5] else 0.0
    return statistic, reject, with_n
