"""Points at which the oracle tables of the scorecard are taken, and how their values are written."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import mpmath as mp

DPS = 50
DIGITS = 30
BINS = (2, 3, 4, 5, 8, 10, 12, 20, 50)
Row = list[Any]
Table = tuple[list[str], list[Row]]


def text(value: Any) -> str:
    """Return the value with 30 digits."""
    return str(mp.nstr(value, DIGITS, strip_zeros=True))


def shape(rng: random.Random, bins: int) -> list[float]:
    """Return positive weights: uniform, geometric, or with one dominating bin."""
    kind = rng.randrange(3)
    if kind == 0:
        return [rng.uniform(0.5, 1.5) for _ in range(bins)]
    if kind == 1:
        ratio = rng.uniform(0.5, 0.95)
        return [ratio**k for k in range(bins)]
    return [1e3 if k == 0 else rng.uniform(0.5, 1.5) for k in range(bins)]


def sample(rng: random.Random, weights: list[float], size: float) -> list[int]:
    """Return counts of about `size` in total, each at least 1."""
    total = sum(weights)
    return [max(1, round(size * w / total * rng.uniform(0.9, 1.1))) for w in weights]


def edge_pairs() -> Iterator[tuple[list[int], list[int]]]:
    """Yield pairs of counts at the edges of the domain and from the German credit data."""
    yield [139, 49, 164, 348], [135, 14, 105, 46]
    yield [221, 38, 61, 380], [89, 12, 31, 168]
    yield [33, 667], [4, 296]
    yield [10**12, 10**12 + 10**6, 10**12 - 10**6], [10**12] * 3
    yield [10**12, 10**12 + 1, 10**12 - 1], [10**12] * 3
    yield [10**9, 10**9 + 3], [10**9 + 3, 10**9]
    yield [1, 10**9], [10**9, 1]
    yield [1, 1], [1, 1]
    yield [1, 2], [2, 1]
    yield [7, 5, 3], [14, 10, 6]
    yield [10**12] * 50, [10**12] * 49 + [10**12 + 10**5]
    yield [10**6] * 20, [10**3] * 19 + [10**3 + 1]


def pairs(
    rng: random.Random, number: int, *, largest: float = 12.0, most: int = 50
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield `number` pairs of positive counts: apart, close, nearly equal, and of very different sizes."""
    found = 0
    for x, y in edge_pairs():
        if len(x) <= most and max(*x, *y) <= 10**largest:
            yield x, y
            found += 1
    while found < number:
        bins = rng.choice([b for b in BINS if b <= most])
        weights = shape(rng, bins)
        n, m = (10 ** rng.uniform(math.log10(20 * bins), largest) for _ in range(2))
        kind = found % 3
        if kind == 0:
            yield sample(rng, weights, n), sample(rng, shape(rng, bins), m)
        elif kind == 1:
            yield sample(rng, weights, n), sample(rng, weights, m)
        else:
            x = sample(rng, weights, n)
            moved = max(1, int(min(x) * 10 ** rng.uniform(-6, -1)))
            yield x, [2 * s + moved * (-1) ** k for k, s in enumerate(x)]
        found += 1


def dyadic(rng: random.Random, bins: int, power: int = 20) -> list[float]:
    """Return shares that are multiples of ``2**-power`` and sum to exactly 1."""
    weights = shape(rng, bins)
    whole = [max(1, int(2**power * w / sum(weights))) for w in weights]
    whole[0] += 2**power - sum(whole)
    return [w / 2**power for w in whole]
