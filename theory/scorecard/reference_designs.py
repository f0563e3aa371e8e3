"""Reference moments of divergences where bin sizes are fixed or the same items are seen twice.

The covariance of the 2B shares is a Jacobian of numerical derivatives through the counts, times the covariance of the
counts: independent binomials, or one multinomial over pairs of bins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import mpmath as mp

from asymptopia.theory.scorecard.reference import Matrix, Numbers, multinomial_covariance, precise, quadratic
from asymptopia.theory.scorecard.reference_divergence import divergence, gradient_hessian

Shares = Callable[[list[Any]], list[Any]]


def jacobian(shares: Shares, counts: Sequence[Any]) -> list[list[Any]]:
    """Return the derivatives of the shares, rows, by the counts, columns, from central differences."""
    wanted = mp.mp.dps
    columns = []
    with mp.workdps(3 * wanted):
        for k, count in enumerate(counts):
            step = mp.mpf(10) ** (-wanted) * (abs(count) + 1)
            moved = []
            for multiple in (-2, -1, 1, 2):
                place = [mp.mpf(value) for value in counts]
                place[k] += multiple * step
                moved.append(shares(place))
            low2, low1, high1, high2 = moved
            columns.append(
                [(8 * (c - b) - (d - a)) / (12 * step) for a, b, c, d in zip(low2, low1, high1, high2, strict=True)]
            )
    return [list(row) for row in zip(*columns, strict=True)]


def propagated(J: Matrix, covariance: Matrix) -> Matrix:
    """Return ``J C J'``."""
    half = [[mp.fdot(row, column) for column in zip(*covariance, strict=True)] for row in J]
    return [[mp.fdot(row, other) for other in J] for row in half]


def _fixed_shares(sizes: Numbers) -> Shares:
    def shares(bads: list[Any]) -> list[Any]:
        goods = [N - b for N, b in zip(sizes, bads, strict=True)]
        n, m = mp.fsum(goods), mp.fsum(bads)
        return [v / n for v in goods] + [v / m for v in bads]

    return shares


@precise
def fixed_bins_covariance(x: Numbers, y: Numbers) -> Matrix:
    """Return the covariance of the 2B shares where ``x + y`` is fixed and y is binomial in each bin."""
    x, y = [mp.mpf(v) for v in x], [mp.mpf(v) for v in y]
    sizes = [s + t for s, t in zip(x, y, strict=True)]
    bins = len(x)
    spread = [
        [sizes[j] * (y[j] / sizes[j]) * (1 - y[j] / sizes[j]) if j == k else 0 for k in range(bins)]
        for j in range(bins)
    ]
    return propagated(jacobian(_fixed_shares(sizes), y), spread)


@precise
def fixed_bins_moments(x: Numbers, y: Numbers, kind: str, alpha: Any = None) -> tuple[Any, Any, Any, Any]:
    """Return value, variance and two biases of the plug-in: through the counts, and ``tr(HS)/2`` alone.

    The first is half the sum of the second derivatives by the counts times their variances. It differs from the second
    by the bias of the shares themselves, whose denominators are random in this design.
    """
    x, y = [mp.mpf(v) for v in x], [mp.mpf(v) for v in y]
    sizes = [s + t for s, t in zip(x, y, strict=True)]
    shares, bins, wanted = _fixed_shares(sizes), len(x), mp.mp.dps
    n, m = mp.fsum(x), mp.fsum(y)
    p, q = [v / n for v in x], [v / m for v in y]
    with mp.workdps(2 * wanted):
        g, H = gradient_hessian(p, q, kind, alpha)
        S = fixed_bins_covariance(x, y, dps=mp.mp.dps)
        variance = quadratic(g, S)
        trace = mp.fsum(H[j][k] * S[k][j] for j, k in product(range(2 * bins), repeat=2)) / 2

    def value(bads: list[Any]) -> Any:
        both = shares(bads)
        return divergence(both[:bins], both[bins:], kind, alpha, dps=mp.mp.dps)

    through = mp.mpf(0)
    with mp.workdps(3 * wanted):
        for k in range(bins):
            step = mp.mpf(10) ** (-wanted // 2) * y[k]
            h = []
            for multiple in range(-3, 4):
                place = list(y)
                place[k] += multiple * step
                h.append(value(place))
            second = (270 * (h[4] + h[2]) - 27 * (h[5] + h[1]) + 2 * (h[6] + h[0]) - 490 * h[3]) / (180 * step**2)
            through += second * x[k] * y[k] / sizes[k] / 2
    return value(y), variance, through, trace


@precise
def paired_covariance(T: Matrix) -> tuple[list[Any], list[Any], Matrix]:
    """Return both margins' shares and their covariance, from the multinomial over all pairs of bins."""
    bins = len(T)
    cells = [mp.mpf(v) for row in T for v in row]
    N = mp.fsum(cells)

    def margins(counts: list[Any]) -> list[Any]:
        # the number of items is fixed: the shares are linear in the counts
        rows = [mp.fsum(counts[j * bins + k] for k in range(bins)) / N for j in range(bins)]
        columns = [mp.fsum(counts[j * bins + k] for j in range(bins)) / N for k in range(bins)]
        return rows + columns

    spread = multinomial_covariance([v / N for v in cells], 1 / N)
    both = margins(cells)
    return both[:bins], both[bins:], propagated(jacobian(margins, cells), spread)


@precise
def paired_moments(T: Matrix, kind: str, alpha: Any = None) -> tuple[Any, Any, Any]:
    """Return value, first-order variance and bias of a divergence of the margins of a table of paired counts."""
    bins = len(T)
    with mp.workdps(2 * mp.mp.dps):
        p, q, S = paired_covariance(T, dps=mp.mp.dps)
        g, H = gradient_hessian(p, q, kind, alpha)
        trace = mp.fsum(H[j][k] * S[k][j] for j, k in product(range(2 * bins), repeat=2)) / 2
        variance = quadratic(g, S)
    return divergence(p, q, kind, alpha, dps=mp.mp.dps), variance, trace


@precise
def null_weights(p: Numbers, q: Numbers, S: Matrix, n_eff: Any) -> list[Any]:
    """Return weights of the chi-squares in the law of ``2 n_eff D / f''(1)``, descending, the smallest left out.

    They are eigenvalues of ``n_eff D^-1/2 C D^-1/2`` with C the covariance of p - q by the blocks of `S` and D the mean
    of both shares.
    """
    bins = len(p)
    mean = [(s + t) / 2 for s, t in zip(p, q, strict=True)]
    C = mp.matrix(bins)
    for j, k in product(range(bins), repeat=2):
        moved = S[j][k] + S[bins + j][bins + k] - S[j][bins + k] - S[bins + j][k]
        C[j, k] = n_eff * moved / mp.sqrt(mean[j] * mean[k])
    return sorted(mp.eigsy(C, eigvals_only=True), reverse=True)[: bins - 1]


@precise
def survey_variance(
    codes: Sequence[int],
    weights: Numbers,
    clusters: Sequence[int],
    values: Numbers,
) -> Any:
    """Return the linearised variance of ``sum_i s_i values_i`` over weighted shares s, by clusters.

    Each cluster's weight is moved by itself: the score is the derivative by its multiplicity. Scores are squared and
    multiplied by G/(G - 1).
    """
    groups = sorted(set(clusters))
    bins = len(values)

    def functional(multiplicity: list[Any]) -> list[Any]:
        entering = [mp.mpf(w) * multiplicity[groups.index(c)] for w, c in zip(weights, clusters, strict=True)]
        size = mp.fsum(entering)
        shares = [
            mp.fsum(w for w, b in zip(entering, codes, strict=True) if b == level) / size for level in range(bins)
        ]
        return [mp.fdot(shares, values)]

    scores = jacobian(functional, [mp.mpf(1)] * len(groups))[0]
    G = mp.mpf(len(groups))
    return G / (G - 1) * mp.fsum(score**2 for score in scores)
