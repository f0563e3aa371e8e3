"""Reference risks of counts at finite n, by enumeration of the samples in exact integers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import mpmath as mp

from asymptopia.theory.projection.reference import precise

Numbers = Sequence[Any]


def compositions(n: int, cells: int) -> Iterator[tuple[int, ...]]:
    """Yield the counts of `cells` cells with the sum n."""
    if cells == 1:
        yield (n,)
        return
    for first in range(n + 1):
        for rest in compositions(n - first, cells - 1):
            yield (first, *rest)


def number(x: Fraction) -> Any:
    """Return the fraction as an mpmath number."""
    return mp.mpf(x.numerator) / x.denominator


@precise
def multinomial(probs: Numbers, n: int, add: Any = 0.5) -> dict[str, Any]:
    """Return the risk given that no cell is empty, the probability that one is, and the risk with `add` in each cell.

    Probabilities are taken as the fractions that they are. Each composition has an integer weight.
    """
    parts = [Fraction(p) for p in probs]
    if sum(parts) != 1:
        raise ValueError(f"probs={probs!r} do not sum to 1")
    unit = math.lcm(*(p.denominator for p in parts))
    weights = [int(p * unit) for p in parts]
    k = len(parts)
    inner = [[0] * (n + 1) for _ in range(k)]
    every = [[0] * (n + 1) for _ in range(k)]
    for counts in compositions(n, k):
        weight, left = 1, n
        for w, c in zip(weights, counts, strict=True):
            weight *= math.comb(left, c) * w**c
            left -= c
        full = all(counts)
        for i, c in enumerate(counts):
            every[i][c] += weight
            if full:
                inner[i][c] += weight
    total, kept = unit**n, sum(inner[0])
    add = mp.mpf(add)
    value = smooth = mp.mpf(0)
    for i, p in enumerate(map(number, parts)):
        for c in range(n + 1):
            if inner[i][c]:
                value += number(Fraction(inner[i][c], kept)) * p * mp.log(p * n / c)
            smooth += number(Fraction(every[i][c], total)) * p * mp.log(p * (n + k * add) / (c + add))
    found = {"value": value if kept else mp.nan, "prob_no_mle": number(Fraction(total - kept, total))}
    return found | {"smooth": smooth}


def totals(first: Any, ratio: Callable[[int], Any], risk: Callable[[Any], Any], add: Any) -> dict[str, Any]:
    """Return the risks of a family of one count from the law of the total s.

    Parameters
    ----------
    first
        Probability of no count at all, where there is no estimate.
    ratio
        Probability of s + 1 over that of s.
    risk
        Divergence by the total.
    """
    tolerance = mp.mpf(10) ** (-mp.mp.dps)
    weight, s = first, 0
    value, smooth = mp.mpf(0), first * risk(mp.mpf(add))
    while True:
        growth = ratio(s)
        weight *= growth
        s += 1
        part = weight * risk(mp.mpf(s))
        value += part
        smooth += weight * risk(s + mp.mpf(add))
        # the rest is below a geometric series
        if growth < mp.mpf("0.9") and weight * (s + 1) < tolerance * smooth * first:
            break
    return {"value": value / (1 - first), "prob_no_mle": first, "smooth": smooth}


@precise
def poisson(lam: Any, n: int, add: Any = 0.5) -> dict[str, Any]:
    """Return the risks of the Poisson distribution by the sum over the total."""
    lam = mp.mpf(lam)

    def risk(s: Any) -> Any:
        return lam * mp.log(lam * n / s) - lam + s / n

    return totals(mp.exp(-n * lam), lambda s: n * lam / (s + 1), risk, add)


@precise
def negative_binomial(size: Any, q: Any, n: int, add: Any = 0.5) -> dict[str, Any]:
    """Return the risks of the negative binomial distribution of known size by the sum over the total."""
    size, q = mp.mpf(size), mp.mpf(q)
    mean = size * q / (1 - q)

    def risk(s: Any) -> Any:
        estimate = s / n / (size + s / n)
        return mean * mp.log(q / estimate) + size * mp.log((1 - q) / (1 - estimate))

    return totals((1 - q) ** (n * size), lambda s: q * (n * size + s) / (s + 1), risk, add)


@precise
def poisson_counts(mean: Any, size: Any, n: int, add: Any = 0.5) -> dict[str, Any]:
    """Return the risks of the Poisson model where the counts are negative binomial with this mean and size."""
    mean, size = mp.mpf(mean), mp.mpf(size)
    q = mean / (mean + size)

    def risk(s: Any) -> Any:
        return mean * mp.log(mean * n / s) - mean + s / n

    return totals((1 - q) ** (n * size), lambda s: q * (n * size + s) / (s + 1), risk, add)
