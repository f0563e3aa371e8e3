"""Numba source of the segment values: the terms of each f-divergence, exact comparisons of rates, the hull."""

from __future__ import annotations

KINDS = {"jeffreys": 0, "kl": 1, "reverse-kl": 2, "js": 3, "hellinger": 4, "pearson": 5, "neyman": 6}
"""Code of each divergence of the shares of goods (p) from those of bads (q)."""

GAINS = '''"""Exact optimal binning: segment values, hull and dynamic programme."""
import math

import numpy as np
from numba import njit, types

F, I = types.float64, types.int64
V = types.Array(F, 1, "C", readonly=True)
W = types.Array(I, 1, "C", readonly=True)
A = types.Array(F, 2, "C", readonly=True)
OPTIONS = dict(error_model="numpy", nogil=True, cache=True)
SPLIT = 134217729.0


@njit([F(F, F, F)], **OPTIONS)
def remainder(a, b, product):
    """Return a * b - product without rounding (Dekker)."""
    t = SPLIT * a
    high_a = t - (t - a)
    low_a = a - high_a
    t = SPLIT * b
    high_b = t - (t - b)
    low_b = b - high_b
    return ((high_a * high_b - product) + high_a * low_b + low_a * high_b) + low_a * low_b


@njit([F(F, F, F, F)], **OPTIONS)
def compare(a, b, c, d):
    """Return a number with the sign of a * b - c * d, exact for whole numbers up to 2**53."""
    # rounding is monotone: unequal rounded products are in the order of the exact ones
    first = a * b
    second = c * d
    if first != second:
        return first - second
    return remainder(a, b, first) - remainder(c, d, second)


@njit([F(F, F, F, F)], **OPTIONS)
def difference(a, b, c, d):
    """Return a * b - c * d, rounded once or twice."""
    first = a * b
    second = c * d
    return (first - second) + (remainder(a, b, first) - remainder(c, d, second))


@njit([F(F)], **OPTIONS)
def phi(d):
    """Return (1 + d) log(1 + d) - d."""
    if d <= -1.0:
        return 1.0
    if d <= -0.5 or d >= 1.0:
        return (1.0 + d) * math.log1p(d) - d
    s = d / (2.0 + d)
    square = s * s
    series = 0.0
    for k in range(17, 0, -1):
        series = 1.0 / (2 * k + 1) + square * series
    return d * s * (1.0 + (1.0 + s) * s * series)


@njit([F(I, F, F, F, F)], **OPTIONS)
def term(kind, x, y, n, m):
    """Return the term of a cell with x of n goods and y of m bads, of the generator whose slope at 1 is 0."""
    p = x / n
    q = y / m
    d = difference(x, m, y, n) / (n * m)
    if d == 0.0:
        return 0.0
    if kind == 0:
        return d * (math.log1p(d / q) if abs(d) < 0.5 * q else math.log(p / q))
    if kind == 1:
        return np.inf if q == 0.0 else q * phi(d / q)
    if kind == 2:
        return np.inf if p == 0.0 else p * phi(-d / p)
    if kind == 3:
        t = d / (p + q)
        if p == 0.0 or q == 0.0:
            return 0.5 * math.log(2.0) * (p + q)
        if abs(t) < 0.5:
            inner = t * (math.log1p(t) - math.log1p(-t)) + math.log1p(-t * t)
        else:
            s = p + q
            inner = 2.0 * (p * math.log(2.0 * p / s) + q * math.log(2.0 * q / s)) / s
        return 0.25 * (p + q) * inner
    if kind == 4:
        root = math.sqrt(p) + math.sqrt(q)
        return 0.5 * (d / root) * (d / root)
    return d * d / (q if kind == 5 else p)


@njit([F[::1](V, V, I, F, F, F)], **OPTIONS)
def terms(good, bad, kind, pseudo, n, m):
    """Return the term of each cell with pseudo added to both counts; 0 for an empty cell."""
    out = np.zeros(good.size)
    for i in range(good.size):
        if good[i] + bad[i] > 0.0:
            out[i] = term(kind, good[i] + pseudo, bad[i] + pseudo, n, m)
    return out


@njit([F[:, ::1](V, V, I, F, F, F, F, F)], **OPTIONS)
def gains(cum_good, cum_bad, kind, pseudo, n, m, min_rows, min_bads):
    """Return the value of each segment between two nodes, -inf where it may be no bin."""
    nodes = cum_good.size
    out = np.full((nodes, nodes), -np.inf)
    for i in range(nodes):
        for j in range(i + 1, nodes):
            x = cum_good[j] - cum_good[i]
            y = cum_bad[j] - cum_bad[i]
            if x + y < min_rows or y < min_bads or x + y == 0.0 or (pseudo == 0.0 and (x == 0.0 or y == 0.0)):
                continue
            out[i, j] = term(kind, x + pseudo, y + pseudo, n, m)
    return out


@njit([F[::1](V)], **OPTIONS)
def cumulate(counts):
    out = np.zeros(counts.size + 1)
    for i in range(counts.size):
        out[i + 1] = out[i] + counts[i]
    return out


@njit([F[:, ::1](V, V, I, F), F[:, ::1](W, W, I, F)], **OPTIONS)
def segment_gains(good, bad, kind, pseudo):
    """Return the (K + 1, K + 1) values of all segments; the totals stay those of the counts without pseudo."""
    x = cumulate(good.astype(np.float64))
    y = cumulate(bad.astype(np.float64))
    return gains(x, y, kind, pseudo, x[-1], y[-1], 0.0, 0.0)


@njit([I[::1](V, V)], **OPTIONS)
def minorant(cum_good, cum_bad):
    """Return the positions of the vertices of the greatest convex minorant of the nodes (good, bad)."""
    out = np.zeros(cum_good.size, dtype=np.int64)
    top = 0
    for j in range(1, cum_good.size):
        while top > 0:
            a = out[top - 1]
            b = out[top]
            # the block before has at least the rate of the new one: they pool
            if compare(
                cum_bad[b] - cum_bad[a], cum_good[j] - cum_good[b], cum_bad[j] - cum_bad[b], cum_good[b] - cum_good[a]
            ) >= 0.0:
                top -= 1
            else:
                break
        top += 1
        out[top] = j
    return out[: top + 1].copy()


@njit([I[::1](V, V), I[::1](W, W)], **OPTIONS)
def hull(good, bad):
    """Return the nodes 0 = .. = K of the isotonic blocks of the event rate, ascending."""
    return minorant(cumulate(good.astype(np.float64)), cumulate(bad.astype(np.float64)))
'''
