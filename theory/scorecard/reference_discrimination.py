"""Reference AUC, Gini and KS of binned scores with their variances, and conditional IV, from sums over pairs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import mpmath as mp

from asymptopia.theory.scorecard.reference import independent_covariance, precise, quadratic, shares


def in_order(good: Sequence[int], bad: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the counts with bins in ascending order of bad share."""
    bins = sorted(range(len(good)), key=lambda k: Fraction(bad[k], good[k] + bad[k]))
    return [good[k] for k in bins], [bad[k] for k in bins]


def win(safe: int, risky: int) -> Fraction:
    """Return 1 if the second bin is after the first, 1/2 if they are one."""
    return Fraction(1) if risky > safe else Fraction(1, 2) if risky == safe else Fraction(0)


def auc(good: Sequence[int], bad: Sequence[int]) -> Fraction:
    """Return the share of pairs of a good and a bad item in which the bad one is in the later bin, ties half."""
    pairs = product(enumerate(good), enumerate(bad))
    return sum((win(j, k) * x * y for (j, x), (k, y) in pairs), Fraction(0)) / (sum(good) * sum(bad))


def placements(good: Sequence[int], bad: Sequence[int]) -> tuple[list[Fraction], list[Fraction]]:
    """Return the share of bads that each good item's bin wins against, and of goods for each bad item's bin."""
    bins = range(len(good))
    of_good = [sum((win(j, k) * bad[k] for k in bins), Fraction(0)) / sum(bad) for j in bins]
    of_bad = [sum((win(j, k) * good[j] for j in bins), Fraction(0)) / sum(good) for k in bins]
    return of_good, of_bad


def delong_variance(good: Sequence[int], bad: Sequence[int]) -> Fraction:
    """Return the sample variances of both kinds of placements, with denominators n - 1 and m - 1, over n and m."""
    total = Fraction(0)
    for counts, values in zip((good, bad), placements(good, bad), strict=True):
        size = sum(counts)
        mean = sum((c * v for c, v in zip(counts, values, strict=True)), Fraction(0)) / size
        squares = sum((c * (v - mean) ** 2 for c, v in zip(counts, values, strict=True)), Fraction(0))
        total += squares / (size - 1) / size
    return total


def plugin_variance(good: Sequence[int], bad: Sequence[int]) -> Fraction:
    """Return ``g'Sg`` of the AUC, a bilinear function of the shares: the delta method without small-sample factors."""
    bins = len(good)
    n, m = sum(good), sum(bad)
    p, q = [Fraction(x, n) for x in good], [Fraction(y, m) for y in bad]
    total = Fraction(0)
    for counts, slope, size in ((p, placements(good, bad)[0], n), (q, placements(good, bad)[1], m)):
        for j, k in product(range(bins), repeat=2):
            covariance = ((counts[j] if j == k else 0) - counts[j] * counts[k]) / size
            total += slope[j] * covariance * slope[k]
    return total


def ks(good: Sequence[int], bad: Sequence[int]) -> Fraction:
    """Return the largest distance of the cumulative shares over all cuts of the bins in the given order."""
    n, m = sum(good), sum(bad)
    return max(abs(Fraction(sum(good[:k]), n) - Fraction(sum(bad[:k]), m)) for k in range(len(good) + 1))


def exact(value: Fraction) -> Any:
    """Return the fraction as an mpmath number."""
    return mp.mpf(value.numerator) / value.denominator


def _conditional(cells: Sequence[Any], rows: int) -> Any:
    """Return the sum over rows of both divergences of the rows' own shares, weighted by the rows' shares."""
    half = len(cells) // 2
    columns = half // rows
    total = mp.mpf(0)
    for j in range(rows):
        s, t = (cells[start + j * columns : start + (j + 1) * columns] for start in (0, half))
        out, into = mp.fsum(s), mp.fsum(t)
        for a, b in zip(s, t, strict=True):
            level = mp.log((a / out) / (b / into))
            total += out * (a / out) * level - into * (b / into) * level
    return total


def _moved(point: Sequence[Any], steps: dict[int, Any]) -> list[Any]:
    return [value + steps.get(k, 0) for k, value in enumerate(point)]


@precise
def conditional_iv(good: Sequence[Sequence[int]], bad: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """Return the conditional IV of the columns given the rows and its first-order variance.

    The gradient is taken numerically, cell by cell.
    """
    p = shares([x for row in good for x in row], dps=mp.mp.dps)
    q = shares([y for row in bad for y in row], dps=mp.mp.dps)
    wanted, point, rows = mp.mp.dps, [*p, *q], len(good)
    slope = []
    with mp.workdps(3 * wanted):
        for k, share in enumerate(point):
            step = mp.mpf(10) ** (-wanted) * share
            h = [_conditional(_moved(point, {k: c * step}), rows) for c in (-2, -1, 1, 2)]
            slope.append((8 * (h[2] - h[1]) - (h[3] - h[0])) / (12 * step))
    n, m = (sum(sum(row) for row in table) for table in (good, bad))
    return _conditional(point, rows), quadratic(slope, independent_covariance(p, q, n, m))


@precise
def conditional_null_weights(good: Sequence[Sequence[int]], bad: Sequence[Sequence[int]]) -> list[Any]:
    """Return the weights of the chi-squares in the law of the conditional IV at equal row laws, descending.

    They are the eigenvalues of half its Hessian times the covariance of all cells' shares, where each row has its own
    share in either sample and the pooled law within. The Hessian is taken numerically.
    """
    rows, columns = len(good), len(good[0])
    cells = rows * columns
    sizes = [mp.mpf(sum(sum(row) for row in table)) for table in (good, bad)]
    pooled = [[mp.mpf(x + y) for x, y in zip(*pair, strict=True)] for pair in zip(good, bad, strict=True)]
    point = [
        mp.fsum(row) / size * value / mp.fsum(both)
        for table, size in zip((good, bad), sizes, strict=True)
        for row, both in zip(table, pooled, strict=True)
        for value in both
    ]
    wanted = mp.mp.dps
    H = mp.matrix(2 * cells)
    with mp.workdps(4 * wanted):
        step = mp.mpf(10) ** (-wanted) * min(point)
        for j in range(2 * cells):
            for k in range(j, 2 * cells):
                corners = [
                    s
                    * t
                    * _conditional(_moved(point, {j: s * step, k: t * step} if j != k else {j: (s + t) * step}), rows)
                    for s in (1, -1)
                    for t in (1, -1)
                ]
                H[j, k] = H[k, j] = mp.fsum(corners) / (4 * step**2)
    # (diag(s) - s s') = A A' with A = diag(r) - s r', r the roots of the shares
    A = mp.matrix(2 * cells)
    for start, size in zip((0, cells), sizes, strict=True):
        for j in range(cells):
            for k in range(cells):
                s, t = point[start + j], point[start + k]
                A[start + j, start + k] = ((mp.sqrt(s) if j == k else 0) - s * mp.sqrt(t)) / mp.sqrt(size)
    eigenvalues = mp.eigsy(A.T * (H / 2) * A, eigvals_only=True)
    return sorted(eigenvalues, reverse=True)[: rows * (columns - 1)]
