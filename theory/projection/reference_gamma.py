"""Reference risk of gamma laws of unknown shape: the raw Mellin transform of the ratio of means, inverted numerically.

The density is a trapezoidal sum of products of gamma functions along a path around the negative axis, and its own
integral is the normaliser. The divergence is taken between the laws themselves, out of its definition.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath as mp

from asymptopia.theory.projection.reference_exact import expectation, gamma_means, ratio


def gap_density(shape: Any, n: int) -> Callable[[Any], Any]:
    """Return the density of D, the log of the arithmetic less that of the geometric mean, as a function of a place > 0.

    The path from the place runs around the singularities; the value of D at it is `gap_at`.
    """
    a, size = mp.mpf(shape), mp.mpf(n)
    half = (size - 1) / 2
    low, high = mp.mpf(10) ** -6, mp.pi - mp.mpf(10) ** -6

    def height(angle: Any) -> Any:
        return half * (angle * mp.cot(angle) - 1 - mp.log(angle / mp.sin(angle))) + mp.mp.dps * mp.log(10)

    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if height(middle) > 0 else (low, middle)
    count = 5 * mp.mp.dps // 2
    path = []
    for k in range(count):
        angle = (k + mp.mpf(1) / 2) * high / count
        pace = mp.mpc(mp.cot(angle) - angle / mp.sin(angle) ** 2, 1)
        path.append((mp.mpc(angle * mp.cot(angle), angle), pace))
    constant = mp.loggamma(size * a) - size * mp.loggamma(a)

    def density(place: Any) -> Any:
        total = mp.mpf(0)
        with guarded(place):
            rate = gap_at(place, n) + mp.log(size)
            for direction, pace in path:
                tau = place * direction
                power = constant + size * (tau - a) * rate + size * mp.loggamma(tau) - mp.loggamma(size * tau)
                total += mp.im(mp.exp(power) * pace)
        return size / mp.pi * place * total * high / count

    return density


def guarded(place: Any) -> Any:
    """Return a context with the digits that differences of log gamma and its derivatives lose at a large place."""
    return mp.workdps(mp.mp.dps + 5 + max(0, round(2 * float(mp.log10(place)))))


def gap_at(place: Any, n: int) -> Any:
    """Return the D whose saddle point is at a place."""
    return mp.log(place) - mp.psi(0, place) - mp.log(n * place) + mp.psi(0, n * place)


def fitted(gap: Any, start: Any) -> Any:
    """Return the shape with log(shape) - psi(shape) = gap."""
    shape = start
    for _ in range(200):
        step = (mp.log(shape) - mp.psi(0, shape) - gap) / (1 / shape - mp.psi(1, shape))
        shape = shape - step if step < shape else shape / 2
        # the next one would be its square
        if abs(step) <= mp.sqrt(mp.eps) * shape / 100:
            return shape
    raise ArithmeticError("Newton's method does not settle")


@cache
def _risk(shape: Any, n: int, digits: int) -> Any:
    with mp.workdps(digits):
        a = ratio(shape)
        density = gap_density(a, n)
        log_w, _, inverse = gamma_means(n * shape)

        def log_density(y: Any) -> Any:
            place = a * mp.exp(y)
            with guarded(place):
                slope = mp.psi(1, place) - n * mp.psi(1, n * place)
            value = density(place) * place * slope
            # rounding far out
            return mp.log(value) if value > 0 else -mp.inf

        def divergence(y: Any) -> Any:
            place = a * mp.exp(y)
            with guarded(place):
                fit = fitted(gap_at(place, n), place * n / (n - 1))
                # with the mean w a of the data, log w and 1/w averaged: the rate is fit / (w a), and 1 the true one
                logs = mp.loggamma(fit) - mp.loggamma(a) + (a - fit) * mp.psi(0, a)
                return logs - fit * (mp.log(fit / a) - log_w) + fit * inverse - a

        width = mp.mpf(1) / mp.sqrt((n - 1) / mp.mpf(2))
        return expectation(log_density, width, [divergence])[0]


def gamma_both_risk(shape: Any, n: int) -> Any:
    """Return the risk of gamma laws of unknown shape and rate; inf where it is."""
    exact = Fraction(shape)
    return mp.inf if n < 4 or n * exact <= 1 else _risk(exact, n, mp.mp.dps)
