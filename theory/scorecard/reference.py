"""Reference values for Information Value, PSI and Weight of Evidence, from definitions in multiple precision.

Variances are ``g' Sigma g`` and biases ``tr(H Sigma) / 2`` with full covariance matrices; no simplified form enters.
Every function takes the number of decimal digits `dps` and returns mpmath numbers. Laws and intervals are in
`reference_laws`, finite-sample values in `reference_exact`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import mpmath as mp

DPS = 50
Numbers = Sequence[Any]
Matrix = list[list[Any]]


def precise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate `function` to take ``dps=50``, to compute with ten digits more and to round its value to `dps`."""

    @wraps(function)
    def wrapped(*args: Any, dps: int = DPS, **options: Any) -> Any:
        with mp.workdps(dps + 10):
            value = function(*args, **options)
        with mp.workdps(dps):
            return _rounded(value)

    return wrapped


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_rounded(item) for item in value)
    return +value if isinstance(value, mp.mpf) else value


@precise
def shares(counts: Numbers, a: Any = 0) -> list[Any]:
    """Return ``(x + a) / (n + a B)``."""
    total = mp.fsum(counts) + mp.mpf(a) * len(counts)
    return [(mp.mpf(x) + a) / total for x in counts]


@precise
def kl(p: Numbers, q: Numbers) -> Any:
    """Return ``sum p log(p / q)`` with ``0 log 0 = 0``; inf where p > 0 = q."""
    total = mp.mpf(0)
    for s, t in zip(p, q, strict=True):
        if s != 0:
            total += mp.inf if t == 0 else mp.mpf(s) * mp.log(mp.mpf(s) / t)
    return total


@precise
def jeffreys(p: Numbers, q: Numbers) -> Any:
    """Return the sum of both Kullback-Leibler divergences."""
    return kl(p, q, dps=mp.mp.dps) + kl(q, p, dps=mp.mp.dps)


def gradient(p: Numbers, q: Numbers) -> list[Any]:
    """Return the derivatives of ``sum (p - q) log(p / q)`` by p_1..p_B, then by q_1..q_B."""
    by_p = [mp.log(s / t) + (s - t) / s for s, t in zip(p, q, strict=True)]
    by_q = [-mp.log(s / t) - (s - t) / t for s, t in zip(p, q, strict=True)]
    return by_p + by_q


def hessian(p: Numbers, q: Numbers) -> Matrix:
    """Return the matrix of second derivatives of ``sum (p - q) log(p / q)``, p first."""
    bins = len(p)
    H = zeros(2 * bins)
    for k, (s, t) in enumerate(zip(p, q, strict=True)):
        H[k][k] = 2 / s - (s - t) / s**2
        H[bins + k][bins + k] = 2 / t + (s - t) / t**2
        H[k][bins + k] = H[bins + k][k] = -1 / s - 1 / t
    return H


def zeros(size: int) -> Matrix:
    """Return a square matrix of zeros."""
    return [[mp.mpf(0)] * size for _ in range(size)]


def multinomial_covariance(p: Numbers, n: Any) -> Matrix:
    """Return ``(diag(p) - p p') / n``."""
    return [[((s if j == k else 0) - s * t) / n for k, t in enumerate(p)] for j, s in enumerate(p)]


def independent_covariance(p: Numbers, q: Numbers, n: Any, m: Any, baseline: str = "random") -> Matrix:
    """Return the covariance of (p, q) of two independent samples; the q block is 0 for ``baseline="fixed"``."""
    bins = len(p)
    C = zeros(2 * bins)
    for j, row in enumerate(multinomial_covariance(p, n)):
        C[j][:bins] = row
    if baseline != "fixed":
        for j, row in enumerate(multinomial_covariance(q, m)):
            C[bins + j][bins:] = row
    return C


def quadratic(vector: Numbers, matrix: Matrix) -> Any:
    """Return ``v' M v``."""
    return mp.fsum(a * mp.fdot(row, vector) for a, row in zip(vector, matrix, strict=True))


def trace_product(A: Matrix, C: Matrix) -> Any:
    """Return ``tr(A C)``."""
    return mp.fsum(A[j][k] * C[k][j] for j in range(len(A)) for k in range(len(A)))


@precise
def delta_variance(p: Numbers, q: Numbers, n: Any, m: Any, baseline: str = "random") -> Any:
    """Return ``g' Sigma g``, the first-order variance of the plug-in Jeffreys divergence."""
    p, q = [mp.mpf(s) for s in p], [mp.mpf(s) for s in q]
    return quadratic(gradient(p, q), independent_covariance(p, q, n, m, baseline))


@precise
def variance_components(p: Numbers, q: Numbers) -> tuple[Any, Any]:
    """Return V_P and V_Q, the variances of one observation's contribution from either sample."""
    p, q = [mp.mpf(s) for s in p], [mp.mpf(s) for s in q]
    bins, slope = len(p), gradient(p, q)
    return quadratic(slope[:bins], multinomial_covariance(p, 1)), quadratic(slope[bins:], multinomial_covariance(q, 1))


@precise
def bias(p: Numbers, q: Numbers, n: Any, m: Any, a: Any = 0, baseline: str = "random") -> Any:
    """Return ``tr(H Sigma) / 2`` plus the first-order effect of adding `a` to each count.

    The expectation of ``(x + a) / (n + a B)`` differs from p by ``a (1 - B p) / n`` to first order in 1/n.
    """
    p, q = [mp.mpf(s) for s in p], [mp.mpf(s) for s in q]
    bins = len(p)
    curvature = trace_product(hessian(p, q), independent_covariance(p, q, n, m, baseline)) / 2
    shift = [mp.mpf(a) * (1 - bins * s) / n for s in p]
    shift += [mp.mpf(a) * (1 - bins * t) / m if baseline != "fixed" else mp.mpf(0) for t in q]
    return curvature + mp.fdot(gradient(p, q), shift)


@precise
def cumulants(p: Numbers, q: Numbers, n: Any, m: Any) -> tuple[Any, Any, Any]:
    """Return the first three cumulants of ``g'Z + Z'HZ/2`` for Z normal with the samples' covariance."""
    p, q = [mp.mpf(s) for s in p], [mp.mpf(s) for s in q]
    g = mp.matrix(gradient(p, q))
    H = mp.matrix(hessian(p, q))
    C = mp.matrix(independent_covariance(p, q, n, m))
    HC = H * C
    HC2 = HC * HC

    def trace(M: Any) -> Any:
        return mp.fsum(M[k, k] for k in range(M.rows))

    first = trace(HC) / 2
    second = (g.T * C * g)[0] + trace(HC2) / 2
    third = 3 * (g.T * C * H * C * g)[0] + trace(HC2 * HC)
    return first, second, third


@precise
def woe(x: Numbers, y: Numbers) -> list[Any]:
    """Return ``log((x_i / n) / (y_i / m))``."""
    return [mp.log(s / t) for s, t in zip(shares(x, dps=mp.mp.dps), shares(y, dps=mp.mp.dps), strict=True)]


@precise
def woe_covariance(x: Numbers, y: Numbers) -> Matrix:
    """Return Jacobian, covariance and transposed Jacobian of Weight of Evidence, multiplied out.

    The Jacobian by (p, q) is ``[diag(1/p), -diag(1/q)]``.
    """
    p, q = shares(x, dps=mp.mp.dps), shares(y, dps=mp.mp.dps)
    good, bad = multinomial_covariance(p, mp.fsum(x)), multinomial_covariance(q, mp.fsum(y))
    bins = range(len(p))
    return [[(1 / p[j]) * good[j][k] * (1 / p[k]) + (-1 / q[j]) * bad[j][k] * (-1 / q[k]) for k in bins] for j in bins]


@precise
def woe_covariance_fixed_sizes(x: Numbers, y: Numbers) -> Matrix:
    """Return the covariance of Weight of Evidence where bin sizes are fixed and y_k are independent binomials."""
    x, y = [mp.mpf(s) for s in x], [mp.mpf(t) for t in y]
    n, m = mp.fsum(x), mp.fsum(y)
    bins = range(len(x))
    jacobian = [[(-1 / x[j] - 1 / y[j] if j == k else 0) + 1 / n + 1 / m for k in bins] for j in bins]
    sizes = [s + t for s, t in zip(x, y, strict=True)]
    spread = [N * (t / N) * (1 - t / N) for N, t in zip(sizes, y, strict=True)]
    return [[mp.fsum(jacobian[j][b] * spread[b] * jacobian[k][b] for b in bins) for k in bins] for j in bins]


@precise
def iv_variance_fixed_sizes(x: Numbers, y: Numbers) -> Any:
    """Return the first-order variance of J where bin sizes are fixed, by the chain rule through the counts."""
    x, y = [mp.mpf(s) for s in x], [mp.mpf(t) for t in y]
    n, m = mp.fsum(x), mp.fsum(y)
    bins = len(x)
    slope = gradient([s / n for s in x], [t / m for t in y])
    total = mp.mpf(0)
    for k in range(bins):
        by_count = mp.mpf(0)
        for j in range(bins):
            dp = (-1 if j == k else 0) / n + x[j] / n**2
            dq = (1 if j == k else 0) / m - y[j] / m**2
            by_count += slope[j] * dp + slope[bins + j] * dq
        N = x[k] + y[k]
        total += by_count**2 * N * (y[k] / N) * (1 - y[k] / N)
    return total


def _paired_covariance(T: Matrix) -> tuple[list[Any], list[Any], Matrix]:
    """Return shares and covariance of (p, q), the margins of one multinomial sample over pairs with counts T."""
    bins = len(T)
    N = mp.fsum(mp.fsum(row) for row in T)
    cells = [[mp.mpf(value) / N for value in row] for row in T]
    p = [mp.fsum(row) for row in cells]
    q = [mp.fsum(cells[j][k] for j in range(bins)) for k in range(bins)]
    C = zeros(2 * bins)
    for j in range(bins):
        for k in range(bins):
            C[j][k] = ((p[j] if j == k else 0) - p[j] * p[k]) / N
            C[bins + j][bins + k] = ((q[j] if j == k else 0) - q[j] * q[k]) / N
            C[j][bins + k] = C[bins + k][j] = (cells[j][k] - p[j] * q[k]) / N
    return p, q, C


@precise
def paired_variance(T: Matrix) -> Any:
    """Return the first-order variance of J of the margins of a table of paired counts."""
    p, q, C = _paired_covariance(T)
    return quadratic(gradient(p, q), C)


@precise
def paired_bias(T: Matrix) -> Any:
    """Return the first-order bias of J of the margins of a table of paired counts."""
    p, q, C = _paired_covariance(T)
    return trace_product(hessian(p, q), C) / 2


@precise
def paired_null_eigenvalues(T: Matrix) -> list[Any]:
    """Return weights of the chi-squares in the law of J under equal margins, ascending; the first is 0.

    They are the eigenvalues of ``D^-1/2 C D^-1/2`` with D the mean shares and C the covariance of p - q, in which the
    difference of the margins is taken to be 0.
    """
    bins = len(T)
    N = mp.fsum(mp.fsum(row) for row in T)
    out = [mp.fsum(row) / N for row in T]
    into = [mp.fsum(T[j][k] for j in range(bins)) / N for k in range(bins)]
    mean = [(s + t) / 2 for s, t in zip(out, into, strict=True)]
    C = mp.matrix(bins)
    for j in range(bins):
        for k in range(bins):
            moved = (out[j] + into[j] if j == k else 0) - (mp.mpf(T[j][k]) + T[k][j]) / N
            C[j, k] = moved / N / mp.sqrt(mean[j] * mean[k])
    return sorted(mp.eigsy(C, eigvals_only=True))
