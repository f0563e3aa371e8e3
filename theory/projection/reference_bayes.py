"""Reference relations of divergence, total variation and Bayes error, by minimising over laws on two points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp

from asymptopia.theory.projection.reference import precise


def bisected(f: Callable[[Any], Any], low: Any, high: Any) -> Any:
    """Return where `f` turns positive between `low` and `high`, to half the digits in use and twenty more."""
    for _ in range(int((mp.mp.dps // 2 + 20) * 3.33)):
        middle = (low + high) / 2
        if f(middle) > 0:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def crossed(f: Callable[[Any], Any], low: Any, high: Any) -> Any:
    """Return the root of a rising `f` between `low` and `high`, by false position that halves a stale end's value."""
    at_low, at_high = f(low), f(high)
    if at_high <= 0:
        return high
    tolerance = mp.mpf(10) ** (-mp.mp.dps // 2 - 10)
    side = 0
    for _ in range(300):
        x = (low * at_high - high * at_low) / (at_high - at_low)
        value = f(x)
        if value == 0 or abs(high - low) <= tolerance * abs(high):
            return x
        if value > 0:
            high, at_high = x, value
            at_low = at_low / 2 if side > 0 else at_low
            side = 1
        else:
            low, at_low = x, value
            at_high = at_high / 2 if side < 0 else at_high
            side = -1
    raise ArithmeticError("no root")


def binary(p: Any, q: Any, other_p: Any, other_q: Any) -> Any:
    """Return the divergence of (p, 1 - p) from (q, 1 - q), the complements given."""
    total = mp.mpf(0)
    for s, t in ((p, q), (other_p, other_q)):
        total += s * mp.log(s / t) if s else 0
    return total


def least(v: Any, rest: Any) -> Any:
    """Return the least divergence at total variation `v`, 1 - v = `rest`: the laws (1 - x, x) and (rest - x, v + x)."""
    if v == 0:
        return mp.mpf(0)

    def slope(u: Any) -> Any:
        x = mp.exp(u)
        b = rest - x
        return mp.log(x * b / ((1 - x) * (v + x))) + (1 - x) / b - x / (v + x)

    # near v = 1 the place is below exp(-1/rest), where it no longer counts
    top = mp.log(rest)
    x = mp.exp(bisected(slope, top - 1000, top - mp.mpf(10) ** -mp.mp.dps))
    return binary(1 - x, rest - x, x, v + x)


@precise
def min_kl_given_tv(v: Any = None, complement: Any = None) -> Any:
    """Return the least divergence at total variation `v`, or at 1 - `complement`."""
    if complement is None:
        return least(mp.mpf(v), 1 - mp.mpf(v))
    return least(1 - mp.mpf(complement), mp.mpf(complement))


@precise
def max_tv_given_kl(kl: Any) -> dict[str, Any]:
    """Return the largest total variation at divergence `kl`, and its complement."""
    w = largest(mp.mpf(kl))
    return {"v": -mp.expm1(-w), "complement": mp.exp(-w)}


def largest(kl: Any) -> Any:
    """Return -log(1 - v) of the total variation whose least divergence is `kl`, by false position."""
    # Bretagnolle and Huber, or Pinsker
    high = kl + mp.log(2) if kl > 1 else -mp.log1p(-mp.sqrt(kl / 2))
    return crossed(lambda w: least(-mp.expm1(-w), mp.exp(-w)) - kl, mp.mpf(0), high)


@precise
def thresholds(alpha: Any) -> dict[str, Any]:
    """Return the divergences that hold the Bayes error of equal priors above 1/2 - alpha, by the relation used."""
    alpha = mp.mpf(alpha)
    v = 2 * alpha
    # two normal densities at the distance s have V ~ s / sqrt(2 pi) and the divergence s^2 / 2
    distance = v * mp.sqrt(2 * mp.pi)
    # a fidelity F bounds V by sqrt(1 - F^2) and the divergence from below by -2 log F
    fidelity = mp.sqrt(1 - v**2)
    return {
        "sharp": least(v, 1 - v),
        "pinsker": 2 * v**2,
        "local": distance**2 / 2,
        "bh": -2 * mp.log(fidelity),
    }


def least_at_error(error: Any, prior: Any) -> Any:
    """Return the least divergence of P, of the given prior, from Q where the Bayes error is `error`."""
    e, pi = mp.mpf(error), mp.mpf(prior)
    other = 1 - pi
    if e == min(pi, other):
        return mp.mpf(0)
    # by the share of Q on the side of P; the share of P there is 1 - miss
    low, high = max(mp.mpf(0), (e - pi) / other), e / other

    def miss(q: Any) -> Any:
        return (e - other * q) / pi

    def slope(q: Any) -> Any:
        m = miss(q)
        p = 1 - m
        return other / pi * mp.log(p * (1 - q) / (q * m)) - p / q + m / (1 - q)

    edge = (high - low) * mp.mpf(10) ** -mp.mp.dps
    q = bisected(slope, low + edge, high - edge)
    return binary(1 - miss(q), q, miss(q), 1 - q)


@precise
def min_kl_given_bayes_error(error: Any, prior: Any) -> Any:
    """Return the least divergence of P, of the given prior, from Q where the Bayes error is `error`."""
    return least_at_error(error, prior)


@precise
def min_bayes_error(kl: Any, prior: Any) -> Any:
    """Return the least Bayes error at divergence `kl` of P, of the given prior, from Q."""
    top = min(mp.mpf(prior), 1 - mp.mpf(prior))
    kl = mp.mpf(kl)
    if prior == 0.5:
        return mp.exp(-largest(kl)) / 2

    def gap(w: Any) -> Any:
        return least_at_error(top * mp.exp(-w), prior) - kl

    # the divergence rises with w; at (kl + log 2)/top + 1 it exceeds kl by Fano's inequality
    return top * mp.exp(-crossed(gap, mp.mpf(0), kl / top + 40))
