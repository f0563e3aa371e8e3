"""Reference values for f-divergences, their second-order law and their posterior mean in multiple precision.

A divergence is the sum of q f(p/q); gradient and Hessian are numerical derivatives of f, taken with more digits than
are asked for, and variances and biases are products of full matrices. No derivative of a named divergence is written
here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp

from asymptopia.theory.scorecard.reference import (
    Matrix,
    Numbers,
    independent_covariance,
    precise,
    quadratic,
    trace_product,
    zeros,
)

Function = Callable[[Any], Any]

GENERATORS: dict[str, Function] = {
    "kl": lambda r: r * mp.log(r),
    "reverse-kl": lambda r: -mp.log(r),
    "jeffreys": lambda r: (r - 1) * mp.log(r),
    "js": lambda r: (r * mp.log(2 * r / (1 + r)) + mp.log(2 / (1 + r))) / 2,
    "hellinger": lambda r: (mp.sqrt(r) - 1) ** 2 / 2,
    "pearson": lambda r: (r - 1) ** 2,
    "neyman": lambda r: (1 - r) ** 2 / r,
}
EMPTY: dict[str, Function] = {"js": lambda share: share * mp.log(2) / 2, "hellinger": lambda share: mp.mpf(share) / 2}
"""What a bin adds in which only one sample has the share, where that is finite from both sides."""


def generator(kind: str, alpha: Any = None) -> Function:
    """Return f of the named divergence; the power family of order `alpha` has its limits at 0 and 1."""
    if kind != "alpha":
        return GENERATORS[kind]
    order = mp.mpf(alpha)
    if order == 1:
        return lambda r: r * mp.log(r) - r + 1
    if order == 0:
        return lambda r: -mp.log(r) + r - 1
    return lambda r: (r**order - order * r - (1 - order)) / (order * (order - 1))


@precise
def divergence(p: Numbers, q: Numbers, kind: str, alpha: Any = None) -> Any:
    """Return ``sum q f(p / q)``."""
    f = generator(kind, alpha)
    # near p = q a generator that is not flat at 1 cancels between the bins
    with mp.workdps(3 * mp.mp.dps):
        total = mp.mpf(0)
        for s, t in zip(p, q, strict=True):
            s, t = mp.mpf(s), mp.mpf(t)
            if s == 0 and t == 0:
                continue
            if s == 0 or t == 0:
                total += EMPTY.get(kind, lambda _: mp.inf)(s + t)
            else:
                total += t * f(s / t)
        return total


def slopes(f: Function, ratio: Any) -> tuple[Any, Any]:
    """Return the first and second derivative of f at `ratio`, numerically, to the working precision."""
    wanted = mp.mp.dps
    with mp.workdps(3 * wanted):
        step = mp.mpf(10) ** (-wanted) * ratio
        h = [f(ratio + k * step) for k in (-2, -1, 0, 1, 2)]
        first = (8 * (h[3] - h[1]) - (h[4] - h[0])) / (12 * step)
        second = (16 * (h[3] + h[1]) - (h[4] + h[0]) - 30 * h[2]) / (12 * step**2)
    return first, second


def gradient_hessian(p: Numbers, q: Numbers, kind: str, alpha: Any = None) -> tuple[list[Any], Matrix]:
    """Return the derivatives of ``sum q f(p / q)`` by p_1..p_B, q_1..q_B, by the chain rule through r = p/q."""
    f, bins = generator(kind, alpha), len(p)
    g: list[Any] = [mp.mpf(0)] * (2 * bins)
    H = zeros(2 * bins)
    for k, (s, t) in enumerate(zip(p, q, strict=True)):
        r = mp.mpf(s) / t
        first, second = slopes(f, r)
        g[k], g[bins + k] = first, f(r) - r * first
        by_p, by_q = 1 / mp.mpf(t), -mp.mpf(s) / mp.mpf(t) ** 2
        # d/dp and d/dq of f'(r) and of f(r) - r f'(r)
        H[k][k] = second * by_p
        H[k][bins + k] = H[bins + k][k] = second * by_q
        H[bins + k][bins + k] = -r * second * by_q
    return g, H


@precise
def moments(
    p: Numbers,
    q: Numbers,
    n: Any,
    m: Any,
    kind: str,
    alpha: Any = None,
    a: Any = 0,
    baseline: str = "random",
) -> tuple[Any, Any, Any, Any]:
    """Return value, variance ``g'Sg``, bias ``tr(HS)/2`` plus the shift by `a` in each count, and the size of both."""
    value = divergence(p, q, kind, alpha, dps=mp.mp.dps)
    # the mean of the gradient cancels in the variance, and so do digits of nearly equal shares
    with mp.workdps(2 * mp.mp.dps):
        p, q = [mp.mpf(s) for s in p], [mp.mpf(t) for t in q]
        bins = len(p)
        g, H = gradient_hessian(p, q, kind, alpha)
        S = independent_covariance(p, q, n, m, baseline)
        curvature = trace_product(H, S) / 2
        shift = [mp.mpf(a) * (1 - bins * s) / n for s in p]
        shift += [mp.mpf(a) * (1 - bins * t) / m if baseline != "fixed" else mp.mpf(0) for t in q]
        # a constant in u or v moves nothing: it is taken out of the size of the shift
        moved = mp.fdot(g, shift)
        return value, quadratic(g, S), curvature + moved, abs(curvature) + abs(moved)


@precise
def second_order_cumulants(
    p: Numbers, q: Numbers, n: Any, m: Any, kind: str = "jeffreys", alpha: Any = None, baseline: str = "random"
) -> tuple[Any, Any, Any]:
    """Return three cumulants of ``g'Z + Z'HZ/2`` as derivatives of its cumulant generating function at 0.

    The function ``-log det(I - t H S) / 2 + t^2 g'S (I - t H S)^-1 g / 2`` is evaluated by elimination at small t; its
    derivatives are differences. No trace of a power is formed.
    """
    wanted = mp.mp.dps
    with mp.workdps(6 * wanted):
        p, q = [mp.mpf(s) for s in p], [mp.mpf(t) for t in q]
        g, H = gradient_hessian(p, q, kind, alpha)
        S = mp.matrix(independent_covariance(p, q, n, m, baseline))
        HS, slope = mp.matrix(H) * S, mp.matrix(g)
        size = HS.rows
        step = mp.mpf(10) ** (-wanted)
        values = []
        for k in range(-3, 4):
            t = k * step
            if k == 0:
                values.append(mp.mpf(0))
                continue
            inner = mp.eye(size) - t * HS
            linear = (slope.T * S * mp.lu_solve(inner, slope))[0]
            values.append(-mp.log(mp.det(inner)) / 2 + t**2 / 2 * linear)
        b3, b2, b1, centre, f1, f2, f3 = values
        first = (45 * (f1 - b1) - 9 * (f2 - b2) + (f3 - b3)) / (60 * step)
        second = (270 * (f1 + b1) - 27 * (f2 + b2) + 2 * (f3 + b3) - 490 * centre) / (180 * step**2)
        third = (-13 * (f1 - b1) + 8 * (f2 - b2) - (f3 - b3)) / (8 * step**3)
        return first, second, third


@precise
def posterior_mean(x: Numbers, y: Numbers, a: Any) -> Any:
    """Return ``E[J]`` under independent Dirichlet posteriors with parameters x + a and y + a.

    ``E[s log s]`` and ``E[log s]`` are differences of ``E[s^k] = Gamma(b+k) Gamma(A) / (Gamma(b) Gamma(A+k))`` in the
    power k at 1 and at 0.
    """
    wanted = mp.mp.dps
    # sizes of 1e12 and close shares cancel
    with mp.workdps(4 * wanted):
        step = mp.mpf(10) ** (-wanted)

        def log_moment(b: Any, size: Any, power: Any) -> Any:
            return mp.loggamma(b + power) + mp.loggamma(size) - mp.loggamma(b) - mp.loggamma(size + power)

        def slope(b: Any, size: Any, power: int) -> Any:
            h = [mp.exp(log_moment(b, size, power + k * step)) for k in (-2, -1, 1, 2)]
            return (8 * (h[2] - h[1]) - (h[3] - h[0])) / (12 * step)

        first, second = [mp.mpf(v) + a for v in x], [mp.mpf(v) + a for v in y]
        A, C = mp.fsum(first), mp.fsum(second)
        total = mp.mpf(0)
        for b, c in zip(first, second, strict=True):
            total += slope(b, A, 1) + slope(c, C, 1) - b / A * slope(c, C, 0) - c / C * slope(b, A, 0)
        return total
