"""Compiled source of the enumeration of all samples from a finite law; `exact_enumeration` loads it."""

from __future__ import annotations

SOURCE = '''"""Risk of the normal MLE over all samples from a law on k points."""
import math

import numpy as np
from numba import njit, types

VECTOR = types.Array(types.float64, 1, "C", readonly=True)
MATRIX = types.Array(types.float64, 2, "C", readonly=True)
COUNTS = types.Array(types.int64, 1, "C", readonly=True)


@njit([types.float64(types.float64)], error_model="numpy", nogil=True, cache=True)
def log_excess(u):
    """Return u - log(1 + u); near 0 by its series in u / (2 + u)."""
    if u <= -0.6 or u >= 1.5:
        return u - math.log1p(u)
    ratio = u / (2.0 + u)
    square = ratio * ratio
    series = 0.0
    terms = 4 if abs(ratio) < 0.01 else (9 if abs(ratio) < 0.1 else 21)
    for k in range(terms, 0, -1):
        series = (1.0 / (2 * k + 1) + series) * square
    return ratio * (u - 2.0 * series)


@njit([types.float64(COUNTS, MATRIX)], error_model="numpy", nogil=True, cache=True)
def spread(count, apart):
    """Return the variance of a sample as a sum of squared distances of its points, which no cancellation spoils."""
    total = 0.0
    n = 0
    for i in range(count.size):
        n += count[i]
        for j in range(i):
            total += count[i] * count[j] * apart[i, j]
    return total / (n * n)


@njit([types.Tuple((types.float64, types.float64, types.float64))(types.int64, VECTOR, VECTOR, MATRIX, MATRIX)],
      error_model="numpy", nogil=True, cache=True)
def normal(n, p, y, apart, mass):
    """Return sums of weight times divergence, and of weights of samples with and without an estimate.

    The k points y have mean 0 and variance 1 under p, and squared distances apart; mass[i, c] is the relative Poisson
    weight of c observations.
    """
    k = y.size
    count = np.zeros(k, dtype=np.int64)
    weight, first, second = np.ones(k), np.zeros(k), np.zeros(k)
    left = np.empty(k, dtype=np.int64)
    left[0] = n
    risk, risk_low = 0.0, 0.0
    there, there_low = 0.0, 0.0
    none = 0.0
    level = 0
    # the place of a level holds the sums over the points before it
    while True:
        if level < k - 2:
            share = count[level] / n - p[level]
            weight[level + 1] = weight[level] * mass[level, count[level]]
            first[level + 1] = first[level] + share * y[level]
            second[level + 1] = second[level] + share * y[level] * y[level]
            left[level + 1] = left[level] - count[level]
            level += 1
            count[level] = 0
            continue
        a, b = k - 2, k - 1
        whole = left[a]
        for c in range(whole + 1):
            w = weight[a] * mass[a, c] * mass[b, whole - c]
            if w == 0.0:
                continue
            if c == n or whole - c == n or (whole == 0 and count[:a].max() == n):
                none += w
                continue
            sa, sb = c / n - p[a], (whole - c) / n - p[b]
            mean = first[a] + sa * y[a] + sb * y[b]
            excess = second[a] + sa * y[a] * y[a] + sb * y[b] * y[b] - mean * mean
            variance = 1.0 + excess
            if variance < 0.1:
                count[a], count[b] = c, whole - c
                variance = spread(count, apart)
                excess = variance - 1.0
            value = w * 0.5 * (log_excess(-excess / variance) + mean * mean / variance)
            # compensated: a million terms would cost two digits
            t = risk + value
            risk_low += (risk - t) + value if risk >= value else (value - t) + risk
            risk = t
            t = there + w
            there_low += (there - t) + w if there >= w else (w - t) + there
            there = t
        level -= 1
        while level >= 0 and count[level] == left[level]:
            level -= 1
        if level < 0:
            return risk + risk_low, there + there_low, none
        count[level] += 1
'''
