"""Reference finite-sample values of the smoothed Information Value by summation and enumeration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import comb
from typing import Any

import mpmath as mp

from asymptopia.theory.scorecard.reference import jeffreys, precise, shares


def _binomial(n: int, p: Any) -> list[Any]:
    """Return the probabilities of 0..n."""
    return [mp.binomial(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]


@precise
def exact_mean(p: Sequence[Any], q: Sequence[Any], n: int, m: int, a: Any) -> Any:
    """Return ``E[J]`` with `a` > 0 added to every count, from one-dimensional binomial sums.

    ``E[J]`` is the sum over bins of ``E[P log P] - E[P] E[log Q] - E[Q] E[log P] + E[Q log Q]``.
    """
    a, bins = mp.mpf(a), len(p)

    def moments(share: Any, size: int) -> tuple[Any, Any, Any]:
        law = _binomial(size, mp.mpf(share))
        values = [(k + a) / (size + a * bins) for k in range(size + 1)]
        logs = [mp.log(value) for value in values]
        entropy = mp.fsum(w * v * log for w, v, log in zip(law, values, logs, strict=True))
        return mp.fdot(law, values), mp.fdot(law, logs), entropy

    total = mp.mpf(0)
    for s, t in zip(p, q, strict=True):
        (mean_p, log_p, entropy_p), (mean_q, log_q, entropy_q) = moments(s, n), moments(t, m)
        total += entropy_p - mean_p * log_q - mean_q * log_p + entropy_q
    return total


def compositions(total: int, bins: int) -> Iterator[tuple[int, ...]]:
    """Yield every vector of `bins` non-negative integers that sums to `total`."""
    if bins == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in compositions(total - first, bins - 1):
            yield (first, *rest)


def _multinomial(x: Sequence[int], p: Sequence[Any]) -> Any:
    weight, left = mp.mpf(1), sum(x)
    for count, share in zip(x, p, strict=True):
        weight *= mp.binomial(left, count) * mp.mpf(share) ** count
        left -= count
    return weight


@precise
def enumerate_smoothed(
    p: Sequence[Any], q: Sequence[Any], n: int, m: int, a: Any, threshold: Any = None
) -> tuple[Any, Any, Any]:
    """Return mean and standard deviation of the smoothed J and ``P(n_e J > threshold)``, over all samples."""
    working = mp.mp.dps
    first = [(shares(x, a, dps=working), _multinomial(x, p)) for x in compositions(n, len(p))]
    second = [(shares(y, a, dps=working), _multinomial(y, q)) for y in compositions(m, len(q))]
    effective = mp.mpf(n) * m / (n + m)
    mean = square = beyond = mp.mpf(0)
    for (s, weight), (t, other) in product(first, second):
        value = jeffreys(s, t, dps=working)
        mean += weight * other * value
        square += weight * other * value**2
        if threshold is not None and effective * value > threshold:
            beyond += weight * other
    return mean, mp.sqrt(square - mean**2), beyond


def conditional_pvalue(x: Sequence[int], y: Sequence[int], a: Any = 0.5) -> Fraction:
    """Return the exact p-value of the smoothed J given both margins, as a fraction.

    The first sample is drawn without replacement from the pooled bins. Samples whose J reaches the observed one count,
    equality being judged to 30 digits.
    """
    pooled = [s + t for s, t in zip(x, y, strict=True)]
    n = sum(x)

    def statistic(sample: Sequence[int]) -> Any:
        other = [N - s for N, s in zip(pooled, sample, strict=True)]
        return jeffreys(shares(sample, a), shares(other, a))

    observed = statistic(x) * (1 - mp.mpf(10) ** -30)
    reached = 0
    for sample in compositions(n, len(x)):
        if all(s <= N for s, N in zip(sample, pooled, strict=True)) and statistic(sample) >= observed:
            ways = 1
            for s, N in zip(sample, pooled, strict=True):
                ways *= comb(N, s)
            reached += ways
    return Fraction(reached, comb(sum(pooled), n))
